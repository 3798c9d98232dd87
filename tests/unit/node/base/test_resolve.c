/* Names on their way to addresses: once each, few at a time, and every part hears what became of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/base/resolve.h"

static struct {
    unsigned times, count;
    char host[RELAY_HOST_MAX + 1];
    struct addr first;
} heard;

static void hears(void *self, const char *host, const struct addr *addrs, unsigned count) {
    (void)self;
    heard.times++;
    heard.count = count;
    snprintf(heard.host, sizeof heard.host, "%s", host);
    if (count > 0)
        heard.first = addrs[0];
}

static const struct part_ops listens = {.resolved = hears}, deaf = {.resolved = NULL};

struct scene {
    struct turn turn;
    struct resolves names;
};

static void begin(struct scene *s) {
    *s = (struct scene){.names = {.turn = &s->turn}};
    memset(&heard, 0, sizeof heard);
    (void)parts_add(&s->turn.parts, &deaf, NULL);
    (void)parts_add(&s->turn.parts, &listens, NULL);
}

static void a_name_is_looked_up_once_at_a_time(void **state) {
    (void)state;
    struct scene s;
    struct resolve one;
    const struct addr at[2] = {{.kind = ADDR_IPV4, .ip = {192, 0, 2, 1}}, {.kind = ADDR_IPV6}};
    begin(&s);
    assert_false(resolve_next(&s.names, &one));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(resolve_ask(&s.names, "a.example"), 0);
    assert_true(resolve_next(&s.names, &one));
    assert_string_equal(one.host, "a.example");
    assert_int_equal(resolve_ask(&s.names, "a.example"), 0); /* it is out */
    struct resolve other;
    assert_false(resolve_next(&s.names, &other));
    assert_int_equal(heard.times, 0);
    resolve_done(&s.names, one.id, at, 2);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.host, "a.example");
    assert_true(addr_equal(&heard.first, &at[0]));
    resolve_done(&s.names, one.id, at, 2); /* nobody waits for that */
    assert_int_equal(heard.times, 1);
    assert_null(s.names.list); /* nothing is held for nothing */
    assert_int_equal(resolve_ask(&s.names, "a.example"), 0);
    assert_true(resolve_next(&s.names, &other));
    assert_int_not_equal(other.id, one.id);
    resolve_done(&s.names, other.id, NULL, 0);
    assert_int_equal(heard.times, 2);
    assert_int_equal(heard.count, 0);
}

static void few_are_out_in_the_order_asked(void **state) {
    (void)state;
    struct scene s;
    struct resolve r[RESOLVES_MAX + 1];
    begin(&s);
    for (unsigned i = 0; i < RESOLVES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u.example", i);
        assert_int_equal(resolve_ask(&s.names, name), 0);
    }
    assert_int_equal(resolve_ask(&s.names, "more.example"), ERR_FULL);
    assert_int_equal(resolve_ask(&s.names, "n3.example"), 0);
    unsigned next = 0;
    for (unsigned done = 0; done < RESOLVES_MAX; done++) {
        while (resolve_next(&s.names, &r[next]))
            next++;
        const unsigned left = RESOLVES_MAX - done;
        assert_int_equal(next - done, left < RESOLVE_OUT_MAX ? left : RESOLVE_OUT_MAX);
        char name[16];
        snprintf(name, sizeof name, "n%u.example", done);
        assert_string_equal(r[done].host, name);
        resolve_done(&s.names, r[done].id, NULL, 0);
        assert_string_equal(heard.host, name);
    }
    assert_int_equal(next, RESOLVES_MAX);
    assert_null(s.names.list);
}

/* Contacts and tickets name hosts whose look-up never ends: the user's own do not wait for it. */
static void names_that_others_give_do_not_hold_up_the_users(void **state) {
    (void)state;
    struct scene s;
    struct resolve r[3];
    char name[16];
    begin(&s);
    for (unsigned i = 0; i < 2 * RESOLVES_MAX; i++) {
        snprintf(name, sizeof name, "n%u.example", i);
        const int err = resolve_ask_told(&s.names, name);
        assert_int_equal(err, i < RESOLVES_TOLD_MAX ? 0 : ERR_FULL);
    }
    assert_true(resolve_next(&s.names, &r[0]));
    assert_string_equal(r[0].host, "n0.example");
    assert_false(resolve_next(&s.names, &r[1]));
    assert_int_equal(resolve_ask(&s.names, "own.example"), 0);
    assert_true(resolve_next(&s.names, &r[1]));
    assert_string_equal(r[1].host, "own.example");
    assert_false(resolve_next(&s.names, &r[2]));
    resolve_done(&s.names, r[1].id, NULL, 0);
    assert_int_equal(resolve_ask(&s.names, "n5.example"), 0); /* it is the user's, too */
    assert_true(resolve_next(&s.names, &r[1]));
    assert_string_equal(r[1].host, "n5.example");
    resolve_done(&s.names, r[0].id, NULL, 0);
    assert_true(resolve_next(&s.names, &r[0]));
    assert_string_equal(r[0].host, "n1.example");
    resolves_clear(&s.names);
}

static void more_addresses_than_are_looked_at_do_not_come(void **state) {
    (void)state;
    struct scene s;
    struct resolve one;
    const struct addr at[RESOLVE_ADDRS_MAX + 5] = {{.kind = ADDR_IPV4}};
    begin(&s);
    assert_int_equal(resolve_ask(&s.names, "a.example"), 0);
    assert_true(resolve_next(&s.names, &one));
    resolve_done(&s.names, one.id + 1, at, 1);
    assert_int_equal(heard.times, 0);
    resolve_done(&s.names, one.id, at, RESOLVE_ADDRS_MAX + 5);
    assert_int_equal(heard.count, RESOLVE_ADDRS_MAX);
}

static void nothing_is_looked_up_at_the_end(void **state) {
    (void)state;
    struct scene s;
    struct resolve one, other;
    begin(&s);
    assert_int_equal(resolve_ask(&s.names, "a.example"), 0);
    assert_int_equal(resolve_ask(&s.names, "b.example"), 0);
    assert_true(resolve_next(&s.names, &one));
    s.turn.shut = true;
    assert_int_equal(resolve_ask(&s.names, "c.example"), ERR_CLOSED);
    assert_false(resolve_next(&s.names, &other));
    resolve_done(&s.names, one.id, NULL, 0);
    assert_int_equal(heard.times, 0);
    resolves_clear(&s.names);
    resolves_clear(&s.names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_looked_up_once_at_a_time),
        cmocka_unit_test(few_are_out_in_the_order_asked),
        cmocka_unit_test(names_that_others_give_do_not_hold_up_the_users),
        cmocka_unit_test(more_addresses_than_are_looked_at_do_not_come),
        cmocka_unit_test(nothing_is_looked_up_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
