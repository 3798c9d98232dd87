/* The way of a datagram without any node: what arrives is handed to whoever asked for the event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "sim/world/duty.h"
#include "sim/world/flight.h"
#include "sim/world/host.h"
#include "sim/world/inspect.h"

enum { HOSTS = 2 };

struct scene {
    struct world world;
    struct sites sites;
    struct flight flight;
    struct duties duties;
    struct inspection inspection;
    struct host *hosts[HOSTS];
    unsigned ended[FATE_COUNT];
};

static void on_datagram(void *ctx, const struct sim_datagram *d) {
    struct scene *s = ctx;
    s->ended[d->fate]++;
}

static void scene_begin(struct scene *s) {
    static const char *const names[HOSTS] = {"a", "b"};
    *s = (struct scene){.ended = {0}};
    assert_true(sodium_init() >= 0);
    world_init(&s->world, 1, &(struct sim_tap){.ctx = s, .datagram = on_datagram});
    sites_init(&s->sites, &s->world);
    flight_init(&s->flight, &s->world, &s->sites);
    duties_init(&s->duties, &s->world, &s->sites);
    inspection_init(&s->inspection, &s->world, &s->duties.ledger, false);
    s->world.flight = &s->flight;
    s->world.duties = &s->duties;
    s->world.inspection = &s->inspection;
    s->world.begun = true;
    s->world.now_ns = WORLD_START_NS;
    for (unsigned i = 0; i < HOSTS; i++) {
        const struct sim_host_options o = {
            .name = names[i], .site = SITE_NONE, .region = SITE_NONE};
        s->hosts[i] = host_new(&s->world, &o);
        world_add_host(&s->world, s->hosts[i]);
        assert_true(sites_settle(&s->sites, s->hosts[i], 0));
    }
}

static void scene_end(struct scene *s) {
    world_drop_events(&s->world);
    assert_int_equal(s->world.slab.in_use, 0);
    for (unsigned i = 0; i < HOSTS; i++) {
        s->hosts[i]->node = NULL;
        host_free(s->hosts[i]);
    }
    clog_clear(&s->flight.clog);
    sites_clear(&s->sites);
    inspection_clear(&s->inspection);
    duties_clear(&s->duties);
    world_clear(&s->world);
}

/* The first packet that arrives, or NULL when nothing is on its way any more. */
static struct packet *play(struct scene *s) {
    struct event e;
    while (world_pop(&s->world, &e)) {
        struct packet *arrived = NULL;
        s->world.now_ns = e.time_ns;
        if (e.kind == EVENT_ARRIVE)
            flight_arrive(&s->flight, e.ref);
        else if (e.kind == EVENT_LINE)
            flight_line(&s->flight, e.ref);
        else if (e.kind == EVENT_DELIVER)
            arrived = flight_deliver(&s->flight, e.ref);
        if (arrived)
            return arrived;
    }
    return NULL;
}

static void send(struct scene *s, const struct addr *to) {
    static const uint8_t data[] = "hello";
    flight_send(&s->flight, packet_new(s->hosts[0], to, data, sizeof data));
}

static void what_arrives_is_handed_over(void **state) {
    (void)state;
    static struct scene s;
    static char runs;
    scene_begin(&s);
    s.hosts[1]->node = (struct node *)(void *)&runs; /* nobody looks into it */
    s.hosts[0]->first.up.cfg.delay_ns = 10 * SIM_MS;
    s.hosts[1]->first.down.cfg.delay_ns = 5 * SIM_MS;
    send(&s, &s.hosts[1]->first.addrs[0]);
    struct packet *p = play(&s);
    assert_non_null(p);
    assert_int_equal(p->target, 1);
    assert_int_equal(world_run_ns(&s.world), 15 * SIM_MS);
    assert_string_equal((const char *)p->data, "hello");
    assert_true(addr_equal(&p->from, &s.hosts[0]->first.addrs[0]));
    packet_ended(&s.world, p, FATE_DELIVERED);
    packet_free(&s.world, p);
    assert_int_equal(s.ended[FATE_DELIVERED], 1);
    scene_end(&s);
}

static void what_does_not_arrive_has_ended(void **state) {
    (void)state;
    static struct scene s;
    scene_begin(&s);
    struct addr nobodys = s.hosts[1]->first.addrs[0];
    nobodys.port++;
    send(&s, &s.hosts[1]->first.addrs[0]); /* its node does not run */
    assert_null(play(&s));
    send(&s, &nobodys);
    assert_null(play(&s));
    send(&s, &(struct addr){.kind = ADDR_IPV6, .port = 1}); /* it has no such address itself */
    assert_null(play(&s));
    assert_int_equal(s.ended[FATE_DOWN], 1);
    assert_int_equal(s.ended[FATE_NO_HOST], 1);
    assert_int_equal(s.ended[FATE_UNREACHABLE], 1);
    scene_end(&s);
}

static void a_cut_ends_it_and_a_clog_holds_it(void **state) {
    (void)state;
    static struct scene s;
    static const uint32_t from[] = {0}, to[] = {1};
    scene_begin(&s);
    struct fault f = {.kind = FAULT_CLOG, .hosts = HOSTS, .until_ns = s.world.now_ns + 1 * SIM_S};
    faults_add(&s.world.faults, &f, from, 1, to, 1);
    send(&s, &s.hosts[1]->first.addrs[0]);
    assert_null(play(&s));
    assert_int_equal(s.flight.clog.count, 1);
    s.world.now_ns = WORLD_START_NS + 2 * SIM_S;
    clog_release(&s.flight.clog, false);
    assert_int_equal(s.flight.clog.count, 0);
    f = (struct fault){.kind = FAULT_CUT, .hosts = HOSTS, .until_ns = UINT64_MAX};
    faults_add(&s.world.faults, &f, from, 1, to, 1);
    assert_null(play(&s));
    assert_int_equal(s.ended[FATE_CUT], 1);
    scene_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_is_handed_over),
        cmocka_unit_test(what_does_not_arrive_has_ended),
        cmocka_unit_test(a_cut_ends_it_and_a_clog_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
