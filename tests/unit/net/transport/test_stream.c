/* A stream's bytes come out as they went in, whatever is lost, late or without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/transport/stream.h"
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

/* Sends, loses, acknowledges and delivers pieces in random order; the receiver must get exactly
 * what was written. */
static void any_order_of_loss_and_delivery_gives_the_same_bytes(void **state) {
    (void)state;
    uint64_t seed = rand_seeded("stream", 1).x;
    for (int round = 0; round < 200; round++) {
        struct block_pool *pool = block_pool_new(128, 8);
        struct block_account *account = block_account_new(pool);
        struct sstream s;
        struct rstream r;
        sstream_init(&s, 1 << 20);
        rstream_init(&r, account, 1 << 20);
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
                    assert_int_equal(rstream_input(&r, p.offset, buf, (size_t)p.len, p.fin, &fresh),
                                     0);
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
        assert_int_equal(account->unread_bytes + account->gaps, 0);
        block_account_free(account);
        block_pool_free(pool);
    }
}

static void breaking_the_rules_is_a_protocol_error(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(8, 8);
    struct block_account *account = block_account_new(pool);
    struct rstream r;
    uint64_t fresh;
    uint8_t x[200] = {0};
    rstream_init(&r, account, 100);
    assert_int_equal(rstream_input(&r, 50, x, 51, false, &fresh), ERR_PROTO); /* credit */
    assert_int_equal(rstream_input(&r, 0, x, 60, false, &fresh), 0);
    assert_int_equal(fresh, 60);
    assert_int_equal(rstream_input(&r, 10, x, 30, true, &fresh),
                     ERR_PROTO); /* ends before what came */
    assert_int_equal(rstream_input(&r, 60, x, 20, true, &fresh), 0);
    assert_int_equal(rstream_input(&r, 80, x, 1, false, &fresh), ERR_PROTO); /* beyond the end */
    assert_int_equal(rstream_input(&r, 60, x, 10, true, &fresh), ERR_PROTO); /* another end */
    assert_int_equal(rstream_input_reset(&r, 90, &fresh), ERR_PROTO);
    assert_int_equal(rstream_input_reset(&r, 80, &fresh), 0);
    assert_true(rstream_done(&r));
    rstream_clear(&r);
    block_account_free(account);
    block_pool_free(pool);
}

static void no_memory_leaves_the_packet_unacknowledged(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(0, 0);
    struct block_account *account = block_account_new(pool);
    struct rstream r;
    uint64_t fresh;
    uint8_t x[1] = {7};
    rstream_init(&r, account, 1 << 20);
    assert_int_equal(rstream_input(&r, 0, x, 1, true, &fresh), ERR_NOMEM);
    assert_int_equal(r.highest + fresh + r.unread + account->unread_bytes, 0);
    assert_false(r.has_final);
    rstream_clear(&r);
    block_account_free(account);
    block_pool_free(pool);
}

/* A table of lost ranges that is full cannot be split by what is acknowledged after all: the range
 * stays whole, and its bytes may go before it. What is gone is not asked for any more. */
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

static int arrive(struct rstream *r, uint64_t offset, size_t len) {
    static uint8_t buf[BLOCK];
    uint64_t fresh;
    for (size_t i = 0; i < len; i++)
        buf[i] = byte_at(offset + i);
    return rstream_input(r, offset, buf, len, false, &fresh);
}

static uint64_t read_all(struct rstream *r) {
    uint64_t from = r->read;
    struct span v[4];
    bool fin;
    for (unsigned n; (n = rstream_peek(r, 0, v, 4, &fin)) > 0;) {
        uint64_t bytes = 0;
        for (unsigned k = 0; k < n; bytes += v[k++].len)
            for (uint32_t b = 0; b < v[k].len; b++)
                assert_int_equal(v[k].block->data[v[k].offset + b], byte_at(r->read + bytes + b));
        rstream_consume(r, bytes);
    }
    return r->read - from;
}

struct memory { /* a pool, and the account of a session */
    struct block_pool *pool;
    struct block_account *account;
};

static struct memory memory_new(uint32_t blocks) {
    struct memory m = {.pool = block_pool_new(blocks, 0)};
    m.account = block_account_new(m.pool);
    return m;
}

static void memory_free(struct memory *m, struct rstream *r) {
    rstream_clear(r);
    assert_int_equal(block_pool_in_use(m->pool), 0);
    assert_int_equal(m->account->unread_bytes + m->account->gaps, 0);
    block_account_free(m->account);
    block_pool_free(m->pool);
}

static void what_lies_ahead_of_a_gap_leaves_room_for_what_fills_it(void **state) {
    (void)state;
    struct memory m = memory_new(64);
    struct rstream r;
    rstream_init(&r, m.account, 100 * BLOCK);
    unsigned ahead = 0;
    while (arrive(&r, (uint64_t)(ahead + 1) * BLOCK, BLOCK) == 0)
        ahead++;
    assert_int_equal(ahead, 52);             /* of 60 for what is received: 52 <= 6 * 9 */
    assert_int_equal(r.highest, 53 * BLOCK); /* what was refused was not noted */
    assert_int_equal(rstream_ready(&r), 0);
    assert_int_equal(arrive(&r, 1400, 1400), 0); /* in the block that is next */
    assert_int_equal(arrive(&r, 0, 1400), 0);
    assert_int_equal(arrive(&r, 2800, BLOCK - 2800), 0);
    assert_int_equal(rstream_ready(&r), 53 * BLOCK);
    assert_int_equal(read_all(&r), 53 * BLOCK);
    memory_free(&m, &r);
}

/* Others hold all of the pool: what is next finds room in the reserve, packet by packet, over the
 * edge of a block and with the largest packet there is, and what is ahead does not. */
static void in_a_full_pool_a_stream_goes_on_in_order(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 1400, BLOCK - 1};
    for (size_t i = 0; i < 3; i++) {
        struct memory m = memory_new(64);
        struct block *held[65];
        unsigned n = 0;
        struct rstream r;
        rstream_init(&r, m.account, 100 * BLOCK);
        while ((held[n] = block_new(m.pool, BLOCK)))
            n++;
        const size_t len = sizes[i];
        for (uint64_t at = 0; at < (len == 1 ? 5000 : 5 * BLOCK); at += len) {
            assert_int_equal(arrive(&r, at + len, len), ERR_NOMEM);
            assert_int_equal(arrive(&r, at, len), 0);
            assert_int_equal(read_all(&r), len);
        }
        for (uint64_t at = r.read; len == 1400 && at < 12 * BLOCK; at += len) { /* a slow reader */
            assert_int_equal(arrive(&r, at, len), 0);
            if (rstream_ready(&r) > 66000) /* more than a block stays unread */
                rstream_consume(&r, rstream_ready(&r) - 66000);
        }
        read_all(&r);
        for (uint64_t at = r.read;; at += len) /* and what nobody reads ends with what is sure */
            if (arrive(&r, at, len))
                break;
        assert_true(m.account->sure_bytes[BLOCK_RECV] <= RECV_SURE_BYTES);
        assert_int_equal(m.account->shared_bytes[BLOCK_RECV], 0);
        while (n > 0)
            block_put(held[--n]);
        memory_free(&m, &r);
    }
}

/* Pieces and blocks: whatever comes in whatever order is read as it was written. */
static void sparse_bytes_are_read_as_they_were_written(void **state) {
    (void)state;
    uint64_t seed = rand_seeded("sparse", 3).x;
    for (int round = 0; round < 48; round++) {
        struct memory m = memory_new(64);
        struct block *held[65];
        unsigned n = 0;
        struct rstream r;
        const uint64_t total = 3 * BLOCK + 777;
        rstream_init(&r, m.account, 100 * BLOCK);
        for (uint64_t step = 0; r.read < total; step++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            if (round % 2 && step % 50 == 0) { /* others take all, and give it back */
                while (n > 0 && step % 100)
                    block_put(held[--n]);
                while (step % 100 == 0 && n < 64 && (held[n] = block_new(m.pool, BLOCK)))
                    n++;
            }
            size_t len = 1 + (size_t)(seed >> 40) % (round % 3 ? 90 : 9000);
            uint64_t at = (seed >> 20) % total;
            if ((seed >> 60) < 6) /* what is next */
                at = r.read + rstream_ready(&r);
            if (at + len > total)
                len = (size_t)(total - at);
            const int err = arrive(&r, at, len);
            assert_true(err == 0 || err == ERR_NOMEM || err == ERR_FULL);
            if ((seed >> 57) % 8 == 0)
                read_all(&r);
            assert_true(block_account_bytes(m.account, BLOCK_RECV) <=
                        4 * m.account->unread_bytes + 4 * BLOCK + 4 * BLOCK + RECV_SURE_BYTES);
        }
        while (n > 0)
            block_put(held[--n]);
        memory_free(&m, &r);
    }
}

/* The first block grows with the stream; who reads the small one keeps it. */
static void the_first_block_grows_under_its_reader(void **state) {
    (void)state;
    struct memory m = memory_new(4);
    struct rstream r;
    struct span v[4];
    bool fin;
    rstream_init(&r, m.account, 2 * BLOCK);
    uint32_t cap = 0;
    for (uint64_t at = 0; at < BLOCK; at += 100) {
        assert_int_equal(arrive(&r, at, at + 100 < BLOCK ? 100 : (size_t)(BLOCK - at)), 0);
        assert_int_equal(rstream_peek(&r, 0, v, 4, &fin), 1);
        struct block *reading = block_get(v[0].block);
        assert_true(reading->cap >= v[0].len && reading->cap < 2 * v[0].len + BLOCK_MIN_BYTES);
        assert_true(reading->cap >= cap);
        cap = reading->cap;
        if (at + 200 < BLOCK) /* beyond a hole of one byte; a larger block may take its place */
            assert_int_equal(arrive(&r, at + 101, 50), 0);
        for (uint64_t i = 0; i < v[0].len; i++)
            assert_int_equal(reading->data[i], byte_at(i));
        block_put(reading);
    }
    assert_int_equal(cap, BLOCK);
    assert_int_equal(read_all(&r), BLOCK);
    memory_free(&m, &r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_loss_and_delivery_gives_the_same_bytes),
        cmocka_unit_test(breaking_the_rules_is_a_protocol_error),
        cmocka_unit_test(no_memory_leaves_the_packet_unacknowledged),
        cmocka_unit_test(what_is_gone_is_not_lost_any_more),
        cmocka_unit_test(what_lies_ahead_of_a_gap_leaves_room_for_what_fills_it),
        cmocka_unit_test(in_a_full_pool_a_stream_goes_on_in_order),
        cmocka_unit_test(sparse_bytes_are_read_as_they_were_written),
        cmocka_unit_test(the_first_block_grows_under_its_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
