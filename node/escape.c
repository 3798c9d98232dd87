#include "node/escape.h"

#include <stdio.h>
#include <string.h>

#include "node/utf8.h"

size_t escape_text(char *out, size_t cap, const char *in, size_t len) {
    size_t total = 0, used = 0;
    for (size_t at = 0; at < len;) {
        char piece[16];
        uint32_t cp;
        size_t n = utf8_read(in + at, len - at, &cp);
        int put;
        if (n == 0 || cp < 0x20 || cp == 0x7f)
            put = snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)in[at]);
        else if (cp == '\\')
            put = snprintf(piece, sizeof piece, "\\\\");
        else if (!utf8_plain(cp))
            put = snprintf(piece, sizeof piece, "\\u{%x}", (unsigned)cp);
        else
            put = snprintf(piece, sizeof piece, "%.*s", (int)n, in + at);
        /* Once something was cut nothing follows it, or the text would have a hole. */
        if (used == total && used + (size_t)put < cap) {
            memcpy(out + used, piece, (size_t)put);
            used += (size_t)put;
        }
        total += (size_t)put;
        at += n ? n : 1;
    }
    if (cap > 0)
        out[used] = '\0';
    return total;
}
