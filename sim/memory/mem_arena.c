/* mem_arena.c: memory (crypto/base/mem.h) is the arena's, in meshsim and its tests: this object has
 * the names of mem_libc.c, so the linker does not take that one.
 */
#include "crypto/base/mem.h"
#include "sim/memory/arena.h"

void *mem_alloc(size_t bytes) {
    return arena_alloc(bytes);
}

void *mem_calloc(size_t count, size_t item_bytes) {
    return arena_calloc(count, item_bytes);
}

void *mem_realloc(void *p, size_t bytes) {
    return arena_realloc(p, bytes);
}

void *mem_aligned(size_t align, size_t bytes) {
    return arena_aligned(align, bytes);
}

void mem_free(void *p) {
    arena_free(p);
}
