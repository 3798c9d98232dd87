/* What happens to hosts and between them: pauses, cuts, clogs; and what a transfer could have reached at best. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/world.h"
#include "support_scenario.h"

static void of_two_pauses_the_later_end_counts(void **state) {
    (void)state;
    static const char longer[] = "for 20s\nnode a b\ncontacts a b\nat 1s suspend a for=2s\n"
                                 "at 2s suspend a for=4s\nat 4s connect b a",
                      shorter[] = "for 20s\nnode a b\ncontacts a b\nat 1s suspend a for=5s\n"
                                  "at 2s suspend a for=1s\nat 4s connect b a",
                      stalled[] = "for 20s\nnode a b\ncontacts a b\nat 1s stall a for=2s\n"
                                  "at 2s suspend a for=4s\nat 4s connect b a",
                      once[] = "for 20s\nnode a b\ncontacts a b\nat 1s suspend a for=2s\n"
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

/* goodput_fraction and vs_cubic are about the whole way. */
static void a_transfer_is_measured_by_all_it_passes(void **state) {
    (void)state;
    struct run r;
    run_text("for 9s\nregion e w\nrtt e w 80ms\nsite c nat=cgn region=e up=3M down=8M delay=5ms\n"
             "node a nat=fullcone behind=c\nnode b region=w\nlink a up=10M loss=1% delay=1ms\n"
             "link b down=20M burst=1%/3%/50% delay=4ms mtu=1400\ncontacts a b\n"
             "at 1s transfer a b 10KiB",
             &r);
    const struct response_path *p = &r.sim->ledger.transfers[0].path;
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
        cmocka_unit_test(a_transfer_is_measured_by_all_it_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
