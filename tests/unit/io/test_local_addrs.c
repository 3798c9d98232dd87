/* Our addresses, numbered: more of them than the table holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/io/local_addrs.h"

static struct addr at(unsigned n) {
    return (struct addr){.kind = ADDR_IPV6,
                         .ip = {0xfd, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};
}

static bool is(const struct local_addrs *t, uint32_t number, unsigned n) {
    const struct addr a = at(n), *found = local_addrs_find(t, number);
    return found && addr_equal(found, &a);
}

static uint32_t number(struct local_addrs *t, unsigned n) {
    const struct addr a = at(n);
    const uint32_t x = local_addrs_number(t, &a);
    assert_true(x > 0 && x < 1u << LOCAL_NUMBER_BITS);
    assert_true(is(t, x, n));
    return x;
}

static void an_address_keeps_its_number_while_it_is_used(void **state) {
    (void)state;
    struct local_addrs t = {.uses = 0};
    assert_null(local_addrs_find(&t, 0));
    uint32_t first[LOCAL_ADDRS_MAX];
    for (unsigned n = 0; n < LOCAL_ADDRS_MAX; n++)
        first[n] = number(&t, n);
    for (unsigned n = 0; n < LOCAL_ADDRS_MAX; n++) {
        assert_int_equal(number(&t, n), first[n]);
        for (unsigned k = 0; k < n; k++)
            assert_true(first[k] != first[n]);
    }
    const struct addr scoped = {.kind = ADDR_IPV6, .scope = 3, .ip = {0xfe, 0x80, [15] = 1}};
    struct addr other = scoped;
    other.scope = 4;
    assert_true(local_addrs_number(&t, &scoped) != local_addrs_number(&t, &other));
}

static void the_one_used_longest_ago_gives_way_and_its_number_names_nobody(void **state) {
    (void)state;
    struct local_addrs t = {.uses = 0};
    const uint32_t kept = number(&t, 0), old = number(&t, 1);
    for (unsigned n = 2; n < 60000; n++) {
        assert_int_equal(number(&t, 0), kept);
        const uint32_t x = number(&t, n);
        assert_true(x != kept && x != old);
        if (n >= LOCAL_ADDRS_MAX)
            assert_null(local_addrs_find(&t, old));
    }
    assert_true(is(&t, kept, 0));
    local_addrs_forget(&t, old); /* of another one by now: not touched */
    local_addrs_forget(&t, kept);
    assert_null(local_addrs_find(&t, kept));
    assert_true(number(&t, 0) != kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_keeps_its_number_while_it_is_used),
        cmocka_unit_test(the_one_used_longest_ago_gives_way_and_its_number_names_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
