/* Reading scenarios: what makes no sense is refused where it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nat.h"
#include "sim/quantity.h"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_too_small_or_too_long_are_refused),
        cmocka_unit_test(what_is_set_must_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
