/* Datagrams that wait: they come out as they went in, whatever their sizes, and the bounds hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/limits.h"
#include "net/transport/dgram_queue.h"
#include "support_rand.h"

/* What datagram `number` holds. */
static size_t make(uint64_t number, size_t len, uint8_t *out) {
    memset(out, (int)(number & 0xff), len);
    return len;
}

static size_t length_of(uint64_t number) {
    return (size_t)(number * 7919 % (DATAGRAM_MAX_BYTES + 1));
}

static void check_first(struct dgram_queue *q, uint64_t number) {
    uint8_t want[DATAGRAM_MAX_BYTES], got[DATAGRAM_MAX_BYTES];
    uint64_t deadline_us;
    size_t len;
    assert_true(dgram_queue_first(q, &deadline_us, &len));
    assert_int_equal(deadline_us, number * 1000);
    assert_int_equal(len, length_of(number));
    struct wr w = wr_init(got, sizeof got);
    dgram_queue_write(q, &w);
    assert_int_equal(wr_len(&w), len);
    assert_memory_equal(got, want, make(number, len, want));
}

static void what_waits_comes_out_as_it_went_in(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("datagrams", 1);
    struct dgram_queue q = {0};
    uint64_t in = 0, out = 0;
    uint8_t data[DATAGRAM_MAX_BYTES];
    bool dropped;
    for (int round = 0; round < 5000; round++) { /* the ring grows and wraps */
        for (uint64_t n = rand_below(&rnd, 8); n > 0; n--, in++) {
            const size_t len = make(in, length_of(in), data);
            assert_int_equal(dgram_queue_push(&q, data, len, in * 1000, &dropped), 0);
            out += dropped;
        }
        for (uint64_t n = rand_below(&rnd, 8); n > 0 && out < in; n--, out++)
            check_first(&q, out);
        assert_int_equal(q.count, in - out);
    }
    for (; out < in; out++)
        check_first(&q, out);
    assert_int_equal(q.used, 0);
    dgram_queue_clear(&q);
}

static void the_oldest_gives_way_and_memory_is_bounded(void **state) {
    (void)state;
    static const uint8_t data[DATAGRAM_MAX_BYTES + 1];
    struct dgram_queue q = {0};
    bool dropped;
    for (uint64_t i = 0; i < 10 * DATAGRAM_QUEUE_MAX; i++) {
        assert_int_equal(dgram_queue_push(&q, data, DATAGRAM_MAX_BYTES, i, &dropped), 0);
        assert_int_equal(dropped, i >= DATAGRAM_QUEUE_MAX);
    }
    assert_int_equal(q.count, DATAGRAM_QUEUE_MAX);
    assert_true(q.cap <= 1 << 18);
    uint64_t deadline_us;
    size_t len;
    assert_true(dgram_queue_first(&q, &deadline_us, &len));
    assert_int_equal(deadline_us, 9 * DATAGRAM_QUEUE_MAX);
    assert_int_equal(dgram_queue_push(&q, data, DATAGRAM_MAX_BYTES + 1, 0, &dropped), ERR_USAGE);
    assert_false(dropped);
    dgram_queue_clear(&q);
    dgram_queue_clear(&q);
    assert_false(dgram_queue_first(&q, &deadline_us, &len));
    dgram_queue_drop(&q);
}

static void little_takes_little(void **state) {
    (void)state;
    static const uint8_t voice[160];
    struct dgram_queue q = {0};
    bool dropped;
    for (unsigned i = 0; i < 10000; i++) { /* a call: three wait at a time */
        assert_int_equal(dgram_queue_push(&q, voice, sizeof voice, i, &dropped), 0);
        if (i >= 3)
            dgram_queue_drop(&q);
    }
    assert_int_equal(q.cap, 2048);
    dgram_queue_clear(&q);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_comes_out_as_it_went_in),
        cmocka_unit_test(the_oldest_gives_way_and_memory_is_bounded),
        cmocka_unit_test(little_takes_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
