/* slab.h: memory for packets in flight: a few size classes, each with a free list over large
 * chunks. Giving back is a pointer push; everything is returned to the system at once by
 * slab_clear.
 */
#ifndef MESHD_SIM_MEMORY_SLAB_H
#define MESHD_SIM_MEMORY_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { SLAB_CLASSES = 4, SLAB_MAX_BYTES = 66048 };

struct slab { /* all zeroes is empty */
    struct slab_item *free_items[SLAB_CLASSES];
    struct slab_chunk *chunks;
    uint64_t in_use;
};

void slab_clear(struct slab *s);
void *slab_get(struct slab *s, size_t bytes); /* <= SLAB_MAX_BYTES; aborts when out of memory */
void slab_put(struct slab *s, void *p);       /* NULL is fine */

#endif
