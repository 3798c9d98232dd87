/* What routers do to those behind them: IPv6, reboots, crowds; and what a swarm draws of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/campaign/swarm.h"
#include "sim/world/sim_int.h"
#include "support_scenario.h"

/* ---- IPv6 ---- */

/* Two of one family each and one of both: nobody is told by another name than it has. */
static void a_host_has_only_the_families_it_was_given(void **state) {
    (void)state;
    static const char *const texts[] = {
        "for 10s\nnode s ip=6\nnode m ip=dual nat=fullcone\ncontacts m s\nat 1s connect m s",
        "for 10s\nnode s ip=4\nnode m ip=dual nat=fullcone\ncontacts m s\nat 1s connect m s",
        "for 10s\nnode s ip=dual\nnode m ip=6 nat=fullcone\ncontacts m s\nat 1s connect m s",
        "for 10s\nnode s ip=dual\nnode m ip=4 nat=fullcone\ncontacts s m\nat 1s connect m s"};
    for (unsigned i = 0; i < 4; i++) {
        if (metric_of(texts[i], "session.online") != 2)
            fail_msg("they do not meet:\n%s", texts[i]);
        assert_true(metric_of(texts[i], "handshake") < 0.5);
    }
    static const char apart[] = "for 10s\nnode a ip=6 dials=no\nnode b dials=no\nnode c ip=dual "
                                "dials=no\ncontacts a with c\ncontacts b with c\n"
                                "at 1s pair a b";
    assert_true(metric_of(apart, "session.online") == 0);
    assert_true(metric_of(apart, "drop.unreachable") > 0);
}

/* A call by both families comes twice: the answerer asks around, also where nobody has called from,
 * and that is no amplification. */
static void a_call_by_both_families_makes_nobody_an_amplifier(void **state) {
    (void)state;
    struct run r;
    run_text("for 30s\nnode s ip=dual\nnode m[1..4] ip=dual nat=restricted\n"
             "link all delay=133ms jitter=gauss(20ms)\ncontacts m[1..4] with s\n"
             "load ping 1/s m[1..4]\nnever all",
             &r);
    assert_true(metric_in(&r, "session.online") == 8);
    assert_true(r.ok);
    run_clear(&r);
}

static void a_router_filters_ipv6_as_it_was_told(void **state) {
    (void)state;
    static const char text[] = "for 20s\nnode a ip=6 dials=no nat=%s\nnode b c ip=6 dials=no\n"
                               "contacts a b\nat 1s %s\n";
    static const struct {
        const char *nat, *what;
        double online;
    } cases[] = {
        {"fullcone", "connect a b", 2},
        {"fullcone", "pair c a", 0},
        {"linux", "connect a b", 2},
        {"linux", "pair c a", 0},
        {"firewall", "pair c a", 0},
        {"fullcone,ip6=open", "pair c a", 2},
        {"fullcone,ip6=none", "connect a b", 0},
        {"linux,ip6=none", "pair c a", 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char full[256];
        (void)snprintf(full, sizeof full, text, cases[i].nat, cases[i].what);
        if (metric_of(full, "session.online") != cases[i].online)
            fail_msg("%s, %s", cases[i].nat, cases[i].what);
    }
}

/* ---- reboots and crowds ---- */

/* By the host's name or the site's; a host's is the NAT that it is behind when it happens. */
static void hosts_stand_for_the_nat_they_are_behind(void **state) {
    (void)state;
    static const char text[] =
        "for 8s\nsite h nat=portrestricted\nnode a site=h dials=no\nnode b dials=no\nnode c "
        "nat=symmetric dials=no\n"
        "contacts b with a c\nat 1s connect a b\nat 1s connect c b\nat 5s %s\n"
        "at 6s message b a 1x\nat 6s message b c 1x";
    static const struct {
        const char *what;
        double arrive;
    } cases[] = {{"reboot h", 1},   {"reboot a", 1},   {"reboot c", 1}, {"reboot a c", 0},
                 {"reboot h c", 0}, {"reboot all", 0}, {"heal", 2}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char full[512];
        (void)snprintf(full, sizeof full, text, cases[i].what);
        if (metric_of(full, "message.received") != cases[i].arrive)
            fail_msg("%s: %g", cases[i].what, metric_of(full, "message.received"));
    }
    refused_at("for 5s\nnode a\nat 1s reboot a", 3, 14);
    refused_at("for 5s\nnode a\nat 1s crowd a", 3, 13);
    refused_at("for 5s\nnode a nat=linux\nat 1s crowd a 2x", 3, 15);
    refused_at("for 5s\nnode a nat=linux\nat 1s crowd b", 3, 13);
    refused_at("for 5s\nnode a nat=linux\nat 1s gateway a grant", 3, 15);
}

static void a_crowd_keeps_newcomers_out_while_it_is_there(void **state) {
    (void)state;
    static const char *const nats[] = {"linux", "portrestricted", "symmetric", "firewall"};
    for (unsigned i = 0; i < 4; i++)
        for (unsigned six = 0; six < 2; six++) {
            char text[512];
            struct run r;
            (void)snprintf(
                text, sizeof text,
                "for 40s\nnode a b dials=no nat=%s%s\nnode s dials=no%s\ncontacts s with a b\n"
                "at 1s connect a s\nat 1s crowd a b for=20s\nat 2s message a s 1x\n"
                "at 3s message b s 1x",
                nats[i], six ? " ip=6" : "", six ? " ip=6" : "");
            run_text(text, &r);
            /* a had its mapping just before; b has to wait. */
            assert_true(metric_in(&r, "message.delivered") == 2);
            assert_true(metric_in(&r, "drop.nat_full") > 0);
            assert_true(metric_in(&r, "message") > 17);
            run_clear(&r);
        }
    static const char healed[] =
        "for 40s\nnode a nat=linux dials=no\nnode s dials=no\ncontacts a s\nat 1s crowd a\n"
        "at 2s message a s 1x\nat 5s heal\nat 8s message a s 1x";
    assert_true(metric_of(healed, "drop.nat_full") > 0);
    assert_true(metric_of(healed, "message.delivered") == 2);
    static const char some[] =
        "for 20s\nnode a nat=linux,table=10 dials=no\nnode s dials=no\ncontacts a s\n"
        "at 1s crowd a 9\nat 2s connect a s\nat 3s ping a s";
    assert_true(metric_of(some, "ping.count") == 1); /* one place is left */
}

/* ---- swarms ---- */

static void swarms_draw_every_kind_of_network(void **state) {
    (void)state;
    static const char *const words[] = {"site home nat=",
                                        "site home nat=linux",
                                        " behind=carrier\nnode s",
                                        " behind=carrier\nlink",
                                        " site=home",
                                        " nat=linux\n",
                                        "linux,input=accept",
                                        "linux,ports=random",
                                        " ip=6",
                                        " ip=dual",
                                        " reboot m",
                                        " reboot carrier",
                                        " move\n",
                                        " crowd "};
    enum { WORDS = sizeof words / sizeof *words };
    bool seen[WORDS] = {false};
    unsigned plain = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct text t = {0};
        struct scenario sc;
        struct problem p = {.text = ""};
        swarm_draw(seed, SWARM_SMALL, &t);
        if (!scenario_parse(&sc, text_of(&t), NULL, 0, &p))
            fail_msg("seed %u: %u:%u: %s", (unsigned)seed, p.at.line, p.at.column, p.text);
        scenario_clear(&sc);
        for (unsigned i = 0; i < WORDS; i++)
            seen[i] = seen[i] || strstr(text_of(&t), words[i]);
        plain += !strstr(text_of(&t), "site") && !strstr(text_of(&t), "linux") &&
                 !strstr(text_of(&t), " ip=");
        text_clear(&t);
    }
    for (unsigned i = 0; i < WORDS; i++)
        if (!seen[i])
            fail_msg("nobody draws '%s'", words[i]);
    assert_in_range(plain, 80, 160); /* and the rest goes on as before */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_has_only_the_families_it_was_given),
        cmocka_unit_test(a_call_by_both_families_makes_nobody_an_amplifier),
        cmocka_unit_test(a_router_filters_ipv6_as_it_was_told),
        cmocka_unit_test(hosts_stand_for_the_nat_they_are_behind),
        cmocka_unit_test(a_crowd_keeps_newcomers_out_while_it_is_there),
        cmocka_unit_test(swarms_draw_every_kind_of_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
