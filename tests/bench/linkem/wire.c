/* The emulated line: what waits, what is lost, and when each packet comes out. */
#include "tests/bench/linkem/wire.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

struct record {
    uint64_t due_ns;
    uint64_t len;
};

static size_t record_bytes(size_t len) {
    return sizeof(struct record) + ((len + 7) & ~(size_t)7);
}

/* Bytes that pass in `ns` at the wire's rate. */
static uint64_t bytes_in(const struct wire *w, uint64_t ns) {
    return (uint64_t)((double)ns * (double)w->cfg.rate_bps / 8e9);
}

/* Of small packets (40 bytes and a record's 16) the ring holds as much as the line does, too. */
static size_t ring_bytes(const struct wire *w) {
    uint64_t held = w->cfg.buffer_bytes + bytes_in(w, w->cfg.delay_ns);
    size_t size = 1 << 20;
    while (size < 2 * held)
        size *= 2;
    return size;
}

static uint8_t *map_twice(size_t size) {
    uint8_t *at = MAP_FAILED;
    int fd = memfd_create("wire", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (ftruncate(fd, (off_t)size) == 0)
        at = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 2 && at != MAP_FAILED; i++)
        if (mmap(at + (size_t)i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                 0) == MAP_FAILED) {
            munmap(at, 2 * size);
            at = MAP_FAILED;
        }
    close(fd);
    return at == MAP_FAILED ? NULL : at;
}

int wire_init(struct wire *w, const struct wire_config *cfg) {
    memset(w, 0, sizeof *w);
    w->cfg = *cfg;
    w->random = cfg->seed;
    w->size_bytes = ring_bytes(w);
    w->ring = map_twice(w->size_bytes);
    return w->ring ? 0 : -1;
}

void wire_clear(struct wire *w) {
    if (w->ring)
        munmap(w->ring, 2 * w->size_bytes);
    memset(w, 0, sizeof *w);
}

static uint8_t *at(const struct wire *w, uint64_t position) {
    return w->ring + (position & (w->size_bytes - 1));
}

void *wire_room(struct wire *w) {
    if (w->head == w->tail)
        w->head = w->tail = 0; /* the same few pages again and again: they stay in the cache */
    if (w->head - w->tail + record_bytes(w->cfg.packet_max) > w->size_bytes)
        return NULL;
    return at(w, w->head) + sizeof(struct record);
}

/* splitmix64 */
static uint32_t draw(struct wire *w) {
    uint64_t z = w->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

void wire_arrive(struct wire *w, uint64_t now_ns, size_t len) {
    assert(len <= w->cfg.packet_max);
    bool lost = draw(w) < w->cfg.loss;
    w->stats.in_pkts++;
    w->stats.in_bytes += len;
    uint64_t start_ns = w->busy_until_ns > now_ns ? w->busy_until_ns : now_ns;
    uint64_t queue_bytes = bytes_in(w, start_ns - now_ns);
    if (queue_bytes > 0 && queue_bytes + len > w->cfg.buffer_bytes) {
        w->stats.full_pkts++;
        return;
    }
    if (queue_bytes + len > w->stats.queue_max_bytes)
        w->stats.queue_max_bytes = queue_bytes + len;
    w->busy_until_ns = start_ns + (uint64_t)len * 8 * NS_PER_S / w->cfg.rate_bps;
    if (lost) {
        w->stats.lost_pkts++;
        return;
    }
    struct record r = {w->busy_until_ns + w->cfg.delay_ns, len};
    memcpy(at(w, w->head), &r, sizeof r);
    w->head += record_bytes(len);
}

void wire_spill(struct wire *w, size_t len) {
    w->stats.in_pkts++;
    w->stats.in_bytes += len;
    w->stats.memory_pkts++;
}

static struct record oldest(const struct wire *w) {
    struct record r;
    memcpy(&r, at(w, w->tail), sizeof r);
    return r;
}

uint64_t wire_deadline_ns(const struct wire *w) {
    return w->head == w->tail ? UINT64_MAX : oldest(w).due_ns;
}

const void *wire_due(const struct wire *w, uint64_t now_ns, size_t *len) {
    if (wire_deadline_ns(w) > now_ns)
        return NULL;
    *len = (size_t)oldest(w).len;
    return at(w, w->tail) + sizeof(struct record);
}

void wire_leave(struct wire *w, uint64_t now_ns) {
    struct record r = oldest(w);
    uint64_t late_ns = now_ns - r.due_ns;
    w->tail += record_bytes((size_t)r.len);
    w->stats.out_pkts++;
    w->stats.out_bytes += r.len;
    w->stats.late_sum_ns += late_ns;
    w->stats.late_pkts += late_ns > WIRE_LATE_NS;
    if (late_ns > w->stats.late_max_ns)
        w->stats.late_max_ns = late_ns;
}
