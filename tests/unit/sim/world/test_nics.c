/* Hosts with several interfaces: what leaves by which, what comes by which, and what a node makes
 * of it when one goes down under a session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/packet.h"
#include "sim/world/plug.h"
#include "sim/world/sim_int.h"
#include "support_scenario.h"

enum { A, B };

struct scene {
    struct sim *sim;
    unsigned seen;
    struct sim_datagram last; /* what became of the last datagram */
};

static void on_datagram(void *ctx, const struct sim_datagram *d) {
    struct scene *s = ctx;
    s->seen++;
    s->last = *d;
}

static uint32_t site_of(struct sim *s, const char *name, const char *nat) {
    struct nat_config cfg;
    uint32_t site;
    assert_null(nat_config_read(&cfg, nat));
    const struct site_options o = {
        .name = name, .parent = SITE_NONE, .region = SITE_NONE, .cfg = &cfg};
    assert_int_equal(sites_add(&s->sites, &o, &site), 0);
    return site;
}

static void host(struct sim *s, const char *name, uint32_t site) {
    uint32_t index;
    const struct sim_host_options o = {.name = name, .site = site, .region = SITE_NONE};
    assert_int_equal(sim_host_add(s, &o, &index), 0);
}

/* a at home and, by its second interface, behind a carrier; b on the internet, with IPv6 by its
 * second one; nobody knows anybody. */
static void scene_begin(struct scene *s) {
    uint32_t nic;
    *s = (struct scene){.seen = 0};
    s->sim = sim_new(&(struct sim_config){.seed = 1, .tap = {.ctx = s, .datagram = on_datagram}});
    host(s->sim, "a", site_of(s->sim, "home", "fullcone"));
    host(s->sim, "b", SITE_NONE);
    const struct sim_nic_options lte = {.name = "lte",
                                        .site = site_of(s->sim, "carrier", "fullcone"),
                                        .region = SITE_NONE},
                                 six = {.name = "six",
                                        .ipv6 = true,
                                        .site = SITE_NONE,
                                        .region = SITE_NONE};
    assert_int_equal(sim_nic_add(s->sim, A, &lte, &nic), 0);
    assert_int_equal(nic, 1);
    assert_int_equal(sim_nic_add(s->sim, B, &six, &nic), 0);
    sim_begin(s->sim);
}

static struct nic *nic_of(struct scene *s, uint32_t host, uint32_t nic) {
    return host_nic(s->sim->world.hosts[host], nic);
}

/* One byte, which no node takes for anything, by this interface; what becomes of it. */
static void leaves(struct scene *s, uint32_t host, int nic, const struct addr *to) {
    static const uint8_t junk = 0;
    struct packet *p = packet_new(s->sim->world.hosts[host], to, &junk, 1);
    packet_leave_by(s->sim->world.hosts[host], p, nic);
    flight_send(&s->sim->flight, p);
}

static const struct sim_datagram *sent(struct scene *s, uint32_t host, int nic,
                                       const struct addr *to) {
    const unsigned before = s->seen;
    const struct addr there = *to; /* it may be of the last one */
    leaves(s, host, nic, &there);
    sim_run_until(s->sim, sim_now_ns(s->sim) + SIM_S);
    assert_int_equal(s->seen, before + 1);
    return &s->last;
}

static const struct addr *external(struct scene *s, uint32_t host, uint32_t nic) {
    return &s->sim->sites.list[nic_of(s, host, nic)->site]->external[0];
}

static void what_is_sent_by_an_interface_leaves_by_it_and_answers_come_back_to_it(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    const struct addr b = nic_of(&s, B, 0)->addrs[0];
    for (int nic = 0; nic < 2; nic++) {
        const struct sim_datagram there = *sent(&s, A, nic, &b);
        assert_int_equal(there.fate, FATE_DELIVERED);
        assert_int_equal(there.source_nic, nic);
        assert_int_equal(there.target_nic, 0);
        assert_true(addr_same_host(&there.from, external(&s, A, (uint32_t)nic)));
        const struct sim_datagram *back = sent(&s, B, -1, &there.from);
        assert_int_equal(back->fate, FATE_DELIVERED);
        assert_int_equal(back->target, A);
        assert_int_equal(back->target_nic, nic);
    }
    sim_free(s.sim);
}

static void by_any_it_is_the_first_that_is_up_and_speaks_the_family(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    const struct addr b = nic_of(&s, B, 0)->addrs[0], six = nic_of(&s, B, 1)->addrs[0];
    assert_int_equal(six.kind, ADDR_IPV6);
    assert_int_equal(sent(&s, A, -1, &b)->source_nic, 0);
    assert_int_equal(sent(&s, B, -1, &six)->source_nic, 1);
    assert_int_equal(sent(&s, B, 0, &six)->source_nic, 1); /* the first has no such address */
    assert_int_equal(sent(&s, A, 1, &six)->fate, FATE_UNREACHABLE); /* nor has either of a's */
    sim_nic_switch(s.sim, A, 0, false);
    assert_int_equal(sent(&s, A, -1, &b)->source_nic, 1);
    assert_int_equal(sent(&s, A, 0, &b)->source_nic, 1); /* its address is gone */
    assert_int_equal(sent(&s, A, 7, &b)->source_nic, 1); /* there is no such interface */
    sim_nic_switch(s.sim, A, 0, true);
    assert_int_equal(sent(&s, A, -1, &b)->source_nic, 0);
    sim_free(s.sim);
}

static void what_is_on_its_way_to_an_interface_that_goes_down_is_lost(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct link_config c[2];
    sim_nic_link_get(s.sim, B, 0, c);
    c[SIM_DOWN].delay_ns = 100 * SIM_MS;
    sim_nic_link_set(s.sim, B, 0, c);
    const struct addr b = nic_of(&s, B, 0)->addrs[0];
    leaves(&s, A, -1, &b);
    sim_run_until(s.sim, 50 * SIM_MS);
    sim_nic_switch(s.sim, B, 0, false);
    sim_run_until(s.sim, SIM_S);
    assert_int_equal(s.seen, 1);
    assert_int_equal(s.last.fate, FATE_UNPLUGGED);
    sim_nic_switch(s.sim, B, 1, false); /* now none is up */
    assert_int_equal(sent(&s, B, -1, &s.last.from)->fate, FATE_UNPLUGGED);
    sim_nic_switch(s.sim, B, 0, true); /* with the address that it had */
    assert_int_equal(sent(&s, A, -1, &b)->fate, FATE_DELIVERED);
    sim_free(s.sim);
}

static void an_interface_roams_and_moves_alone(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    const struct addr first = nic_of(&s, A, 0)->addrs[0], b = nic_of(&s, B, 0)->addrs[0],
                      before = nic_of(&s, A, 1)->addrs[0];
    sim_nic_roam(s.sim, A, 1);
    assert_false(nic_has(nic_of(&s, A, 1), &before));
    sim_nic_move(s.sim, A, 1, SITE_NONE);
    assert_true(addr_equal(&sent(&s, A, 1, &b)->from, &nic_of(&s, A, 1)->addrs[0]));
    sim_nic_rebind(s.sim, A, 1);
    assert_int_equal(sent(&s, A, 1, &b)->from.port, before.port + 1);
    assert_true(addr_equal(&first, &nic_of(&s, A, 0)->addrs[0]));
    sim_free(s.sim);
}

static void interfaces_are_few_and_their_names_differ(void **state) {
    (void)state;
    struct sim *s = sim_new(&(struct sim_config){.seed = 1});
    uint32_t nic;
    struct sim_nic_options o = {.name = "", .site = SITE_NONE, .region = SITE_NONE};
    host(s, "a", SITE_NONE);
    assert_int_equal(sim_nic_add(s, A, &o, &nic), ERR_EXISTS);
    static const char *const names[HOST_NICS_MAX] = {"x", "y", "z", "w"};
    for (unsigned i = 0; i < HOST_NICS_MAX; i++) {
        o.name = names[i];
        assert_int_equal(sim_nic_add(s, A, &o, &nic), i + 1 < HOST_NICS_MAX ? 0 : ERR_FULL);
        if (i == 0)
            assert_int_equal(sim_nic_add(s, A, &o, &nic), ERR_EXISTS);
    }
    assert_int_equal(sim_nic_count(s, A), HOST_NICS_MAX);
    assert_string_equal(sim_nic_name(s, A, 0), "");
    assert_string_equal(sim_nic_name(s, A, 3), "z");
    sim_free(s);
}

/* ---- with nodes ---- */

#define PHONE                                                                                      \
    "for 60s\nsite home nat=linux\nnode phone site=home\nnode desk\n"                              \
    "nic lte phone nat=cgn delay=20ms\nlink phone desk up=20M down=20M delay=5ms\n"                \
    "link phone nic=lte up=20M down=20M\ncontacts phone desk\n"

static uint64_t left_by(const struct run *r, uint32_t nic) {
    return host_nic(r->sim->world.hosts[0], nic)->up.packets;
}

static void a_session_goes_on_by_the_other_interface(void **state) {
    (void)state;
    struct run r;
    run_text(PHONE "at 2s transfer phone desk 16MiB\nat 4s down phone", &r);
    assert_true(metric_in(&r, "transfer.done") == 1);
    assert_true(metric_in(&r, "event.peer.down") == 0);
    assert_true(metric_in(&r, "event.path.changed") >= 1);
    assert_true(metric_in(&r, "drop.unplugged") > 0);
    assert_true(left_by(&r, 0) > 1000 && left_by(&r, 1) > 1000);
    run_clear(&r);
    /* And the other way: what comes is answered by the interface that it came by. */
    run_text(PHONE "at 2s transfer desk phone 16MiB\nat 4s down phone", &r);
    assert_true(metric_in(&r, "transfer.done") == 1);
    assert_true(metric_in(&r, "event.peer.down") == 0);
    run_clear(&r);
}

/* The first is up again, and it is the better one: the session goes back to it while data flows, not
 * before. */
static void a_session_goes_back_to_the_better_interface(void **state) {
    (void)state;
    struct run r, went;
    run_text(PHONE "at 4s down phone\nat 8s up phone", &went);
    run_text(PHONE "at 4s down phone\nat 8s up phone\nat 20s transfer phone desk 64MiB", &r);
    assert_true(metric_in(&r, "transfer.done") == 1);
    /* Most of some 50,000 packets. */
    assert_true(left_by(&r, 1) > left_by(&went, 1) + 1000);
    assert_true(left_by(&r, 0) > left_by(&went, 0) + 30000);
    assert_true(metric_in(&r, "endpoint.paths_bettered") == 1);
    run_clear(&r);
    run_clear(&went);
}

static void one_with_no_interface_up_is_not_reached(void **state) {
    (void)state;
    struct run r;
    run_text(PHONE "at 4s down phone\nat 4s down phone nic=lte\nat 6s ping desk phone\n"
                   "at 20s up phone nic=lte",
             &r);
    assert_true(metric_in(&r, "ping.count") == 0);
    assert_true(metric_in(&r, "work.excused") == 1);
    assert_true(metric_in(&r, "session.online") == 2);
    run_clear(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_by_an_interface_leaves_by_it_and_answers_come_back_to_it),
        cmocka_unit_test(by_any_it_is_the_first_that_is_up_and_speaks_the_family),
        cmocka_unit_test(what_is_on_its_way_to_an_interface_that_goes_down_is_lost),
        cmocka_unit_test(an_interface_roams_and_moves_alone),
        cmocka_unit_test(interfaces_are_few_and_their_names_differ),
        cmocka_unit_test(a_session_goes_on_by_the_other_interface),
        cmocka_unit_test(a_session_goes_back_to_the_better_interface),
        cmocka_unit_test(one_with_no_interface_up_is_not_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
