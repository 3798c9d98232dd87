#include "cli/columns.h"

#include <stdbool.h>
#include <string.h>

#include "node/escape.h"
#include "node/utf8.h"

static const char gap[] = "...";
enum { GAP = 3, SHORTEST_WITH_GAP = 8 };

size_t columns_of(uint32_t cp) {
    /* Unicode 15: what takes no column, and what takes two. In order. */
    static const struct {
        uint32_t first, last;
        unsigned columns;
    } odd[] = {
        {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x064b, 0x065f, 0},
        {0x0900, 0x0902, 0},   {0x093c, 0x093c, 0},   {0x0941, 0x0948, 0},   {0x094d, 0x094d, 0},
        {0x0e31, 0x0e31, 0},   {0x0e34, 0x0e3a, 0},   {0x0e47, 0x0e4e, 0},   {0x1100, 0x115f, 2},
        {0x1ab0, 0x1ace, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},   {0x20d0, 0x20f0, 0},
        {0x231a, 0x231b, 2},   {0x2329, 0x232a, 2},   {0x23e9, 0x23f3, 2},   {0x25fd, 0x25fe, 2},
        {0x2614, 0x2615, 2},   {0x2648, 0x2653, 2},   {0x267f, 0x267f, 2},   {0x2693, 0x2693, 2},
        {0x26a1, 0x26a1, 2},   {0x26aa, 0x26ab, 2},   {0x26bd, 0x26be, 2},   {0x26c4, 0x26c5, 2},
        {0x26ce, 0x26ce, 2},   {0x26d4, 0x26d4, 2},   {0x26ea, 0x26ea, 2},   {0x26f2, 0x26f5, 2},
        {0x26fa, 0x26fa, 2},   {0x26fd, 0x26fd, 2},   {0x2705, 0x2705, 2},   {0x270a, 0x270b, 2},
        {0x2728, 0x2728, 2},   {0x274c, 0x274c, 2},   {0x274e, 0x274e, 2},   {0x2753, 0x2755, 2},
        {0x2757, 0x2757, 2},   {0x2795, 0x2797, 2},   {0x27b0, 0x27b0, 2},   {0x27bf, 0x27bf, 2},
        {0x2b1b, 0x2b1c, 2},   {0x2b50, 0x2b50, 2},   {0x2b55, 0x2b55, 2},   {0x2e80, 0x303e, 2},
        {0x3041, 0x3098, 2},   {0x3099, 0x309a, 0},   {0x309b, 0xa4cf, 2},   {0xa960, 0xa97f, 2},
        {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe10, 0xfe1f, 2},   {0xfe20, 0xfe2f, 0},
        {0xfe30, 0xfe6f, 2},   {0xff01, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x16fe0, 0x18cff, 2},
        {0x18d00, 0x1b2ff, 2}, {0x1f000, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd && cp >= odd[i].first; i++)
        if (cp <= odd[i].last)
            return odd[i].columns;
    return 1;
}

size_t columns_text(const char *s) {
    size_t total = 0;
    for (size_t len = strlen(s), at = 0; at < len;) {
        uint32_t cp;
        size_t n = utf8_read(s + at, len - at, &cp);
        total += n ? columns_of(cp) : 1;
        at += n ? n : 1;
    }
    return total;
}

/* The next character as it is shown, at s[0..len); returns its bytes in s. */
static size_t next_piece(const char *s, size_t len, char piece[static 16], size_t *columns) {
    uint32_t cp;
    size_t n = utf8_read(s, len, &cp);
    n = n ? n : 1;
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
