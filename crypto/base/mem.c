/* mem.c: what is made of memory, whoever gives it. */
#include "crypto/base/mem.h"

#include <string.h>

enum {
    FIRST_BYTES = 64, /* an array begins with a cache line, */
    FIRST_ITEMS = 4,  /* or with so many large items */
};

char *mem_strdup(const char *text) {
    const size_t bytes = strlen(text) + 1;
    char *copy = mem_alloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

bool mem_grow(void *list, uint32_t *cap, size_t need, size_t item_bytes, uint32_t max) {
    if (need <= *cap)
        return true;
    if (need > max)
        return false;
    const uint64_t first =
        FIRST_BYTES / item_bytes > FIRST_ITEMS ? FIRST_BYTES / item_bytes : (uint64_t)FIRST_ITEMS;
    uint64_t more = *cap ? (uint64_t)*cap * 2 : first;
    if (more < need)
        more = need;
    if (more > max)
        more = max;
    if (more > SIZE_MAX / item_bytes)
        return false;
    void *old, *grown;
    memcpy(&old, list, sizeof old); /* the caller's pointer has a type of its own */
    grown = mem_realloc(old, (size_t)more * item_bytes);
    if (!grown)
        return false;
    memcpy(list, &grown, sizeof grown);
    *cap = (uint32_t)more;
    return true;
}
