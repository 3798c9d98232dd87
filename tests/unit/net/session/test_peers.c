/* The table of peers, where there are many: what a stranger brings about costs no more for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "net/session/peers.h"

static struct node_id id_of(uint32_t n) {
    struct node_id id = {{0}};
    memcpy(id.bytes, &n, sizeof n);
    return id;
}

static void fill(struct peers *t, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const struct node_id id = id_of(i);
        assert_non_null(peers_add(t, &id));
    }
}

/* A stranger comes, and goes when the next one does. */
static clock_t come_and_go(struct peers *t, uint32_t times) {
    const clock_t from = clock();
    struct peer *last = NULL;
    for (uint32_t i = 0; i < times; i++) {
        const struct node_id id = id_of(UINT32_MAX - i);
        struct peer *p = peers_add(t, &id);
        assert_non_null(p);
        if (last)
            peers_remove(t, last);
        last = p;
    }
    peers_remove(t, last);
    return clock() - from;
}

static void one_more_costs_the_same_among_many(void **state) {
    (void)state;
    enum { TIMES = 2000 };
    struct peers few = {0}, many = {0};
    fill(&few, 20);
    fill(&many, 20000);
    const clock_t slack = CLOCKS_PER_SEC / 200;
    assert_true(come_and_go(&many, TIMES) < 5 * come_and_go(&few, TIMES) + slack);
    peers_clear(&few);
    peers_clear(&many);
}

static void a_freed_place_is_used_again_and_its_old_reference_finds_nothing(void **state) {
    (void)state;
    struct peers t = {0};
    fill(&t, 5);
    struct peer_ref was[5];
    for (uint32_t i = 0; i < 5; i++) {
        const struct node_id id = id_of(i);
        const struct peer *p = peers_by_id(&t, &id);
        was[i] = (struct peer_ref){p->index, p->generation};
    }
    for (uint32_t i = 1; i < 4; i++)
        peers_remove(&t, peers_by_ref(&t, was[i]));
    assert_int_equal(t.used, 2);
    for (uint32_t i = 10; i < 13; i++) {
        const struct node_id id = id_of(i);
        assert_non_null(peers_add(&t, &id));
    }
    assert_int_equal(t.used, 5);
    assert_int_equal(t.count, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_true((peers_by_ref(&t, was[i]) != NULL) == (i == 0 || i == 4));
    for (uint32_t i = 10; i < 13; i++) {
        const struct node_id id = id_of(i);
        assert_non_null(peers_by_id(&t, &id));
    }
    peers_clear(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_more_costs_the_same_among_many),
        cmocka_unit_test(a_freed_place_is_used_again_and_its_old_reference_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
