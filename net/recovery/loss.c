#include "net/recovery/loss.h"

#include "net/base/timer.h"

void loss_init(struct loss *l, uint64_t next_pn) {
    *l = (struct loss){
        .loss_time_us = TIME_NEVER,
        .old_epoch_us = TIME_NEVER,
        .scan = next_pn,
        .pkt_threshold = LOSS_PKT_THRESHOLD,
        .time_shift = LOSS_TIME_SHIFT,
    };
}

void loss_sent(struct loss *l, uint64_t now_us) {
    l->last_sent_us = now_us;
}

void loss_heard(struct loss *l) {
    l->pto_count = 0;
    l->even_ptos = 0;
}

void loss_new_epoch(struct loss *l, uint64_t now_us, uint16_t epoch, uint64_t old_pto_us,
                    bool in_flight) {
    l->epoch = epoch;
    l->has_acked = false;
    l->loss_time_us = TIME_NEVER;
    l->old_epoch_us = in_flight ? now_us + old_pto_us : TIME_NEVER;
    loss_heard(l);
    l->pkt_threshold = LOSS_PKT_THRESHOLD;
    l->time_shift = LOSS_TIME_SHIFT;
    l->event_open = false;
    l->unproven = 0;
    l->first_sample_us = 0;
    l->last_sent_us = now_us;
}

bool loss_acked(struct loss *l, const struct sent_pkt *p, bool lost_before) {
    if (p->epoch == l->epoch && (!l->has_acked || p->pn > l->largest_acked)) {
        l->largest_acked = p->pn;
        l->has_acked = true;
    }
    if (!lost_before || p->epoch != l->epoch)
        return false;
    /* It was only late: the path reorders by at least this much. */
    uint64_t distance = l->largest_acked - p->pn + 1;
    if (distance > LOSS_PKT_THRESHOLD_MAX)
        distance = LOSS_PKT_THRESHOLD_MAX;
    if (distance > l->pkt_threshold)
        l->pkt_threshold = (uint32_t)distance;
    if (l->time_shift > 0)
        l->time_shift--;
    if (!p->excused && l->event_open && l->unproven > 0 && --l->unproven == 0) {
        l->event_open = false;
        return true;
    }
    return false;
}

static uint64_t loss_delay_us(const struct loss *l, const struct rtt *rtt) {
    uint64_t base = rtt->latest_us > rtt->srtt_us ? rtt->latest_us : rtt->srtt_us;
    uint64_t delay = base + (base >> l->time_shift);
    return delay < RTT_GRANULARITY_US ? RTT_GRANULARITY_US : delay;
}

struct sent_pkt *loss_detect(struct loss *l, struct sent *s, const struct rtt *rtt, uint64_t now_us,
                             uint64_t *cursor) {
    bool old_over = now_us >= l->old_epoch_us;
    if (*cursor == 0) {
        l->loss_time_us = TIME_NEVER;
        if (l->scan < s->base)
            l->scan = s->base;
        *cursor = l->scan;
    }
    uint64_t delay = loss_delay_us(l, rtt);
    bool settled = *cursor == l->scan; /* all below the cursor */
    for (uint64_t pn = *cursor; pn < s->next; pn++) {
        struct sent_pkt *p = sent_get(s, pn);
        if (!p || p->state != SENT_OUTSTANDING) {
            if (settled)
                l->scan = pn + 1;
            continue;
        }
        bool lost = false;
        if (p->epoch != l->epoch) {
            lost = old_over;
        } else {
            if (!l->has_acked || pn > l->largest_acked)
                break;
            lost = l->largest_acked - pn >= l->pkt_threshold || now_us >= p->sent_us + delay;
            if (!lost && p->sent_us + delay < l->loss_time_us)
                l->loss_time_us = p->sent_us + delay;
        }
        if (lost) {
            p->state = SENT_LOST;
            p->lost_us = now_us;
            s->outstanding--;
            *cursor = pn + 1;
            if (settled)
                l->scan = pn + 1;
            return p;
        }
        settled = false;
    }
    if (old_over)
        l->old_epoch_us = TIME_NEVER;
    return NULL;
}

uint64_t loss_pto_us(const struct loss *l, const struct rtt *rtt) {
    uint64_t shift = l->pto_count - l->even_ptos;
    if (shift > LOSS_PTO_MAX_SHIFT)
        shift = LOSS_PTO_MAX_SHIFT;
    uint64_t pto = rtt_pto_us(rtt);
    uint64_t backed = pto << shift;
    /* The backoff is capped, so that a path that comes back is noticed within seconds. */
    return backed > LOSS_PTO_CAP_US ? (pto > LOSS_PTO_CAP_US ? pto : LOSS_PTO_CAP_US) : backed;
}

/* RFC 9002 A.8. The earliest of: a time-threshold loss, the end of an old path, the probe timeout.
 */
uint64_t loss_deadline_us(const struct loss *l, const struct sent *s, const struct rtt *rtt) {
    uint64_t t = l->old_epoch_us;
    if (l->loss_time_us < t)
        t = l->loss_time_us;
    if (l->loss_time_us == TIME_NEVER && s->outstanding > 0) {
        uint64_t pto = l->last_sent_us + loss_pto_us(l, rtt);
        if (pto < t)
            t = pto;
    }
    return t;
}
