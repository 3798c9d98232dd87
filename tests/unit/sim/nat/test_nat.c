/* NAT models: each is what RFC 4787 says its words mean, as an outside probe finds out; tables,
 * time and chains of ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nat/gateway.h"
#include "sim/nat/probe.h"
#include "support_nat.h"

#define S UINT64_C(1000000000)

/* Every combination of the models' words; the probe must find each of them. */
static void every_model_is_what_it_says(void **state) {
    (void)state;
    static const char *const
        maps[] = {"eim", "adm", "apdm"},
        *const filters[] = {"eif", "adf", "apdf"},
        *const ports[] = {"preserve", "seq", "delta(4)", "random", "block(512)"},
        *const hairpins[] = {"none", "ext", "int"}, *const refreshes[] = {"out", "both", "in"};
    static const enum nat_ports kinds[] = {NAT_PORTS_PRESERVE, NAT_PORTS_SEQUENTIAL,
                                           NAT_PORTS_SEQUENTIAL, NAT_PORTS_RANDOM, NAT_PORTS_BLOCK};
    static const unsigned timeouts_s[] = {30, 120, 300};
    unsigned tried = 0;
    for (unsigned m = 0; m < 3; m++)
        for (unsigned f = 0; f < 3; f++)
            for (unsigned p = 0; p < 5; p++)
                for (unsigned h = 0; h < 3; h++)
                    for (unsigned r = 0; r < 3; r++) {
                        char text[128];
                        struct probe found;
                        const unsigned timeout_s = timeouts_s[(m + f + p + h + r) % 3];
                        (void)snprintf(text, sizeof text,
                                       "%s/%s,ports=%s,hairpin=%s,refresh=%s,timeout=%us", maps[m],
                                       filters[f], ports[p], hairpins[h], refreshes[r], timeout_s);
                        struct nat *n = nat_of(text);
                        (void)probe_run(n, 100 * S, &found);
                        nat_free(n);
                        if (found.mapping != (enum nat_dependence)m)
                            fail_msg("%s: mapping %u", text, (unsigned)found.mapping);
                        if (found.filtering != (enum nat_dependence)f)
                            fail_msg("%s: filtering %u", text, (unsigned)found.filtering);
                        if (found.ports != kinds[p] || found.port_step != (p == 1   ? 1u
                                                                           : p == 2 ? 4u
                                                                                    : 0u))
                            fail_msg("%s: ports %u step %u", text, (unsigned)found.ports,
                                     found.port_step);
                        if (found.hairpin != (enum nat_hairpin_kind)h)
                            fail_msg("%s: hairpin %u", text, (unsigned)found.hairpin);
                        if (found.timeout_ns + S / 2 < timeout_s * S ||
                            found.timeout_ns > timeout_s * S + S / 2)
                            fail_msg("%s: timeout %.3f s", text, (double)found.timeout_ns / 1e9);
                        if (found.out_refreshes != (r != 2) || found.in_refreshes != (r != 0))
                            fail_msg("%s: refreshed by out %d in %d", text, found.out_refreshes,
                                     found.in_refreshes);
                        tried++;
                    }
    assert_int_equal(tried, 405);
}

static void a_mapping_lives_exactly_its_time(void **state) {
    (void)state;
    struct nat *n = nat_of("portrestricted,timeout=60s");
    struct addr from = nat_inside(2, 7000), to = nat_outside(1, 80), seen = from, back;
    assert_int_equal(nat_out(n, 0, &seen, &to), NAT_PASS);
    assert_true(addr_same_host(&seen, &nat_external[0]) && seen.port == 7000);
    back = seen;
    assert_int_equal(nat_in(n, 60 * S - 1, &to, &back), NAT_PASS);
    assert_true(addr_equal(&back, &from));
    back = seen;
    assert_int_equal(nat_in(n, 60 * S, &to, &back), NAT_NO_MAPPING);
    assert_int_equal(nat_mapping_count(n, 60 * S), 0);
    nat_free(n);
}

static void two_hosts_with_one_port_get_two(void **state) {
    (void)state;
    struct nat *n = nat_of("portrestricted");
    struct addr to = nat_outside(1, 80), a = nat_inside(2, 7000), b = nat_inside(3, 7000);
    assert_int_equal(nat_out(n, 0, &a, &to), NAT_PASS);
    assert_int_equal(nat_out(n, 0, &b, &to), NAT_PASS);
    assert_true(a.port == 7000 && b.port != 7000 && addr_same_host(&a, &b));
    nat_free(n);
}

static void a_full_table_refuses_or_forgets_the_oldest(void **state) {
    (void)state;
    for (unsigned lru = 0; lru < 2; lru++) {
        struct nat *n = nat_of(lru ? "symmetric,table=10:lru" : "symmetric,table=10");
        struct addr first = nat_inside(2, 1000), to = nat_outside(1, 80);
        const struct addr inner = first;
        assert_int_equal(nat_out(n, 0, &first, &to), NAT_PASS);
        for (uint16_t i = 1; i < 10; i++) {
            struct addr a = nat_inside(2, (uint16_t)(1000 + i));
            assert_int_equal(nat_out(n, i * S, &a, &to), NAT_PASS);
        }
        struct addr more = nat_inside(2, 2000), back = first;
        assert_int_equal(nat_out(n, 20 * S, &more, &to), lru ? NAT_PASS : NAT_FULL);
        assert_int_equal(nat_in(n, 20 * S, &to, &back), lru ? NAT_NO_MAPPING : NAT_PASS);
        assert_true(lru || addr_equal(&back, &inner));
        assert_int_equal(nat_mapping_count(n, 20 * S), 10);
        more = nat_inside(2, 2001);
        assert_int_equal(nat_out(n, 500 * S, &more, &to),
                         NAT_PASS); /* the old ones are dead by now */
        nat_free(n);
    }
}

static void one_host_cannot_take_more_than_its_share(void **state) {
    (void)state;
    struct nat *n = nat_of("symmetric,limit=5");
    struct addr to = nat_outside(1, 80);
    for (uint16_t i = 0; i < 8; i++) {
        struct addr a = nat_inside(2, (uint16_t)(1000 + i)),
                    b = nat_inside(3, (uint16_t)(1000 + i));
        assert_int_equal(nat_out(n, S, &a, &to), i < 5 ? NAT_PASS : NAT_FULL);
        assert_int_equal(nat_out(n, S, &b, &to), i < 5 ? NAT_PASS : NAT_FULL);
    }
    nat_free(n);
}

static void a_reboot_forgets_and_a_pool_pairs(void **state) {
    (void)state;
    struct nat *n = nat_of("symmetric,pool=2");
    struct addr seen[2] = {{0}}, to = nat_outside(1, 80);
    unsigned used[2] = {0};
    for (uint8_t h = 2; h < 40; h++) {
        for (unsigned i = 0; i < 2; i++) {
            seen[i] = nat_inside(h, (uint16_t)(1000 + i));
            assert_int_equal(nat_out(n, S, &seen[i], &to), NAT_PASS);
        }
        assert_true(addr_same_host(&seen[0], &seen[1])); /* paired */
        used[addr_same_host(&seen[0], &nat_external[1])]++;
    }
    assert_true(used[0] > 5 && used[1] > 5);
    nat_reboot(n);
    assert_int_equal(nat_in(n, S, &to, &seen[0]), NAT_NO_MAPPING);
    nat_free(n);
}

static void a_firewall_lets_answers_in_and_changes_nothing(void **state) {
    (void)state;
    struct nat *n = nat_of("firewall,timeout=60s");
    const struct addr inner = {.kind = ADDR_IPV6, .port = 7700, .ip = {0x20, 1, 0, 2, [15] = 1}};
    const struct addr outer = {.kind = ADDR_IPV6, .port = 7700, .ip = {0x20, 1, 0, 2, [15] = 2}};
    struct addr a = inner, b = inner;
    assert_int_equal(nat_in(n, 0, &outer, &b), NAT_NO_MAPPING);
    assert_int_equal(nat_out(n, 0, &a, &outer), NAT_PASS);
    assert_true(addr_equal(&a, &inner));
    assert_int_equal(nat_in(n, S, &outer, &b), NAT_PASS);
    assert_true(addr_equal(&b, &inner));
    struct addr other = outer;
    other.ip[15] = 3;
    assert_int_equal(nat_in(n, S, &other, &b), NAT_FILTERED);
    nat_free(n);
}

/* The port of a mapping that has died goes to another host: who might talk to the first may not
 * talk to that one. */
static void permissions_die_with_their_mapping(void **state) {
    (void)state;
    struct nat *n = nat_of("restricted,timeout=60s,refresh=out");
    struct addr first = nat_inside(2, 7000), second = nat_inside(3, 7000),
                friend = nat_outside(1, 80), other = nat_outside(2, 80);
    assert_int_equal(nat_out(n, 0, &first, &other), NAT_PASS);
    struct addr again = nat_inside(2, 7000);
    assert_int_equal(nat_out(n, 1 * S, &again, &friend), NAT_PASS);
    nat_unmap_fixed(n, &first);
    struct addr fixed, inner = nat_inside(2, 7000);
    assert_true(nat_map_fixed(n, 2 * S, &inner, 0, 3 * S, &fixed)); /* takes its mapping's place */
    assert_int_equal(nat_out(n, 4 * S, &second, &other), NAT_PASS);
    assert_true(addr_equal(&second, &first)); /* the same port */
    struct addr to = second;
    assert_int_equal(nat_in(n, 5 * S, &friend, &to), NAT_FILTERED);
    nat_free(n);
}

/* Two hosts of a carrier never have ports of one block, each can fill its own, and a block is free
 * again when all in it is forgotten. */
static void blocks_of_ports_belong_to_one_host(void **state) {
    (void)state;
    struct nat *n = nat_of("eim/eif,ports=block(16),timeout=60s,table=1000000");
    static uint8_t owner[4096];
    const struct addr to = nat_outside(1, 80);
    memset(owner, 0, sizeof owner);
    for (unsigned host = 2; host < 202; host++)
        for (uint16_t i = 0; i < 16; i++) {
            struct addr a = nat_inside((uint8_t)host, (uint16_t)(1000 + i));
            assert_int_equal(nat_out(n, S, &a, &to), NAT_PASS);
            const unsigned block = (a.port - 1024u) / 16;
            assert_true(owner[block] == 0 || owner[block] == host);
            owner[block] = (uint8_t)host;
        }
    unsigned used = 0;
    for (unsigned i = 0; i < sizeof owner; i++)
        used += owner[i] != 0;
    assert_int_equal(used, 200); /* none was wasted */
    nat_free(n);
    n = nat_of("eim/eif,ports=block(32000),timeout=60s,table=1000000");
    for (unsigned later = 0; later < 2; later++)
        for (uint8_t host = 2; host < 5; host++) {
            struct addr a = nat_inside((uint8_t)(host + 10 * later), 1000);
            assert_int_equal(nat_out(n, (1 + 100 * later) * S, &a, &to),
                             host < 4 ? NAT_PASS : NAT_FULL); /* there are two blocks */
        }
    nat_free(n);
}

/* Against a model that keeps everything in one list: a hundred thousand packets, the same
 * verdicts. */
static void a_long_run_agrees_with_a_simple_model(void **state) {
    (void)state;
    enum { MANY = 400 };
    static struct entry {
        struct addr inner, outer;
        uint64_t last_ns;
    } list[MANY];
    struct nat *n = nat_of("portrestricted,timeout=30s,table=1000");
    unsigned count = 0;
    uint64_t x = 77, now = 0;
    for (unsigned i = 0; i < 100000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        now += (x >> 40) % S / 50;
        const struct addr inner =
            nat_inside((uint8_t)(2 + (x >> 20) % 20), (uint16_t)(1000 + (x >> 30) % 20));
        const struct addr to = nat_outside(1, 80);
        struct addr seen = inner;
        unsigned k = 0;
        while (k < count && !addr_equal(&list[k].inner, &inner))
            k++;
        assert_int_equal(nat_out(n, now, &seen, &to), NAT_PASS);
        if (k == count)
            list[count++].inner = inner;
        else if (now - list[k].last_ns < 30 * S)
            assert_true(addr_equal(&list[k].outer, &seen));
        list[k].outer = seen;
        list[k].last_ns = now;
        for (unsigned other = 0; other < count; other++)
            assert_true(other == k || now - list[other].last_ns >= 30 * S ||
                        !addr_equal(&list[other].outer, &seen));
        struct addr back = seen;
        assert_int_equal(nat_in(n, now, &to, &back), NAT_PASS);
        assert_true(addr_equal(&back, &inner));
    }
    nat_free(n);
}

/* ---- port mapping on request ---- */

static enum gateway_verdict map(struct gateway *g, uint64_t now_ns, uint32_t lifetime_s,
                                struct gateway_answer *out) {
    const struct gateway_request r = {
        .inner = nat_inside(2, 7700), .wanted_port = 9000, .lifetime_s = lifetime_s};
    return gateway_map(g, now_ns, &r, out);
}

static void a_granted_lease_lets_strangers_in_until_it_ends(void **state) {
    (void)state;
    struct nat *n = nat_of("symmetric");
    struct gateway *g = gateway_new(n, 10 * S);
    struct gateway_answer a;
    const struct addr stranger = nat_outside(9, 1234), inner = nat_inside(2, 7700);
    assert_int_equal(map(g, 15 * S, 100, &a), GATEWAY_OK);
    assert_true(a.lifetime_s == 100 && a.epoch_s == 5 &&
                addr_same_host(&a.external, &nat_external[0]));
    struct addr to = a.external;
    assert_int_equal(nat_in(n, 115 * S - 1, &stranger, &to), NAT_PASS);
    assert_true(addr_equal(&to, &inner));
    struct addr out = inner;
    assert_int_equal(nat_out(n, 20 * S, &out, &stranger), NAT_PASS);
    assert_true(addr_equal(
        &out, &a.external)); /* and outbound packets come from there, whoever they go to */
    to = a.external;
    assert_int_equal(nat_in(n, 115 * S, &stranger, &to), NAT_NO_MAPPING);
    assert_int_equal(map(g, 120 * S, 100, &a), GATEWAY_OK);
    assert_int_equal(map(g, 121 * S, 0, &a), GATEWAY_OK);
    to = a.external;
    assert_int_equal(nat_in(n, 122 * S, &stranger, &to), NAT_NO_MAPPING);
    gateway_free(g);
    nat_free(n);
}

static void gateways_misbehave_as_told(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum gateway_verdict verdict;
        uint32_t lifetime_s;
        bool reachable, right;
    } cases[] = {
        {"refuse", GATEWAY_REFUSED, 0, false, false}, {"off", GATEWAY_SILENT, 0, false, false},
        {"shorten(60s)", GATEWAY_OK, 60, true, true}, {"lie", GATEWAY_OK, 1000, false, true},
        {"wrong", GATEWAY_OK, 1000, false, false},    {"grant", GATEWAY_OK, 1000, true, true}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nat *n = nat_of("portrestricted");
        struct gateway *g = gateway_new(n, 0);
        struct gateway_config c;
        struct gateway_answer a = {.lifetime_s = 0};
        const struct addr stranger = nat_outside(9, 1234);
        assert_null(gateway_config_read(&c, cases[i].text));
        gateway_configure(g, 0, &c);
        assert_int_equal(map(g, S, 1000, &a), cases[i].verdict);
        if (cases[i].verdict == GATEWAY_OK) {
            struct addr to = a.external;
            assert_int_equal(a.lifetime_s, cases[i].lifetime_s);
            assert_int_equal(addr_same_host(&a.external, &nat_external[0]), cases[i].right);
            assert_int_equal(cases[i].right && nat_in(n, 2 * S, &stranger, &to) == NAT_PASS,
                             cases[i].reachable);
        }
        gateway_free(g);
        nat_free(n);
    }
    struct gateway_config c;
    assert_non_null(gateway_config_read(&c, "perhaps"));
    assert_non_null(gateway_config_read(&c, "shorten"));
    assert_non_null(gateway_config_read(&c, "grant(3s)"));
}

static void a_gateway_reboot_shows_in_the_epoch(void **state) {
    (void)state;
    struct nat *n = nat_of("portrestricted");
    struct gateway *g = gateway_new(n, 0);
    struct gateway_answer a;
    assert_int_equal(map(g, 100 * S, 1000, &a), GATEWAY_OK);
    assert_int_equal(a.epoch_s, 100);
    gateway_reboot(g, 200 * S);
    const struct addr stranger = nat_outside(9, 1234);
    struct addr to = a.external;
    assert_int_equal(nat_in(n, 201 * S, &stranger, &to), NAT_NO_MAPPING);
    assert_int_equal(map(g, 230 * S, 1000, &a), GATEWAY_OK);
    assert_int_equal(a.epoch_s, 30);
    gateway_free(g);
    nat_free(n);
}

static void a_gateway_forgets_without_being_asked(void **state) {
    (void)state;
    struct nat *n = nat_of("symmetric");
    struct gateway *g = gateway_new(n, 0);
    struct gateway_config c;
    struct gateway_answer a;
    const struct addr stranger = nat_outside(9, 1234);
    assert_int_equal(map(g, 5 * S, 1000, &a), GATEWAY_OK);
    assert_null(gateway_config_read(&c, "forget(60s)"));
    gateway_configure(g, 10 * S, &c);
    struct addr to = a.external;
    assert_int_equal(nat_in(n, 70 * S - 1, &stranger, &to), NAT_PASS);
    to = a.external;
    assert_int_equal(nat_in(n, 70 * S, &stranger, &to), NAT_NO_MAPPING);
    assert_int_equal(map(g, 200 * S, 1000, &a), GATEWAY_OK); /* it forgets every 60 s: at 250 */
    to = a.external;
    assert_int_equal(nat_in(n, 250 * S - 1, &stranger, &to), NAT_PASS);
    to = a.external;
    assert_int_equal(nat_in(n, 250 * S, &stranger, &to), NAT_NO_MAPPING);
    gateway_free(g);
    nat_free(n);
}

static void wrong_words_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "eim",
                                        "eim/",
                                        "eim/xdf",
                                        "cone",
                                        "eim/eif,ports=odd",
                                        "eim/eif,ports=block(0)",
                                        "eim/eif,timeout=0s",
                                        "eim/eif,pool=9",
                                        "eim/eif,table=0",
                                        "eim/eif,table=5:fifo",
                                        "eim/eif,refresh=never",
                                        "eim/eif,,",
                                        "symmetric,hairpin",
                                        "eim/eif,pooling=x"};
    struct nat_config c;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!nat_config_read(&c, wrong[i]))
            fail_msg("'%s' is taken", wrong[i]);
    assert_true(nat_mix_known("mix:home") && !nat_mix_known("mix:nowhere"));
    unsigned symmetric = 0;
    struct draw draw;
    draw_init(&draw, 1);
    for (unsigned i = 0; i < 10000; i++) {
        nat_mix_draw(&c, "mix:home", draw_u64(&draw, 0, DRAW_CHOICE, i));
        symmetric += c.mapping == NAT_ADDRESS_PORT_DEPENDENT;
    }
    assert_true(symmetric > 1400 && symmetric < 1800); /* 16 % */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_is_what_it_says),
        cmocka_unit_test(a_mapping_lives_exactly_its_time),
        cmocka_unit_test(two_hosts_with_one_port_get_two),
        cmocka_unit_test(a_full_table_refuses_or_forgets_the_oldest),
        cmocka_unit_test(one_host_cannot_take_more_than_its_share),
        cmocka_unit_test(a_reboot_forgets_and_a_pool_pairs),
        cmocka_unit_test(a_firewall_lets_answers_in_and_changes_nothing),
        cmocka_unit_test(permissions_die_with_their_mapping),
        cmocka_unit_test(blocks_of_ports_belong_to_one_host),
        cmocka_unit_test(a_long_run_agrees_with_a_simple_model),
        cmocka_unit_test(a_granted_lease_lets_strangers_in_until_it_ends),
        cmocka_unit_test(gateways_misbehave_as_told),
        cmocka_unit_test(a_gateway_reboot_shows_in_the_epoch),
        cmocka_unit_test(a_gateway_forgets_without_being_asked),
        cmocka_unit_test(wrong_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
