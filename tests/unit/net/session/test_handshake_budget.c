/* Handshakes take a share of a core at most, and one source takes nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/session/handshake_budget.h"
#include "support_rand.h"

static const uint64_t START_US = 5000000, SECOND_US = 1000000;

static struct addr v4(uint32_t n) {
    return (struct addr){.kind = ADDR_IPV4,
                         .port = (uint16_t)(n * 7 + 1),
                         .ip = {198, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static bool take(struct handshake_budget *b, uint64_t now_us, const struct addr *from) {
    const struct hop at = hop_udp(from, 0);
    return handshake_budget_take(b, now_us, &at);
}

/* How many of `tries` at once are served. */
static unsigned at_once(struct handshake_budget *b, uint64_t now_us, const struct addr *from,
                        unsigned tries) {
    unsigned served = 0;
    for (unsigned i = 0; i < tries; i++)
        served += take(b, now_us, from);
    return served;
}

static void one_source_gets_its_burst_and_then_its_rate(void **state) {
    (void)state;
    struct handshake_budget b = {0};
    struct addr a = v4(1);
    assert_int_equal(at_once(&b, START_US, &a, 1000), HANDSHAKE_SOURCE_BURST);
    unsigned served = 0;
    for (uint64_t t = 0; t < 10 * SECOND_US; t += 1000)
        served += take(&b, START_US + t, &a);
    assert_in_range(served, 10 * SECOND_US / HANDSHAKE_SOURCE_US - 1,
                    10 * SECOND_US / HANDSHAKE_SOURCE_US);
    /* After a rest the burst is there again, and no more than that. */
    assert_int_equal(at_once(&b, START_US + 3600 * SECOND_US, &a, 1000), HANDSHAKE_SOURCE_BURST);
    handshake_budget_clear(&b);
}

static void ports_and_the_rest_of_a_prefix_are_one_source(void **state) {
    (void)state;
    struct handshake_budget b = {0};
    struct addr a = v4(1), port = v4(1), next = v4(2);
    port.port = 9;
    assert_int_equal(at_once(&b, START_US, &a, 1000), HANDSHAKE_SOURCE_BURST);
    assert_int_equal(at_once(&b, START_US, &port, 1000), 0);
    assert_int_equal(at_once(&b, START_US, &next, 1000), HANDSHAKE_SOURCE_BURST);

    struct addr six = {.kind = ADDR_IPV6, .ip = {0x20, 1, 0xd, 0xb8, 0, 1, 2}}, same = six,
                other = six, link = {.kind = ADDR_IPV6, .ip = {0xfe, 0x80, [15] = 1}},
                neighbour = link;
    same.ip[7] = 0xff, same.ip[15] = 1;
    other.ip[6] = 3;
    neighbour.ip[15] = 2;
    assert_int_equal(at_once(&b, START_US + SECOND_US, &six, 1000), HANDSHAKE_SOURCE_BURST);
    assert_int_equal(at_once(&b, START_US + SECOND_US, &same, 1000), 0);
    assert_int_equal(at_once(&b, START_US + SECOND_US, &other, 1000), HANDSHAKE_SOURCE_BURST);
    assert_int_equal(at_once(&b, START_US + 2 * SECOND_US, &link, 1000), HANDSHAKE_SOURCE_BURST);
    assert_int_equal(at_once(&b, START_US + 2 * SECOND_US, &neighbour, 1000),
                     HANDSHAKE_SOURCE_BURST);
    handshake_budget_clear(&b);
}

/* Whoever owns more addresses than the table holds has no more than the share of a core. */
static void all_together_get_a_share_of_a_core(void **state) {
    (void)state;
    struct handshake_budget b = {0};
    struct rand_state r = rand_seeded("sources", 1);
    unsigned served = 0;
    for (uint64_t t = 0; t < 10 * SECOND_US; t += 100) {
        struct addr a = v4((uint32_t)rand_below(&r, 1000000));
        served += take(&b, START_US + t, &a);
    }
    const unsigned share = 10 * SECOND_US / HANDSHAKE_ALL_US;
    assert_in_range(served, share, share + HANDSHAKE_ALL_BURST);
    handshake_budget_clear(&b);
}

/* A flood from one address leaves the others theirs; and what is refused is not charged. */
static void a_flooder_is_kept_from_nobody_elses_share(void **state) {
    (void)state;
    struct handshake_budget b = {0};
    struct addr flooder = v4(1), honest = v4(2);
    unsigned flooded = 0, served = 0;
    for (uint64_t t = 0; t < 10 * SECOND_US; t += 100) {
        flooded += take(&b, START_US + t, &flooder);
        if (t % 100000 == 0) /* ten a second */
            served += take(&b, START_US + t, &honest);
    }
    assert_int_equal(served, 100);
    assert_true(flooded <= 10 * SECOND_US / HANDSHAKE_SOURCE_US + HANDSHAKE_SOURCE_BURST);
    handshake_budget_clear(&b);
}

/* When the table is full, the one who owes least gives way: not the flooder, who would start
 * anew. */
static void a_full_table_forgets_who_owes_least(void **state) {
    (void)state;
    struct handshake_budget b = {0};
    struct addr flooder = v4(0);
    uint64_t now_us = START_US;
    assert_int_equal(at_once(&b, now_us, &flooder, 1000), HANDSHAKE_SOURCE_BURST);
    for (uint32_t i = 1; i <= 4 * HANDSHAKE_SOURCES_MAX; i++) {
        struct addr a = v4(i);
        now_us += HANDSHAKE_ALL_US; /* within the share of all */
        (void)take(&b, now_us, &a);
        if (i % 4 == 0)
            (void)take(&b, now_us, &flooder);
    }
    assert_true(at_once(&b, now_us, &flooder, 1000) < 2);
    handshake_budget_clear(&b);
    assert_null(b.sources);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_source_gets_its_burst_and_then_its_rate),
        cmocka_unit_test(ports_and_the_rest_of_a_prefix_are_one_source),
        cmocka_unit_test(all_together_get_a_share_of_a_core),
        cmocka_unit_test(a_flooder_is_kept_from_nobody_elses_share),
        cmocka_unit_test(a_full_table_forgets_who_owes_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
