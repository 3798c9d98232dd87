/* The table of sessions by itself: who is found by what, who is asked for output, when one is due,
 * and what is left of one that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/session/session_table.h"

enum { MANY = 20 };

static void count_up(void *ctx, void *out, size_t len) {
    uint8_t *n = ctx, *p = out;
    for (size_t i = 0; i < len; i++)
        p[i] = ++*n;
}

struct setup {
    struct session_table t;
    struct aead *aead;
    struct rng rng;
    uint8_t drawn;
    struct session *s[MANY];
};

static void begin(struct setup *x, unsigned count, enum session_state state) {
    *x = (struct setup){.aead = aead_new(AEAD_AUTO)};
    x->rng = (struct rng){count_up, &x->drawn};
    for (unsigned i = 0; i < count; i++) {
        x->s[i] = session_table_new(&x->t, &x->rng, state);
        assert_non_null(x->s[i]);
    }
}

static void finish(struct setup *x) {
    session_table_clear(&x->t, x->aead);
    aead_free(x->aead);
    assert_null(x->t.slots);
}

static void each_is_found_by_its_index_and_its_reference(void **state) {
    (void)state;
    struct setup x;
    begin(&x, MANY, SESSION_INITIATING);
    for (unsigned i = 0; i < MANY; i++) {
        const struct session_ref r = session_ref_of(x.s[i]);
        assert_ptr_equal(session_table_by_index(&x.t, x.s[i]->local_index), x.s[i]);
        assert_ptr_equal(session_table_by_ref(&x.t, r), x.s[i]);
        /* The slot alone does not do. */
        assert_null(session_table_by_index(&x.t, x.s[i]->local_index ^ 1u << SESSION_SLOT_BITS));
        assert_null(session_table_by_ref(&x.t, (struct session_ref){r.index, r.serial + MANY}));
    }
    assert_null(session_table_by_index(&x.t, (1u << SESSION_SLOT_BITS) - 1));
    assert_null(session_table_by_ref(&x.t, (struct session_ref){UINT32_MAX, 1}));
    const struct session_ref before = session_ref_of(x.s[3]);
    session_table_renew(&x.t, x.s[3]);
    assert_null(session_table_by_ref(&x.t, before));
    assert_ptr_equal(session_table_by_ref(&x.t, session_ref_of(x.s[3])), x.s[3]);
    finish(&x);
}

static void they_are_counted_by_what_they_are(void **state) {
    (void)state;
    struct setup x;
    begin(&x, 4, SESSION_RESPONDED);
    assert_true(x.t.half_open == 4 && x.t.up == 0);
    session_table_raise(&x.t, x.s[0]);
    session_table_raise(&x.t, x.s[1]);
    assert_true(x.t.half_open == 2 && x.t.up == 2);
    session_table_lower(&x.t, x.s[1]);
    assert_true(x.t.half_open == 3 && x.t.up == 1);
    session_table_end(&x.t, x.s[0]);
    session_table_end(&x.t, x.s[1]);
    assert_true(x.t.half_open == 2 && x.t.up == 0);
    finish(&x);
}

static void one_that_has_ended_is_nowhere_and_still_there(void **state) {
    (void)state;
    struct setup x;
    begin(&x, 3, SESSION_INITIATING);
    struct session *s = x.s[1];
    const struct session_ref r = session_ref_of(s);
    session_table_raise(&x.t, s);
    session_table_ready(&x.t, s);
    assert_int_equal(session_table_due(&x.t, s, 5), 0);
    session_table_end(&x.t, s);
    assert_int_equal(s->state, SESSION_ENDED); /* whoever holds it sees that */
    assert_true(session_over(s));
    assert_null(session_table_by_index(&x.t, s->local_index));
    assert_null(session_table_by_ref(&x.t, r));
    assert_int_equal(timer_next_us(&x.t.timers), TIME_NEVER);
    session_table_ready(&x.t, s); /* too late */
    assert_null(x.t.ready.first);
    struct session *other;
    for (uint32_t at = 0; (other = session_table_each(&x.t, &at));)
        assert_ptr_not_equal(other, s);
    /* The place may be another's at once. */
    for (unsigned i = 0; i < MANY; i++)
        assert_non_null(session_table_new(&x.t, &x.rng, SESSION_INITIATING));
    assert_null(session_table_by_ref(&x.t, r));
    assert_ptr_equal(session_table_reap(&x.t), s);
    assert_null(session_table_reap(&x.t));
    session_free(s, x.aead);
    finish(&x);
}

static void closed_ones_wait_in_turn(void **state) {
    (void)state;
    struct setup x;
    begin(&x, 4, SESSION_INITIATING);
    for (unsigned i = 0; i < 4; i++) {
        session_table_raise(&x.t, x.s[i]);
        session_table_ready(&x.t, x.s[i]);
    }
    session_table_close(&x.t, x.s[2], ERR_CLOSED);
    session_table_close(&x.t, x.s[0], ERR_AUTH);
    session_table_close(&x.t, x.s[1], ERR_CLOSED);
    assert_int_equal(x.t.up, 4); /* until what came before is heard */
    assert_ptr_equal(session_table_by_ref(&x.t, session_ref_of(x.s[0])), x.s[0]);
    assert_true(session_over(x.s[0]) && x.s[0]->close_err == ERR_AUTH);
    assert_ptr_equal(x.t.ready.first, &x.s[3]->ready);
    assert_null(list_after(&x.t.ready, x.t.ready.first));
    session_table_end(&x.t, x.s[0]); /* by something else, meanwhile */
    assert_ptr_equal(session_table_closed(&x.t), x.s[2]);
    session_table_end(&x.t, x.s[2]);
    assert_ptr_equal(session_table_closed(&x.t), x.s[1]);
    session_table_end(&x.t, x.s[1]);
    assert_null(session_table_closed(&x.t));
    finish(&x);
}

static void whoever_is_due_comes_once_the_earliest_first(void **state) {
    (void)state;
    struct setup x;
    begin(&x, 3, SESSION_INITIATING);
    assert_int_equal(session_table_due(&x.t, x.s[0], 30), 0);
    assert_int_equal(session_table_due(&x.t, x.s[1], 10), 0);
    assert_int_equal(session_table_due(&x.t, x.s[2], 20), 0);
    assert_null(session_table_pop_due(&x.t, 9));
    assert_ptr_equal(session_table_pop_due(&x.t, 25), x.s[1]);
    assert_ptr_equal(session_table_pop_due(&x.t, 25), x.s[2]);
    assert_null(session_table_pop_due(&x.t, 25));
    session_table_end(&x.t, x.s[0]);
    assert_null(session_table_pop_due(&x.t, 1000));
    finish(&x);
}

/* ---- sockets that are full ---- */

static const struct addr there = {.kind = ADDR_IPV4, .port = 1};

static void goes_by(struct session *s, uint32_t socket) {
    static struct transport tp; /* only that there is one counts */
    s->paths.current.hop = hop_udp(&there, socket);
    s->tp = &tp;
}

static void no_transports(struct session_table *t) {
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(t, &at));)
        s->tp = NULL;
}

static void a_thousand_behind_a_full_socket_cost_the_others_nothing(void **state) {
    (void)state;
    enum { STUCK = 1000, FREE = 3, ROUNDS = 500 };
    struct setup x;
    struct session *free_ones[FREE];
    const struct train full = {.full = 1u << 4}, none = {0};
    begin(&x, 0, SESSION_UP);
    for (unsigned i = 0; i < STUCK + FREE; i++) {
        struct session *s = session_table_new(&x.t, &x.rng, SESSION_RESPONDED);
        assert_non_null(s);
        goes_by(s, i < STUCK ? 4 : 2);
        session_table_ready(&x.t, s);
        if (i >= STUCK)
            free_ones[i - STUCK] = s;
    }
    assert_ptr_equal(session_table_next_ready(&x.t, &full), free_ones[0]);
    assert_int_equal(x.t.looked_at, STUCK + 1); /* each once */
    x.t.looked_at = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct session *s = session_table_next_ready(&x.t, &full);
        assert_ptr_equal(s, free_ones[i % FREE]);
        session_table_ready(&x.t, x.t.slots[i]); /* a stuck one hears something */
        session_table_turn(&x.t, s);
    }
    assert_int_equal(x.t.looked_at, ROUNDS);
    /* It has room for one train: one of its own gets that, and nobody else is looked at. */
    x.t.looked_at = 0;
    assert_ptr_equal(session_table_next_ready(&x.t, &none), x.t.slots[0]);
    session_table_turn(&x.t, x.t.slots[0]);
    assert_ptr_equal(session_table_next_ready(&x.t, &full), free_ones[ROUNDS % FREE]);
    assert_int_equal(x.t.looked_at, 2);
    no_transports(&x.t);
    finish(&x);
}

static void who_leaves_a_full_socket_waits_no_longer(void **state) {
    (void)state;
    struct setup x;
    const struct train full = {.full = 1u << 4}, both = {.full = 1u << 4 | 1u << 2}, none = {0};
    begin(&x, 3, SESSION_RESPONDED);
    for (unsigned i = 0; i < 3; i++) {
        goes_by(x.s[i], 4);
        session_table_ready(&x.t, x.s[i]);
    }
    assert_null(session_table_next_ready(&x.t, &full));
    assert_int_equal(x.t.parked_at, 1u << 4);
    goes_by(x.s[1], 2); /* its path has moved */
    assert_null(session_table_next_ready(&x.t, &full));
    session_table_ready(&x.t, x.s[1]);
    assert_ptr_equal(session_table_next_ready(&x.t, &full), x.s[1]);
    assert_null(session_table_next_ready(&x.t, &both));
    assert_int_equal(x.t.parked_at, 1u << 4 | 1u << 2);
    session_table_end(&x.t, x.s[0]); /* from where it waits */
    x.s[0]->tp = NULL;
    session_table_unready(&x.t, x.s[1]);
    assert_int_equal(x.t.parked_at, 1u << 4);
    assert_ptr_equal(session_table_next_ready(&x.t, &none), x.s[2]);
    session_table_unready(&x.t, x.s[2]);
    assert_int_equal(x.t.parked_at, 0);
    assert_null(session_table_next_ready(&x.t, &none));
    no_transports(&x.t);
    finish(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_by_its_index_and_its_reference),
        cmocka_unit_test(they_are_counted_by_what_they_are),
        cmocka_unit_test(one_that_has_ended_is_nowhere_and_still_there),
        cmocka_unit_test(closed_ones_wait_in_turn),
        cmocka_unit_test(whoever_is_due_comes_once_the_earliest_first),
        cmocka_unit_test(a_thousand_behind_a_full_socket_cost_the_others_nothing),
        cmocka_unit_test(who_leaves_a_full_socket_waits_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
