/* loss.h: which packets are lost, and when to probe: RFC 9002 §6 and appendix A, for one path:
 * those of other paths in the same ring are passed over.
 *
 * Packet threshold and time threshold adapt: a late acknowledgement of a packet that was declared
 * lost shows how far this path reorders, and both thresholds grow to cover it (RFC 9002 §6.1.1 and
 * §6.1.2 allow it; the idea is RACK's, RFC 8985 §6.2 step 4). When every loss of the last
 * congestion event has proved false, the event is undone. Works on struct sent; what
 * loss_detect and loss_acked find is for the transport to act on.
 */
#ifndef MESHD_NET_RECOVERY_LOSS_H
#define MESHD_NET_RECOVERY_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/recovery/rtt.h"
#include "net/recovery/sent.h"

enum {
    LOSS_PKT_THRESHOLD = 3, /* RFC 9002 kPacketThreshold */
    LOSS_PKT_THRESHOLD_MAX = 256,
    LOSS_TIME_SHIFT = 3,    /* time threshold is rtt + rtt / 2^3: kTimeThreshold 9/8 */
    LOSS_PTO_MAX_SHIFT = 6, /* backoff stops at 64 PTO */
    LOSS_PTO_CAP_US = 2 * 1000000,
    LOSS_EVEN_PTOS = 8, /* that many are not backed off, where waiting would starve the peer */
    LOSS_PERSISTENT_PTOS = 3, /* kPersistentCongestionThreshold */
};

struct loss {
    uint16_t path; /* whose packets are judged */
    bool has_acked;
    uint64_t largest_acked; /* of this path */
    uint64_t loss_time_us;  /* TIME_NEVER: none */
    uint64_t last_sent_us;  /* newest eliciting packet */
    uint64_t give_up_us;    /* the path was left: what is still out is lost then; else TIME_NEVER */
    uint64_t scan;          /* every packet below is settled */
    uint64_t first_sample_us; /* when the first RTT sample was taken */
    uint32_t pto_count;
    uint32_t even_ptos; /* of these, those that do not lengthen the next */
    uint32_t pkt_threshold;
    uint32_t time_shift; /* smaller after spurious losses: 3 (9/8), 2, 1, 0 (2x) */
    uint32_t unproven;   /* losses of the last congestion event not yet shown to be false */
    bool event_open;     /* such an event exists */
};

/* The path's first packet is not below next_pn. */
void loss_init(struct loss *l, uint16_t path, uint64_t next_pn);
void loss_sent(struct loss *l, uint64_t now_us);
/* Something new was acknowledged: the backoff ends. */
void loss_heard(struct loss *l);
/* The path was left: nothing of it is late any more, and what is out is given up after a PTO. */
void loss_leave(struct loss *l, uint64_t now_us, uint64_t pto_us);
static inline bool loss_has_left(const struct loss *l) {
    return l->give_up_us != UINT64_MAX;
}

/* Notes that a packet of the path is acknowledged now. `lost_before`: it had been declared lost.
 * True if the last congestion event is now known to have been false altogether. */
bool loss_acked(struct loss *l, const struct sent_pkt *p, bool lost_before);

/* Declares lost what should be (RFC 9002 A.10): gives the next lost packet, marked SENT_LOST, or
 * NULL. Sets loss_time_us. Call until NULL. */
struct sent_pkt *loss_detect(struct loss *l, struct sent *s, const struct rtt *rtt, uint64_t now_us,
                             uint64_t *cursor);
/* The probe timeout counts for whatever is out, also by paths that were left. */
uint64_t loss_deadline_us(const struct loss *l, const struct sent *s, const struct rtt *rtt);
uint64_t loss_pto_us(const struct loss *l, const struct rtt *rtt);

#endif
