/* What a run is judged by: what was asked and not done counts, unless the scenario or the world
 * says otherwise; what was not looked at does not hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run/run.h"
#include "support_scenario.h"

static bool passes(const char *text) {
    struct run r;
    run_text(text, &r);
    const bool ok = r.ok;
    run_clear(&r);
    return ok;
}

static void verdict_with(const char *text, enum crypto_mode mode, struct run *r) {
    struct scenario sc;
    struct problem p = {.text = ""};
    const struct run_options o = {.seed = 1, .has_crypto = true, .crypto = mode};
    assert_true(scenario_parse(&sc, text, NULL, 0, &p) && run_scenario(&sc, &o, r, &p));
    scenario_clear(&sc);
    crypto_mode_set(CRYPTO_REAL);
}

/* ---- what was asked ---- */

#define TWO "for 60s\nnode a b c\ncontacts a b\n"

static void what_was_asked_and_not_done_counts(void **state) {
    (void)state;
    assert_true(passes(TWO "at 1s message a b 3x\nat 1s transfer a b 1MiB\nat 2s ping a b"));
    /* Refused: they do not know each other. */
    assert_false(passes(TWO "at 1s message a c"));
    assert_false(passes(TWO "at 1s transfer a c 1MiB"));
    assert_false(passes(TWO "at 1s connect a c"));
    assert_false(passes(TWO "at 1s ping a c"));
    /* Asked of a node that does not run: the scenario's own mistake. */
    assert_false(passes(TWO "at 1s kill a\nat 2s message a b"));
    assert_true(passes(TWO "at 1s kill a\nat 2s message a b if-up"));
    /* Undone at the end: the transfer takes longer than the run. */
    assert_false(passes(TWO "link a up=1M\nat 1s transfer a b 64MiB"));
}

static void the_scenario_may_say_that_it_may_fail(void **state) {
    (void)state;
    assert_true(passes(TWO "at 1s message a c may"));
    assert_true(passes(TWO "at 1s message a c 2x 100B may"));
    assert_true(passes(TWO "link a up=1M\nat 1s transfer a b 64MiB may"));
    assert_false(passes(TWO "load message 10/m a to c"));
    assert_true(passes(TWO "load message 10/m a to c may"));
}

static void what_the_world_made_impossible_is_excused(void **state) {
    (void)state;
    struct run r;
    run_text(TWO "at 1s kill b\nat 2s message a b\nat 2s ping a b\nat 2s transfer a b 1MiB", &r);
    assert_true(r.ok && metric_in(&r, "work.excused") == 3 && metric_in(&r, "work.done") == 0);
    run_clear(&r);
    assert_true(passes(TWO "at 1s cut a b\nat 2s message a b\nat 2s ping a b"));
    assert_true(passes(TWO "disk b capacity=1KiB\nat 2s transfer a b 1MiB"));
    /* It excuses nothing that is asked long after it. */
    assert_true(
        passes("for 200s\nnode a b\ncontacts a b\nat 1s cut a b for=20s\nat 100s ping a b"));
    assert_false(
        passes("for 200s\nnode a b c\ncontacts a b\nat 1s cut a c for=20s\nat 100s message a c"));
}

static void nobody_is_connected_who_has_not_dialled_or_is_dead(void **state) {
    (void)state;
    assert_true(passes(TWO "at 1s connect a b\neventually connected within 10s"));
    assert_false(passes(TWO "at 1s connect a b\nat 2s kill a b\neventually connected within 10s"));
}

/* Contacts dial each other: nobody has to ask, and it is judged nevertheless. */
static void contacts_that_dial_are_to_be_connected(void **state) {
    (void)state;
#define ALONE "for 60s\nnode a b\ncontacts a b\neventually connected within 10s\n"
    assert_true(passes(ALONE));
    assert_true(passes(ALONE "at 5s kill a\nat 6s start a"));
    assert_false(passes(ALONE "at 0s cut a b"));
    assert_false(passes(ALONE "at 5s kill a b"));
    assert_false(passes(ALONE "at 5s cut a b\nat 6s kill a\nat 7s start a"));
    assert_true(passes("for 60s\nnode a b\nnode c nat=symmetric\nnode d nat=symmetric\n"
                       "contacts a b c d\neventually connected within 10s"));
}

/* Who hears nothing at all is told so in DIAL_PATIENCE_US: what filled that time excuses, what did
 * not does not. */
static void a_fault_that_fills_the_patience_excuses(void **state) {
    (void)state;
#define PATIENCE "for 100s\nnode a b dials=no\ncontacts a b\n"
    assert_true(passes(PATIENCE "at 10s suspend b for=10s\nat 10100ms transfer a b 1KiB"));
    assert_true(passes(PATIENCE "at 10s suspend b for=2800ms\nat 10100ms connect a b"));
    assert_true(passes(PATIENCE "at 9s cut a b for=3400ms\nat 10s connect a b"));
    assert_true(passes(PATIENCE "link b loss=100%\nat 10s connect a b"));
    assert_false(passes("for 100s\nnode a b\nnode c\ncontacts a b\n"
                        "at 10s suspend c for=10s\nat 10s connect a c"));
}

/* ---- what was not looked at ---- */

static void an_invariant_that_is_not_judged_does_not_hold(void **state) {
    (void)state;
    /* The forger is let in by a mode without signatures: nothing may be said of them. */
    static const char named[] = "for 60s\nnode a b\ncontacts a b\nhostile a forge\n"
                                "at 1s connect a b may\nat 5s message a b 3x may\n"
                                "never unsigned_accept wrong_peer",
                      all[] = "for 60s\nnode a b\ncontacts a b\nat 1s connect a b\nnever all";
    struct run r;
    verdict_with(named, CRYPTO_STUB, &r);
    assert_true(!r.ok && run_never_verdict(&r, NEVER_UNSIGNED_ACCEPT) == NEVER_NOT_JUDGED);
    assert_true(run_never_verdict(&r, NEVER_WRONG_PEER) == NEVER_HOLDS);
    run_clear(&r);
    /* By "all" it is asked for as far as it goes. */
    verdict_with(all, CRYPTO_STUB, &r);
    assert_true(r.ok && run_never_verdict(&r, NEVER_UNSIGNED_ACCEPT) == NEVER_NOT_JUDGED);
    assert_true(run_never_verdict(&r, NEVER_WRONG_BYTES) == NEVER_NOT_JUDGED);
    assert_true(metric_in(&r, "judged.unsigned_accept") == 0);
    run_clear(&r);
#ifdef HAVE_LIBCRYPTO
    verdict_with(all, CRYPTO_REAL, &r);
    assert_true(r.ok && run_never_verdict(&r, NEVER_UNSIGNED_ACCEPT) == NEVER_HOLDS);
    assert_true(metric_in(&r, "judged.unsigned_accept") >= 4);
    run_clear(&r);
#endif
}

static void nothing_is_lost_where_nothing_was_sent_is_no_verdict(void **state) {
    (void)state;
    struct run r;
    run_text(TWO "at 1s kill a\nat 2s message a b if-up\nexpect message.lost == 0", &r);
    assert_true(!r.ok && r.verdicts[0].empty);
    run_clear(&r);
}

/* ---- faults ---- */

static void a_node_dies_between_two_writes(void **state) {
    (void)state;
    char text[512];
    for (unsigned writes = 0; writes < 12; writes++) {
        struct run r;
        (void)snprintf(text, sizeof text,
                       "for 120s\nnode a b\ncontacts a b\nat 2s message a b 2x\n"
                       "at 3s die b writes=%u%s\nat 3s message a b 4x\nat 20s start b may\n"
                       "at 60s store all fail=none\nat 61s start all\nat 62s message b a 2x\n"
                       "expect message.lost == 0\nexpect message.doubled == 0\nnever all",
                       writes, writes % 2 ? " power" : "");
        run_text(text, &r);
        if (!r.ok)
            fail_msg("%s", text);
        assert_true(metric_in(&r, "message.received") == 8);
        run_clear(&r);
    }
}

static void a_store_that_fails_loses_nothing_and_works_again(void **state) {
    (void)state;
    static const char *const faults[] = {"fail=io", "fail=disk", "fail=io after=3", "sync=io",
                                         "fail=disk after=7"};
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[512];
        struct run r;
        (void)snprintf(text, sizeof text,
                       "for 200s\nnode a b\ncontacts a b\nat 1s connect a b\nat 3s store b %s\n"
                       "at 4s message a b 4x\nat 5s message b a 4x\nat 20s store b fail=none\n"
                       "at 60s message b a 4x\nexpect message.lost == 0\n"
                       "expect message.doubled == 0\nexpect message.received >= 8\nnever all",
                       faults[i]);
        run_text(text, &r);
        if (!r.ok)
            fail_msg("%s", text);
        run_clear(&r);
    }
}

static void a_full_disk_is_an_error_and_room_made_is_used(void **state) {
    (void)state;
    struct run r;
    run_text("for 200s\nnode a b\ncontacts a b\ndisk b capacity=100KiB\n"
             "at 1s transfer a b 1MiB\nat 60s disk b capacity=0\nat 100s transfer a b 1MiB\n"
             "expect transfer.failed == 1\nexpect transfer.done == 1\n"
             "expect disk.temporaries == 0\nnever all",
             &r);
    assert_true(r.ok);
    run_clear(&r);
}

static void a_ticket_is_good_for_one(void **state) {
    (void)state;
    struct run r;
    run_text("for 60s\nnode a b thief\nat 1s pair a b\nat 10s steal thief a b may\n"
             "at 20s message a b 2x\nnever used_ticket all",
             &r);
    assert_true(r.ok && metric_in(&r, "judged.used_ticket") > 0);
    run_clear(&r);
    /* Nobody has used it yet: the first who comes is right. */
    assert_false(passes("for 60s\nnode a b thief\nat 10s steal thief a b\nnever all"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_asked_and_not_done_counts),
        cmocka_unit_test(the_scenario_may_say_that_it_may_fail),
        cmocka_unit_test(what_the_world_made_impossible_is_excused),
        cmocka_unit_test(nobody_is_connected_who_has_not_dialled_or_is_dead),
        cmocka_unit_test(an_invariant_that_is_not_judged_does_not_hold),
        cmocka_unit_test(contacts_that_dial_are_to_be_connected),
        cmocka_unit_test(a_fault_that_fills_the_patience_excuses),
        cmocka_unit_test(nothing_is_lost_where_nothing_was_sent_is_no_verdict),
        cmocka_unit_test(a_node_dies_between_two_writes),
        cmocka_unit_test(a_store_that_fails_loses_nothing_and_works_again),
        cmocka_unit_test(a_full_disk_is_an_error_and_room_made_is_used),
        cmocka_unit_test(a_ticket_is_good_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
