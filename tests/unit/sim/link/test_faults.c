/* What happens to hosts and between them: pauses, cuts, clogs; and what a transfer could have
 * reached at best. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sim/world/sim_int.h"
#include "support_scenario.h"

static void of_two_pauses_the_later_end_counts(void **state) {
    (void)state;
    static const char longer[] =
        "for 20s\nnode a b dials=no\ncontacts a b\nat 1s suspend a for=2s\n"
        "at 2s suspend a for=4s\nat 4s connect b a",
                      shorter[] =
                          "for 20s\nnode a b dials=no\ncontacts a b\nat 1s suspend a for=5s\n"
                          "at 2s suspend a for=1s\nat 4s connect b a",
                      stalled[] = "for 20s\nnode a b dials=no\ncontacts a b\nat 1s stall a for=2s\n"
                                  "at 2s suspend a for=4s\nat 4s connect b a",
                      once[] = "for 20s\nnode a b dials=no\ncontacts a b\nat 1s suspend a for=2s\n"
                               "at 4s connect b a";
    assert_true(metric_of(longer, "handshake.min") > 1.9);
    assert_true(metric_of(shorter, "handshake.min") > 1.9);
    assert_true(metric_of(stalled, "handshake.min") > 1.9);
    assert_true(metric_of(stalled, "drop.suspended") > 0);
    assert_true(metric_of(once, "handshake.max") < 1);
}

static void who_sleeps_cannot_be_started(void **state) {
    (void)state;
    struct run r;
    run_text("for 9s\nnode a b\nat 1s kill a\nat 2s suspend a for=3s\nat 3s start a\n"
             "at 6s start a\nexpect action.failed == 1",
             &r);
    assert_true(metric_in(&r, "action.failed") == 1 && r.notes[0].at.line == 5);
    assert_true(metric_in(&r, "node.bytes.count") == 2 && r.ok);
    run_clear(&r);
}

static void healing_lets_go_of_what_waits(void **state) {
    (void)state;
    static const char text[] = "for 60s\nnode a b\ncontacts a b\nat 1s connect a b\n"
                               "at 2s clog a b for=40s\nat 3s ping a b\nat 5s heal";
    struct run r;
    run_text(text, &r);
    assert_true(metric_in(&r, "ping.count") == 1);
    assert_true(metric_in(&r, "ping.max") > 1.9 && metric_in(&r, "ping.max") < 2.1);
    run_clear(&r);
}

/* A cut is judged where a packet comes to the last link, whether that only adds a delay or more. */
static void plain_links_are_cut_like_others(void **state) {
    (void)state;
    static const char *const downs[] = {"delay.down=400ms", "delay.down=400ms down=10G",
                                        "delay.down=400ms loss.down=0.0000001%"};
    static const struct {
        const char *cut;
        double pongs, late;
    } cases[] = {
        {"at 3.1s cut a b oneway for=5s", 1, 0.45},   /* it had come to the link before */
        {"at 2.9s cut a b for=200ms", 0, 0},          /* it comes within */
        {"at 2.9s cut a b oneway for=50ms", 1, 0.45}, /* it comes after */
        {"at 2.9s clog a b oneway for=300ms", 1, 0.6}, {"at 2.9s clog a b oneway for=2s", 1, 2.3},
    };
    for (unsigned d = 0; d < 3; d++)
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            char text[300];
            struct run r;
            (void)snprintf(text, sizeof text,
                           "for 12s\nnode a b\nlink b %s\ncontacts a b\nat 1s connect a b\n"
                           "at 3s ping a b\n%s\nlink a delay=25ms",
                           downs[d], cases[i].cut);
            run_text(text, &r);
            if (metric_in(&r, "ping.count") != cases[i].pongs)
                fail_msg("%s, %s", downs[d], cases[i].cut);
            const double v = metric_in(&r, "ping.max");
            if (cases[i].pongs > 0 && (v < cases[i].late || v > cases[i].late + 0.06))
                fail_msg("%s, %s: %f", downs[d], cases[i].cut, v);
            run_clear(&r);
        }
}

/* `lose b down N` counts from the first packet on, also those that came while there was nothing to
 * lose. */
static void packets_of_a_plain_link_are_counted(void **state) {
    (void)state;
    struct run r;
    run_text("for 9s\nnode a b\ncontacts a b\nat 1s connect a b\nat 5s lose b down 0 1\n"
             "load ping 5/s a from=6s",
             &r);
    assert_true(metric_in(&r, "drop.listed") == 0 && metric_in(&r, "ping.count") > 5);
    run_clear(&r);
}

/* goodput_fraction and vs_cubic are about the whole way. */
static void a_transfer_is_measured_by_all_it_passes(void **state) {
    (void)state;
    struct run r;
    run_text("for 9s\nregion e w\nrtt e w 80ms\nsite c nat=cgn region=e up=3M down=8M delay=5ms\n"
             "node a nat=fullcone behind=c\nnode b region=w\nlink a up=10M loss=1% delay=1ms\n"
             "link b down=20M burst=1%/3%/50% delay=4ms mtu=1400\ncontacts a b\n"
             "at 1s transfer a b 10KiB",
             &r);
    const struct response_path *p = &sim_ledger(r.sim)->transfers[0].path;
    assert_true(p->rate_bps > 2.99e6 && p->rate_bps < 3.01e6);
    assert_true(p->rtt_s > 0.0999 && p->rtt_s < 0.1001);
    assert_true(p->loss > 0.1336 && p->loss < 0.1339); /* 1 - 0.99 x (1 - 0.25 x 0.5) */
    assert_true(p->packet_bytes > 1399 && p->packet_bytes < 1401);
    run_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_pauses_the_later_end_counts),
        cmocka_unit_test(who_sleeps_cannot_be_started),
        cmocka_unit_test(healing_lets_go_of_what_waits),
        cmocka_unit_test(plain_links_are_cut_like_others),
        cmocka_unit_test(packets_of_a_plain_link_are_counted),
        cmocka_unit_test(a_transfer_is_measured_by_all_it_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
