/* arena.c: the memory of nodes, small blocks together in chunks. */
#include "sim/memory/arena.h"

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
enum { OWN_MAX_BYTES = 0 }; /* every block is the C library's, with ASan's red zones */
#else
enum { OWN_MAX_BYTES = 8192 }; /* larger blocks are the C library's */
#endif

enum {
    CHUNK_BYTES = 32768,
    CLASSES = 40, /* 32, 48, 64, 80, 96, 112, 128, 160, ... : four steps to each power of two */
    HEAD_BYTES = 16,
    LINK_BYTES = sizeof(struct block *), /* from a free block to the next */
};
/* Of addresses; memory only where used. */
static const size_t region_bytes = SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 36)
                                                         : (size_t)1 << 30;

struct block {                                /* what stands before a small block's bytes */
    _Alignas(HEAD_BYTES) struct arena *owner; /* NULL: the world's */
    size_t bytes;                             /* with this head: its class */
};
_Static_assert(sizeof(struct block) == HEAD_BYTES, "keeps blocks aligned for anything");

struct chunk {
    struct chunk *next;
    uint64_t pad;
};

struct arena_heap {
    struct chunk *chunks;
    char *at, *end; /* what is left of the newest chunk */
    struct block *free_blocks[CLASSES];
};

static struct arena *current;
static struct arena_heap world_heap;
static char *region, *region_at;
static struct chunk *free_chunks;

struct arena *arena_enter(struct arena *a) {
    struct arena *before = current;
    current = a;
    return before;
}

/* ---- small blocks ---- */

static bool is_ours(const void *p) {
    const char *c = p;
    return region && c >= region && c < region + region_bytes;
}

/* The class of a block of n bytes, head included; its size in *bytes. */
static unsigned class_of(size_t n, size_t *bytes) {
    if (n <= 32) {
        *bytes = 32;
        return 0;
    }
    const unsigned log = 63 - (unsigned)__builtin_clzll(n - 1); /* 2^log <= n-1 < 2^(log+1) */
    const size_t step = log > 5 ? ((size_t)1 << log) / 4 : HEAD_BYTES;
    const size_t up = (n - ((size_t)1 << log) + step - 1) / step; /* 1 .. 4 */
    *bytes = ((size_t)1 << log) + up * step;
    return (log - 5) * 4 + (unsigned)up;
}

static struct chunk *chunk_new(void) {
    struct chunk *c = free_chunks;
    if (c) {
        free_chunks = c->next;
        return c;
    }
    if (!region) {
        void *p = mmap(NULL, region_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return NULL;
        (void)madvise(p, region_bytes, MADV_HUGEPAGE);
        region = region_at = p;
    }
    if (region_at + CHUNK_BYTES > region + region_bytes)
        return NULL;
    c = (struct chunk *)(void *)region_at;
    region_at += CHUNK_BYTES;
    return c;
}

static struct arena_heap *heap_of(struct arena *a) {
    if (!a)
        return &world_heap;
    if (!a->heap)
        a->heap = calloc(1, sizeof *a->heap);
    return a->heap;
}

static void *small_new(size_t n) {
    size_t bytes;
    const unsigned class = class_of(n + HEAD_BYTES, &bytes);
    struct arena_heap *h = heap_of(current);
    if (!h)
        return NULL;
    struct block *b = h->free_blocks[class];
    if (b) {
        memcpy(&h->free_blocks[class], b + 1, LINK_BYTES); /* the next one stands in its bytes */
    } else {
        if (h->at == NULL || (size_t)(h->end - h->at) < bytes) {
            struct chunk *c = chunk_new();
            if (!c)
                return NULL;
            c->next = h->chunks;
            h->chunks = c;
            h->at = (char *)(c + 1);
            h->end = (char *)c + CHUNK_BYTES;
        }
        b = (struct block *)(void *)h->at;
        h->at += bytes;
    }
    *b = (struct block){current, bytes};
    return b + 1;
}

static void small_free(void *p) {
    struct block *b = (struct block *)p - 1;
    size_t bytes;
    const unsigned class = class_of(b->bytes, &bytes);
    struct arena_heap *h = b->owner ? b->owner->heap : &world_heap;
    memcpy(b + 1, &h->free_blocks[class], LINK_BYTES);
    h->free_blocks[class] = b;
}

void arena_clear(struct arena *a) {
    if (a->heap) {
        while (a->heap->chunks) {
            struct chunk *c = a->heap->chunks;
            a->heap->chunks = c->next;
            c->next = free_chunks;
            free_chunks = c;
        }
        free(a->heap);
    }
    *a = (struct arena){0};
}

/* ---- counting ---- */

/* True: this allocation is to fail. */
static bool fails(void) {
    if (!current)
        return false;
    current->allocations++;
    if (current->fail_after == 0 || --current->fail_after > 0)
        return false;
    if (current->fail_more > 0) {
        current->fail_more--;
        current->fail_after = 1;
    }
    return true;
}

/* What the C library adds to a large block depends on what lay around it: counted in whole pages,
 * it is the same in every run. */
static size_t large_size(void *p) {
    const size_t page = OWN_MAX_BYTES > 0 ? 4096 : 16;
    return (malloc_usable_size(p) + page - 1) / page * page;
}

static size_t size_of(void *p) {
    return is_ours(p) ? ((struct block *)p - 1)->bytes : large_size(p);
}

static struct arena *owner_of(void *p) {
    return is_ours(p) ? ((struct block *)p - 1)->owner : current;
}

static void *counted(void *p, size_t bytes) {
    if (current) {
        current->bytes += bytes;
        if (current->bytes > current->peak_bytes)
            current->peak_bytes = current->bytes;
    }
    return p;
}

static void uncount(struct arena *owner, size_t bytes) {
    if (owner)
        owner->bytes -= bytes;
}

/* Of the C library; may be NULL. */
static void *large(void *p) {
    return p ? counted(p, large_size(p)) : NULL;
}

/* One of ours; NULL if it is too large for that, or there are no addresses left. */
static void *ours(size_t n) {
    struct block *p = n <= OWN_MAX_BYTES ? small_new(n) : NULL;
    return p ? counted(p, p[-1].bytes) : NULL;
}

void *arena_alloc(size_t n) {
    if (fails())
        return NULL;
    void *p = ours(n);
    return p ? p : large(malloc(n));
}

void *arena_calloc(size_t n, size_t size) {
    if (fails())
        return NULL;
    void *p = size == 0 || n <= OWN_MAX_BYTES / size ? ours(n * size) : NULL;
    return p ? memset(p, 0, n * size) : large(calloc(n, size));
}

void *arena_aligned(size_t align, size_t n) {
    if (fails())
        return NULL;
    void *p = align <= HEAD_BYTES ? ours(n) : NULL;
    return p ? p : large(aligned_alloc(align, n));
}

void arena_free(void *p) {
    if (!p)
        return;
    uncount(owner_of(p), size_of(p));
    if (is_ours(p))
        small_free(p);
    else
        free(p);
}

/* A block of the C library's stays one, whatever its size; one of ours moves when it has to. */
void *arena_realloc(void *p, size_t n) {
    if (!p)
        return arena_alloc(n);
    if (fails())
        return NULL;
    if (is_ours(p)) {
        const size_t room = size_of(p) - HEAD_BYTES;
        if (n <= room && n >= room / 2)
            return p;
        struct arena *owner = owner_of(p);
        uncount(owner, room + HEAD_BYTES);
        void *q = ours(n);
        if (!q)
            q = large(malloc(n));
        if (q) {
            memcpy(q, p, room < n ? room : n);
            small_free(p);
        } else if (owner) {
            owner->bytes += room + HEAD_BYTES;
        }
        return q;
    }
    const size_t before = large_size(p);
    void *grown = realloc(p, n);
    if (grown)
        uncount(current, before);
    return large(grown);
}
