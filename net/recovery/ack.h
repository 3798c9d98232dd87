/* ack.h: the receiving side of acknowledgements: which packets of the peer have arrived, and when
 * to say so (RFC 9000 §13.2, with the frequency falling with speed: draft-ietf-quic-ack-frequency
 * §6).
 *
 * Every packet that carried transport frames is noted after it has been processed. An ACK is due at
 * once when an ack-eliciting packet arrives out of order or leaves a gap, or when `every` eliciting
 * ones wait: 2 at first, later as many as arrive within spread_us (an eighth of the round trip, 1
 * ms at most), at most ACK_EVERY_MAX. Else after RTT_MAX_ACK_DELAY_US at the latest, in dense
 * traffic after 2 spread_us. One read batch is processed before output is pulled, so batches are
 * acknowledged by one frame anyway. Value struct.
 */
#ifndef MESHD_NET_RECOVERY_ACK_H
#define MESHD_NET_RECOVERY_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/ranges.h"

enum {
    ACK_EVERY_FIRST = 2,
    ACK_EVERY_MAX = 32,
    ACK_QUICK_PKTS =
        100, /* so many eliciting packets are acknowledged every second one: slow start */
    ACK_SPREAD_MAX_US = 1000, /* later: about one ACK per loop timer tick */
    ACK_SPREAD_MIN_US = 100,
    ACK_SPREADS_PER_RTT = 8, /* so that the sender hears often enough in each round trip */
    ACK_LATE_KEPT = 64,      /* so many late packets in a round trip are told apart */
};

struct ack {
    struct ranges received; /* packet numbers, at most ACK_RANGES_MAX intervals */
    uint64_t largest;       /* largest received; valid if has_largest */
    uint64_t largest_us;    /* when it arrived */
    bool has_largest;
    bool due;                         /* send one now */
    uint32_t waiting;                 /* eliciting packets not yet acknowledged */
    uint32_t late;                    /* packets that have come below the largest, so far */
    uint64_t late_pns[ACK_LATE_KEPT]; /* the newest of them; number n is at n % ACK_LATE_KEPT */
    uint64_t eliciting_total;
    uint64_t deadline_us;  /* TIME_NEVER if nothing waits */
    uint32_t every;        /* eliciting packets that may wait now */
    uint64_t eliciting_us; /* when the last eliciting packet arrived */
    uint64_t gap_us16;     /* average time between them, in 1/16 us */
    uint64_t spread_us;    /* one ACK in so long is enough */
};

void ack_init(struct ack *a);
void ack_clear(struct ack *a);
void ack_set_rtt(struct ack *a, uint64_t srtt_us);
/* Notes packet `pn`. When the interval table is full the oldest interval goes (that packet was
 * reported many times). ERR_NOMEM, or ERR_PROTO for UINT64_MAX, which is no packet number: the
 * packet must be treated as not received. */
int ack_received(struct ack *a, uint64_t now_us, uint64_t pn, bool eliciting) MUST_USE;
/* An ACK frame left: nothing waits now. */
void ack_sent(struct ack *a);
/* What an ACK frame has said: every number of `received` from lowest to largest, as of the time
 * when `late` was as here. */
struct ack_told {
    uint64_t lowest, largest;
    uint32_t late;
};
/* Of an ACK that was written with the newest `ranges` ranges just now. */
struct ack_told ack_told(const struct ack *a, unsigned ranges);
/* The peer has acknowledged a packet of ours that carried this ACK: what it said need not be
 * repeated, but for the largest (RFC 9000 §13.2.4). Ranges that did not fit into it stay; and so
 * does what lies at or above a packet that has come late in between since (all of it, if more than
 * ACK_LATE_KEPT were late): a later ACK is going to be acknowledged, too. A packet that arrives
 * below later is still reported: that is how the peer learns that its loss was false. */
void ack_forget(struct ack *a, const struct ack_told *told);
/* The delay to report for `largest`. */
uint64_t ack_delay_us(const struct ack *a, uint64_t now_us);
static inline bool ack_wanted(const struct ack *a, uint64_t now_us) {
    return a->due || now_us >= a->deadline_us;
}

#endif
