/* cell.h: one point of the grid: a bottleneck, its faults, and who shares it. */
#ifndef MESHD_TESTS_ORACLE_CELL_H
#define MESHD_TESTS_ORACLE_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/link/link.h"

enum cell_share {
    SHARE_ALONE, /* one flow: ours in one run, ngtcp2's in another */
    SHARE_SAME,  /* two flows of one stack: how fairly they share */
    SHARE_MIXED, /* one of ours beside one of ngtcp2's */
};

struct cell {
    uint64_t rate_bps, rtt_ns;
    uint32_t loss_ppb;
    uint32_t reorder_pkts; /* one packet in 100 is overtaken by as many (at the full rate) */
    uint32_t buffer_permille_bdp;
    enum link_jitter jitter;
    uint64_t jitter_ns;
    enum cell_share share;
    uint64_t duration_ns;
};

enum {
    CELL_REORDER_PPB = 10000000, /* 1 % */
    CELL_PACKET_BYTES = 1480,
    /* A queue of less than this is no queue at all; it matters below 6 kB / 0.2 of BDP only. */
    CELL_QUEUE_MIN_BYTES = 4 * 1500,
    CELL_NAME_BYTES = 64,
};

/* Long enough to be meaningful, short enough to be affordable. */
uint64_t cell_duration_ns(const struct cell *c);
uint64_t cell_queue_bytes(const struct cell *c);
/* One full packet at the bottleneck's rate. */
uint64_t cell_packet_ns(const struct cell *c);
/* Does chance decide anything, so that several seeds are needed? */
bool cell_has_chance(const struct cell *c);
struct link_config cell_bottleneck(const struct cell *c);
/* RATE,RTT,LOSS,REORDER,BUFFER[,JITTER:MS|none[,alone|same|mixed]] in Mbit/s, ms, %, packets, BDP;
 * jitter is gauss, wifi or tail. False if it cannot be read. */
bool cell_parse(const char *text, struct cell *out);
/* As cell_parse reads it. */
void cell_name(const struct cell *c, char name[CELL_NAME_BYTES]);

#endif
