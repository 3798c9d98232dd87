#include "node/api/utf8.h"

#include <string.h>

/* The continuation bytes at s[1..n), or false. */
static bool tail(const char *s, size_t n, uint32_t *cp) {
    for (size_t i = 1; i < n; i++) {
        uint8_t b = (uint8_t)s[i];
        if ((b & 0xc0) != 0x80)
            return false;
        *cp = *cp << 6 | (b & 0x3f);
    }
    return true;
}

size_t utf8_read(const char *s, size_t len, uint32_t *cp) {
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    *cp = 0;
    if (len == 0)
        return 0;
    uint8_t b = (uint8_t)s[0];
    size_t n = b < 0x80             ? 1
               : (b & 0xe0) == 0xc0 ? 2
               : (b & 0xf0) == 0xe0 ? 3
               : (b & 0xf8) == 0xf0 ? 4
                                    : 0;
    if (n == 0 || n > len)
        return 0;
    uint32_t v = n == 1 ? b : (uint32_t)(b & (0x7f >> n));
    if (!tail(s, n, &v) || v < smallest[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 0;
    *cp = v;
    return n;
}

bool utf8_valid(const char *s, size_t len) {
    uint32_t cp;
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_read(s + at, len - at, &cp);
        if (n == 0)
            return false;
    }
    return true;
}

void utf8_repair(char *out, size_t cap, const char *in, size_t len) {
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        uint32_t cp;
        const size_t n = utf8_read(in + at, len - at, &cp), put = n ? n : 3;
        if (used + put >= cap)
            break;
        memcpy(out + used, n ? in + at : "\xef\xbf\xbd", put);
        used += put;
        at += n ? n : 1;
    }
    out[used] = '\0';
}

bool utf8_plain(uint32_t cp) {
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x0000, 0x001f},
        {0x007f, 0x009f}, /* C0, DEL, C1 */
        {0x00ad, 0x00ad},
        {0x034f, 0x034f}, /* soft hyphen, combining grapheme joiner */
        {0x061c, 0x061c},
        {0x115f, 0x1160}, /* Arabic letter mark, Hangul fillers */
        {0x17b4, 0x17b5},
        {0x180b, 0x180f}, /* Khmer inherent vowels, Mongolian selectors */
        {0x200b, 0x200f},
        {0x2028, 0x202e}, /* zero-width, marks; separators, embeddings, overrides */
        {0x2060, 0x206f},
        {0x3164, 0x3164}, /* invisible operators, isolates; Hangul filler */
        {0xe000, 0xf8ff},
        {0xfdd0, 0xfdef}, /* private use, noncharacters */
        {0xfe00, 0xfe0e},
        {0xfeff, 0xfeff}, /* selectors but the emoji one, BOM */
        {0xffa0, 0xffa0},
        {0xfff0, 0xfffb}, /* filler, annotation */
        {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a},  /* shorthand and musical format controls */
        {0xe0000, 0x10ffff}, /* tags, selectors, private planes */
    };
    if ((cp & 0xfffe) == 0xfffe)
        return false;
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (cp <= hidden[i].last) /* they are in order */
            return cp < hidden[i].first;
    return false;
}

bool utf8_all_plain(const char *s, size_t len) {
    uint32_t cp;
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_read(s + at, len - at, &cp);
        if (n == 0 || !utf8_plain(cp))
            return false;
    }
    return true;
}
