/* arena.h: what one node's memory is: while a node is being run the world enters its arena, and
 * everything the node core allocates or frees meanwhile is counted there, in bytes as the allocator
 * hands them out: crypto/base/mem.h is this one in meshsim (mem_arena.c). What a library allocates
 * for itself is not seen. Small blocks lie together in chunks of their arena, inside one large
 * region of huge pages: at ten thousand nodes most of the time goes into fetching memory, and this
 * makes it a quarter less. Under AddressSanitizer blocks come from it instead, each with its red
 * zones.
 */
#ifndef MESHD_SIM_MEMORY_ARENA_H
#define MESHD_SIM_MEMORY_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_heap;

struct arena {                  /* all zeroes is empty */
    uint64_t bytes, peak_bytes; /* in use now, and at most */
    uint64_t allocations;       /* ever made */
    uint64_t fail_after;        /* 0: never; else the n-th allocation from now gives NULL */
    uint64_t fail_more;         /* and so many after it */
    struct arena_heap *heap;    /* what it has been given */
};

/* Counts for `a` (NULL: for nobody) until the next call; gives the one before. One thread. */
struct arena *arena_enter(struct arena *a);
/* Takes all of it back at once, also what is still in use; the counts become zero. */
void arena_clear(struct arena *a);

/* As malloc and the others, in the arena that was entered; with none the blocks are the world's. A
 * block goes back where it came from, whoever has been entered. */
void *arena_alloc(size_t n);
void *arena_calloc(size_t n, size_t size);
void *arena_realloc(void *p, size_t n);
void *arena_aligned(size_t align, size_t n);
void arena_free(void *p);

#endif
