/* Paths that a session has left, and how often it may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/path/path_memory.h"

enum { S = 1000000 };

static struct hop address(uint8_t last) {
    return (struct hop){
        .kind = HOP_UDP,
        .udp = {.local = 1, .remote = {.kind = ADDR_IPV4, .port = 7, .ip = {10, 0, 0, last}}}};
}

static void keep(struct path_memory **m, uint8_t last, uint64_t at_us) {
    const struct path_state p = {.hop = address(last), .left_us = at_us, .seed.cwnd_bytes = last};
    path_memory_leave(m, &p);
}

static void a_path_is_remembered_for_a_minute(void **state) {
    (void)state;
    struct path_memory *m = NULL;
    const struct hop a = address(1), b = address(2), other = hop_udp(&a.udp.remote, 2);
    assert_null(path_memory_find(m, &a, 0));
    keep(&m, 1, 5 * S);
    assert_non_null(path_memory_find(m, &a, 65 * S));
    assert_null(path_memory_find(m, &a, 65 * S + 1));
    assert_null(path_memory_find(m, &other, 6 * S)); /* another socket of ours is another path */
    assert_null(path_memory_find(m, &b, 6 * S));
    keep(&m, 1, 50 * S);
    assert_non_null(path_memory_find(m, &a, 110 * S));
    free(m);
}

static void the_oldest_makes_room(void **state) {
    (void)state;
    struct path_memory *m = NULL;
    for (uint8_t i = 1; i <= PATH_MEMORY_PATHS + 1; i++)
        keep(&m, i, i);
    for (uint8_t i = 1; i <= PATH_MEMORY_PATHS + 1; i++) {
        const struct hop a = address(i);
        const struct path_state *p = path_memory_find(m, &a, 100);
        assert_true((p != NULL) == (i > 1));
        if (p)
            assert_int_equal(p->seed.cwnd_bytes, i);
    }
    free(m);
}

static void flapping_is_damped_to_one_change_a_second(void **state) {
    (void)state;
    struct path_damper d = {0};
    unsigned changes = 0;
    for (uint64_t t = 10 * S; t < 20 * S; t += 10000)
        changes += path_damper_allows(&d, t);
    assert_in_range(changes, PATH_SWITCHES_MAX + 8, PATH_SWITCHES_MAX + 10);
    assert_true(path_damper_allows(&d, 40 * S)); /* and after a rest all at once again */
    for (unsigned i = 1; i < PATH_SWITCHES_MAX; i++)
        assert_true(path_damper_allows(&d, 40 * S));
    assert_false(path_damper_allows(&d, 40 * S));
}

/* Half of what it carried, for every controller; never less than a fresh start. */
static void a_known_path_starts_from_half(void **state) {
    (void)state;
    for (int kind = CC_CUBIC; kind <= CC_BBR; kind++) {
        struct cc c;
        struct cc_seed seed = {.cwnd_bytes = 1000000, .bytes_per_s = 10000000, .min_rtt_us = 50000};
        cc_init(&c, (enum cc_kind)kind, 1200);
        const uint64_t fresh = c.cwnd_bytes;
        cc_resume(&c, 5 * S, &seed);
        assert_int_equal(c.cwnd_bytes, 500000);
        if (kind == CC_BBR) /* bandwidth 5 MB/s times 2.77, less 1 % */
            assert_in_range(cc_pacing_rate(&c, 50000), 13600000, 13750000);
        cc_init(&c, (enum cc_kind)kind, 1200);
        seed = (struct cc_seed){.cwnd_bytes = 3000};
        cc_resume(&c, 5 * S, &seed);
        assert_int_equal(c.cwnd_bytes, fresh);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_remembered_for_a_minute),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(flapping_is_damped_to_one_change_a_second),
        cmocka_unit_test(a_known_path_starts_from_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
