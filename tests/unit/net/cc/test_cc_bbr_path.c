/* BBR on an ideal bottleneck: what must come out of draft-ietf-ccwg-bbr as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "net/cc/cc_bbr.h"
#include "support_rand.h"

enum { MSS = 1200, MS = 1000, S = 1000000 };

enum { RING = 1 << 15 };

struct wire { /* one packet under way */
    uint64_t sent_us, at_us, bytes;
    struct rate_mark mark;
    bool lost;
};

struct path {
    struct cc c;
    uint64_t now_us, next_send_us, rtt_us, bytes_per_s, queue_bytes, free_ns;
    uint64_t first, next; /* numbers of what is under way */
    uint64_t srtt_us, min_us, last_loss_us;
    unsigned lost_permille;
    struct rand_state rnd;
    struct wire ring[RING];
    uint64_t delivered, dropped, entered_us[BBR_PROBE_RTT + 1];
    unsigned entered[BBR_PROBE_RTT + 1];
};

static struct path *path_new(uint64_t mss, uint64_t bytes_per_s, uint64_t rtt_us,
                             uint64_t queue_bytes) {
    struct path *p = calloc(1, sizeof *p);
    assert_non_null(p);
    cc_init(&p->c, CC_BBR, mss);
    p->now_us = p->next_send_us = 1 * S;
    p->bytes_per_s = bytes_per_s;
    p->rtt_us = rtt_us;
    p->queue_bytes = queue_bytes;
    p->min_us = UINT64_MAX;
    p->rnd.x = 1;
    return p;
}

static void path_send(struct path *p) {
    struct wire *w = &p->ring[p->next % RING];
    const uint64_t now_ns = p->now_us * 1000, bytes = p->c.mss_bytes;
    *w = (struct wire){.sent_us = p->now_us, .bytes = bytes};
    cc_sent(&p->c, p->now_us, bytes, &w->mark);
    if (p->free_ns < now_ns)
        p->free_ns = now_ns;
    const uint64_t waiting = (p->free_ns - now_ns) * (p->bytes_per_s / 1000) / 1000000;
    w->lost = waiting > p->queue_bytes ||
              (p->lost_permille && rand_below(&p->rnd, 1000) < p->lost_permille);
    if (waiting <= p->queue_bytes)
        p->free_ns += bytes * UINT64_C(1000000000) / p->bytes_per_s;
    w->at_us = p->free_ns / 1000 + p->rtt_us;
    p->next++;
    const uint64_t rate = cc_pacing_rate(&p->c, p->srtt_us);
    assert_true(rate > 0);
    p->next_send_us = p->now_us + bytes * 1000000 / rate;
}

static void path_arrive(struct path *p) {
    const struct wire w = p->ring[p->first % RING];
    if (w.lost) {
        p->dropped += w.bytes;
        cc_packet_lost(&p->c, p->now_us, &w.mark, w.bytes);
        cc_lost(&p->c, p->now_us, w.sent_us, w.bytes);
        p->first++;
        return;
    }
    const uint64_t rtt_us = p->now_us - w.sent_us;
    p->delivered += w.bytes;
    if (rtt_us < p->min_us)
        p->min_us = rtt_us;
    p->srtt_us = p->srtt_us ? (7 * p->srtt_us + rtt_us) / 8 : rtt_us;
    struct rate_sample s = {0};
    rate_acked(&p->c.rate, &s, p->now_us, p->first, w.sent_us, w.bytes, &w.mark);
    rate_finish(&p->c.rate, &s, p->min_us);
    const enum cc_bbr_state was = p->c.u.bbr.state;
    cc_acked(&p->c, &(struct cc_ack){.now_us = p->now_us,
                                     .bytes = w.bytes,
                                     .newest_sent_us = w.sent_us,
                                     .newest_pn = p->first,
                                     .next_pn = p->next,
                                     .rtt_latest_us = rtt_us,
                                     .rtt_min_us = p->min_us,
                                     .srtt_us = p->srtt_us,
                                     .rtt_sample_us = rtt_us,
                                     .rate = s});
    p->first++;
    const enum cc_bbr_state is = p->c.u.bbr.state;
    if (is != was) {
        p->entered[is]++;
        p->entered_us[is] = p->now_us;
    }
    assert_true(p->c.cwnd_bytes >= 4 * p->c.mss_bytes);
    assert_true(p->c.cwnd_bytes <= CC_MAX_BYTES);
}

/* Sends as fast as window and pacing let it, until the time is over or `state` is entered. */
static bool path_run(struct path *p, uint64_t us, int state) {
    const uint64_t end_us = p->now_us + us;
    while (p->now_us < end_us) {
        const bool window = cc_may_send(&p->c) && p->next - p->first < RING;
        if (!cc_may_send(&p->c))
            p->c.cwnd_limited = true;
        const uint64_t arrival_us =
            p->first < p->next ? p->ring[p->first % RING].at_us : UINT64_MAX;
        if (window && p->next_send_us <= arrival_us) {
            if (p->next_send_us > p->now_us)
                p->now_us = p->next_send_us;
            path_send(p);
        } else {
            assert_true(arrival_us != UINT64_MAX);
            if (arrival_us > p->now_us)
                p->now_us = arrival_us;
            const bool was_there = (int)p->c.u.bbr.state == state;
            path_arrive(p);
            if (!was_there && (int)p->c.u.bbr.state == state)
                return true;
        }
    }
    return false;
}

/* STARTUP finds the bandwidth to within 2 %, in a few round trips; DRAIN empties the queue; the
 * probes keep the pipe full; every 10 s, where the queue hides the round trip, PROBE_RTT looks for
 * it. */
static void it_finds_the_bandwidth_and_keeps_it(void **state) {
    (void)state;
    static const struct {
        uint64_t bytes_per_s, rtt_us;
    } table[] = {{1250000, 50 * MS}, {12500000, 20 * MS}, {12500000, 200 * MS}, {500000, 10 * MS}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const uint64_t bps = table[i].bytes_per_s, rtt_us = table[i].rtt_us;
        struct path *p = path_new(MSS, bps, rtt_us, 1 << 30);
        const struct cc_bbr *b = &p->c.u.bbr;
        assert_true(path_run(p, 40 * rtt_us, BBR_DRAIN));
        assert_true(b->full_bw_reached);
        assert_in_range(b->max_bw, bps - bps / 50, bps + bps / 50);
        while (b->state == BBR_DRAIN)
            path_run(p, 1, -1);
        assert_true(p->now_us - p->entered_us[BBR_DRAIN] < 8 * rtt_us);
        assert_true(p->c.bytes_in_flight <= bbr_inflight(&p->c, b->bw, 100) + 2 * MSS);
        path_run(p, 5 * S, -1);
        const uint64_t from = p->delivered, from_us = p->now_us;
        path_run(p, 25 * S, -1);
        const uint64_t rate = (p->delivered - from) * 1000000 / (p->now_us - from_us);
        if (rate < bps * 95 / 100)
            fail_msg("%u of %u bytes per second", (unsigned)rate, (unsigned)bps);
        assert_in_range(b->max_bw, bps - bps / 50, bps + bps / 50);
        assert_in_range(b->min_rtt_us, rtt_us, rtt_us + rtt_us / 10 + UINT64_C(2) * MSS * S / bps);
        assert_in_range(p->entered[BBR_PROBE_UP], 7, bps * rtt_us / S > 63 * MSS ? 40 : 1000);
        assert_int_equal(p->dropped, 0);
        free(p);
    }
}

/* Random loss: a tenth ends STARTUP by loss before the pipe is full, three in a thousand do not; a
 * hundredth costs little more than itself. */
static void a_tenth_lost_ends_startup_and_a_few_in_a_thousand_do_not(void **state) {
    (void)state;
    struct path *p = path_new(MSS, 125000000, 50 * MS, 1 << 30);
    p->lost_permille = 100;
    assert_true(path_run(p, 2 * S, BBR_DRAIN));
    assert_true(p->c.u.bbr.max_bw < 100000000);
    assert_true(p->c.u.bbr.inflight_longterm != BBR_INFINITY);
    free(p);
    p = path_new(MSS, 12500000, 50 * MS, 1 << 30);
    p->lost_permille = 3;
    assert_true(path_run(p, 4 * S, BBR_DRAIN));
    assert_in_range(p->c.u.bbr.max_bw, 12000000, 12750000);
    assert_true(p->c.u.bbr.inflight_longterm == BBR_INFINITY);
    p->lost_permille = 10;
    path_run(p, 10 * S, -1);
    const uint64_t from = p->delivered;
    path_run(p, 10 * S, -1);
    assert_true(p->delivered - from > 115000000);
    free(p);
}

/* Paths from a slow modem's to the fastest over the largest distance: never still, never below four
 * packets, never beyond 64 bits (the sanitizers watch). */
static void no_path_is_too_slow_or_too_fast(void **state) {
    (void)state;
    static const struct {
        uint64_t mss, bytes_per_s, rtt_us, queue_bytes, run_us;
        uint64_t least; /* percent of the rate, in the second half */
    } table[] = {
        {1200, 8000, 100 * MS, 1 << 20, 120 * S, 90},               /* 64 kbit/s */
        {1200, 8000, 10 * S, 1 << 20, 600 * S, 50},                 /* and 10 s */
        {1200, 8000, 1, 6000, 120 * S, 60},                         /* and a tiny queue */
        {65507, UINT64_C(12500000000), 100, 1 << 26, 1 * S / 5, 5}, /* 100 Gbit/s */
        {65507, UINT64_C(12500000000), 10 * S, 1 << 26, 90 * S, 0}, /* and 10 s */
        {1472, 12500000, 1, 1 << 20, 3 * S, 80},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct path *p =
            path_new(table[i].mss, table[i].bytes_per_s, table[i].rtt_us, table[i].queue_bytes);
        path_run(p, table[i].run_us / 2, -1);
        const uint64_t from = p->delivered, from_us = p->now_us;
        path_run(p, table[i].run_us / 2, -1);
        const uint64_t percent = (p->delivered - from) * 100 /
                                 ((p->now_us - from_us) * (table[i].bytes_per_s / 1000) / 1000 + 1);
        if (percent < table[i].least)
            fail_msg("path %u: %u %%", (unsigned)i, (unsigned)percent);
        free(p);
    }
}

/* Any order of events on any path: the bounds hold. */
static void no_order_of_events_breaks_the_bounds(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("bbr", 3);
    for (int round = 0; round < 120; round++) {
        const uint64_t mss = round % 3 ? 1200 : 1200 + rand_below(&rnd, 64000);
        struct path *p = path_new(mss, 8000 + (rand_u64(&rnd) >> (30 + rand_below(&rnd, 30))),
                                  1 + rand_below(&rnd, round % 5 ? 300 * MS : 10 * S),
                                  rand_below(&rnd, 1 << 22));
        p->rnd = rnd;
        for (int i = 0; i < 150; i++) {
            path_run(p, 1 + rand_below(&rnd, 2 * p->rtt_us), -1);
            switch (rand_below(&rnd, 16)) {
            case 0:
                cc_spurious(&p->c, p->now_us);
                break;
            case 1:
                p->lost_permille = (unsigned)rand_below(&rnd, 500);
                break;
            case 2:
                p->lost_permille = 0;
                break;
            case 3:
                cc_persistent(&p->c);
                break;
            case 4:
                rate_app_limited(&p->c.rate, p->c.bytes_in_flight);
                p->next_send_us = p->now_us + rand_below(&rnd, 20 * S);
                break;
            case 5:
                p->bytes_per_s = 8000 + (rand_u64(&rnd) >> (30 + rand_below(&rnd, 30)));
                break;
            case 6:
                p->rtt_us = 1 + rand_below(&rnd, 1 * S);
                break;
            case 7:
                cc_set_mss(&p->c, rand_below(&rnd, 2) ? mss : 1200);
                break;
            default:
                break;
            }
            /* Four packets in the longest round trip, at half of that: slow, but never still. */
            assert_true(cc_pacing_rate(&p->c, p->srtt_us) >= 4 * MSS / 10 / 2);
        }
        rnd.x += p->rnd.x;
        free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_the_bandwidth_and_keeps_it),
        cmocka_unit_test(a_tenth_lost_ends_startup_and_a_few_in_a_thousand_do_not),
        cmocka_unit_test(no_path_is_too_slow_or_too_fast),
        cmocka_unit_test(no_order_of_events_breaks_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
