#include "net/recovery/loss.h"

#include <assert.h>

#include "net/base/timer.h"

void loss_init(struct loss *l, uint16_t path, uint64_t next_pn) {
    *l = (struct loss){
        .path = path,
        .loss_time_us = TIME_NEVER,
        .give_up_us = TIME_NEVER,
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

void loss_leave(struct loss *l, uint64_t now_us, uint64_t pto_us) {
    l->loss_time_us = TIME_NEVER;
    l->give_up_us = now_us + pto_us;
}

bool loss_acked(struct loss *l, const struct sent_pkt *p, bool lost_before) {
    assert(p->path == l->path);
    if (!l->has_acked || p->pn > l->largest_acked) {
        l->largest_acked = p->pn;
        l->has_acked = true;
    }
    if (!lost_before)
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
    const bool left = loss_has_left(l);
    if (left && now_us < l->give_up_us)
        return NULL;
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
        if (!p || p->state != SENT_OUTSTANDING || p->path != l->path) {
            if (settled)
                l->scan = pn + 1;
            continue;
        }
        bool lost = left;
        if (!left) {
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

/* RFC 9002 A.8. The earlier of: a time-threshold loss, the probe timeout; or the end of a path that
 * was left. */
uint64_t loss_deadline_us(const struct loss *l, const struct sent *s, const struct rtt *rtt) {
    if (loss_has_left(l))
        return l->give_up_us;
    if (l->loss_time_us == TIME_NEVER && s->outstanding > 0)
        return l->last_sent_us + loss_pto_us(l, rtt);
    return l->loss_time_us;
}
