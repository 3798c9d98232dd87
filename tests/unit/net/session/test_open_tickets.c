/* The one-time secrets that are open: each is found until it is used, closed or too old, and there
 * is no end to opening new ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/session/open_tickets.h"
#include "net/wire/handshake_msg.h"

static struct psk secret(unsigned i) {
    struct psk s;
    memset(&s, (int)i + 1, sizeof s);
    return s;
}

static bool open_at(const struct open_tickets *t, uint64_t now_us, unsigned i) {
    const struct psk s = secret(i);
    return open_tickets_find(t, now_us, psk_id(&s)) != NULL;
}

static void add(struct open_tickets *t, unsigned i, uint64_t expires_us) {
    const struct psk s = secret(i);
    assert_int_equal(open_tickets_add(t, &s, expires_us), 0);
}

static void one_is_open_until_it_expires(void **state) {
    (void)state;
    struct open_tickets t = {0};
    add(&t, 0, 100);
    assert_true(open_at(&t, 99, 0));
    assert_false(open_at(&t, 100, 0));
    assert_false(open_at(&t, 99, 1));
    open_tickets_clear(&t);
    assert_int_equal(t.count, 0);
}

static void one_that_is_used_up_leaves_no_secret_behind(void **state) {
    (void)state;
    static const struct open_ticket none;
    struct open_tickets t = {0};
    for (unsigned i = 0; i < 3; i++)
        add(&t, i, UINT64_MAX);
    const struct psk used = secret(1), never = secret(7);
    open_tickets_burn(&t, &used);
    open_tickets_burn(&t, &used); /* twice is fine */
    open_tickets_burn(&t, &never);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(open_at(&t, 0, i), i != 1);
    assert_int_equal(t.count, 2);
    assert_memory_equal(&t.list[2], &none, sizeof none);
    open_tickets_clear(&t);
}

static void the_oldest_gives_way(void **state) {
    (void)state;
    struct open_tickets t = {0};
    const unsigned all = TICKETS_OPEN_MAX + 2;
    for (unsigned i = 0; i < all; i++)
        add(&t, i, UINT64_MAX);
    for (unsigned i = 0; i < all; i++)
        assert_int_equal(open_at(&t, 0, i), i >= 2);
    /* Also when their order in the table is another. */
    const struct psk used = secret(10);
    open_tickets_burn(&t, &used);
    add(&t, all, UINT64_MAX);
    add(&t, all + 1, UINT64_MAX);
    for (unsigned i = 0; i < all + 2; i++)
        assert_int_equal(open_at(&t, 0, i), i >= 3 && i != 10);
    open_tickets_clear(&t);
}

/* Most nodes have none. Who had one can open it again without memory: its pairing was not
 * stored. */
static void before_the_first_no_memory_is_held_and_then_none_is_asked_for(void **state) {
    (void)state;
    struct open_tickets t = {0};
    const struct psk first = secret(0);
    open_tickets_burn(&t, &first); /* of none */
    assert_null(t.list);
    add(&t, 0, UINT64_MAX);
    const struct open_ticket *list = t.list;
    open_tickets_burn(&t, &first);
    assert_false(open_at(&t, 0, 0));
    add(&t, 0, UINT64_MAX);
    assert_ptr_equal(t.list, list);
    assert_true(open_at(&t, 0, 0));
    open_tickets_clear(&t);
    assert_null(t.list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_open_until_it_expires),
        cmocka_unit_test(one_that_is_used_up_leaves_no_secret_behind),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(before_the_first_no_memory_is_held_and_then_none_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
