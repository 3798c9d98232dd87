/* text.h: a string that grows. All zeroes is empty; text_clear when done. Aborts when out of
 * memory. */
#ifndef MESHD_SIM_TEXT_TEXT_H
#define MESHD_SIM_TEXT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *p; /* NUL-terminated, or NULL while nothing was added */
    size_t len;
    uint32_t cap;
};

void text_clear(struct text *t);
/* Adds bytes that may contain NULs. */
void text_put(struct text *t, const char *bytes, size_t n);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *text_of(const struct text *t); /* never NULL */

#endif
