#include "node/api/escape.h"

#include <stdio.h>
#include <string.h>

#include "node/api/script.h"
#include "node/api/utf8.h"

enum { VS16 = 0xfe0f, KEYCAP = 0x20e3 };

/* The character at in + at, behind `prev`. */
static bool is_shown(const char *in, size_t at, size_t len, uint32_t prev) {
    uint32_t cp, next;
    const size_t n = utf8_read(in + at, len - at, &cp);
    if (n == 0 || !utf8_plain(cp) || script_is_inkless(cp))
        return false;
    if (cp != VS16 || script_is_emoji(prev))
        return true;
    return script_takes(prev, VS16) && utf8_read(in + at + n, len - at - n, &next) > 0 &&
           next == KEYCAP;
}

bool escape_none(const char *in, size_t len) {
    uint32_t cp = 0;
    for (size_t at = 0, n; at < len; at += n) {
        if (!is_shown(in, at, len, cp))
            return false;
        n = utf8_read(in + at, len - at, &cp);
    }
    return true;
}

size_t escape_text(char *out, size_t cap, const char *in, size_t len) {
    size_t total = 0, used = 0;
    uint32_t prev = 0;
    for (size_t at = 0; at < len;) {
        char piece[16];
        uint32_t cp;
        size_t n = utf8_read(in + at, len - at, &cp);
        int put;
        if (n == 0 || cp < 0x20 || cp == 0x7f)
            put = snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)in[at]);
        else if (cp == '\\')
            put = snprintf(piece, sizeof piece, "\\\\");
        else if (!is_shown(in, at, len, prev))
            put = snprintf(piece, sizeof piece, "\\u{%x}", (unsigned)cp);
        else
            put = snprintf(piece, sizeof piece, "%.*s", (int)n, in + at);
        /* Once something was cut nothing follows it, or the text would have a hole. */
        if (used == total && used + (size_t)put < cap) {
            memcpy(out + used, piece, (size_t)put);
            used += (size_t)put;
        }
        prev = cp;
        total += (size_t)put;
        at += n ? n : 1;
    }
    if (cap > 0)
        out[used] = '\0';
    return total;
}
