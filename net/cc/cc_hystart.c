/* cc_hystart.c: RFC 9406 §4.2, in its order. */
#include "net/cc/cc_hystart.h"

void cc_hystart_init(struct cc_hystart *h) {
    *h = (struct cc_hystart){
        .last_round_min_us = UINT64_MAX,
        .round_min_us = UINT64_MAX,
        .css_baseline_min_us = UINT64_MAX,
    };
}

/* "RttThresh = max(MIN_RTT_THRESH, min(lastRoundMinRTT / MIN_RTT_DIVISOR, MAX_RTT_THRESH))" */
static uint64_t threshold_us(const struct cc_hystart *h) {
    uint64_t t = h->last_round_min_us / HYSTART_MIN_RTT_DIVISOR;
    if (t > HYSTART_MAX_RTT_THRESH_US)
        t = HYSTART_MAX_RTT_THRESH_US;
    return t > HYSTART_MIN_RTT_THRESH_US ? t : HYSTART_MIN_RTT_THRESH_US;
}

/* A round ends with the acknowledgement of what was sent next when it began. True if the last round
 * of conservative slow start is over; the round in which it was entered counts. */
static bool end_round(struct cc_hystart *h, const struct cc_ack *a) {
    h->round_end_pn = a->next_pn;
    h->last_round_min_us = h->round_min_us;
    h->round_min_us = UINT64_MAX;
    h->rtt_samples = 0;
    return h->in_css && ++h->css_rounds >= HYSTART_CSS_ROUNDS;
}

uint64_t cc_hystart_acked(struct cc_hystart *h, const struct cc_ack *a, bool *leave) {
    if (h->round_end_pn == 0)
        h->round_end_pn = a->next_pn; /* the first round: the initial window */
    uint64_t growth = h->in_css ? a->bytes / HYSTART_CSS_GROWTH_DIVISOR : a->bytes;
    if (a->rtt_latest_us < h->round_min_us)
        h->round_min_us = a->rtt_latest_us;
    h->rtt_samples++;
    if (h->rtt_samples >= HYSTART_RTT_SAMPLES) {
        if (h->in_css && h->round_min_us < h->css_baseline_min_us) {
            h->in_css = false; /* it was jitter */
            h->css_baseline_min_us = UINT64_MAX;
        } else if (!h->in_css && h->last_round_min_us != UINT64_MAX &&
                   h->round_min_us >= h->last_round_min_us + threshold_us(h)) {
            h->in_css = true;
            h->css_rounds = 0;
            h->css_baseline_min_us = h->round_min_us;
        }
    }
    *leave = a->newest_pn >= h->round_end_pn && end_round(h, a);
    return growth;
}
