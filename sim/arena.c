#include "sim/arena.h"

#include <stddef.h>

#ifdef MESHD_SIM_WRAP
#include <malloc.h>

/* The names the linker gives: __real_x is the C library's x, every x of ours ends in __wrap_x. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
void __wrap_free(void *p);

static struct arena *current;

bool arena_supported(void) {
    return true;
}

struct arena *arena_enter(struct arena *a) {
    struct arena *before = current;
    current = a;
    return before;
}

/* True: this allocation is to fail. */
static bool fails(void) {
    current->allocations++;
    return current->fail_after > 0 && --current->fail_after == 0;
}

static void *counted(void *p) {
    if (p) {
        current->bytes += malloc_usable_size(p);
        if (current->bytes > current->peak_bytes)
            current->peak_bytes = current->bytes;
    }
    return p;
}

void *__wrap_malloc(size_t n) {
    if (!current)
        return __real_malloc(n);
    return fails() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size) {
    if (!current)
        return __real_calloc(n, size);
    return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_aligned_alloc(size_t align, size_t n) {
    if (!current)
        return __real_aligned_alloc(align, n);
    return fails() ? NULL : counted(__real_aligned_alloc(align, n));
}

void *__wrap_realloc(void *p, size_t n) {
    if (!current)
        return __real_realloc(p, n);
    if (fails())
        return NULL;
    const size_t before = p ? malloc_usable_size(p) : 0;
    void *grown = __real_realloc(p, n);
    if (!grown)
        return NULL;
    current->bytes -= before;
    return counted(grown);
}

void __wrap_free(void *p) {
    if (current && p)
        current->bytes -= malloc_usable_size(p);
    __real_free(p);
}
#else
bool arena_supported(void) {
    return false;
}

struct arena *arena_enter(struct arena *a) {
    (void)a;
    return NULL;
}
#endif
