/* names.h: which number a name has: a hash table of names that stay where they are (the caller
 * keeps the strings, at stable places).
 */
#ifndef MESHD_SIM_TEXT_NAMES_H
#define MESHD_SIM_TEXT_NAMES_H

#include <stdint.h>

struct names { /* all zeroes is empty */
    struct names_entry {
        const char *name;
        uint32_t number;
    } * entries;
    uint32_t count, cap; /* cap is a power of two */
};

#define NAMES_NONE UINT32_MAX

void names_clear(struct names *n);
void names_add(struct names *n, const char *name,
               uint32_t number); /* not yet in it; aborts when out of memory */
uint32_t names_find(const struct names *n, const char *name); /* NAMES_NONE */

#endif
