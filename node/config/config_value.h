/* config_value.h: single values of meshd.conf: words of a closed list, sizes, paths. Pure.
 */
#ifndef MESHD_NODE_CONFIG_CONFIG_VALUE_H
#define MESHD_NODE_CONFIG_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct config_word { /* a list ends with {0} */
    const char *text;
    int value;
};
int config_word_value(const struct config_word *words, const char *text,
                      int *out) MUST_USE;                                 /* ERR_FORMAT */
const char *config_word_text(const struct config_word *words, int value); /* "": not in the list */

/* Digits and one of K M G T, in either case. ERR_FORMAT; ERR_FULL: 2^64 or more. */
int config_size_parse(uint64_t *out, const char *text) MUST_USE;
void config_size_text(uint64_t v, char out[static 32]);
/* The same of bits per second, where K, M, G and T are powers of 1000. */
int config_rate_parse(uint64_t *out, const char *text) MUST_USE;
void config_rate_text(uint64_t v, char out[static 32]);

/* A path of the file must mean the same from wherever meshd is started: absolute, or below "~/"; no
 * other user's home, no variable, no quotes. NULL: fine; otherwise what is wrong, and what to
 * write. */
const char *config_path_wrong(const char *path);

#endif
