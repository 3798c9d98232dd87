/* mem.h: where the memory of everything that is not the system's edge comes from.
 *
 * Code without sockets and clocks takes its memory here and nowhere else, so that who builds a
 * program decides whose memory it is: the linker takes the five functions from mem_libc.c (the C
 * library's), or from an object of the program's own that has all of them (the simulator's counts
 * them for each node, and lets the n-th fail). There is no table that could be changed while it
 * runs, hence no global and no call through a pointer. What comes from here goes back by mem_free,
 * and only that.
 *
 * mem_grow is the one way an array grows.
 */
#ifndef MESHD_CRYPTO_BASE_MEM_H
#define MESHD_CRYPTO_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

#if defined(__GNUC__)
#define MEM_GIVES(...) __attribute__((alloc_size(__VA_ARGS__), warn_unused_result))
#else
#define MEM_GIVES(...)
#endif

/* As malloc, calloc, realloc, aligned_alloc and free; NULL: there is no memory. */
void *mem_alloc(size_t bytes) MEM_GIVES(1);
void *mem_calloc(size_t count, size_t item_bytes) MEM_GIVES(1, 2);
void *mem_realloc(void *p, size_t bytes) MEM_GIVES(2);
void *mem_aligned(size_t align, size_t bytes) MEM_GIVES(2);
void mem_free(void *p);

/* A copy of the text, ended by 0. */
char *mem_strdup(const char *text) MUST_USE;

/* Makes room for `need` items of item_bytes each in the array *list (`list` is the address of the
 * pointer to it), which has room for *cap; NULL and 0 are an empty one. It grows to twice its size
 * or more, but not beyond `max` items. False: need is above max or there is no memory, and nothing
 * has changed. What is new in it is not set. */
bool mem_grow(void *list, uint32_t *cap, size_t need, size_t item_bytes, uint32_t max) MUST_USE;

#endif
