#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/stream.h"
#include "support_rand.h"

static uint8_t byte_at(uint64_t i) {
    return (uint8_t)(i * 131 + (i >> 8));
}

static void write_bytes(struct sstream *s, struct block_pool *pool, size_t n) {
    struct block *b = block_new(pool, STREAM_BLOCK_BYTES);
    assert_non_null(b);
    for (size_t i = 0; i < n; i++)
        b->data[i] = byte_at(s->end + i);
    b->len = (uint32_t)n;
    assert_int_equal(sstream_push(s, (struct span){b, 0, (uint32_t)n}), 0);
}

struct piece {
    uint64_t offset, len;
    bool fin;
};

/* Sends, loses, acknowledges and delivers pieces in random order; the receiver must get exactly what was written. */
static void any_order_of_loss_and_delivery_gives_the_same_bytes(void **state) {
    (void)state;
    uint64_t seed = rand_seeded("stream", 1).x;
    for (int round = 0; round < 200; round++) {
        struct block_pool *pool = block_pool_new(128, 8);
        struct sstream s;
        struct rstream r;
        sstream_init(&s, 1 << 20);
        rstream_init(&r, 1 << 20);
        size_t total = 0;
        struct piece flight[64];
        unsigned count = 0;
        uint64_t read = 0;
        for (int step = 0; step < 100000 && !sstream_done(&s); step++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            unsigned what = (unsigned)(seed >> 33) % 8;
            struct piece p;
            if (what == 0 && total < 200000) {
                size_t n = 1 + (size_t)(seed >> 40) % 20000;
                write_bytes(&s, pool, n);
                total += n;
                s.fin = total >= 200000;
            } else if (what < 4 && count < 64 && sstream_next(&s, &p.offset, &p.len, &p.fin)) {
                uint64_t max = 1 + (seed >> 45) % 1400;
                if (p.len > max) {
                    p.len = max;
                    p.fin = false;
                }
                sstream_sent(&s, p.offset, p.len, p.fin);
                flight[count++] = p;
            } else if (count > 0) {
                unsigned i = (unsigned)(seed >> 50) % count;
                p = flight[i];
                flight[i] = flight[--count];
                if (what == 7) {
                    sstream_lost(&s, p.offset, p.len, p.fin);
                    continue;
                }
                uint8_t buf[1400];
                uint64_t fresh;
                if (p.offset >= s.first) {
                    sstream_copy(&s, p.offset, buf, (size_t)p.len);
                    assert_int_equal(
                        rstream_input(&r, pool, p.offset, buf, (size_t)p.len, p.fin, &fresh), 0);
                }
                if (what == 6) /* the acknowledgement is lost, the data was not */
                    sstream_lost(&s, p.offset, p.len, p.fin);
                else
                    sstream_acked(&s, p.offset, p.len, p.fin);
                struct span v[4];
                bool fin;
                unsigned n = rstream_peek(&r, 0, v, 4, &fin);
                for (unsigned k = 0; k < n; k++) {
                    for (uint32_t b = 0; b < v[k].len; b++)
                        assert_int_equal(v[k].block->data[v[k].offset + b], byte_at(read + b));
                    read += v[k].len;
                    rstream_consume(&r, v[k].len);
                }
            }
        }
        assert_true(sstream_done(&s));
        assert_int_equal(read, total);
        assert_true(r.has_final && r.final_size == total);
        sstream_clear(&s);
        rstream_clear(&r);
        assert_int_equal(block_pool_in_use(pool), 0);
        block_pool_free(pool);
    }
}

static void breaking_the_rules_is_a_protocol_error(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(8, 8);
    struct rstream r;
    uint64_t fresh;
    uint8_t x[200] = {0};
    rstream_init(&r, 100);
    assert_int_equal(rstream_input(&r, pool, 50, x, 51, false, &fresh), ERR_PROTO); /* credit */
    assert_int_equal(rstream_input(&r, pool, 0, x, 60, false, &fresh), 0);
    assert_int_equal(fresh, 60);
    assert_int_equal(rstream_input(&r, pool, 10, x, 30, true, &fresh),
                     ERR_PROTO); /* ends before what came */
    assert_int_equal(rstream_input(&r, pool, 60, x, 20, true, &fresh), 0);
    assert_int_equal(rstream_input(&r, pool, 80, x, 1, false, &fresh),
                     ERR_PROTO); /* beyond the end */
    assert_int_equal(rstream_input(&r, pool, 60, x, 10, true, &fresh), ERR_PROTO); /* another end */
    assert_int_equal(rstream_input_reset(&r, 90, &fresh), ERR_PROTO);
    assert_int_equal(rstream_input_reset(&r, 80, &fresh), 0);
    assert_true(rstream_done(&r));
    rstream_clear(&r);
    block_pool_free(pool);
}

static void no_memory_leaves_the_packet_unacknowledged(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(1, 1);
    struct rstream r;
    uint64_t fresh;
    uint8_t x[1] = {7};
    rstream_init(&r, 1 << 20);
    assert_int_equal(rstream_input(&r, pool, 0, x, 1, false, &fresh), 0);
    assert_int_equal(rstream_input(&r, pool, STREAM_BLOCK_BYTES, x, 1, false, &fresh), ERR_NOMEM);
    assert_int_equal(r.highest, 1);
    rstream_clear(&r);
    block_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_loss_and_delivery_gives_the_same_bytes),
        cmocka_unit_test(breaking_the_rules_is_a_protocol_error),
        cmocka_unit_test(no_memory_leaves_the_packet_unacknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
