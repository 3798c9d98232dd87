/* RFC 9406 §4.2 read aloud: its pseudocode, in floating point and its own words, beside
 * cc_hystart.c on the same acknowledgements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "net/cc/cc_hystart.h"
#include "support_rand.h"

enum { MSS = 1200 };

/* The RFC's variables; L is infinite (§4.3, with pacing). */
struct rfc {
    bool css;
    double last_round_min_rtt, current_round_min_rtt, css_baseline_min_rtt;
    unsigned rtt_sample_count, rounds_in_css;
    uint64_t window_end;
    bool ss_left;
};

static void rfc_init(struct rfc *r, uint64_t snd_nxt) {
    *r = (struct rfc){.last_round_min_rtt = INFINITY,
                      .current_round_min_rtt = INFINITY,
                      .css_baseline_min_rtt = INFINITY,
                      .window_end = snd_nxt};
}

/* For each arriving ACK; gives cwnd's growth. */
static double rfc_ack(struct rfc *r, double n, uint64_t acked_pn, uint64_t snd_nxt, double rtt) {
    const double MIN_RTT_THRESH = 4000, MAX_RTT_THRESH = 16000, MIN_RTT_DIVISOR = 8;
    const unsigned N_RTT_SAMPLE = 8, CSS_ROUNDS = 5;
    const double growth = r->css ? n / 4 : n; /* CSS_GROWTH_DIVISOR */
    r->current_round_min_rtt = fmin(r->current_round_min_rtt, rtt);
    r->rtt_sample_count += 1;
    if (!r->css && r->rtt_sample_count >= N_RTT_SAMPLE && r->current_round_min_rtt != INFINITY &&
        r->last_round_min_rtt != INFINITY) {
        const double thresh = fmax(
            MIN_RTT_THRESH, fmin(floor(r->last_round_min_rtt / MIN_RTT_DIVISOR), MAX_RTT_THRESH));
        if (r->current_round_min_rtt >= r->last_round_min_rtt + thresh) {
            r->css_baseline_min_rtt = r->current_round_min_rtt;
            r->css = true;
            r->rounds_in_css = 0;
        }
    } else if (r->css && r->rtt_sample_count >= N_RTT_SAMPLE &&
               r->current_round_min_rtt < r->css_baseline_min_rtt) {
        r->css_baseline_min_rtt = INFINITY;
        r->css = false;
    }
    if (acked_pn >= r->window_end) { /* the round ends */
        if (r->css && ++r->rounds_in_css >= CSS_ROUNDS)
            r->ss_left = true;
        r->last_round_min_rtt = r->current_round_min_rtt;
        r->current_round_min_rtt = INFINITY;
        r->rtt_sample_count = 0;
        r->window_end = snd_nxt;
    }
    return growth;
}

static void the_pseudocode_and_ours_agree_on_any_path(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("hystart", 1);
    unsigned entered = 0, resumed = 0, left = 0;
    for (int round = 0; round < 3000; round++) {
        struct cc_hystart h;
        struct rfc r;
        cc_hystart_init(&h);
        const uint64_t base_us = 100 + (rand_u64(&rnd) >> (44 + rand_below(&rnd, 12)));
        const uint64_t jitter_us = 1 + rand_below(&rnd, base_us / 4 + 1);
        const uint64_t slope_us = rand_below(&rnd, 200), empties = rand_below(&rnd, 4) ? 2000 : 40;
        uint64_t acked = 0, next = 10, window = 10, queue_us = 0;
        rfc_init(&r, next);
        for (int i = 0; i < 600 && !r.ss_left; i++) {
            const uint64_t n = 1 + rand_below(&rnd, 4);
            acked += n;
            queue_us = rand_below(&rnd, empties) == 0 ? 0 : queue_us + slope_us;
            const struct cc_ack a = {
                .bytes = n * MSS,
                .newest_pn = acked - 1,
                .next_pn = next,
                .rtt_latest_us = base_us + rand_below(&rnd, jitter_us) + queue_us,
            };
            const bool was = r.css;
            bool leave;
            const uint64_t grown = cc_hystart_acked(&h, &a, &leave);
            const double want =
                rfc_ack(&r, (double)a.bytes, a.newest_pn, next, (double)a.rtt_latest_us);
            assert_true(grown == (uint64_t)want);
            assert_int_equal(h.in_css, r.css);
            assert_int_equal(leave, r.ss_left);
            entered += !was && r.css;
            resumed += was && !r.css;
            left += leave;
            window += n;
            while (next < acked + window && next < acked + 60)
                next++;
        }
    }
    assert_true(entered > 100 && resumed > 100 && left > 100); /* all ways were walked */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pseudocode_and_ours_agree_on_any_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
