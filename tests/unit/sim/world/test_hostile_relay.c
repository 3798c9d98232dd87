/* What a hostile relay does to what it forwards, and who stands on the path: each lie is really
 * told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "sim/world/sim_int.h"
#include "support_scenario.h"

enum { LEN = 60, SEEN_MAX = 64 };

struct seen {
    unsigned count;
    struct {
        uint64_t time_ns;
        uint32_t target, flow, number;
    } list[SEEN_MAX];
};

static void on_datagram(void *ctx, const struct sim_datagram *d) {
    struct seen *s = ctx;
    if (d->len != LEN || d->data[0] != 6 || s->count == SEEN_MAX)
        return;
    s->list[s->count].time_ns = d->time_ns;
    s->list[s->count].target = d->target;
    s->list[s->count].flow = load_le32(d->data + 4);
    s->list[s->count++].number = load_le32(d->data + 20);
}

/* r forwards 20 packets, in turn to a (flow 1) and b (flow 2), by this plan. */
static void forwards(const struct hostile_plan *plan, struct seen *seen) {
    struct sim *s =
        sim_new(&(struct sim_config){.seed = 1, .tap = {seen, .datagram = on_datagram}});
    static const char *const names[] = {"a", "b", "r"};
    uint32_t hosts[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(
            sim_host_add(s, &(struct sim_host_options){.name = names[i], .site = SITE_NONE},
                         &hosts[i]),
            0);
    sim_begin(s);
    sim_hostile(s, hosts[2], plan);
    struct host *r = s->world.hosts[hosts[2]];
    for (uint32_t i = 0; i < 20; i++) {
        uint8_t data[LEN] = {6};
        store_le32(data + 4, 1 + i % 2);
        data[8] = 4;
        store_le32(data + 20, i);
        const struct addr *to = &s->world.hosts[hosts[i % 2]]->first.addrs[0];
        if (!hostile_keeps(r, to, data, LEN))
            flight_send(&s->flight, packet_new(r, to, data, LEN));
    }
    sim_run_until(s, SIM_S);
    sim_end(s);
    sim_free(s);
}

static void swapped_packets_go_to_the_end_of_another_flow(void **state) {
    (void)state;
    struct seen s = {0};
    forwards(&(struct hostile_plan){.swap_ppb = 1000000000}, &s);
    assert_int_equal(s.count, 20);
    unsigned swapped = 0;
    for (unsigned i = 0; i < s.count; i++) {
        assert_int_equal(s.list[i].target, s.list[i].flow - 1); /* right for its new place */
        swapped += s.list[i].flow != 1 + s.list[i].number % 2;
    }
    assert_int_equal(swapped, 19); /* for the first there was no other */
}

static void late_packets_come_late_and_doubled_ones_twice(void **state) {
    (void)state;
    struct seen s = {0};
    forwards(&(struct hostile_plan){.delay_ppb = 500000000, .delay_ns = 100 * SIM_MS}, &s);
    unsigned late = 0;
    assert_int_equal(s.count, 20);
    for (unsigned i = 0; i < s.count; i++)
        late += s.list[i].time_ns >= 100 * SIM_MS;
    assert_in_range(late, 3, 17);
    s.count = 0;
    forwards(&(struct hostile_plan){.twice_ppb = 1000000000}, &s);
    assert_int_equal(s.count, 40);
}

static void only_what_is_forwarded_is_meant(void **state) {
    (void)state;
    struct seen s = {0};
    forwards(&(struct hostile_plan){.drop_ppb = 1000000000, .drop_types = 1u << 4}, &s);
    assert_int_equal(s.count, 20);
    s.count = 0;
    forwards(&(struct hostile_plan){.drop_ppb = 1000000000, .drop_types = 1u << 6}, &s);
    assert_int_equal(s.count, 0);
}

static void copies_from_the_path_change_nothing(void **state) {
    (void)state;
    struct run r;
    run_text("for 10s\nnode a b spy\ncontacts a b\nlink all delay=10ms\n"
             "hostile spy copy(a,100%)\nat 1s transfer a b 1MiB\nnever all",
             &r);
    assert_true(metric_in(&r, "transfer.done") == 1 && r.ok);
    assert_true(metric_in(&r, "endpoint.replay_dropped") > 100);
    run_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swapped_packets_go_to_the_end_of_another_flow),
        cmocka_unit_test(late_packets_come_late_and_doubled_ones_twice),
        cmocka_unit_test(only_what_is_forwarded_is_meant),
        cmocka_unit_test(copies_from_the_path_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
