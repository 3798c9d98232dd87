#include "net/recovery/rate.h"

static uint32_t ago(uint64_t now_us, uint64_t then_us) {
    uint64_t d = now_us > then_us ? now_us - then_us : 0;
    return d < UINT32_MAX ? (uint32_t)d : UINT32_MAX;
}

/* draft-ietf-ccwg-bbr §4.1.2.3.2: without anything in flight the interval begins now. */
void rate_sent(struct rate *r, uint64_t now_us, uint64_t bytes, uint64_t in_flight,
               struct rate_mark *out) {
    if (in_flight == 0)
        r->first_sent_us = r->delivered_us = now_us;
    const uint64_t with = in_flight + bytes;
    *out = (struct rate_mark){
        .delivered = (uint32_t)r->delivered,
        .lost = (uint32_t)r->lost,
        .in_flight = with < UINT32_MAX ? (uint32_t)with : UINT32_MAX,
        .delivered_ago_us = ago(now_us, r->delivered_us),
        .first_sent_ago_us = ago(now_us, r->first_sent_us),
        .app_limited = r->bubble != 0,
    };
}

uint64_t rate_lost_since(const struct rate *r, const struct rate_mark *m) {
    return (uint32_t)((uint32_t)r->lost - m->lost);
}

/* §4.1.2.3.3, UpdateRateSample. */
void rate_acked(struct rate *r, struct rate_sample *s, uint64_t now_us, uint64_t pn,
                uint64_t sent_us, uint64_t bytes, const struct rate_mark *m) {
    /* What was delivered between this packet's leaving and now, before it is counted itself. */
    const uint64_t prior = r->delivered - (uint32_t)((uint32_t)r->delivered - m->delivered);
    r->delivered += bytes;
    r->delivered_us = now_us;
    s->newly_acked += bytes;
    if (s->any && pn < s->newest_pn)
        return;
    s->any = true;
    s->newest_pn = pn;
    s->prior_delivered = prior;
    s->prior_lost = r->lost - rate_lost_since(r, m);
    s->in_flight = m->in_flight;
    s->app_limited = m->app_limited;
    s->send_us = m->first_sent_ago_us;
    s->ack_us = now_us - sent_us + m->delivered_ago_us;
    if (sent_us > r->first_sent_us)
        r->first_sent_us = sent_us;
}

/* §4.1.2.3.3, GenerateRateSample. */
void rate_finish(struct rate *r, struct rate_sample *s, uint64_t rtt_min_us) {
    if (r->bubble != 0 && r->delivered > r->bubble)
        r->bubble = 0;
    if (!s->any)
        return;
    s->delivered = r->delivered - s->prior_delivered;
    s->lost = r->lost - s->prior_lost;
    s->interval_us = s->send_us > s->ack_us ? s->send_us : s->ack_us;
    if (s->interval_us == 0 || s->interval_us < rtt_min_us)
        return;
    s->bytes_per_s = s->delivered * 1000000 / s->interval_us;
}

/* §4.1.2.4: until everything that is in flight now has been delivered. */
void rate_app_limited(struct rate *r, uint64_t in_flight) {
    const uint64_t until = r->delivered + in_flight;
    r->bubble = until > 0 ? until : 1;
}
