/* ack.c: RFC 9000 §13.2.1 (when), §13.2.3 and §13.2.4 (which), with an adaptive threshold. */
#include "net/recovery/ack.h"

#include <assert.h>

#include "crypto/base/bytes.h"
#include "net/base/limits.h"
#include "net/base/timer.h"
#include "net/recovery/rtt.h"

void ack_init(struct ack *a) {
    *a = (struct ack){
        .every = ACK_EVERY_FIRST, .deadline_us = TIME_NEVER, .spread_us = ACK_SPREAD_MAX_US};
    ranges_init(&a->received, ACK_RANGES_MAX);
}

void ack_clear(struct ack *a) {
    ranges_clear(&a->received);
    ack_init(a);
}

void ack_set_rtt(struct ack *a, uint64_t srtt_us) {
    const uint64_t spread_us = srtt_us / ACK_SPREADS_PER_RTT;
    a->spread_us = spread_us < ACK_SPREAD_MIN_US   ? ACK_SPREAD_MIN_US
                   : spread_us > ACK_SPREAD_MAX_US ? ACK_SPREAD_MAX_US
                                                   : spread_us;
}

/* Remembers `pn`; when the table is full the oldest interval makes room, or, if `pn` is older than
 * all of them, `pn` is the one that is forgotten. */
static int note(struct ack *a, uint64_t pn) {
    int err = ranges_add(&a->received, pn, pn + 1);
    if (err != ERR_FULL)
        return err;
    if (pn < ranges_at(&a->received, 0).lo)
        return 0;
    ranges_drop_first(&a->received);
    return ranges_add(&a->received, pn, pn + 1);
}

/* How many packets may wait: those that arrive within spread_us at the present speed. So a
 * sender with a small window is never kept waiting for a count that it cannot reach. */
static void adapt(struct ack *a, uint64_t now_us) {
    uint64_t gap_us = now_us > a->eliciting_us ? now_us - a->eliciting_us : 0;
    if (a->eliciting_total == 0 || gap_us > RTT_MAX_ACK_DELAY_US)
        gap_us = RTT_MAX_ACK_DELAY_US;
    a->eliciting_us = now_us;
    /* Average of the gaps with a weight of 1/16, in 1/16 us. */
    a->gap_us16 = a->gap_us16 - a->gap_us16 / 16 + gap_us;
    a->eliciting_total++;
    uint64_t every = a->gap_us16 > 0 ? a->spread_us * 16 / a->gap_us16 : ACK_EVERY_MAX;
    if (every < ACK_EVERY_FIRST || a->eliciting_total <= ACK_QUICK_PKTS)
        every = ACK_EVERY_FIRST;
    a->every = every < ACK_EVERY_MAX ? (uint32_t)every : ACK_EVERY_MAX;
}

int ack_received(struct ack *a, uint64_t now_us, uint64_t pn, bool eliciting) {
    if (pn >= VARINT_MAX)
        return ERR_PROTO; /* no ACK could name it; an honest counter ends long before */
    int err = note(a, pn);
    if (err)
        return err;
    /* Older than the newest one, or a hole in front of it (RFC 9000 §13.2.1). A first packet has
     * nothing before it that could be missed. */
    bool in_order = !a->has_largest || pn == a->largest + 1;
    if (!a->has_largest || pn > a->largest) {
        a->has_largest = true;
        a->largest = pn;
        a->largest_us = now_us;
    } else {
        a->late_pns[a->late++ % ACK_LATE_KEPT] = pn;
    }
    if (!eliciting)
        return 0;
    adapt(a, now_us);
    if (a->waiting++ == 0)
        a->deadline_us =
            now_us + (a->every > ACK_EVERY_FIRST ? 2 * a->spread_us : RTT_MAX_ACK_DELAY_US);
    if (!in_order || a->waiting >= a->every)
        a->due = true;
    return 0;
}

void ack_sent(struct ack *a) {
    a->due = false;
    a->waiting = 0;
    a->deadline_us = TIME_NEVER;
}

struct ack_told ack_told(const struct ack *a, unsigned ranges) {
    assert(ranges > 0 && ranges <= a->received.count);
    return (struct ack_told){.lowest = ranges_at(&a->received, a->received.count - ranges).lo,
                             .largest = a->largest,
                             .late = a->late};
}

void ack_forget(struct ack *a, const struct ack_told *told) {
    uint64_t end = told->largest;
    if (a->late - told->late > ACK_LATE_KEPT)
        return;
    for (uint32_t n = told->late; n != a->late; n++) {
        const uint64_t pn = a->late_pns[n % ACK_LATE_KEPT];
        if (pn >= told->lowest && pn < end)
            end = pn;
    }
    if (ranges_remove(&a->received, told->lowest, end)) {
        /* No room to cut an interval in two: it is only repeated. */
    }
}

uint64_t ack_delay_us(const struct ack *a, uint64_t now_us) {
    return a->has_largest && now_us > a->largest_us ? now_us - a->largest_us : 0;
}
