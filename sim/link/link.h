/* link.h: one direction of a host's access link as a virtual queue: no packet is ever stored, the
 * link only remembers when it will be free (as picoquic's sim_link does), so a datagram costs one
 * event.
 *
 * Order of what happens to a packet: named by `lose`, too big for the MTU (dropped without a word:
 * a black hole), queue full (drop-tail), sent at the link's rate, then lost, corrupted, delayed or
 * doubled on the wire. A lost packet has used its share of the rate. Each kind of fault has draws
 * of its own, numbered by packet.
 */
#ifndef MESHD_SIM_LINK_LINK_H
#define MESHD_SIM_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/engine/draw.h"

enum fate {
    FATE_DELIVERED,
    FATE_LOSS,         /* random loss */
    FATE_BURST,        /* loss in the bad state of the Gilbert-Elliott model */
    FATE_QUEUE,        /* drop-tail */
    FATE_MTU,          /* larger than the link takes */
    FATE_NO_HOST,      /* nobody has this address (any more) */
    FATE_DOWN,         /* the host's node is not running */
    FATE_CUT,          /* the two hosts are cut off from each other */
    FATE_CODEL,        /* the queue's own early drop */
    FATE_LISTED,       /* a `lose` statement named it */
    FATE_NAT_UNMAPPED, /* a NAT has no mapping for it */
    FATE_NAT_FILTERED, /* a NAT lets only others in */
    FATE_NAT_FULL,     /* a NAT has no room for a mapping */
    FATE_NAT_HAIRPIN,  /* a NAT that does not bring packets back */
    FATE_UNREACHABLE,  /* a private address of elsewhere, or of a family the host has not */
    FATE_BLOCKED,      /* UDP does not pass there */
    FATE_SUSPENDED,    /* the host sleeps */
    FATE_BUFFER,       /* the host does not read its socket, which is full */
    FATE_HOSTILE,      /* a hostile host kept it */
    FATE_ECN,          /* a box on the way drops what is marked */
    FATE_UNPLUGGED,    /* the interface is down */
    FATE_COUNT,
};
const char *fate_name(enum fate f);

/* How late packets come, beside queueing. gauss: half a normal distribution. wifi: as picoquic's
 * simulator has it, most at once, some after a few rounds of contention of `jitter_ns`. tail:
 * mostly little, rarely up to 64 times as much (Pareto-like). Packets do not overtake each other
 * because of it, but gaps close up behind a late one. */
enum link_jitter { JITTER_NONE, JITTER_GAUSS, JITTER_WIFI, JITTER_TAIL };

/* What becomes of the ECN field. mark: the queue sets CE on an ECT packet where CoDel would have
 * dropped it; a drop-tail queue does from half of its length on. bleach: it is cleared. blackhole:
 * packets with ECT or CE are dropped. */
enum link_ecn { LINK_ECN_OFF, LINK_ECN_MARK, LINK_ECN_BLEACH, LINK_ECN_BLACKHOLE };

struct link_config {
    uint64_t rate_bps;              /* 0: unlimited */
    uint64_t delay_ns;              /* one way */
    uint64_t queue_bytes, queue_ns; /* the larger of bytes and rate x time; both 0: unlimited */
    uint32_t mtu_bytes;             /* of the IP packet */
    uint32_t loss_ppb;
    uint32_t burst_enter_ppb, burst_leave_ppb, burst_loss_ppb; /* per packet */
    uint32_t reorder_ppb;
    uint64_t reorder_ns; /* a reordered packet comes this much later */
    uint32_t duplicate_ppb, corrupt_ppb;
    enum link_jitter jitter;
    uint64_t jitter_ns; /* gauss: standard deviation; wifi, tail: see link_jitter_ns */
    uint64_t codel_ns;  /* 0: drop-tail; else CoDel's target */
    enum link_ecn ecn;
    bool icmp; /* who sends too much is told (else it is a black hole) */
};

enum {
    LINK_MTU_BYTES = 1500,
    LINK_MTU_MAX_BYTES = 65535,
    LINK_QUEUE_NS = 100000000,     /* 100 ms of the rate: a home router of the better kind */
    LINK_OVERHEAD_IPV4_BYTES = 28, /* IP and UDP headers */
    LINK_OVERHEAD_IPV6_BYTES = 48,
    LINK_DUPLICATE_SPREAD_NS = 1000000, /* a copy comes up to 1 ms after the original */
};

struct codel { /* RFC 8289 §5: when the queue began to stand, and the rhythm of drops */
    uint64_t first_above_ns, next_drop_ns;
    uint32_t drops, last_drops;
    bool dropping;
};

struct link {
    struct link_config cfg;
    const struct draw *draw;
    uint32_t entity;
    uint64_t packets;     /* numbers the draws */
    uint64_t free_ns;     /* when the last accepted packet has left */
    bool bad;             /* Gilbert-Elliott state */
    uint64_t last_out_ns; /* jitter keeps the order */
    struct codel codel;
    uint64_t *lose; /* packet numbers that are lost, ascending */
    uint32_t lose_count, lose_next;
};

struct link_out {
    enum fate fate;
    uint64_t at_ns; /* arrival at the other end */
    bool reordered, corrupted, duplicated;
    uint64_t corrupt_draw;
    uint64_t duplicate_at_ns;
    uint8_t ecn; /* the field as it leaves */
    bool marked; /* here */
};

/* Without rate, delay and faults; MTU 1500; a queue of 100 ms once it gets a rate. */
void link_init(struct link *l, const struct draw *draw, uint32_t entity);
/* These packets are lost, too (copied; ascending); count 0: none any more, and the list is
 * freed. */
void link_lose(struct link *l, const uint64_t *packets, uint32_t count);
/* One packet of `bytes` (with its headers) is handed to the link now, with this ECN field
 * (net/recovery/ecn.h). */
void link_pass_ecn(struct link *l, uint64_t now_ns, uint32_t bytes, uint8_t ecn,
                   struct link_out *out);
static inline void link_pass(struct link *l, uint64_t now_ns, uint32_t bytes,
                             struct link_out *out) {
    link_pass_ecn(l, now_ns, bytes, 0, out);
}
/* What the queue holds at most; UINT64_MAX if unlimited. */
uint64_t link_queue_bytes(const struct link_config *c);
/* What a draw gives: gauss and tail with scale_ns as their scale. */
uint64_t link_jitter_ns(enum link_jitter kind, uint64_t scale_ns, uint64_t drawn);
uint64_t link_backlog_bytes(const struct link *l, uint64_t now_ns);
/* Neither rate nor faults: only a delay and an MTU. */
bool link_is_plain(const struct link *l);

#endif
