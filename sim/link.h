/* link.h: one direction of a host's access link as a virtual queue: no packet is ever stored, the
 * link only remembers when it will be free (as picoquic's sim_link does), so a datagram costs one
 * event.
 *
 * Order of what happens to a packet: too big for the MTU (dropped without a word: a black hole),
 * queue full (drop-tail), sent at the link's rate, then lost, corrupted, delayed or doubled on the
 * wire. A lost packet has used its share of the rate. Each kind of fault has draws of its own,
 * numbered by packet.
 */
#ifndef MESHD_SIM_LINK_H
#define MESHD_SIM_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/draw.h"

enum fate {
    FATE_DELIVERED,
    FATE_LOSS,    /* random loss */
    FATE_BURST,   /* loss in the bad state of the Gilbert-Elliott model */
    FATE_QUEUE,   /* drop-tail */
    FATE_MTU,     /* larger than the link takes */
    FATE_NO_HOST, /* nobody has this address (any more) */
    FATE_DOWN,    /* the host's node is not running */
    FATE_CUT,     /* the two hosts are cut off from each other */
    FATE_COUNT,
};
const char *fate_name(enum fate f);

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
};

enum {
    LINK_MTU_BYTES = 1500,
    LINK_QUEUE_NS = 100000000,     /* 100 ms of the rate: a home router of the better kind */
    LINK_OVERHEAD_IPV4_BYTES = 28, /* IP and UDP headers */
    LINK_OVERHEAD_IPV6_BYTES = 48,
    LINK_DUPLICATE_SPREAD_NS = 1000000, /* a copy comes up to 1 ms after the original */
};

struct link {
    struct link_config cfg;
    const struct draw *draw;
    uint32_t entity;
    uint64_t packets; /* numbers the draws */
    uint64_t free_ns; /* when the last accepted packet has left */
    bool bad;         /* Gilbert-Elliott state */
};

struct link_out {
    enum fate fate;
    uint64_t at_ns; /* arrival at the other end */
    bool reordered, corrupted, duplicated;
    uint64_t corrupt_draw;
    uint64_t duplicate_at_ns;
};

/* Without rate, delay and faults; MTU 1500; a queue of 100 ms once it gets a rate. */
void link_init(struct link *l, const struct draw *draw, uint32_t entity);
/* One packet of `bytes` (with its headers) is handed to the link now. */
void link_pass(struct link *l, uint64_t now_ns, uint32_t bytes, struct link_out *out);
/* What the queue holds at most; UINT64_MAX if unlimited. */
uint64_t link_queue_bytes(const struct link_config *c);
uint64_t link_backlog_bytes(const struct link *l, uint64_t now_ns);
/* Neither rate nor faults: only a delay and an MTU. */
bool link_is_plain(const struct link *l);

#endif
