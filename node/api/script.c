#include "node/api/script.h"

#include <stddef.h>

struct range {
    uint32_t first, last;
};

static bool in(const struct range *r, size_t count, uint32_t cp) {
    for (size_t i = 0; i < count; i++)
        if (cp <= r[i].last) /* they are in order */
            return cp >= r[i].first;
    return false;
}
#define IN_RANGES(ranges, cp) in(ranges, sizeof(ranges) / sizeof *(ranges), cp)

bool script_joins(uint32_t cp) {
    static const struct range joining[] = {
        {0x0620, 0x065f}, /* Arabic letters and their marks */
        {0x066e, 0x06d3},
        {0x06d5, 0x06dc},
        {0x06df, 0x06e8},
        {0x06ea, 0x06ef},
        {0x06fa, 0x06ff},
        {0x0710, 0x074a}, /* Syriac */
        {0x074d, 0x07b1}, /* Syriac, Arabic, Thaana */
        {0x07ca, 0x07f5}, /* N'Ko */
        {0x0840, 0x085b},
        {0x0860, 0x08ff}, /* Mandaic, Syriac, Arabic */
        {0x0900, 0x0963},
        {0x0971, 0x09e3}, /* Devanagari, Bengali, without their full stops and digits */
        {0x09f0, 0x09f1},
        {0x0a01, 0x0a51},
        {0x0a59, 0x0a5e},
        {0x0a70, 0x0a75}, /* Gurmukhi */
        {0x0a81, 0x0ae3},
        {0x0af9, 0x0b63},
        {0x0b71, 0x0b71}, /* Gujarati, Oriya */
        {0x0b82, 0x0bd7},
        {0x0c00, 0x0c63},
        {0x0c80, 0x0ce3}, /* Tamil, Telugu, Kannada */
        {0x0cf1, 0x0d57},
        {0x0d5f, 0x0d63},
        {0x0d7a, 0x0de3}, /* Malayalam, Sinhala */
        {0x0df2, 0x0df3},
        {0x0f40, 0x0fbc},
        {0x1000, 0x103f}, /* Tibetan, Myanmar */
        {0x1050, 0x108f},
        {0x1780, 0x17d3}, /* Khmer */
        {0x1820, 0x18aa},
        {0x1a20, 0x1a7c},
        {0x1b00, 0x1b4c}, /* Mongolian, Tai Tham, Balinese */
        {0x1b80, 0x1baf},
        {0x1bc0, 0x1bf3},
        {0x1c00, 0x1c37}, /* Sundanese, Batak, Lepcha */
        {0xa840, 0xa873},
        {0xa880, 0xa8c5},
        {0xa8e0, 0xa8ff}, /* Phags-pa, Saurashtra, Devanagari */
        {0xa980, 0xa9c0},
        {0xaa60, 0xaa7f},
        {0xabc0, 0xabed}, /* Javanese, Myanmar, Meetei Mayek */
        {0xfb50, 0xfbb1},
        {0xfbd3, 0xfd3d},
        {0xfd50, 0xfdc7},
        {0xfe70, 0xfefc}, /* Arabic shapes */
        {0x10ac0, 0x10ae6},
        {0x10d00, 0x10d27},
        {0x11000, 0x1123f}, /* Manichaean, Rohingya, Brahmi ... */
        {0x11280, 0x1174f},
        {0x11800, 0x1183a},
        {0x11a00, 0x11a9d},
        {0x11c00, 0x11df6},
        {0x1e900, 0x1e94b},
        {0x1ee00, 0x1eebb}, /* Adlam, Arabic mathematics */
    };
    return IN_RANGES(joining, cp);
}

bool script_breaks(uint32_t cp) {
    static const struct range unspaced[] = {
        {0x0e01, 0x0e3a}, {0x0e40, 0x0e4e}, {0x0e81, 0x0ece}, {0x0edc, 0x0edf}, {0x0f00, 0x0fbc},
        {0x1000, 0x103f}, {0x1050, 0x108f}, {0x1780, 0x17d3}, {0x17d7, 0x17d7}, {0xaa60, 0xaa7f},
    };
    return IN_RANGES(unspaced, cp);
}

bool script_is_rtl(uint32_t cp) {
    static const struct range rtl[] = {
        {0x05be, 0x05be},   {0x05c0, 0x05c0},   {0x05c3, 0x05c3},   {0x05c6, 0x05c6},
        {0x05d0, 0x05f4},   {0x0608, 0x0608},   {0x060b, 0x060b},   {0x060d, 0x060d},
        {0x061b, 0x061b},   {0x061d, 0x064a},   {0x066d, 0x066f},   {0x0671, 0x06d5},
        {0x06e5, 0x06e6},   {0x06ee, 0x06ef},   {0x06fa, 0x0710},   {0x0712, 0x072f},
        {0x074d, 0x07a5},   {0x07b1, 0x07ea},   {0x07f4, 0x07f5},   {0x07fa, 0x0815},
        {0x0840, 0x0858},   {0x085e, 0x088e},   {0x08a0, 0x08c9},   {0xfb1d, 0xfb1d},
        {0xfb1f, 0xfb28},   {0xfb2a, 0xfd3d},   {0xfd50, 0xfdc7},   {0xfdf0, 0xfdfc},
        {0xfe70, 0xfefc},   {0x10800, 0x1091b}, {0x10920, 0x10fff}, {0x1e800, 0x1e8cf},
        {0x1e900, 0x1e943}, {0x1e94b, 0x1eebb},
    };
    return IN_RANGES(rtl, cp);
}

bool script_is_emoji(uint32_t cp) {
    static const struct range signs[] = {
        {0x00a9, 0x00a9}, {0x00ae, 0x00ae},   {0x203c, 0x203c}, {0x2049, 0x2049}, {0x2122, 0x2122},
        {0x2139, 0x2139}, {0x2190, 0x21ff},   {0x2300, 0x23ff}, {0x24c2, 0x24c2}, {0x25a0, 0x27bf},
        {0x2934, 0x2935}, {0x2b00, 0x2bff},   {0x3030, 0x3030}, {0x303d, 0x303d}, {0x3297, 0x3297},
        {0x3299, 0x3299}, {0x1f000, 0x1faff},
    };
    return IN_RANGES(signs, cp);
}

bool script_is_inkless(uint32_t cp) {
    static const struct range inkless[] = {
        {0x13430, 0x13442}, /* Egyptian joiners, segments and blanks */
        {0x16fe4, 0x16fe4}, /* Khitan filler */
        {0x1d159, 0x1d159}, /* null note head */
    };
    return IN_RANGES(inkless, cp);
}

static bool is_keycap(uint32_t cp) {
    return (cp >= '0' && cp <= '9') || cp == '#' || cp == '*';
}

static bool is_han(uint32_t cp) {
    static const struct range han[] = {{0x3400, 0x9fff}, {0xf900, 0xfaff}, {0x20000, 0x3ffff}};
    return IN_RANGES(han, cp);
}

bool script_takes(uint32_t cp, uint32_t vs) {
    if (vs == 0xfe0e || vs == 0xfe0f)
        return script_is_emoji(cp) || is_keycap(cp);
    if (vs >= 0x180b && vs <= 0x180f)
        return cp >= 0x1820 && cp <= 0x18aa;
    if (vs >= 0xe0100 && vs <= 0xe01ef)
        return is_han(cp);
    if (vs >= 0xfe00 &&
        vs <= 0xfe0d) /* mathematics, East Asian punctuation and shapes, Myanmar, Phags-pa */
        return is_han(cp) || (cp >= 0x2200 && cp <= 0x2aff) || (cp >= 0x3001 && cp <= 0x3002) ||
               (cp >= 0x1000 && cp <= 0x109f) || (cp >= 0xa840 && cp <= 0xa877) ||
               (cp >= 0xff01 && cp <= 0xff1f);
    return false;
}
