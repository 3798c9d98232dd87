/* mem_libc.c: memory is the C library's, in every program that does not bring its own. Nothing else
 * may stand here: an object that has these names keeps the linker from taking this one. */
#include <stdlib.h>

#include "crypto/base/mem.h"

void *mem_alloc(size_t bytes) {
    return malloc(bytes);
}

void *mem_calloc(size_t count, size_t item_bytes) {
    return calloc(count, item_bytes);
}

void *mem_realloc(void *p, size_t bytes) {
    return realloc(p, bytes);
}

void *mem_aligned(size_t align, size_t bytes) {
    return aligned_alloc(align, bytes);
}

void mem_free(void *p) {
    free(p);
}
