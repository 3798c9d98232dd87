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

/* A table of lost ranges that is full cannot be split by what is acknowledged after all: the range stays whole, and its
 * bytes may go before it. What is gone is not asked for any more. */
static void what_is_gone_is_not_lost_any_more(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(8, 8);
    struct sstream s;
    sstream_init(&s, 1 << 20);
    s.lost.max = 1;
    write_bytes(&s, pool, 2000);
    write_bytes(&s, pool, 1000);
    assert_int_equal(sstream_sent(&s, 0, 3000, false), 3000);
    sstream_lost(&s, 0, 3000, false);
    sstream_acked(&s, 1000, 1000, false); /* would leave two */
    assert_int_equal(s.lost.count, 1);
    sstream_acked(&s, 0, 1000, false);
    assert_int_equal(s.first, 2000); /* the first block has gone back */
    uint64_t offset, len;
    bool fin;
    uint8_t buf[1000];
    assert_true(sstream_next(&s, &offset, &len, &fin));
    assert_int_equal(offset, 2000);
    assert_int_equal(len, 1000);
    sstream_copy(&s, offset, buf, (size_t)len);
    for (uint64_t i = 0; i < len; i++)
        assert_int_equal(buf[i], byte_at(offset + i));
    sstream_acked(&s, 2000, 1000, false);
    assert_false(sstream_next(&s, &offset, &len, &fin));
    sstream_clear(&s);
    assert_int_equal(block_pool_in_use(pool), 0);
    block_pool_free(pool);
}

/* ---- a full pool: what fills a gap finds room, what lies ahead of one waits ---- */

enum { BLOCK = STREAM_BLOCK_BYTES };

static int arrive(struct rstream *r, struct block_pool *pool, uint64_t offset, size_t len) {
    static uint8_t buf[BLOCK];
    uint64_t fresh;
    for (size_t i = 0; i < len; i++)
        buf[i] = byte_at(offset + i);
    return rstream_input(r, pool, offset, buf, len, false, &fresh);
}

/* Takes blocks until only the last sixteenth is left: two of 32. */
static unsigned fill_pool(struct block_pool *pool, struct block *held[32]) {
    unsigned n = 0;
    while (!block_pool_tight(pool)) {
        held[n] = block_new(pool, BLOCK);
        assert_non_null(held[n++]);
    }
    return n;
}

static uint64_t read_all(struct rstream *r) {
    uint64_t from = r->read;
    struct span v[4];
    bool fin;
    for (unsigned n; (n = rstream_peek(r, 0, v, 4, &fin)) > 0;)
        for (unsigned k = 0; k < n; k++) {
            for (uint32_t b = 0; b < v[k].len; b++)
                assert_int_equal(v[k].block->data[v[k].offset + b], byte_at(r->read + b));
            rstream_consume(r, v[k].len);
            k = n;
        }
    return r->read - from;
}

static void what_lies_ahead_of_a_gap_leaves_room_for_what_fills_it(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(32, 0);
    struct rstream r;
    rstream_init(&r, 64 * BLOCK);
    unsigned ahead = 0;
    while (arrive(&r, pool, (uint64_t)(ahead + 1) * BLOCK, BLOCK) == 0)
        ahead++;
    assert_int_equal(ahead, 30); /* of 32; the last two are kept */
    assert_true(block_pool_tight(pool));
    assert_int_equal(r.highest, 31 * BLOCK); /* what was refused was not noted */
    assert_int_equal(rstream_ready(&r), 0);
    assert_int_equal(arrive(&r, pool, 1400, 1400), 0); /* in the block that is next */
    assert_int_equal(arrive(&r, pool, 0, 1400), 0);
    assert_int_equal(arrive(&r, pool, 2800, BLOCK - 2800), 0);
    assert_int_equal(rstream_ready(&r), 31 * BLOCK);
    assert_int_equal(read_all(&r), 31 * BLOCK);
    assert_int_equal(block_pool_in_use(pool), 0);
    rstream_clear(&r);
    block_pool_free(pool);
}

/* A packet in order whose bytes begin in one block and end in the next, which nothing has needed yet. */
static void a_packet_over_the_edge_of_a_block_fills_its_gap(void **state) {
    (void)state;
    for (int ready = 0; ready < 2; ready++) {
        struct block_pool *pool = block_pool_new(32, 0);
        struct block *held[32];
        struct rstream r;
        rstream_init(&r, 64 * BLOCK);
        const uint64_t edge = 3 * BLOCK;
        for (uint64_t at = 0; at < edge - 700; at += 1400)
            assert_int_equal(
                arrive(&r, pool, at, at + 1400 < edge - 700 ? 1400 : (size_t)(edge - 700 - at)), 0);
        if (!ready)
            assert_int_equal(read_all(&r), edge - 700);
        assert_int_equal(arrive(&r, pool, edge + 2 * BLOCK, 1400), 0); /* a gap of two blocks */
        const unsigned n = fill_pool(pool, held);
        assert_int_equal(arrive(&r, pool, edge + BLOCK, 1400), ERR_NOMEM);
        assert_int_equal(arrive(&r, pool, edge - 600, 1400), ERR_NOMEM); /* not yet next */
        assert_int_equal(arrive(&r, pool, edge - 700, 1400), 0);
        assert_int_equal(read_all(&r), ready ? edge + 700 : 1400);
        for (unsigned i = 0; i < n; i++)
            block_put(held[i]);
        rstream_clear(&r);
        assert_int_equal(block_pool_in_use(pool), 0);
        block_pool_free(pool);
    }
}

/* The first block grows with the stream; who reads the small one keeps it. */
static void the_first_block_grows_under_its_reader(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(4, 0);
    struct rstream r;
    struct span v[4];
    bool fin;
    rstream_init(&r, 2 * BLOCK);
    uint32_t cap = 0;
    for (uint64_t at = 0; at < BLOCK; at += 100) {
        assert_int_equal(arrive(&r, pool, at, at + 100 < BLOCK ? 100 : (size_t)(BLOCK - at)), 0);
        assert_int_equal(rstream_peek(&r, 0, v, 4, &fin), 1);
        struct block *reading = block_get(v[0].block);
        assert_true(reading->cap >= v[0].len && reading->cap < 2 * v[0].len + BLOCK_MIN_BYTES);
        assert_true(reading->cap >= cap);
        cap = reading->cap;
        if (at + 200 < BLOCK) /* beyond a hole of one byte; a larger block may take its place */
            assert_int_equal(arrive(&r, pool, at + 101, 50), 0);
        for (uint64_t i = 0; i < v[0].len; i++)
            assert_int_equal(reading->data[i], byte_at(i));
        block_put(reading);
    }
    assert_int_equal(cap, BLOCK);
    assert_int_equal(read_all(&r), BLOCK);
    rstream_clear(&r);
    assert_int_equal(block_pool_in_use(pool), 0);
    block_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_loss_and_delivery_gives_the_same_bytes),
        cmocka_unit_test(breaking_the_rules_is_a_protocol_error),
        cmocka_unit_test(no_memory_leaves_the_packet_unacknowledged),
        cmocka_unit_test(what_is_gone_is_not_lost_any_more),
        cmocka_unit_test(what_lies_ahead_of_a_gap_leaves_room_for_what_fills_it),
        cmocka_unit_test(a_packet_over_the_edge_of_a_block_fills_its_gap),
        cmocka_unit_test(the_first_block_grows_under_its_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
