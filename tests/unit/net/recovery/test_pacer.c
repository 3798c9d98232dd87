/* The bucket's invariant over random schedules, and that no rate is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/base/timer.h"
#include "net/recovery/pacer.h"
#include "support_rand.h"

enum { MSS = 1200 };

static uint64_t burst_of(uint64_t rate, uint64_t mss) {
    uint64_t pkts = 10 * mss < TRAIN_MAX_BYTES ? 10 * mss : TRAIN_MAX_BYTES;
    return pkts > rate / 1000 ? pkts : rate / 1000;
}

static void the_first_burst_is_ten_packets(void **state) {
    (void)state;
    struct pacer p;
    pacer_init(&p, 777, MSS);
    assert_int_equal(pacer_allowance(&p, 777, 100000, MSS), 12000);
    pacer_init(&p, 777, 65507);
    assert_int_equal(pacer_allowance(&p, 777, 100000, 65507), 65507);
}

static void a_fast_path_loses_nothing_to_a_millisecond_timer(void **state) {
    (void)state;
    const uint64_t rate = UINT64_C(1250000000); /* 10 Gbit/s */
    struct pacer p;
    pacer_init(&p, 0, 1472);
    uint64_t sent = 0;
    for (uint64_t ms = 1; ms <= 1000; ms++) {
        uint64_t n = pacer_allowance(&p, ms * 1000, rate, 1472);
        pacer_sent(&p, n);
        sent += n;
    }
    assert_in_range(sent, rate, rate + burst_of(rate, 1472));
}

static void no_rate_is_lost_to_rounding(void **state) {
    (void)state;
    /* 999,999 bytes/s asked every microsecond: less than a byte each time. */
    struct pacer p;
    pacer_init(&p, 0, MSS);
    pacer_sent(&p, 12000);
    uint64_t sent = 0;
    for (uint64_t us = 1; us <= 1000000; us++) {
        uint64_t n = pacer_allowance(&p, us, 999999, MSS);
        pacer_sent(&p, n);
        sent += n;
    }
    assert_int_equal(sent, 999999);
}

static void when_is_the_first_microsecond_that_suffices(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("pacer when", 5);
    for (int i = 0; i < 20000; i++) {
        uint64_t rate = 1 + rand_below(&rnd, i % 2 ? 2000 : 500000000), now_us = 1000;
        struct pacer p;
        pacer_init(&p, now_us, MSS);
        pacer_sent(&p, rand_below(&rnd, 13000));
        now_us += rand_below(&rnd, 5000);
        uint64_t have = pacer_allowance(&p, now_us, rate, MSS);
        uint64_t need = rand_below(&rnd, 12001);
        uint64_t when_us = pacer_when_us(&p, now_us, rate, need);
        if (need <= have) {
            assert_int_equal(when_us, now_us);
            continue;
        }
        assert_true(when_us > now_us);
        struct pacer early = p;
        assert_true(pacer_allowance(&early, when_us - 1, rate, MSS) < need);
        assert_true(pacer_allowance(&p, when_us, rate, MSS) >= need);
    }
}

/* Over every interval of a random schedule: bytes <= burst + rate * time. */
static void no_interval_carries_more_than_burst_and_rate(void **state) {
    (void)state;
    enum { SENDS = 400 };
    struct rand_state rnd = rand_seeded("pacer", 6);
    for (int round = 0; round < 60; round++) {
        uint64_t rate = 1000 + rand_below(&rnd, round % 3 ? 3000000 : UINT64_C(4000000000));
        uint64_t mss = 1200 + rand_below(&rnd, round % 5 ? 300 : 64307);
        uint64_t at_us[SENDS], bytes[SENDS], now_us = rand_below(&rnd, 1000000), asked = 0;
        struct pacer p;
        pacer_init(&p, now_us, mss);
        for (size_t i = 0; i < SENDS; i++) {
            now_us += rand_below(&rnd, 8) ? rand_below(&rnd, 3000) : rand_below(&rnd, 3000000);
            uint64_t most = pacer_allowance(&p, now_us, rate, mss);
            assert_true(most <= burst_of(rate, mss));
            at_us[i] = now_us;
            bytes[i] = rand_below(&rnd, 3) ? most : rand_below(&rnd, most + 1);
            asked += bytes[i];
            pacer_sent(&p, bytes[i]);
        }
        assert_true(asked > 0);
        for (size_t i = 0; i < SENDS; i++) {
            uint64_t sum = 0;
            for (size_t k = i; k < SENDS; k++) {
                sum += bytes[k];
                uint64_t t_us = at_us[k] - at_us[i];
                uint64_t earned = rate * (t_us / 1000000) + rate * (t_us % 1000000) / 1000000 + 1;
                assert_true(sum <= burst_of(rate, mss) + earned);
            }
        }
    }
}

static void a_slower_rate_takes_back_the_large_burst(void **state) {
    (void)state;
    struct pacer p;
    pacer_init(&p, 0, MSS);
    assert_int_equal(pacer_allowance(&p, 1000000, 100000000, MSS), 100000);
    assert_int_equal(pacer_allowance(&p, 1000000, 1000000, MSS), 12000);
}

static void odd_inputs_do_no_harm(void **state) {
    (void)state;
    struct pacer p;
    pacer_init(&p, 1000, MSS);
    pacer_sent(&p, 1000000); /* below zero it never goes */
    assert_int_equal(pacer_allowance(&p, 1000, 1000000, MSS), 0);
    assert_int_equal(pacer_allowance(&p, 500, 1000000, MSS), 0); /* an older time earns nothing */
    assert_int_equal(pacer_allowance(&p, 5000000, 0, MSS), 0);
    assert_true(pacer_when_us(&p, 5000000, 0, 1) == TIME_NEVER);
    assert_true(pacer_allowance(&p, UINT64_MAX, UINT64_MAX, MSS) >= 12000);
}

/* An eighth of the round trip of rate, 0.5 to 1 ms, ten packets at least: short paths get short
 * bursts. */
static void the_burst_is_an_eighth_of_the_round_trip(void **state) {
    (void)state;
    static const struct {
        uint64_t srtt_us, burst_us, bytes;
    } table[] = {{0, 500, 62500},      {3999, 500, 62500},    {4008, 501, 62625},
                 {6000, 750, 93750},   {7999, 999, 124875},   {8000, 1000, 125000},
                 {8008, 1000, 125000}, {300000, 1000, 125000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct pacer p;
        pacer_init(&p, 0, 1200);
        assert_int_equal(p.burst_us, 1000); /* before anything is known */
        pacer_set_rtt(&p, table[i].srtt_us);
        assert_int_equal(p.burst_us, table[i].burst_us);
        assert_int_equal(pacer_allowance(&p, 10000000, 125000000, 1200), table[i].bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_burst_is_ten_packets),
        cmocka_unit_test(a_fast_path_loses_nothing_to_a_millisecond_timer),
        cmocka_unit_test(no_rate_is_lost_to_rounding),
        cmocka_unit_test(when_is_the_first_microsecond_that_suffices),
        cmocka_unit_test(no_interval_carries_more_than_burst_and_rate),
        cmocka_unit_test(a_slower_rate_takes_back_the_large_burst),
        cmocka_unit_test(odd_inputs_do_no_harm),
        cmocka_unit_test(the_burst_is_an_eighth_of_the_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
