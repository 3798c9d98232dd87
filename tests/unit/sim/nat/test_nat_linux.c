/* The NAT of Linux: ports, filters and times as the kernel has them (tests/lab/linux_nat.c asks
 * it); and ICMP errors through NATs of every kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/nat/nat.h"
#include "sim/nat/probe.h"
#include "support_nat.h"

#define S UINT64_C(1000000000)

/* The external port under which it is seen. */
static uint16_t out(struct nat *n, uint64_t now_ns, struct addr src, struct addr dst) {
    assert_int_equal(nat_out(n, now_ns, &src, &dst), NAT_PASS);
    assert_true(addr_same_host(&src, &nat_external[0]));
    return src.port;
}

/* Whether it gets in, and to whom. */
static bool gets_in(struct nat *n, uint64_t now_ns, struct addr src, uint16_t port,
                    struct addr inner) {
    struct addr to = nat_external[0];
    to.port = port;
    return nat_in(n, now_ns, &src, &to) == NAT_PASS && addr_equal(&to, &inner);
}

static void a_port_is_taken_only_towards_one_place(void **state) {
    (void)state;
    struct nat *n = nat_of("linux");
    assert_int_equal(out(n, 0, nat_inside(2, 7700), nat_outside(1, 80)), 7700);
    assert_int_equal(out(n, 0, nat_inside(3, 7700), nat_outside(2, 80)), 7700); /* overloaded */
    const uint16_t other = out(n, 0, nat_inside(4, 7700), nat_outside(1, 80));
    assert_int_not_equal(other, 7700); /* taken there */
    assert_true(gets_in(n, 1, nat_outside(1, 80), 7700, nat_inside(2, 7700)));
    assert_true(gets_in(n, 1, nat_outside(2, 80), 7700, nat_inside(3, 7700)));
    assert_true(gets_in(n, 1, nat_outside(1, 80), other, nat_inside(4, 7700)));
    assert_false(gets_in(n, 1, nat_outside(2, 80), other, nat_inside(4, 7700)));
    assert_false(gets_in(n, 1, nat_outside(1, 81), 7700, nat_inside(2, 7700)));
    nat_free(n);
}

/* What it had to take towards one place it keeps towards others (find_appropriate_src). */
static void a_source_keeps_the_port_it_has_got(void **state) {
    (void)state;
    struct nat *n = nat_of("linux");
    assert_int_equal(out(n, 0, nat_inside(2, 7700), nat_outside(1, 80)), 7700);
    const uint16_t other = out(n, 0, nat_inside(3, 7700), nat_outside(1, 80));
    assert_int_not_equal(other, 7700);
    assert_int_equal(out(n, 0, nat_inside(3, 7700), nat_outside(2, 80)), other);
    assert_int_equal(out(n, 0, nat_inside(3, 7700), nat_outside(3, 80)), other);
    assert_int_equal(out(n, 40 * S, nat_inside(3, 7700), nat_outside(4, 80)),
                     7700); /* all forgotten by then */
    nat_free(n);
}

static void fully_random_is_another_for_each_place(void **state) {
    (void)state;
    struct nat *n = nat_of("linux,ports=random");
    unsigned kept = 0, same = 0;
    uint16_t before = 0;
    for (uint8_t i = 1; i <= 50; i++) {
        const uint16_t port = out(n, 0, nat_inside(2, 7700), nat_outside(i, 80));
        kept += port == 7700;
        same += port == before;
        assert_true(port >= 1024);
        assert_int_equal(out(n, 1, nat_inside(2, 7700), nat_outside(i, 80)), port);
        before = port;
    }
    assert_true(kept <= 1 && same <= 1);
    nat_free(n);
}

static void low_ports_stay_low(void **state) {
    (void)state;
    struct nat *n = nat_of("linux");
    static const uint16_t ports[] = {500, 800};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(out(n, 0, nat_inside(2, ports[i]), nat_outside(1, 80)), ports[i]);
        const uint16_t other = out(n, 0, nat_inside(3, ports[i]), nat_outside(1, 80));
        assert_in_range(other, i == 0 ? 1 : 600, i == 0 ? 511 : 1023);
    }
    nat_free(n);
}

/* nf_conntrack_udp_timeout and _stream: 30 s; 120 s for what has been answered and is two seconds
 * old. */
static void an_entry_lives_its_time(void **state) {
    (void)state;
    struct nat *n = nat_of("linux");
    const uint16_t port = out(n, 0, nat_inside(2, 7700), nat_outside(1, 80));
    assert_true(gets_in(n, 30 * S - 1, nat_outside(1, 80), port, nat_inside(2, 7700)));
    nat_reboot(n);
    (void)out(n, 0, nat_inside(2, 7700), nat_outside(1, 80));
    assert_false(gets_in(n, 30 * S, nat_outside(1, 80), port, nat_inside(2, 7700)));
    /* The answer within two seconds gives it 30 s more, a later one 120 s; so does what goes
     * out. */
    (void)out(n, 0, nat_inside(2, 7700), nat_outside(1, 80));
    assert_true(gets_in(n, 1 * S, nat_outside(1, 80), port, nat_inside(2, 7700)));
    assert_int_equal(nat_mapping_count(n, 31 * S - 1), 1);
    assert_int_equal(nat_mapping_count(n, 31 * S), 0);
    assert_true(gets_in(n, 3 * S, nat_outside(1, 80), port, nat_inside(2, 7700)));
    assert_true(gets_in(n, 123 * S - 1, nat_outside(1, 80), port, nat_inside(2, 7700)));
    (void)out(n, 200 * S, nat_inside(2, 7700), nat_outside(1, 80));
    assert_int_equal(nat_mapping_count(n, 320 * S - 1), 1);
    assert_int_equal(nat_mapping_count(n, 320 * S), 0);
    /* The first answer, however late, does not yet: the next packet does. */
    nat_reboot(n);
    (void)out(n, 0, nat_inside(2, 7700), nat_outside(1, 80));
    assert_true(gets_in(n, 10 * S, nat_outside(1, 80), port, nat_inside(2, 7700)));
    assert_int_equal(nat_mapping_count(n, 40 * S - 1), 1);
    assert_int_equal(nat_mapping_count(n, 40 * S), 0);
    (void)out(n, 39 * S, nat_inside(2, 7700), nat_outside(1, 80));
    assert_int_equal(nat_mapping_count(n, 159 * S - 1), 1);
    nat_free(n);
}

/* A peer that punches first, when the router takes what comes for its own. */
static void what_comes_too_early_spoils_the_port(void **state) {
    (void)state;
    struct nat *accepting = nat_of("linux,input=accept"), *dropping = nat_of("linux");
    struct nat *both[] = {accepting, dropping};
    for (unsigned i = 0; i < 2; i++) {
        struct nat *n = both[i];
        assert_int_equal(out(n, 0, nat_inside(2, 7700), nat_outside(9, 3478)),
                         7700); /* what a server has seen */
        assert_false(gets_in(n, 1 * S, nat_outside(1, 80), 7700, nat_inside(2, 7700)));
        const uint16_t port = out(n, 2 * S, nat_inside(2, 7700), nat_outside(1, 80));
        assert_true((port == 7700) == (n == dropping));
        assert_true(gets_in(n, 3 * S, nat_outside(1, 80), 7700, nat_inside(2, 7700)) ==
                    (n == dropping));
        assert_int_equal(out(n, 3 * S, nat_inside(2, 7700), nat_outside(2, 80)),
                         n == dropping ? 7700 : port);
    }
    /* The peer's own packets keep it alive; when it has been silent for 30 s the port is free. */
    assert_false(gets_in(accepting, 20 * S, nat_outside(3, 80), 7700, nat_inside(2, 7700)));
    assert_false(gets_in(accepting, 49 * S, nat_outside(3, 80), 7700, nat_inside(2, 7700)));
    assert_int_not_equal(out(accepting, 78 * S, nat_inside(5, 7700), nat_outside(3, 80)), 7700);
    assert_int_equal(out(accepting, 79 * S, nat_inside(6, 7700), nat_outside(3, 80)), 7700);
    nat_free(accepting);
    nat_free(dropping);
}

static void a_full_table_gives_up_what_has_no_answer(void **state) {
    (void)state;
    struct nat *n = nat_of("linux,table=3");
    for (uint8_t i = 1; i <= 3; i++)
        (void)out(n, i, nat_inside(2, 7700), nat_outside(i, 80));
    assert_true(gets_in(n, 10, nat_outside(1, 80), 7700, nat_inside(2, 7700)));
    (void)out(n, 20, nat_inside(2, 7700), nat_outside(4, 80)); /* instead of the second */
    assert_false(gets_in(n, 30, nat_outside(2, 80), 7700, nat_inside(2, 7700)));
    assert_true(gets_in(n, 30, nat_outside(3, 80), 7700, nat_inside(2, 7700)));
    assert_true(gets_in(n, 30, nat_outside(4, 80), 7700, nat_inside(2, 7700)));
    struct addr src = nat_inside(2, 7700);
    const struct addr dst = nat_outside(5, 80);
    assert_int_equal(nat_out(n, 40, &src, &dst), NAT_FULL); /* all have been answered */
    assert_int_equal(nat_out(n, 31 * S, &src, &dst), NAT_PASS);
    nat_free(n);
}

static void a_port_opened_on_request_lets_everybody_in(void **state) {
    (void)state;
    struct nat *n = nat_of("linux");
    const struct addr inner = nat_inside(2, 7700);
    struct addr opened;
    assert_true(nat_map_fixed(n, 0, &inner, 9000, 100 * S, &opened));
    assert_int_equal(opened.port, 9000);
    assert_true(gets_in(n, 1, nat_outside(1, 80), 9000, inner));
    assert_true(gets_in(n, 1, nat_outside(2, 80), 9000, inner));
    assert_int_equal(out(n, 2, inner, nat_outside(1, 80)), 9000);
    assert_int_equal(out(n, 2, inner, nat_outside(3, 80)), 9000);
    assert_false(gets_in(n, 200 * S, nat_outside(4, 80), 9000, inner));
    nat_free(n);
}

static void a_probe_finds_out_what_it_is(void **state) {
    (void)state;
    struct probe found;
    struct nat *n = nat_of("linux");
    (void)probe_run(n, 100 * S, &found);
    assert_int_equal(found.mapping, NAT_ENDPOINT_INDEPENDENT); /* nothing was in its way */
    assert_int_equal(found.filtering, NAT_ADDRESS_PORT_DEPENDENT);
    assert_int_equal(found.ports, NAT_PORTS_PRESERVE);
    assert_in_range(found.timeout_ns, 29 * S, 31 * S);
    assert_true(found.out_refreshes && found.in_refreshes);
    nat_free(n);
    n = nat_of("linux,ports=random");
    (void)probe_run(n, 100 * S, &found);
    assert_int_equal(found.mapping, NAT_ADDRESS_PORT_DEPENDENT);
    assert_int_equal(found.ports, NAT_PORTS_RANDOM);
    nat_free(n);
}

static void words_that_mean_nothing_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "linux,pool=2",        "linux,refresh=in", "linux,limit=4",         "linux,ports=seq",
        "linux,table=9:lru",   "linux,input=yes",  "fullcone,input=accept", "cgn,unreplied=9s",
        "linux,unreplied=9ms", "fullcone,icmp=on", "fullcone,ip6=yes",      "fullcone,icmp="};
    struct nat_config c;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!nat_config_read(&c, wrong[i]))
            fail_msg("%s is taken", wrong[i]);
    assert_null(nat_config_read(&c, "linux,input=accept,unreplied=2s,timeout=5s,icmp=drop"));
    assert_true(c.conntrack && c.input_accepts && c.drops_icmp);
    assert_true(c.unreplied_ns == 2 * S && c.timeout_ns == 5 * S);
    assert_null(nat_config_read(&c, "firewall,ip6=open"));
    assert_true(c.firewall && c.ipv6 == NAT_IPV6_OPEN);
}

/* ---- all kinds ---- */

static const char *const kinds[] = {"fullcone",  "restricted",        "portrestricted",
                                    "symmetric", "sequential",        "cgn,pool=1",
                                    "linux",     "linux,ports=random"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* RFC 5508 REQ-3 to 6. */
static void an_icmp_error_is_turned_back_by_its_mapping(void **state) {
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct nat *n = nat_of(kinds[i]);
        const struct addr inner = nat_inside(2, 7700), peer = nat_outside(1, 80),
                          stranger = nat_outside(2, 80);
        struct addr outer = nat_external[0], quoted;
        outer.port = out(n, 0, inner, peer);
        quoted = outer;
        assert_int_equal(nat_icmp_in(n, 1, &quoted, &peer), NAT_PASS);
        assert_true(addr_equal(&quoted, &inner));
        quoted = inner;
        assert_int_equal(nat_icmp_out(n, 1, &peer, &quoted), NAT_PASS);
        assert_true(addr_equal(&quoted, &outer));
        /* About what never was: only a full cone has a mapping that is for everybody. */
        quoted = outer;
        assert_true((nat_icmp_in(n, 1, &quoted, &stranger) == NAT_PASS) == (i == 0));
        quoted = outer;
        quoted.port++;
        assert_int_not_equal(nat_icmp_in(n, 1, &quoted, &peer), NAT_PASS);
        quoted = nat_inside(3, 7700);
        assert_int_not_equal(nat_icmp_out(n, 1, &peer, &quoted), NAT_PASS);
        assert_int_equal(nat_mapping_count(n, 1), 1);
        nat_free(n);
    }
}

static void an_icmp_error_keeps_no_mapping_alive(void **state) {
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct nat *n = nat_of(kinds[i]);
        const struct addr inner = nat_inside(2, 7700), peer = nat_outside(1, 80);
        struct addr outer = nat_external[0];
        outer.port = out(n, 0, inner, peer);
        for (uint64_t t = 1; t < 400; t += 5) {
            struct addr a = outer, b = inner;
            const enum nat_verdict v = nat_icmp_in(n, t * S, &a, &peer);
            assert_true(v == nat_icmp_out(n, t * S, &peer, &b));
        }
        assert_int_equal(nat_mapping_count(n, 400 * S), 0);
        nat_free(n);
    }
}

/* Others fill the table: what is there stays, what is new has no room, until they are gone. */
static void a_crowd_leaves_no_room(void **state) {
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct nat *n = nat_of(kinds[i]);
        struct addr src = nat_inside(2, 7700), dst = nat_outside(1, 80);
        const uint16_t port = out(n, 0, src, dst);
        nat_crowd(n, 1, UINT32_MAX, 10 * S);
        assert_true(gets_in(n, 2, dst, port, src));
        assert_int_equal(out(n, 3, src, dst), port);
        struct addr other = nat_inside(3, 7700);
        assert_int_equal(nat_out(n, 4, &other, &dst), NAT_FULL);
        other = nat_inside(3, 7700);
        assert_int_equal(nat_out(n, 10 * S, &other, &dst), NAT_PASS);
        nat_free(n);
    }
    struct nat *n = nat_of("symmetric,table=10:lru"); /* here the newest has a place */
    const struct addr dst = nat_outside(1, 80);
    for (uint8_t k = 2; k < 8; k++)
        (void)out(n, k, nat_inside(k, 7700), dst);
    nat_crowd(n, 10, 8, 10 * S);
    assert_int_equal(nat_mapping_count(n, 10), 1);
    (void)out(n, 11, nat_inside(9, 7700), dst);
    (void)out(n, 12, nat_inside(10, 7700), dst);
    assert_int_equal(nat_mapping_count(n, 12), 2);
    nat_free(n);
}

static void a_reboot_gives_other_ports(void **state) {
    (void)state;
    struct nat *n = nat_of("cgn,pool=1");
    const struct addr inner = nat_inside(2, 7700), dst = nat_outside(1, 80);
    const uint16_t before = out(n, 0, inner, dst);
    nat_reboot(n);
    assert_int_equal(nat_mapping_count(n, 1), 0);
    const uint16_t after = out(n, 1, inner, dst);
    assert_int_not_equal((before - 1024) / 512, (after - 1024) / 512); /* another block */
    nat_free(n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_taken_only_towards_one_place),
        cmocka_unit_test(a_source_keeps_the_port_it_has_got),
        cmocka_unit_test(fully_random_is_another_for_each_place),
        cmocka_unit_test(low_ports_stay_low),
        cmocka_unit_test(an_entry_lives_its_time),
        cmocka_unit_test(what_comes_too_early_spoils_the_port),
        cmocka_unit_test(a_full_table_gives_up_what_has_no_answer),
        cmocka_unit_test(a_port_opened_on_request_lets_everybody_in),
        cmocka_unit_test(a_probe_finds_out_what_it_is),
        cmocka_unit_test(words_that_mean_nothing_are_refused),
        cmocka_unit_test(an_icmp_error_is_turned_back_by_its_mapping),
        cmocka_unit_test(an_icmp_error_keeps_no_mapping_alive),
        cmocka_unit_test(a_crowd_leaves_no_room),
        cmocka_unit_test(a_reboot_gives_other_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
