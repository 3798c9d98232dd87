/* arena.h: what one node's memory is: while a node is being run the world enters its arena, and everything the
 * node core allocates or frees meanwhile is counted there, in bytes as the allocator hands them out. Nothing is
 * changed in the core: the linker puts our malloc family in front of the C library's (`--wrap`, see CMakeLists.txt),
 * for code linked statically into meshsim; what a shared library allocates for itself is not seen.
 * Small blocks lie together in chunks of their arena, inside one large region of huge pages: at ten thousand nodes most
 * of the time goes into fetching memory, and this makes it a quarter less. Under AddressSanitizer blocks come from it
 * instead, each with its red zones.
 * Where the linker cannot do that, arena_supported() is false and all counts stay 0.
 */
#ifndef MESHD_SIM_ENGINE_ARENA_H
#define MESHD_SIM_ENGINE_ARENA_H

#include <stdbool.h>
#include <stdint.h>

struct arena_heap;

struct arena {                  /* all zeroes is empty */
    uint64_t bytes, peak_bytes; /* in use now, and at most */
    uint64_t allocations;       /* ever made */
    uint64_t fail_after;        /* 0: never; else the n-th allocation from now gives NULL */
    uint64_t fail_more;         /* and so many after it */
    struct arena_heap *heap;    /* what it has been given */
};

bool arena_supported(void);
/* Counts for `a` (NULL: for nobody) until the next call; gives the one before. One thread. */
struct arena *arena_enter(struct arena *a);
/* Takes all of it back at once, also what is still in use; the counts become zero. */
void arena_clear(struct arena *a);

#endif
