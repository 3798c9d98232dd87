/* Hostile hosts reach what they are meant to reach, and the watch looks to the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/base/mem.h"
#include "sim/world/sim_int.h"
#include "support_scenario.h"

static double broken(struct run *r) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < INVARIANTS; i++)
        sum += watch_verdict(sim_watch(r->sim), (enum invariant)i)->count;
    return (double)sum;
}

static void a_forged_certificate_is_refused(void **state) {
    (void)state;
    struct run r;
    run_text("for 30s\nnode a b\ncontacts a b\nhostile a forge\nat 1s connect a b\n"
             "at 10s hostile a honest\nat 12s ping a b\nnever all",
             &r);
    assert_true(metric_in(&r, "endpoint.handshake_refused") > 0);
    assert_true(metric_in(&r, "handshake.min") < 1);
    assert_true(metric_in(&r, "ping.count") == 1 && metric_in(&r, "handshake.failed") == 1);
    assert_true(broken(&r) == 0 && r.ok);
    run_clear(&r);
}

/* Also through the NAT of somebody who has spoken to others. */
static void a_stranger_is_refused(void **state) {
    (void)state;
    struct run r;
    run_text("for 10s\nnode a nat=fullcone\nnode b evil\ncontacts a b\n"
             "hostile evil flood(a,20/s,stranger)\nat 1s connect a b\nload ping 1/s a\nnever all",
             &r);
    assert_true(metric_in(&r, "endpoint.handshake_refused") > 150);
    assert_true(metric_in(&r, "drop.unreachable") == 0);
    assert_true(broken(&r) == 0);
    run_clear(&r);
}

static void an_honest_pause_ends_a_flood(void **state) {
    (void)state;
    static const char text[] = "for 10s\nnode a evil\nhostile evil flood(a,10/s)\n"
                               "at 4.95s hostile evil honest\nat 4.96s hostile evil flood(a,10/s)";
    assert_in_range((int)metric_of(text, "datagram.sent"), 90, 105);
}

/* What a node has used once counts, even if it has given it back. */
static void the_watch_looks_at_peaks_and_at_the_end(void **state) {
    (void)state;
    struct sim *s = sim_new(&(struct sim_config){.seed = 1, .watched = true});
    uint32_t a, b;
    assert_int_equal(
        sim_host_add(s, &(struct sim_host_options){.name = "a", .site = SITE_NONE}, &a), 0);
    assert_int_equal(
        sim_host_add(s, &(struct sim_host_options){.name = "b", .site = SITE_NONE}, &b), 0);
    sim_begin(s);
    sim_run_until(s, 3 * SIM_S / 2);
    assert_int_equal(watch_verdict(sim_watch(s), NEVER_MEMORY)->count, 0);
    struct arena *before = arena_enter(&s->world.hosts[a]->arena);
    void *volatile large = mem_alloc(WATCH_NODE_BYTES + 1);
    mem_free(large);
    (void)arena_enter(before);
    sim_end(s);
    assert_int_equal(watch_verdict(sim_watch(s), NEVER_MEMORY)->count, 1);
    sim_free(s);
}

static void a_livelock_ends_the_run(void **state) {
    (void)state;
    struct sim *s = sim_new(&(struct sim_config){.seed = 1, .watched = true});
    uint32_t a;
    assert_int_equal(
        sim_host_add(s, &(struct sim_host_options){.name = "a", .site = SITE_NONE}, &a), 0);
    sim_begin(s);
    for (unsigned i = 0; i < WATCH_TURNS_PER_S - 10; i++)
        inspect_turn(&s->inspection, s->world.hosts[a]);
    assert_null(sim_failure(s));
    for (unsigned i = 0; i < 20; i++)
        inspect_turn(&s->inspection, s->world.hosts[a]);
    assert_non_null(sim_failure(s));
    sim_end(s);
    sim_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forged_certificate_is_refused),
        cmocka_unit_test(a_stranger_is_refused),
        cmocka_unit_test(an_honest_pause_ends_a_flood),
        cmocka_unit_test(the_watch_looks_at_peaks_and_at_the_end),
        cmocka_unit_test(a_livelock_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
