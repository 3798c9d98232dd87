#include "cli/screen/columns.h"

#include <stdbool.h>
#include <string.h>

#include "cli/screen/width.h"
#include "node/api/escape.h"
#include "node/api/utf8.h"

static const char gap[] = "...";
enum { GAP = 3, SHORTEST_WITH_GAP = 8, VS16 = 0xfe0f, KEYCAP = 0x20e3 };

size_t columns_text(const char *s) {
    return width_of(s, strlen(s));
}

/* The next character as it is shown, at s[0..len); returns its bytes in s. */
static size_t next_piece(const char *s, size_t len, char piece[static 16], size_t *columns) {
    uint32_t cp;
    size_t n = utf8_read(s, len, &cp), whole = n ? n : 1;
    n = whole;
    /* What makes an emoji of it belongs to it, or it would be escaped. */
    for (size_t more; whole < n + 6 && (more = utf8_read(s + whole, len - whole, &cp)) > 0 &&
                      (cp == VS16 || cp == KEYCAP);)
        whole += more;
    n = escape_none(s, whole) ? whole : n;
    escape_text(piece, 16, s, n);
    *columns = columns_text(piece);
    return n;
}

static size_t put(char *out, size_t cap, size_t used, const char *piece) {
    size_t n = strlen(piece);
    if (used + n >= cap)
        return used;
    memcpy(out + used, piece, n + 1);
    return used + n;
}

size_t columns_shorten(char *out, size_t cap, const char *s, size_t len, size_t columns) {
    char piece[16];
    size_t total = 0, w, used = 0;
    for (size_t at = 0; at < len; total += w)
        at += next_piece(s + at, len - at, piece, &w);
    size_t head = columns, tail = 0;
    if (total > columns && columns >= SHORTEST_WITH_GAP) {
        tail = (columns - GAP) / 2;
        head = columns - GAP - tail;
    }
    if (cap == 0)
        return 0;
    out[0] = '\0';
    size_t seen = 0;
    bool whole = total <= columns, in_tail = false, in_head = true;
    for (size_t at = 0; at < len; seen += w) {
        at += next_piece(s + at, len - at, piece, &w);
        in_head = in_head && (whole || seen + w <= head);
        /* A mark at the beginning of the tail would be put on the gap. */
        bool begins = tail > 0 && !in_head && !in_tail && w > 0 && total - seen <= tail;
        if (begins)
            used = put(out, cap, used, gap);
        in_tail = in_tail || begins;
        if (in_head || in_tail)
            used = put(out, cap, used, piece);
    }
    if (tail > 0 && !in_tail)
        put(out, cap, used, gap);
    return columns_text(out);
}
