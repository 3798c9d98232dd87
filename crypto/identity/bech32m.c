#include "crypto/identity/bech32m.h"

#include <string.h>

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

enum { CHECKSUM_CHARS = 6 };
#define BECH32M_CONST UINT32_C(0x2bc830a3)

/* One step of the BCH code's remainder (BIP-173). */
static uint32_t polymod(uint32_t chk, unsigned value) {
    static const uint32_t gen[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = chk >> 25;
    chk = (chk & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        if (top >> i & 1)
            chk ^= gen[i];
    }
    return chk;
}

static uint32_t polymod_hrp(const char *hrp, size_t len) {
    uint32_t chk = 1;
    for (size_t i = 0; i < len; i++)
        chk = polymod(chk, (unsigned)(unsigned char)hrp[i] >> 5);
    chk = polymod(chk, 0);
    for (size_t i = 0; i < len; i++)
        chk = polymod(chk, (unsigned char)hrp[i] & 31);
    return chk;
}

static char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Value of a data character, or -1. */
static int char_value(char c) {
    const char *at = c != '\0' ? strchr(charset, to_lower(c)) : NULL;
    return at ? (int)(at - charset) : -1;
}

static bool hrp_usable(const char *hrp, size_t len) {
    if (len < 1 || len > BECH32M_HRP_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (hrp[i] < 33 || hrp[i] > 126)
            return false;
    }
    return true;
}

/* ---- writing ---- */

struct writer {
    char *at;
    uint32_t chk;
};

static void put(struct writer *w, unsigned value) {
    w->chk = polymod(w->chk, value);
    *w->at++ = charset[value];
}

int bech32m_encode(char *out, size_t cap, const char *hrp, const uint8_t *data, size_t len) {
    size_t hrp_len = strlen(hrp);
    if (!hrp_usable(hrp, hrp_len))
        return ERR_FORMAT;
    for (size_t i = 0; i < hrp_len; i++) {
        if (to_lower(hrp[i]) != hrp[i])
            return ERR_FORMAT;
    }
    if (len > BECH32M_MAX_CHARS)
        return ERR_FULL;
    size_t chars = hrp_len + 1 + (len * 8 + 4) / 5 + CHECKSUM_CHARS;
    if (chars > BECH32M_MAX_CHARS || chars >= cap)
        return ERR_FULL;

    memcpy(out, hrp, hrp_len);
    out[hrp_len] = '1';
    struct writer w = {out + hrp_len + 1, polymod_hrp(hrp, hrp_len)};
    uint32_t acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < len; i++) {
        acc = (acc << 8 | data[i]) & 0xfff; /* at most 4 bits wait for a new byte */
        for (bits += 8; bits >= 5; bits -= 5)
            put(&w, acc >> (bits - 5) & 31);
    }
    if (bits > 0)
        put(&w, acc << (5 - bits) & 31);
    for (unsigned i = 0; i < CHECKSUM_CHARS; i++)
        w.chk = polymod(w.chk, 0);
    w.chk ^= BECH32M_CONST;
    for (unsigned i = 0; i < CHECKSUM_CHARS; i++)
        *w.at++ = charset[w.chk >> (5 * (CHECKSUM_CHARS - 1 - i)) & 31];
    *w.at = '\0';
    return 0;
}

/* ---- reading ---- */

/* Checks everything of the 5-bit layer; *hrp_len gets where the separator stands. */
static bool check_text(const char *text, size_t max_chars, size_t *len, size_t *hrp_len) {
    *len = strnlen(text, max_chars + 1);
    if (*len > max_chars)
        return false;
    bool lower = false, upper = false;
    size_t separator = 0; /* the last '1'; a prefix has at least one character before it */
    for (size_t i = 0; i < *len; i++) {
        lower = lower || (text[i] >= 'a' && text[i] <= 'z');
        upper = upper || (text[i] >= 'A' && text[i] <= 'Z');
        if (text[i] == '1')
            separator = i;
    }
    if ((lower && upper) || !hrp_usable(text, separator) || *len - separator - 1 < CHECKSUM_CHARS)
        return false;

    char hrp[BECH32M_HRP_MAX];
    for (size_t i = 0; i < separator; i++)
        hrp[i] = to_lower(text[i]);
    uint32_t chk = polymod_hrp(hrp, separator);
    for (size_t i = separator + 1; i < *len; i++) {
        int v = char_value(text[i]);
        if (v < 0)
            return false;
        chk = polymod(chk, (unsigned)v);
    }
    *hrp_len = separator;
    return chk == BECH32M_CONST;
}

bool bech32m_valid(const char *text, size_t max_chars) {
    size_t len, hrp_len;
    return check_text(text, max_chars, &len, &hrp_len);
}

int bech32m_decode(uint8_t *data, size_t cap, size_t *len, const char *hrp, const char *text) {
    size_t chars, hrp_len;
    if (!check_text(text, BECH32M_MAX_CHARS, &chars, &hrp_len) || hrp_len != strlen(hrp))
        return ERR_FORMAT;
    for (size_t i = 0; i < hrp_len; i++) {
        if (to_lower(text[i]) != hrp[i])
            return ERR_FORMAT;
    }

    size_t first = hrp_len + 1, end = chars - CHECKSUM_CHARS;
    size_t bytes = (end - first) * 5 / 8;
    unsigned padding = (unsigned)((end - first) * 5 % 8);
    /* The padding is less than a character and all zeroes: one text per value. */
    if (padding >= 5 ||
        (padding > 0 && ((unsigned)char_value(text[end - 1]) & ((1U << padding) - 1))))
        return ERR_FORMAT;
    if (bytes > cap)
        return ERR_FULL;

    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        acc = (acc << 5 | (unsigned)char_value(text[i])) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            data[n++] = (uint8_t)(acc >> bits);
        }
    }
    *len = n;
    return 0;
}
