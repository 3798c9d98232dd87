/* handles.h: references to things that come and go: {index, generation} in 56 bits, as they fit
 * into a cookie (node/base/owner.h). A reference is found in one step, and finds nothing once its
 * thing has been dropped, whatever has taken the place since.
 *
 * A value module: it owns its list, not the things.
 */
#ifndef MESHD_NODE_BASE_HANDLES_H
#define MESHD_NODE_BASE_HANDLES_H

#include <stdint.h>

enum { HANDLE_INDEX_BITS = 24, HANDLES_MAX = 1 << HANDLE_INDEX_BITS };

struct handle {          /* a place */
    void *thing;         /* NULL: it is free, */
    uint32_t next;       /* and this is the next free one, plus 1 */
    uint32_t generation; /* of the thing that is or was here last */
};

struct handles { /* zeroes = empty */
    struct handle *list;
    uint32_t count, cap;
    uint32_t free; /* the first free place, plus 1; 0: none */
};

void handles_clear(struct handles *h);
/* A reference to `thing` (not NULL); never 0. 0: there is no memory, or there are HANDLES_MAX. */
uint64_t handle_new(struct handles *h, void *thing);
/* NULL: it was dropped, or never was one. */
void *handle_get(const struct handles *h, uint64_t ref);
/* No effect on 0 and on one that was dropped. */
void handle_drop(struct handles *h, uint64_t ref);

#endif
