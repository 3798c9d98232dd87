#include "node/base/handles.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

void handles_clear(struct handles *h) {
    mem_free(h->list);
    *h = (struct handles){0};
}

static uint64_t ref_of(const struct handles *h, uint32_t index) {
    return (uint64_t)h->list[index].generation << HANDLE_INDEX_BITS | index;
}

uint64_t handle_new(struct handles *h, void *thing) {
    assert(thing);
    if (h->free == 0) {
        if (!mem_grow(&h->list, &h->cap, (size_t)h->count + 1, sizeof *h->list, HANDLES_MAX))
            return 0;
        h->list[h->count++] = (struct handle){0};
        h->free = h->count;
    }
    const uint32_t index = h->free - 1;
    struct handle *at = &h->list[index];
    h->free = at->next;
    at->thing = thing;
    at->generation = at->generation == UINT32_MAX ? 1 : at->generation + 1;
    return ref_of(h, index);
}

static struct handle *place(const struct handles *h, uint64_t ref) {
    const uint32_t index = (uint32_t)(ref & (HANDLES_MAX - 1));
    if (index >= h->count || !h->list[index].thing || ref_of(h, index) != ref)
        return NULL;
    return &h->list[index];
}

void *handle_get(const struct handles *h, uint64_t ref) {
    const struct handle *at = place(h, ref);
    return at ? at->thing : NULL;
}

void handle_drop(struct handles *h, uint64_t ref) {
    struct handle *at = place(h, ref);
    if (!at)
        return;
    at->thing = NULL;
    at->next = h->free;
    h->free = (uint32_t)(at - h->list) + 1;
}
