#include "sim/memory/slab.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "crypto/base/mem.h"

/* Acknowledgements and handshakes; datagrams of an ordinary path; jumbo frames; the UDP maximum. */
static const size_t class_bytes[SLAB_CLASSES] = {256, 1664, 9216, SLAB_MAX_BYTES};
enum { CHUNK_BYTES = 256 * 1024 };

struct slab_item {
    alignas(max_align_t) union {
        struct slab_item *next; /* while free */
        size_t class_index;     /* while in use */
    } u;
};
struct slab_chunk {
    alignas(max_align_t) struct slab_chunk *next;
};

void slab_clear(struct slab *s) {
    while (s->chunks) {
        struct slab_chunk *next = s->chunks->next;
        mem_free(s->chunks);
        s->chunks = next;
    }
    *s = (struct slab){0};
}

static void refill(struct slab *s, size_t class_index) {
    const size_t step = sizeof(struct slab_item) + class_bytes[class_index];
    const size_t items = CHUNK_BYTES / step;
    char *mem = mem_alloc(sizeof(struct slab_chunk) + items * step);
    if (!mem)
        abort();
    struct slab_chunk *chunk = (struct slab_chunk *)(void *)mem;
    chunk->next = s->chunks;
    s->chunks = chunk;
    for (size_t i = items; i-- > 0;) {
        void *at = mem + sizeof *chunk + i * step;
        struct slab_item *item = at;
        item->u.next = s->free_items[class_index];
        s->free_items[class_index] = item;
    }
}

void *slab_get(struct slab *s, size_t bytes) {
    size_t class_index = 0;
    while (class_index < SLAB_CLASSES && class_bytes[class_index] < bytes)
        class_index++;
    assert(class_index < SLAB_CLASSES);
    if (!s->free_items[class_index])
        refill(s, class_index);
    struct slab_item *item = s->free_items[class_index];
    s->free_items[class_index] = item->u.next;
    item->u.class_index = class_index;
    s->in_use++;
    return item + 1;
}

void slab_put(struct slab *s, void *p) {
    if (!p)
        return;
    struct slab_item *item = (struct slab_item *)p - 1;
    const size_t class_index = item->u.class_index;
    item->u.next = s->free_items[class_index];
    s->free_items[class_index] = item;
    s->in_use--;
}
