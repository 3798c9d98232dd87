/* pmtud.h: packetisation-layer path MTU discovery of one path, RFC 8899 (with RFC 9000 §14.3).
 *
 * Sizes are UDP payload bytes. Starts at MTU_BASE_BYTES. Probes jump to Ethernet, jumbo frames and
 * loopback; after the first failure they bisect, among the sizes that real links have and then
 * freely, until less than PMTUD_GAP_BYTES lie between the largest success and the smallest failure.
 * A size is given up after PMTUD_PROBES losses, or at once when the socket says that it does not
 * fit. A probe's loss says nothing about congestion. A black hole (big packets lost, small ones
 * pass) falls back to the base, one at the base to MTU_MIN_BYTES, and the search starts again: from
 * there with the base, since a whole flight that was lost in an outage looks the same. No timers of
 * its own: it is asked when a packet is being built, so an idle session stays silent.
 *
 * Of the states of RFC 8899 §5.2, BASE, ERROR and SEARCHING are one here: 1,200 bytes are taken as
 * confirmed (RFC 9000 §14.3) until they prove not to pass.
 */
#ifndef MESHD_NET_RECOVERY_PMTUD_H
#define MESHD_NET_RECOVERY_PMTUD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PMTUD_PROBES = 3, /* RFC 8899 MAX_PROBES */
    PMTUD_GAP_BYTES = 20,
    PMTUD_RAISE_US = 600 * 1000000, /* RFC 8899 PMTU_RAISE_TIMER */
    PMTUD_BLACK_HOLE_LOSSES = 4,    /* big packets lost with no such packet acknowledged between */
};

enum pmtud_state { PMTUD_SEARCHING, PMTUD_COMPLETE };

struct pmtud {
    enum pmtud_state state;
    uint16_t mtu_bytes;     /* confirmed: packets up to this are sent */
    uint16_t ceiling_bytes; /* smallest size known not to pass, or max + 1 */
    uint16_t max_bytes;     /* never probe above (configuration, or the peer's limit) */
    uint16_t probe_bytes;   /* size being tried; 0 = none in flight */
    uint8_t probe_losses;
    uint8_t big_losses;       /* counted towards a black hole */
    uint16_t big_lost_bytes;  /* the smallest of them */
    uint16_t big_acked_bytes; /* the largest acknowledged since the last excused loss, else 0 */
    uint64_t excused_us;      /* losses reported at this time are congestion's */
    uint64_t complete_us;     /* when the search ended */
};

void pmtud_init(struct pmtud *p, uint16_t max_bytes);
/* The size of a probe to send now, or 0. Only one is in flight at a time. */
uint16_t pmtud_probe(struct pmtud *p, uint64_t now_us);
void pmtud_probe_sent(struct pmtud *p, uint16_t bytes);
/* True if the confirmed MTU grew. */
bool pmtud_probe_acked(struct pmtud *p, uint64_t now_us, uint16_t bytes);
void pmtud_probe_lost(struct pmtud *p, uint64_t now_us, uint16_t bytes);
/* The local interface refused the size (EMSGSIZE, or ICMP): counts as all probes lost; if it is at
 * or below the confirmed MTU, falls back to the base or, from there, to MTU_MIN_BYTES. True if the
 * confirmed MTU shrank. */
bool pmtud_too_big(struct pmtud *p, uint64_t now_us, uint16_t bytes);
/* Fate of ordinary packets, for black holes (RFC 8899 §4.3). Only sizes above what it would fall
 * back to matter. Of one ACK frame the acknowledged packets are told first. What is lost next after
 * a big packet passed was lost to congestion, all that is reported at the same now_us; later losses
 * count. lost: true if this makes it a black hole: the confirmed MTU has fallen. */
bool pmtud_packet_lost(struct pmtud *p, uint64_t now_us, uint16_t bytes);
void pmtud_packet_acked(struct pmtud *p, uint16_t bytes);

#endif
