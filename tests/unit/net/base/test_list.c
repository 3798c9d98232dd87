/* A list keeps the order in which things came, whatever is taken out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/list.h"

enum { MANY = 5 };

struct thing {
    int number;
    struct list_link link;
};

/* The numbers in order, as digits. */
static unsigned order(const struct list *l) {
    unsigned n = 0;
    for (struct list_link *x = l->first; x; x = list_after(l, x))
        n = n * 10 + (unsigned)LIST_OWNER(x, struct thing, link)->number;
    return n;
}

static void fill(struct list *l, struct thing things[MANY]) {
    *l = (struct list){0};
    for (int i = 0; i < MANY; i++) {
        things[i] = (struct thing){.number = i + 1};
        list_add(l, &things[i].link);
    }
}

static void things_stand_in_the_order_they_came(void **state) {
    (void)state;
    struct list l;
    struct thing t[MANY];
    fill(&l, t);
    assert_int_equal(order(&l), 12345);
    list_turn(&l);
    assert_int_equal(order(&l), 23451);
}

static void taking_out_leaves_the_others_in_order(void **state) {
    (void)state;
    static const struct {
        int out;
        unsigned left;
    } cases[] = {{0, 2345}, {2, 1245}, {4, 1234}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct list l;
        struct thing t[MANY];
        fill(&l, t);
        struct list_link *x = &t[cases[i].out].link;
        list_remove(&l, x);
        assert_int_equal(order(&l), cases[i].left);
        assert_false(list_has(x));
        list_remove(&l, x); /* twice is fine */
        assert_int_equal(order(&l), cases[i].left);
        list_add(&l, x);
        assert_int_equal(order(&l), cases[i].left * 10 + (unsigned)t[cases[i].out].number);
    }
}

static void the_last_one_out_leaves_it_empty(void **state) {
    (void)state;
    struct list l = {0};
    struct thing t = {.number = 1};
    list_turn(&l);
    assert_null(LIST_OWNER(l.first, struct thing, link));
    list_add(&l, &t.link);
    assert_true(list_has(&t.link) && LIST_OWNER(l.first, struct thing, link) == &t);
    list_turn(&l);
    assert_null(list_after(&l, &t.link));
    list_remove(&l, &t.link);
    assert_null(l.first);
    assert_false(list_has(&t.link));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(things_stand_in_the_order_they_came),
        cmocka_unit_test(taking_out_leaves_the_others_in_order),
        cmocka_unit_test(the_last_one_out_leaves_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
