/* pmtud.c: the search of RFC 8899 §5.3, with jumps first, because nearly every path is one of
 * three: Ethernet or a tunnel over it, jumbo frames, or the loopback interface. */
#include "net/recovery/pmtud.h"

#include <assert.h>
#include <stddef.h>

#include "net/base/limits.h"

/* UDP payloads of links as they are: 28 bytes less than the link's MTU over IPv4, 48 over IPv6. */
static const uint16_t ladder[] = {
    996,   /* 1024 */
    1096,  /* 1124: tunnels in tunnels */
    1232,  /* IPv6's minimum of 1280 */
    1252,  /* the same over IPv4 */
    1372,  /* 1400 or 1420 (WireGuard): tunnels and mobile networks */
    1392,  /* 1420 over IPv4 */
    1420,  /* 1448 */
    1440,  /* 1468, 1488 */
    1452,  /* Ethernet, IPv6; 1480 */
    1472,  /* Ethernet, IPv4 */
    2304,  /* wireless LAN */
    4000,  /* FDDI, InfiniBand */
    8952,  /* jumbo frames, IPv6; clouds with 8980 and 9001 */
    8972,  /* jumbo frames, IPv4 */
    16336, /* loopback of the BSDs, IPv6 */
    16356, /* the same over IPv4 */
    32768, /* between the loopbacks */
    65487, /* Linux' loopback, IPv6 */
    65507, /* IPv4: the largest there is */
};

static const uint16_t jumps[] = {MTU_BASE_BYTES, 1472, 8972, 65507};

enum {
    LADDER_COUNT = sizeof ladder / sizeof ladder[0],
    JUMP_COUNT = sizeof jumps / sizeof jumps[0],
};

static bool searched(const struct pmtud *p) {
    return p->ceiling_bytes - p->mtu_bytes <= PMTUD_GAP_BYTES && p->ceiling_bytes <= p->max_bytes;
}

/* Nothing has failed yet: the next jump, or the bound. */
static uint16_t next_jump(const struct pmtud *p) {
    for (size_t i = 0; i < JUMP_COUNT; i++)
        if (jumps[i] > p->mtu_bytes && jumps[i] <= p->max_bytes)
            return jumps[i];
    return p->max_bytes;
}

/* Something has failed. A jump that passed is probably exactly what the link has: then one failure
 * just above it ends the search. Else the middle of the known sizes in question, else the middle.
 */
static uint16_t next_between(const struct pmtud *p) {
    for (size_t i = 0; i < JUMP_COUNT; i++)
        if (p->mtu_bytes == jumps[i] && jumps[i] > MTU_BASE_BYTES)
            return (uint16_t)(p->mtu_bytes + PMTUD_GAP_BYTES);
    size_t from = 0, to = LADDER_COUNT;
    while (from < LADDER_COUNT && ladder[from] <= p->mtu_bytes)
        from++;
    while (to > from && ladder[to - 1] >= p->ceiling_bytes)
        to--;
    if (from < to)
        return ladder[from + (to - from) / 2];
    return (uint16_t)(p->mtu_bytes + (p->ceiling_bytes - p->mtu_bytes) / 2);
}

/* The size to try, 0 when the search is over. Depends on what is known only, so that a lost probe
 * is repeated at the same size. */
static uint16_t next_size(const struct pmtud *p) {
    if (p->mtu_bytes >= p->max_bytes || searched(p))
        return 0;
    return p->ceiling_bytes > p->max_bytes ? next_jump(p) : next_between(p);
}

static void end_if_over(struct pmtud *p, uint64_t now_us) {
    if (p->state == PMTUD_SEARCHING && next_size(p) == 0) {
        p->state = PMTUD_COMPLETE;
        p->complete_us = now_us;
    }
}

/* A search from the confirmed size upwards, with the bound `ceiling_bytes`. */
static void search_anew(struct pmtud *p, uint16_t ceiling_bytes) {
    p->state = PMTUD_SEARCHING;
    p->ceiling_bytes = ceiling_bytes;
    p->probe_bytes = 0;
    p->probe_losses = 0;
}

static uint16_t unbounded(const struct pmtud *p) {
    return (uint16_t)(p->max_bytes + 1);
}

/* Where it falls back to: sizes up to this say nothing about black holes. */
static uint16_t floor_of(const struct pmtud *p, uint16_t refused_bytes) {
    return p->mtu_bytes > MTU_BASE_BYTES && refused_bytes > MTU_BASE_BYTES ? MTU_BASE_BYTES
                                                                           : MTU_MIN_BYTES;
}

static void back_to(struct pmtud *p, uint64_t now_us, uint16_t floor_bytes,
                    uint16_t ceiling_bytes) {
    p->mtu_bytes = floor_bytes;
    p->big_losses = 0;
    p->big_acked_bytes = 0;
    search_anew(p, ceiling_bytes);
    end_if_over(p, now_us);
}

void pmtud_init(struct pmtud *p, uint16_t max_bytes) {
    if (max_bytes > MTU_MAX_BYTES)
        max_bytes = MTU_MAX_BYTES;
    if (max_bytes < MTU_BASE_BYTES)
        max_bytes = MTU_BASE_BYTES; /* a path without that is none */
    *p = (struct pmtud){.mtu_bytes = MTU_BASE_BYTES, .max_bytes = max_bytes};
    search_anew(p, unbounded(p));
}

uint16_t pmtud_probe(struct pmtud *p, uint64_t now_us) {
    /* RFC 8899 §5.1.1, PMTU_RAISE_TIMER: the path may have become better. */
    if (p->state == PMTUD_COMPLETE && now_us - p->complete_us >= PMTUD_RAISE_US)
        search_anew(p, unbounded(p));
    end_if_over(p, now_us);
    return p->state == PMTUD_SEARCHING && p->probe_bytes == 0 ? next_size(p) : 0;
}

void pmtud_probe_sent(struct pmtud *p, uint16_t bytes) {
    assert(p->probe_bytes == 0 && bytes > p->mtu_bytes && bytes < p->ceiling_bytes);
    p->probe_bytes = bytes;
}

/* RFC 8899 §5.3.1. An answer that comes after the probe was given up is as good. */
bool pmtud_probe_acked(struct pmtud *p, uint64_t now_us, uint16_t bytes) {
    pmtud_packet_acked(p, bytes);
    if (bytes <= p->mtu_bytes || bytes > p->max_bytes)
        return false;
    p->mtu_bytes = bytes;
    if (p->ceiling_bytes <= bytes)
        search_anew(p, unbounded(p)); /* the losses that made the bound were congestion's */
    if (p->probe_bytes <= bytes) {
        p->probe_bytes = 0;
        p->probe_losses = 0;
    }
    end_if_over(p, now_us);
    return true;
}

/* RFC 8899 §5.1.2, MAX_PROBES. */
void pmtud_probe_lost(struct pmtud *p, uint64_t now_us, uint16_t bytes) {
    if (bytes != p->probe_bytes || bytes == 0)
        return;
    p->probe_bytes = 0;
    if (++p->probe_losses < PMTUD_PROBES)
        return;
    p->probe_losses = 0;
    p->ceiling_bytes = bytes;
    end_if_over(p, now_us);
}

/* RFC 8899 §4.6.2, PTB_SIZE. */
bool pmtud_too_big(struct pmtud *p, uint64_t now_us, uint16_t bytes) {
    if (bytes <= MTU_MIN_BYTES)
        return false; /* then this is no path; nothing to be done about it here */
    if (bytes <= p->mtu_bytes) {
        back_to(p, now_us, floor_of(p, bytes), bytes);
        return true;
    }
    if (bytes >= p->ceiling_bytes)
        return false;
    p->ceiling_bytes = bytes;
    if (p->probe_bytes >= bytes)
        p->probe_bytes = 0;
    p->probe_losses = 0;
    end_if_over(p, now_us);
    return false;
}

/* RFC 8899 §4.3. */
bool pmtud_packet_lost(struct pmtud *p, uint64_t now_us, uint16_t bytes) {
    const uint16_t floor_bytes = floor_of(p, UINT16_MAX);
    if (bytes <= floor_bytes || bytes > p->mtu_bytes)
        return false;
    if (bytes <= p->big_acked_bytes) {
        p->big_acked_bytes = 0;
        p->excused_us = now_us;
    }
    if (now_us == p->excused_us)
        return false;
    if (p->big_losses == 0 || bytes < p->big_lost_bytes)
        p->big_lost_bytes = bytes;
    if (++p->big_losses < PMTUD_BLACK_HOLE_LOSSES)
        return false;
    back_to(p, now_us, floor_bytes, unbounded(p));
    return true;
}

void pmtud_packet_acked(struct pmtud *p, uint16_t bytes) {
    if (bytes <= floor_of(p, UINT16_MAX))
        return;
    if (bytes > p->big_acked_bytes)
        p->big_acked_bytes = bytes;
    if (bytes >= p->big_lost_bytes)
        p->big_losses = 0;
}
