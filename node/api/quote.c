#include "node/api/quote.h"

#include <string.h>

static bool put(char *out, size_t cap, size_t *used, const char *piece, size_t len) {
    if (*used + len >= cap)
        return false;
    memcpy(out + *used, piece, len);
    *used += len;
    out[*used] = '\0';
    return true;
}

/* 'it'"'"'s' */
bool quote_text(char *out, size_t cap, const char *word) {
    static const char quote[] = "'\"'\"'";
    size_t used = 0;
    if (cap == 0)
        return false;
    bool fits = put(out, cap, &used, "'", 1);
    for (; fits && *word; word++)
        fits = *word == '\'' ? put(out, cap, &used, quote, sizeof quote - 1)
                             : put(out, cap, &used, word, 1);
    fits = fits && put(out, cap, &used, "'", 1);
    if (!fits)
        out[0] = '\0';
    return fits;
}

bool quote_word(char *out, size_t cap, const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/";
    const size_t len = strlen(word);
    size_t used = 0;
    if (len == 0 || strspn(word, plain) != len)
        return quote_text(out, cap, word);
    return put(out, cap, &used, word, len) || quote_text(out, cap, word);
}
