/* "Packet too big" finds back through NATs as it does through routers (RFC 5508), and only what is
 * right does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/sim_int.h"
#include "support_scenario.h"

/* A transfer during which the path gets narrower somewhere. */
static void run_narrowing(const char *who, const char *where, const char *icmp, struct run *out) {
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "for 60s\n%s\nlink all up=50M down=50M delay=10ms\n%s"
                   "at 1s connect a b\nat 5s transfer a b 20MiB\nat 6s link %s icmp=%s\n",
                   who, strstr(who, "contacts") ? "" : "contacts a b\n", where, icmp);
    run_text(text, out);
    if (metric_in(out, "transfer.done") != 1)
        fail_msg("not done:\n%s", text);
}

static void a_sender_hears_of_it_through_every_nat(void **state) {
    (void)state;
    static const struct {
        const char *who, *where;
    } cases[] = {
        {"node a\nnode b", "b mtu.down=1300"},
        {"node a\nnode b", "a mtu.up=1300"},
        {"node a nat=portrestricted\nnode b", "b mtu.down=1300"},
        {"node a nat=portrestricted\nnode b", "a mtu.up=1300"},
        {"node a nat=symmetric\nnode b", "b mtu.down=1300"},
        {"node a nat=linux\nnode b", "b mtu.down=1300"},
        {"node a nat=linux,ports=random\nnode b", "b mtu.down=1300"},
        {"node a nat=firewall\nnode b", "b mtu.down=1300"},
        {"site c nat=cgn\nnode a nat=linux behind=c\nnode b", "b mtu.down=1300"},
        {"node a nat=fullcone ip=6\nnode b ip=6", "b mtu.down=1300"},
        {"node a nat=fullcone ip=6\nnode b ip=6", "a mtu.up=1300"},
        {"site h nat=portrestricted\nnode a b site=h\nat 0s pair a b\n# no contacts",
         "b mtu.down=1300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r;
        run_narrowing(cases[i].who, cases[i].where, "on", &r);
        if (metric_in(&r, "endpoint.icmp_believed") == 0 || metric_in(&r, "icmp.lost") != 0 ||
            metric_in(&r, "endpoint.icmp_refused") != 0 ||
            metric_in(&r, "endpoint.black_holes") != 0 || metric_in(&r, "transfer.stall") > 0.2)
            fail_msg("%s, %s: believed %g lost %g refused %g black holes %g stall %g", cases[i].who,
                     cases[i].where, metric_in(&r, "endpoint.icmp_believed"),
                     metric_in(&r, "icmp.lost"), metric_in(&r, "endpoint.icmp_refused"),
                     metric_in(&r, "endpoint.black_holes"), metric_in(&r, "transfer.stall"));
        run_clear(&r);
        run_narrowing(cases[i].who, cases[i].where, "off", &r);
        assert_true(metric_in(&r, "endpoint.icmp_believed") == 0);
        assert_true(metric_in(&r, "endpoint.black_holes") > 0);
        run_clear(&r);
    }
}

/* The other way round: what is behind a NAT is the router that says it. */
static void a_router_behind_a_nat_is_heard(void **state) {
    (void)state;
    static const char *const nats[] = {"fullcone",
                                       "restricted",
                                       "portrestricted",
                                       "symmetric",
                                       "sequential",
                                       "linux",
                                       "cgn",
                                       "firewall",
                                       "eim/apdf,hairpin=ext",
                                       "linux,ports=random"};
    for (size_t i = 0; i < sizeof nats / sizeof *nats; i++) {
        char text[512];
        struct run r;
        (void)snprintf(text, sizeof text,
                       "for 60s\nsite c nat=cgn\nnode b nat=%s behind=c\nnode x\ncontacts b x\n"
                       "link all up=50M down=50M delay=10ms\nat 1s connect b x\n"
                       "at 5s transfer x b 20MiB\nat 6s link b mtu.down=1300 icmp=on",
                       nats[i]);
        run_text(text, &r);
        if (metric_in(&r, "endpoint.icmp_believed") == 0 || metric_in(&r, "icmp.lost") != 0 ||
            metric_in(&r, "endpoint.black_holes") != 0 || metric_in(&r, "transfer.done") != 1)
            fail_msg("%s: believed %g lost %g", nats[i], metric_in(&r, "endpoint.icmp_believed"),
                     metric_in(&r, "icmp.lost"));
        run_clear(&r);
    }
}

static void on_icmp(void *ctx, uint64_t time_ns, const struct icmp_note *note) {
    (void)time_ns;
    *(struct icmp_note *)ctx = *note;
}

static struct icmp_note last_note(const char *text) {
    struct icmp_note note = {.kind = ICMP_KINDS};
    struct scenario sc;
    struct problem p = {.text = ""};
    struct run r;
    const struct run_options o = {.seed = 1, .tap = {.ctx = &note, .icmp = on_icmp}};
    if (!scenario_parse(&sc, text, NULL, 0, &p) || !run_scenario(&sc, &o, &r, &p))
        fail_msg("%u:%u: %s", p.at.line, p.at.column, p.text);
    run_clear(&r);
    scenario_clear(&sc);
    return note;
}

static void assert_ip(const struct addr *a, unsigned b0, unsigned b1) {
    assert_int_equal(a->ip[0], b0);
    assert_int_equal(a->ip[1], b1);
}

/* RFC 5508 §4.2.2: a private router is seen under the address of its NAT, and so is what it
 * quotes. */
static void the_outermost_nat_lends_its_address(void **state) {
    (void)state;
    const struct icmp_note out =
        last_note("for 20s\nsite c nat=cgn\nnode b nat=linux behind=c\nnode x\ncontacts b x\n"
                  "link all up=50M down=50M delay=10ms\nat 1s connect b x\n"
                  "at 5s transfer x b 2MiB\nlink b mtu.down=1300 icmp=on");
    assert_int_equal(out.kind, ICMP_TOO_BIG);
    assert_int_equal(out.mtu_bytes, 1300);
    assert_ip(&out.router, 198, 18);
    assert_ip(&out.to, 198, 18);
    assert_true(addr_same_host(&out.router, &out.to) || out.router.ip[3] != 0);
    assert_ip(&out.from, 198, 18);
    /* And within a home the router has the home's. */
    const struct icmp_note in =
        last_note("for 20s\nsite h nat=linux\nnode a b site=h\nlink all up=50M down=50M\n"
                  "at 0s pair a b\nat 5s transfer a b 2MiB\nlink b mtu.down=1300 icmp=on");
    assert_ip(&in.router, 192, 168);
    assert_ip(&in.to, 192, 168);
    assert_ip(&in.from, 192, 168);
    /* IPv6 is not translated. */
    const struct icmp_note six =
        last_note("for 20s\nnode b nat=linux ip=6\nnode x ip=6\ncontacts b x\n"
                  "link all up=50M down=50M\nat 1s connect b x\n"
                  "at 5s transfer x b 2MiB\nlink b mtu.down=1300 icmp=on");
    assert_int_equal(six.to.kind, ADDR_IPV6);
    assert_ip(&six.to, 0x20, 0x01);
}

/* Two of one home that know each other by its outer addresses; the NAT brings their packets
 * back. */
static void a_hairpin_turns_the_quote_twice(void **state) {
    (void)state;
    static const char text[] = "for 60s\nsite h nat=%s,hairpin=%s gateway=grant\nnode a b site=h\n"
                               "link all up=50M down=50M delay=5ms\nat 1s map b\nat 2s pair a b\n"
                               "at 5s transfer a b 20MiB\nat 6s link b mtu.down=1300 icmp=on";
    static const char *const nats[] = {"fullcone", "portrestricted", "symmetric"};
    for (unsigned i = 0; i < 3; i++) {
        char full[512];
        struct run r;
        (void)snprintf(full, sizeof full, text, nats[i], "ext");
        run_text(full, &r);
        if (metric_in(&r, "endpoint.icmp_believed") == 0 || metric_in(&r, "icmp.lost") != 0)
            fail_msg("%s: believed %g lost %g", nats[i], metric_in(&r, "endpoint.icmp_believed"),
                     metric_in(&r, "icmp.lost"));
        run_clear(&r);
    }
}

static void a_nat_that_drops_it_makes_a_black_hole(void **state) {
    (void)state;
    static const char *const whos[] = {
        "node a\nnode b nat=fullcone,icmp=drop\ncontacts a b\nat 1s connect b a",
        "node a nat=linux,icmp=drop\nnode b", "node a nat=fullcone,icmp=drop ip=6\nnode b ip=6"};
    for (unsigned i = 0; i < 3; i++) {
        struct run r;
        run_narrowing(whos[i], "b mtu.down=1300", "on", &r);
        assert_true(metric_in(&r, "icmp.lost") > 0);
        assert_true(metric_in(&r, "endpoint.icmp_believed") == 0);
        assert_true(metric_in(&r, "endpoint.black_holes") > 0);
        run_clear(&r);
    }
    /* What begins within it does not pass it. */
    struct run r;
    run_narrowing("node a nat=linux,icmp=drop\nnode b", "a mtu.up=1300", "on", &r);
    assert_true(metric_in(&r, "icmp.lost") == 0);
    assert_true(metric_in(&r, "endpoint.icmp_believed") > 0);
    run_clear(&r);
}

/* Who knows all addresses but has seen no packet; with and without a NAT before the victim. */
static void a_forger_moves_nothing(void **state) {
    (void)state;
    static const char *const whos[] = {"node a\nnode b\nnode evil",
                                       "node a nat=linux\nnode b\nnode evil",
                                       "node a ip=6\nnode b ip=6\nnode evil ip=6",
                                       "site h nat=portrestricted\nnode a evil site=h\nnode b"};
    for (unsigned i = 0; i < 4; i++) {
        char text[512];
        struct run r;
        (void)snprintf(text, sizeof text,
                       "for 30s\n%s\ncontacts a b\nlink all up=50M down=50M delay=10ms\n"
                       "hostile evil icmp(a,b,1000/s)\nat 1s connect a b\n"
                       "at 2s transfer a b 40MiB\nnever all",
                       whos[i]);
        run_text(text, &r);
        assert_true(metric_in(&r, "endpoint.icmp_refused") > 10000);
        assert_true(metric_in(&r, "endpoint.icmp_believed") == 0);
        assert_true(metric_in(&r, "transfer.done") == 1);
        assert_true(metric_in(&r, "transfer.goodput_fraction") > 0.85);
        run_clear(&r);
    }
    /* A NAT lets in only what quotes something of a mapping; out of one's own NAT nothing goes that
     * does not. */
    struct run r;
    run_text("for 10s\nnode a nat=portrestricted\nnode b\nnode c\nnode evil\ncontacts a b\n"
             "hostile evil icmp(a,c,100/s)\nat 1s connect a b\nat 2s ping a b",
             &r);
    assert_true(metric_in(&r, "icmp.lost") > 500);
    assert_true(metric_in(&r, "endpoint.icmp_refused") == 0);
    run_clear(&r);
    run_text("for 10s\nnode a\nnode b\nnode evil nat=fullcone\ncontacts a b\n"
             "hostile evil icmp(a,b,100/s)\nat 1s connect a b\nat 2s ping a b",
             &r);
    assert_true(metric_in(&r, "icmp.lost") > 500);
    assert_true(metric_in(&r, "endpoint.icmp_refused") == 0);
    run_clear(&r);
}

static void who_is_not_there_is_said_so(void **state) {
    (void)state;
    static const char port[] = "for 20s\nnode a nat=linux\nnode b\ncontacts a b\nlink b icmp=on\n"
                               "at 1s ping a b\nat 2s kill b\nat 3s ping a b",
                      host[] = "for 20s\nnode a nat=linux\nnode b\ncontacts a b\nlink a icmp=on\n"
                               "at 1s ping a b\nat 2s roam b\nat 2s kill b\nat 3s ping a b";
    assert_true(metric_of(port, "icmp.no_port") > 0);
    assert_true(metric_of(port, "icmp.no_host") == 0);
    assert_true(metric_of(host, "icmp.no_host") > 0);
    assert_true(metric_of(host, "icmp.no_port") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sender_hears_of_it_through_every_nat),
        cmocka_unit_test(a_router_behind_a_nat_is_heard),
        cmocka_unit_test(the_outermost_nat_lends_its_address),
        cmocka_unit_test(a_hairpin_turns_the_quote_twice),
        cmocka_unit_test(a_nat_that_drops_it_makes_a_black_hole),
        cmocka_unit_test(a_forger_moves_nothing),
        cmocka_unit_test(who_is_not_there_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
