/* wire.h: one direction of the emulated link: a bottleneck with a drop-tail queue, then a delay
 * line that loses packets at random.
 *
 * Sans-IO: time is an argument. A packet that arrives at t leaves the bottleneck at max(t, end of
 * the packet before) + its length / rate, and comes out one delay later. What waits at the
 * bottleneck is (end of the last packet - t) x rate; a packet for which the buffer has no room is
 * dropped before it, a packet that the line loses has used the line like any other. Each packet's
 * fate depends on the seed and its number only.
 *
 * Packets live in a ring of bytes, read into and written from in place:
 *     room = wire_room(w); n = read(fd, room, w->cfg.packet_max); wire_arrive(w, now, n);
 *     while ((p = wire_due(w, now, &len))) { write(fd, p, len); wire_leave(w); }
 */
#ifndef MESHD_BENCH_WIRE_H
#define MESHD_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_LATE_NS = 1000000 };

struct wire_config {
    uint64_t rate_bps;
    uint64_t delay_ns;
    uint64_t buffer_bytes;
    uint64_t loss; /* of 2^32 packets so many are lost */
    uint64_t seed;
    size_t packet_max; /* bytes */
};

struct wire_stats {
    uint64_t in_pkts, in_bytes, out_pkts, out_bytes;
    uint64_t full_pkts;   /* dropped: no room in the buffer */
    uint64_t lost_pkts;   /* dropped: random loss */
    uint64_t memory_pkts; /* dropped: the ring was full; must stay 0 */
    uint64_t queue_max_bytes;
    uint64_t late_sum_ns, late_max_ns; /* delivered after its time by so much */
    uint64_t late_pkts;                /* by more than WIRE_LATE_NS */
};

struct wire {
    struct wire_config cfg;
    struct wire_stats stats;
    uint8_t *ring;       /* mapped twice in a row, so that no record is cut by its end */
    size_t size_bytes;   /* a power of two */
    uint64_t head, tail; /* bytes ever written, ever freed */
    uint64_t busy_until_ns;
    uint64_t random;
};

/* 0, or -1 without memory. */
int wire_init(struct wire *w, const struct wire_config *cfg);
void wire_clear(struct wire *w);
/* Where the next packet may be written, packet_max bytes; NULL when the ring is full. */
void *wire_room(struct wire *w);
/* The packet written there has `len` bytes. */
void wire_arrive(struct wire *w, uint64_t now_ns, size_t len);
/* The ring was full: a packet was thrown away. */
void wire_spill(struct wire *w, size_t len);
/* The oldest packet if it is due, else NULL. It stays until wire_leave. */
const void *wire_due(const struct wire *w, uint64_t now_ns, size_t *len);
void wire_leave(struct wire *w, uint64_t now_ns);
/* When the oldest packet is due; UINT64_MAX without packets. */
uint64_t wire_deadline_ns(const struct wire *w);

#endif
