/* sent.h: the packets that have left and are not settled yet: a ring indexed by packet number.
 *
 * A packet is OUTSTANDING, then ACKED or LOST. A lost one stays a while, so that a late
 * acknowledgement is recognised as proof that the loss was false. Numbers that carried nothing to
 * track (session packets, bare ACKs, numbers skipped on purpose) are SENT_NONE slots. Value struct;
 * the ring is heap and bounded by SENT_PKTS_MAX.
 */
#ifndef MESHD_NET_RECOVERY_SENT_H
#define MESHD_NET_RECOVERY_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/limits.h"
#include "net/base/ranges.h"
#include "net/base/share.h"
#include "net/recovery/rate.h"

enum sent_state { SENT_NONE, SENT_OUTSTANDING, SENT_ACKED, SENT_LOST };

enum sent_frame_kind {
    SENT_STREAM,
    SENT_ACK,             /* stream, offset, len: lowest, largest, late of struct ack_told */
    SENT_MAX_DATA,        /* offset = the limit told */
    SENT_MAX_STREAM_DATA, /* likewise */
    SENT_MAX_STREAMS,
    SENT_RESET,
    SENT_STOP,
};

struct sent_frame {
    uint64_t stream;
    uint64_t offset;
    uint32_t len;
    uint8_t kind; /* enum sent_frame_kind */
    bool fin;
};

enum { SENT_FRAMES_MAX = 5, SENT_RING_FIRST = 64, SENT_ACKED_RANGES_MAX = 4096 };

struct sent_pkt {
    uint64_t pn;
    uint64_t sent_us;
    uint64_t lost_us;
    uint16_t bytes; /* of the datagram */
    uint16_t path;  /* by which it left (net/path/recovery.h) */
    uint8_t state;  /* enum sent_state */
    bool in_flight; /* counts for congestion control */
    bool probe;     /* PLPMTU probe */
    bool app_limited;
    bool excused;  /* lost, but that was no sign of congestion */
    bool requeued; /* a PTO has already queued its data again */
    bool copied;   /* it went by another path as well: tells nothing of the round trip */
    uint8_t ecn; /* left with ECT(0): the serial of the test (net/recovery/ecn.h); 0: not marked */
    uint8_t nframes;
    struct rate_mark rate;
    struct sent_frame frames[SENT_FRAMES_MAX];
};

struct sent {
    struct share *all; /* the records of all sessions; NULL: alone */
    struct sent_pkt *ring;
    uint32_t cap;         /* power of two, 0 = nothing allocated */
    uint64_t base, next;  /* slots [base, next) are valid */
    uint32_t outstanding; /* packets in SENT_OUTSTANDING; all of them are ack-eliciting */
    struct ranges acked;  /* numbers acknowledged, to skip what older ACKs repeat */
};

/* The first number that may be added is `next_pn`. */
void sent_init(struct sent *s, uint64_t next_pn);
void sent_clear(struct sent *s);
/* Room for packet `pn` (>= every one before): numbers between are SENT_NONE. ERR_FULL at the bound,
 * or where the session has its share of `all`; ERR_NOMEM. The slot is zeroed, OUTSTANDING, with pn
 * set. */
int sent_add(struct sent *s, uint64_t pn, struct sent_pkt **out) MUST_USE;
/* Takes the newest one back: nothing was sent after all. */
void sent_undo(struct sent *s);
/* NULL if outside the ring or SENT_NONE. */
struct sent_pkt *sent_get(const struct sent *s, uint64_t pn);
/* The first packet of [lo, hi) that an ACK of these settles newly; false if none. Call until
 * false. */
bool sent_next_acked(struct sent *s, uint64_t lo, uint64_t hi, uint64_t *pn);
/* Moves base over settled packets; those lost at or after `lost_before_us` are kept, and what is
 * behind them. */
void sent_trim(struct sent *s, uint64_t lost_before_us);

#endif
