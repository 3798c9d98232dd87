/* Reading scenarios: what makes no sense is refused where it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nat/nat.h"
#include "sim/text/quantity.h"
#include "support_scenario.h"

static void numbers_too_small_or_too_long_are_refused(void **state) {
    (void)state;
    uint64_t v = 7;
    assert_non_null(quantity_parse("0.5", QUANTITY_RATE, &v));
    assert_non_null(quantity_parse("0.1", QUANTITY_BYTES, &v));
    assert_null(quantity_parse("0.0", QUANTITY_RATE, &v));
    assert_int_equal(v, 0);
    assert_null(quantity_parse("100000h", QUANTITY_DURATION, &v));
    assert_non_null(quantity_parse("100000.1h", QUANTITY_DURATION, &v));
    refused_at("for 20s\nnode a\nlink a delay=2562047h", 3, 8);
    refused_at("for 20s\nnode a\nlink a rate=0.5", 3, 8);
}

static void what_is_set_must_be_used(void **state) {
    (void)state;
    struct scenario sc;
    struct problem p;
    const char *text = "let loss = 1%\nfor 1s\nnode a\nlink a loss=$loss";
    struct scenario_let let = {.name = "loss", .value = "2%"};
    assert_true(scenario_parse(&sc, text, &let, 1, &p));
    assert_int_equal(sc.actions[0].link.values[0].loss_ppb, 20000000);
    scenario_clear(&sc);
    let.name = "los";
    assert_false(scenario_parse(&sc, text, &let, 1, &p));
    assert_string_equal(p.text, "--set los: the scenario has no $los");
    let.optional = true;
    assert_true(scenario_parse(&sc, text, &let, 1, &p));
    scenario_clear(&sc);
    let.name = "1x";
    assert_false(scenario_parse(&sc, text, &let, 1, &p));
    assert_non_null(strstr(p.text, "--set 1x"));
}

/* One line each, at its place, in the third line of a scenario. */
static void what_means_nothing_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *line;
        unsigned column;
    } cases[] = {
        {"at 1s kill a for=3s", 14},
        {"at 1s ping a b for=3s", 16},
        {"lose a 3", 8},
        {"lose a down up 3", 13},
        {"link a", 7},
        {"disk a", 7},
        {"clock a", 8},
        {"hostile a", 10},
        {"link a up.down=5M", 8},
        {"load ping 1/s a from=9s until=3s", 6},
        {"load ping 1/s a from=900s", 6},
        {"load ping 1/s a size=9GiB", 17},
        {"load ping 3s/s a", 11},
        {"load ping 5%/s a", 11},
        {"hostile a flood(b,5%/s)", 11},
        {"load transfer 1/s a to a", 6},
        {"contacts a a", 1},
        {"contacts a with a", 1},
        {"contacts a b b", 1},
        {"site s nat=symmetric,table=-18446744073709551615", 8},
        {"site s nat=symmetric,ports=delta(-1)", 8},
        {"node n[+1..2]", 6},
        {"node n[-3..-1]", 6},
        {"node n[1..2", 6},
        {"at 1s map a lease=500ms", 13},
        {"region eu eu", 11},
        {"nic", 4},
        {"nic lte", 8},
        {"nic lte c", 9},
        {"nic l+e a", 5},
        {"nic a-name-that-is-longer-than-31-bytes a", 5},
        {"nic lte a a", 1},
        {"nic lte a:50%", 1},
        {"nic lte a cc=bbr", 11},
        {"nic lte a nat=round", 11},
        {"nic lte a site=home", 11},
        {"nic lte a behind=home", 11},
        {"nic lte a rate=0.5", 11},
        {"nic w a; nic x a; nic y a; nic z a", 28},
        {"at 1s down a nic=lte", 14},
        {"nic lte a; at 1s down a b nic=lte", 27},
        {"nic lte a; at 1s down a nic=", 25},
        {"nic lte a; at 1s down a nic=lte for=2s", 33},
        {"nic lte a; at 1s kill a nic=lte", 25},
        {"nic lte a; link b nic=lte up=1M", 19},
        {"nic lte a; link a nic=lte", 26},
        {"nic lte a; disk a nic=lte rate=1M", 19},
        {"node r relay=maybe", 8},
        {"node r relay=yes nat=cgn", 1},
        {"node c relays=a", 8},
        {"node r relay=yes; node c relays=r,x", 26},
        {"node r[1..9] relay=yes; node c relays=r[1..9]", 32},
        {"node r relay=yes relay_flows=0", 18},
        {"node c path=around", 8},
        {"path a relay_only", 1},
        {"at 1s path a", 7},
        {"at 1s path a around", 14},
        {"at 1s mark a", 12},
        {"hostile a delay(5%)", 11},
        {"hostile a copy(x,5%)", 11},
        {"contacts a each", 1},
        {"node c; contacts a b with c each", 9},
        {"node c; at 1s ping a all each", 15},
        {"down a", 1},
        {"at 1s up", 9},
        {"at 9s cut a b for=2s; eventually connected within 1s", 34},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        (void)snprintf(text, sizeof text, "for 10s\nnode a b\n%s", cases[i].line);
        refused_at(text, 3, cases[i].column);
    }
}

static void sites_stand_behind_one_another_eight_deep(void **state) {
    (void)state;
    char text[1000] = "for 1s\nsite s1 nat=cgn\n";
    struct scenario sc;
    struct problem p;
    for (unsigned i = 2; i <= 8; i++)
        (void)snprintf(text + strlen(text), 100, "site s%u nat=cgn behind=s%u\n", i, i - 1);
    char *end = text + strlen(text);
    (void)snprintf(end, 100, "node a site=s8");
    assert_true(scenario_parse(&sc, text, NULL, 0, &p));
    scenario_clear(&sc);
    (void)snprintf(end, 100, "site s9 nat=cgn behind=s8");
    refused_at(text, 10, 6);
    (void)snprintf(end, 100, "node a nat=cgn behind=s8");
    refused_at(text, 10, 1);
}

static void regions_with_somebody_in_them_have_a_distance(void **state) {
    (void)state;
    struct scenario sc;
    struct problem p;
    static const char bad[] = "for 1s\nregion e w x\nrtt e x 5ms\nnode a region=e\nnode b region=w",
                      good[] =
                          "for 1s\nregion e w x\nrtt w e 5ms\nnode a region=e\nnode b region=w";
    assert_false(scenario_parse(&sc, bad, NULL, 0, &p));
    assert_string_equal(p.text, "no rtt between e and w");
    assert_true(scenario_parse(&sc, good, NULL, 0, &p));
    scenario_clear(&sc);
}

static void unknown_metrics_are_found_without_a_run(void **state) {
    (void)state;
    static const char *const texts[] = {"expect", "sometimes"};
    for (unsigned i = 0; i < 2; i++) {
        char text[100];
        struct scenario sc;
        struct problem p;
        (void)snprintf(text, sizeof text, "for 1s\nnode a\n%s foo == 1", texts[i]);
        assert_true(scenario_parse(&sc, text, NULL, 0, &p));
        assert_false(run_check(&sc, &p));
        assert_int_equal(p.at.line, 3);
        scenario_clear(&sc);
    }
}

static void a_second_list_of_lost_packets_adds_to_the_first(void **state) {
    (void)state;
    static const char text[] = "for 5s\nnode a b\ncontacts a b\nlose a up 0 2\nlose a up 1 2\n"
                               "at 1s connect a b";
    assert_true(metric_of(text, "drop.listed") == 3);
}

static void a_lease_of_nothing_gives_it_up(void **state) {
    (void)state;
    static const char text[] = "for 5s\nsite h nat=symmetric gateway=grant\nnode a site=h\nnode b\n"
                               "at 1s map a\nat 2s map a lease=0\nat 3s pair b a";
    assert_true(metric_of(text, "nat.mappings") <= 1);
    assert_true(metric_of(text, "session.online") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_too_small_or_too_long_are_refused),
        cmocka_unit_test(what_is_set_must_be_used),
        cmocka_unit_test(what_means_nothing_is_refused),
        cmocka_unit_test(sites_stand_behind_one_another_eight_deep),
        cmocka_unit_test(regions_with_somebody_in_them_have_a_distance),
        cmocka_unit_test(unknown_metrics_are_found_without_a_run),
        cmocka_unit_test(a_second_list_of_lost_packets_adds_to_the_first),
        cmocka_unit_test(a_lease_of_nothing_gives_it_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
