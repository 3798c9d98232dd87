/* The small tables of a relay: index, quota, list, load, rate. */
#include <stdlib.h>

#include "net/relay/relay_index.h"
#include "net/relay/relay_list.h"
#include "net/relay/relay_load.h"
#include "net/relay/relay_quota.h"
#include "net/relay/relay_rate.h"
#include "support_relay.h"

static struct rand_state rnd;

/* Against an array that says what is in it; keys share hashes now and then. */
static void an_index_finds_what_is_in_it_and_nothing_else(void **state) {
    (void)state;
    enum { PLACES = 500 };
    struct relay_index x = {0};
    uint32_t hash[PLACES];
    bool in[PLACES] = {false};
    relay_fill(&rnd, x.secret, sizeof x.secret);
    for (uint32_t i = 0; i < PLACES; i++)
        hash[i] = i % 7 == 0 ? 42 : (uint32_t)rand_u64(&rnd);
    for (unsigned round = 0; round < 20000; round++) {
        const uint32_t i = (uint32_t)rand_below(&rnd, PLACES);
        if (in[i])
            relay_index_remove(&x, hash[i], i);
        else
            assert_true(relay_index_add(&x, hash[i], i));
        in[i] = !in[i];
        const uint32_t k = (uint32_t)rand_below(&rnd, PLACES);
        uint32_t at = 0, place, found = 0, want = 0;
        bool seen = false;
        while ((place = relay_index_find(&x, hash[k], &at)) != RELAY_INDEX_NONE) {
            assert_true(in[place] && hash[place] == hash[k]);
            seen |= place == k;
            found++;
        }
        assert_true(seen == in[k]);
        for (uint32_t n = 0; n < PLACES; n++)
            want += in[n] && hash[n] == hash[k];
        assert_int_equal(found, want);
    }
    const struct relay_index other = {.secret = {1}};
    assert_int_not_equal(relay_index_hash(&x, "key", 3), relay_index_hash(&other, "key", 3));
    relay_index_clear(&x);
    uint32_t at = 0;
    assert_int_equal(relay_index_find(&x, 1, &at), RELAY_INDEX_NONE);
}

static void a_quota_counts_each_id_for_a_day(void **state) {
    (void)state;
    struct relay_quota q = {0};
    for (uint32_t i = 0; i < 1000; i++)
        for (unsigned k = 0; k < 3; k++) {
            const struct node_id id = relay_id(i);
            relay_quota_add(&q, RELAY_T0, &id, i);
        }
    for (uint32_t i = 0; i < 1001; i++) {
        const struct node_id id = relay_id(i);
        assert_int_equal(relay_quota_used(&q, RELAY_T0, &id), i < 1000 ? 3 * i : 0);
        assert_int_equal(relay_quota_used(&q, RELAY_T0 + RELAY_DAY_US, &id), 0);
    }
    const struct node_id id = relay_id(5);
    relay_quota_add(&q, RELAY_T0 + RELAY_DAY_US, &id, 7);
    assert_int_equal(relay_quota_used(&q, RELAY_T0 + RELAY_DAY_US, &id), 7);
    assert_int_equal(q.count, 1);
    relay_quota_clear(&q);
}

static void who_has_sent_much_is_remembered_when_a_quota_is_full(void **state) {
    (void)state;
    struct relay_quota q = {0};
    const struct node_id big = relay_id(77);
    relay_quota_add(&q, RELAY_T0, &big, 1 << 30);
    for (uint32_t i = 100; i < RELAY_QUOTA_IDS_MAX + 5000; i++) {
        const struct node_id id = relay_id(i);
        relay_quota_add(&q, RELAY_T0, &id, 1);
        assert_int_equal(relay_quota_used(&q, RELAY_T0, &id), 1);
    }
    assert_int_equal(q.count, RELAY_QUOTA_IDS_MAX);
    assert_int_equal(relay_quota_used(&q, RELAY_T0, &big), 1 << 30);
    relay_quota_clear(&q);
}

static void a_list_has_the_ids_it_was_given(void **state) {
    (void)state;
    struct relay_list l = {0};
    struct node_id ids[100];
    for (uint32_t i = 0; i < 100; i++)
        ids[i] = relay_id(2 * ((i * 37) % 100));
    assert_int_equal(relay_list_init(&l, ids, 100), 0);
    for (uint32_t i = 0; i < 200; i++) {
        const struct node_id id = relay_id(i);
        assert_true(relay_list_has(&l, &id) == (i % 2 == 0));
    }
    relay_list_clear(&l);
    assert_false(relay_list_has(&l, &ids[0]));
}

static void a_rate_gives_a_burst_and_then_the_rate(void **state) {
    (void)state;
    struct relay_rate r = {0};
    uint64_t bytes = 0, now_us = RELAY_T0;
    for (; now_us < RELAY_T0 + 2 * RELAY_S; now_us += 77)
        while (relay_rate_may(&r, now_us, 100 * RELAY_MS)) {
            relay_rate_take_ns(&r, now_us, relay_rate_cost_ns(1000, 500 * 1000));
            bytes += 1000;
        }
    assert_true(bytes >= 1050 * 1000 && bytes <= 1052 * 1000); /* 2 s and a burst of 0.1 s */
    const uint64_t when_us = relay_rate_when_us(&r, 100 * RELAY_MS);
    assert_true(when_us > now_us - 77 && relay_rate_may(&r, when_us, 100 * RELAY_MS) &&
                !relay_rate_may(&r, when_us - 1, 100 * RELAY_MS));
}

static void a_load_is_the_greatest_of_what_is_measured(void **state) {
    (void)state;
    static const struct {
        uint64_t bytes_per_s, wait_us;
        uint8_t busy, want;
    } cases[] = {{0, 0, 0, 0},          {500000, 0, 0, 127},  {500000, 40000, 0, 204},
                 {500000, 0, 250, 250}, {2000000, 0, 0, 255}, {0, 900000, 0, 255}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct relay_load l = {.busy = cases[i].busy};
        uint64_t now_us = RELAY_T0;
        for (unsigned k = 0; k < 40; k++, now_us += RELAY_S) {
            relay_load_add(&l, now_us, cases[i].bytes_per_s);
            (void)relay_load_look(&l, now_us + RELAY_S, &(struct relay_load_bounds){1000000, 50000},
                                  cases[i].wait_us);
        }
        assert_true(l.load <= cases[i].want && l.load + 1 >= cases[i].want);
    }
}

int main(void) {
    rnd = rand_seeded("relay_tables", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_finds_what_is_in_it_and_nothing_else),
        cmocka_unit_test(a_quota_counts_each_id_for_a_day),
        cmocka_unit_test(who_has_sent_much_is_remembered_when_a_quota_is_full),
        cmocka_unit_test(a_list_has_the_ids_it_was_given),
        cmocka_unit_test(a_rate_gives_a_burst_and_then_the_rate),
        cmocka_unit_test(a_load_is_the_greatest_of_what_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
