/* Whose share it is: what one contact can take of the memory for streams, and what is left to the
 * others (limits.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support_hub.h"

enum { MS = 1000, KIB = 1024, MIB = 1 << 20 };

static uint64_t pool_bytes(const struct hub *h) {
    return (uint64_t)block_pool_in_use(endpoint_blocks(h->ep[0])) * STREAM_BLOCK_BYTES;
}

static uint64_t write_from_0(struct hub *h, unsigned to, size_t len) {
    static uint8_t data[MIB];
    uint64_t stream;
    size_t taken;
    assert_true(len <= sizeof data);
    assert_int_equal(stream_open(h->ep[0], h->at0[to], &stream), 0);
    const int err = stream_write(h->ep[0], h->at0[to], stream, data, len, &taken);
    assert_true(err == 0 || err == ERR_AGAIN);
    return taken;
}

/* ---- memory for what is received ---- */

/* A byte at the end of what is granted, over and over, and then one over each second border of two
 * blocks. */
static void bytes_ahead_of_a_gap_take_next_to_nothing(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    h->slow[1] = h->deaf[1] = true;
    for (int i = 0; i < 10; i++) {
        const struct transport *t = hub_session(h, 1)->tp;
        const struct stream *q = t ? transport_stream(t, 0) : NULL;
        hub_bytes(h, 1, 0, (q ? q->in.given.limit : STREAM_WINDOW_BYTES) - 1, 1);
        hub_run(h, 10 * MS);
    }
    for (uint64_t b = 1; b < STREAM_WINDOW_MAX_BYTES / STREAM_BLOCK_BYTES; b += 2) {
        const uint64_t at = (b + 1) * STREAM_BLOCK_BYTES - 1;
        if (at + 2 <= transport_stream(hub_session(h, 1)->tp, 0)->in.given.limit)
            hub_bytes(h, 1, 0, at, 2);
    }
    assert_non_null(hub_session(h, 1));
    assert_true(pool_bytes(h) <= 512 * KIB);
    assert_int_equal(write_from_0(h, 2, 64 * KIB), 64 * KIB);
    hub_works_for(h, 2, MIB);
    hub_free(h);
}

/* As many streams as it may, a byte at the end of the first block of each: a piece and its table,
 * but for the first few. */
static void a_byte_takes_no_block(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    h->slow[1] = h->deaf[1] = true;
    hub_run(h, 5 * MS);
    for (uint64_t k = 0; k < 15; k++)
        hub_bytes(h, 1, 2 * k, STREAM_BLOCK_BYTES - 1, 1);
    assert_int_equal(hub_session(h, 1)->tp->account->unread_bytes, 15);
    assert_true(pool_bytes(h) <= 5 * STREAM_BLOCK_BYTES);
    hub_free(h);
    h = hub_new(1); /* at the beginning of each: the smallest block */
    h->slow[1] = h->deaf[1] = true;
    for (uint64_t k = 0; k < 1024; k++)
        hub_bytes(h, 1, 2 * k, 0, 1);
    assert_int_equal(pool_bytes(h), 1024 * BLOCK_MIN_BYTES);
    hub_free(h);
}

/* Contacts that have the largest windows fill them behind gaps. */
static void hold_all_they_can(struct hub *h, unsigned from, unsigned to) {
    for (unsigned i = from; i <= to; i++) {
        h->slow[i] = h->deaf[i] = true;
        hub_bytes(h, i, 0, 1, 1);
        struct session *s = hub_session(h, i);
        assert_non_null(s);
        s->memo.credit.given.limit = transport_stream(s->tp, 0)->in.given.limit = 200 * MIB;
        for (uint64_t at = STREAM_BLOCK_BYTES; at < 100 * MIB; at += 60000)
            hub_bytes(h, i, 0, at, 60000);
        hub_run(h, 5 * MS);
    }
}

static void who_holds_much_leaves_enough_to_the_next(void **state) {
    (void)state;
    struct hub *h = hub_new(6);
    uint64_t before = 0, got[6] = {0};
    for (unsigned i = 1; i <= 4; i++) {
        hold_all_they_can(h, i, i);
        got[i] = pool_bytes(h) - before;
        before = pool_bytes(h);
    }
    assert_true(got[1] > 70 * MIB && got[1] < 80 * MIB); /* alone it is no slower than it was */
    assert_true(got[2] > 6 * MIB && got[3] > 700 * KIB);
    assert_true(pool_bytes(h) <= 90 * MIB + 4 * RECV_SURE_BYTES);
    hub_works_for(h, 5, 300 * KIB);
    hub_works_for(h, 6, 300 * KIB);
    hub_free(h);
}

/* In order, read at once. */
static void read_from(struct hub *h, unsigned i, uint64_t stream, uint64_t offset, size_t len) {
    struct span v[64];
    bool fin;
    hub_bytes(h, i, stream, offset, len);
    assert_true(stream_peek(h->ep[0], h->at0[i], stream, 0, v, 64, &fin) > 0);
    stream_consume(h->ep[0], h->now_us, h->at0[i], stream, len);
}

/* It keeps its session with a byte now and then that is read. After half a minute in which less
 * could be read of it than it holds, whoever finds no room gets that. */
static void what_is_held_for_nothing_is_taken_back(void **state) {
    (void)state;
    struct hub *h = hub_new(4);
    const struct endpoint_counters *c = endpoint_counters(h->ep[0]);
    hold_all_they_can(h, 1, 3);
    h->slow[4] = h->deaf[4] = true;
    const uint64_t held = pool_bytes(h);
    for (uint64_t i = 0; i < 32; i++) {
        for (unsigned k = 1; k <= 3 && hub_session(h, k); k++)
            read_from(h, k, 2, i, 1);
        hub_run(h, 1000 * MS);
        const uint64_t refused = c->no_room;
        for (unsigned k = 1; k <= 7; k++)
            hub_bytes(h, 4, 0, k * 62000, 62000);
        assert_true(c->no_room > refused || c->reclaimed > 0);
        assert_true(i >= 29 || c->reclaimed == 0);
    }
    assert_int_equal(c->reclaimed, 1); /* the one that held most */
    assert_null(hub_session(h, 1));
    assert_non_null(hub_session(h, 2));
    assert_true(pool_bytes(h) < held - 70 * MIB);
    assert_int_equal(hub_session(h, 4)->tp->account->unread_bytes, 7 * 62000);
    hub_free(h);
}

/* Behind a loss a fast transfer always holds much, but never the same for long. */
static void who_reads_on_keeps_what_it_holds(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    const struct endpoint_counters *c = endpoint_counters(h->ep[0]);
    struct block *held[1536];
    unsigned n = 0;
    hold_all_they_can(h, 1, 1);
    while ((held[n] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES)))
        n++;
    h->slow[2] = h->deaf[2] = true;
    struct session *s = hub_session(h, 1);
    for (uint64_t at = 0, i = 0; i < 90; i++) {
        for (int k = 0; k < 60; k++, at += 60000) {
            s->memo.credit.given.limit += 60000;
            if (transport_stream(s->tp, 2))
                transport_stream(s->tp, 2)->in.given.limit += 60000;
            read_from(h, 1, 2, at, 60000);
        }
        hub_run(h, 1000 * MS);
        const uint64_t refused = c->no_room;
        hub_bytes(h, 2, 0, 62000, 62000);
        assert_int_equal(c->no_room, refused + 1);
    }
    assert_int_equal(c->reclaimed, 0);
    assert_non_null(hub_session(h, 1));
    while (n > 0)
        block_put(held[--n]);
    hub_free(h);
}

/* It has held much, but lets go of it before anybody looks. */
static void what_was_held_is_not_held_against_anybody(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    struct block *held[1537];
    unsigned n = 0;
    h->deaf[1] = h->slow[1] = h->deaf[2] = h->slow[2] = true;
    hub_bytes(h, 1, 0, 0, 1);
    struct session *s = hub_session(h, 1);
    struct rstream *in = &transport_stream(s->tp, 0)->in;
    s->memo.credit.given.limit = in->given.limit = 200 * MIB;
    for (uint64_t at = 60000; at < 3 * MIB; at += 60000)
        hub_bytes(h, 1, 0, at, 60000);
    hub_bytes(h, 1, 0, 1, 59999);
    while ((held[n] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES)))
        n++;
    stream_consume(h->ep[0], h->now_us, h->at0[1], 0, 2 * MIB);
    static const uint8_t echo[9] = {FRAME_ECHO};
    for (unsigned i = 0; i < 62; i++) {
        hub_hostile(h, 1 + i % 2, echo, sizeof echo);
        hub_run(h, 500 * MS);
    }
    assert_non_null(hub_session(h, 1));
    while ((held[n] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES)))
        n++;
    const uint64_t refused = endpoint_counters(h->ep[0])->no_room;
    hub_bytes(h, 2, 0, 62000, 62000);
    assert_int_equal(endpoint_counters(h->ep[0])->no_room, refused + 1);
    assert_int_equal(endpoint_counters(h->ep[0])->reclaimed, 0);
    while (n > 0)
        block_put(held[--n]);
    hub_free(h);
}

/* A byte, a hole, a byte, ... in as many streams as it likes. */
static void gaps_are_bounded_for_the_whole_session(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    h->slow[1] = h->deaf[1] = true;
    for (uint64_t stream = 0; stream < 12; stream++)
        for (uint64_t at = 1; at < 2 * STREAM_RANGES_MAX; at += 2)
            hub_bytes(h, 1, 2 * stream, at, 1);
    struct session *s = hub_session(h, 1);
    assert_non_null(s);
    assert_int_equal(s->tp->account->gaps, SESSION_GAPS_MAX);
    assert_true(endpoint_counters(h->ep[0])->no_room > 0);
    hub_bytes(h, 1, 0, 2, 1); /* what fills one is welcome, and so is what is next */
    assert_int_equal(s->tp->account->gaps, SESSION_GAPS_MAX - 1);
    hub_bytes(h, 1, 2, 2, 1);
    for (unsigned i = 0; i < 2; i++)
        hub_bytes(h, 1, 40, i, 1);
    assert_int_equal(rstream_ready(&transport_stream(s->tp, 40)->in), 2);
    hub_works_for(h, 2, 10000);
    hub_free(h);
}

/* ---- memory for what is sent ---- */

/* It takes part in the session and acknowledges next to nothing, while much is to be sent to it:
 * others are sent to all the same, and half a minute later it is gone. */
static void who_acknowledges_nothing_does_not_stop_the_others(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    static const uint8_t echo[9] = {FRAME_ECHO};
    h->deaf[1] = h->deaf[2] = true;
    for (unsigned i = 1; i <= 2; i++)
        for (int k = 0; k < 120; k++)
            write_from_0(h, i, MIB);
    assert_true(pool_bytes(h) > 60 * MIB && pool_bytes(h) <= 72 * MIB + 128 * KIB);
    assert_true(write_from_0(h, 3, 64 * KIB) > 0);
    hub_works_for(h, 3, MIB);
    for (int i = 0; i < 12; i++) {
        hub_hostile(h, 1, echo, sizeof echo);
        hub_hostile(h, 2, echo, sizeof echo);
        hub_run(h, 2900 * MS);
    }
    assert_null(hub_session(h, 1)); /* the second one holds no more than its share now */
    assert_non_null(hub_session(h, 2));
    assert_int_equal(endpoint_counters(h->ep[0])->reclaimed, 1);
    assert_true(pool_bytes(h) <= 9 * MIB);
    assert_non_null(hub_session(h, 3));
    hub_free(h);
}

/* Whoever found no memory is told when there is some again. */
static void a_writer_that_found_no_memory_is_told(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    uint64_t stream;
    size_t taken;
    static uint8_t data[64 * KIB];
    static struct block *held[1536];
    unsigned n = 0;
    while ((held[n] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES)) && n < 1535)
        n++;
    assert_int_equal(stream_open(h->ep[0], h->at0[1], &stream), 0);
    h->deaf[1] = true;
    assert_int_equal(stream_write(h->ep[0], h->at0[1], stream, data, sizeof data, &taken), 0);
    assert_int_equal(taken, SEND_SURE_BYTES / 2);
    hub_run(h, 20 * MS);
    assert_int_equal(h->told[1][EP_STREAM_WRITABLE], 0);
    assert_int_equal(stream_write(h->ep[0], h->at0[1], stream, data, sizeof data, &taken),
                     ERR_AGAIN);
    block_put(held[0]); /* half a block is back: not enough to be worth telling */
    held[0] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES / 2);
    assert_non_null(held[0]);
    hub_run(h, 20 * MS);
    assert_int_equal(h->told[1][EP_STREAM_WRITABLE], 0);
    for (unsigned i = 0; i <= n; i++)
        block_put(held[i]);
    hub_run(h, 20 * MS);
    assert_int_equal(h->told[1][EP_STREAM_WRITABLE], 1);
    assert_int_equal(stream_write(h->ep[0], h->at0[1], stream, data, sizeof data, &taken), 0);
    assert_int_equal(taken, sizeof data);
    hub_free(h);
}

/* Bytes that were never sent; what is more waits with the writer. */
static void a_stream_takes_a_mebibyte_ahead(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    uint64_t stream;
    size_t taken, sum = 0;
    static uint8_t data[100000];
    assert_int_equal(stream_open(h->ep[0], h->at0[1], &stream), 0);
    while (stream_write(h->ep[0], h->at0[1], stream, data, sizeof data, &taken) == 0)
        sum += taken;
    assert_true(sum >= STREAM_SEND_BUFFER_BYTES);
    assert_true(sum < STREAM_SEND_BUFFER_BYTES + STREAM_BLOCK_BYTES);
    struct block *b = stream_block(h->ep[0], h->at0[1], 1000);
    assert_non_null(b);
    const struct span span = {b, 0, 1000};
    assert_int_equal(stream_write_span(h->ep[0], h->at0[1], stream, span), ERR_AGAIN);
    block_put(b);
    hub_free(h);
}

/* Others hold all there is, and packets are lost: what is next always finds room, so that several
 * streams at once come to their ends. */
static void what_is_sure_is_enough_to_go_on(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    static struct block *held[1537];
    unsigned n = 0;
    static const uint8_t data[30000];
    uint64_t streams[5];
    while ((held[n] = block_new(endpoint_blocks(h->ep[0]), STREAM_BLOCK_BYTES)))
        n++;
    h->lossy[1] = h->lossy[2] = true;
    size_t taken, sum = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(stream_open(h->ep[1], h->mine[1], &streams[i]), 0);
        assert_int_equal(stream_write(h->ep[1], h->mine[1], streams[i], data, sizeof data, &taken),
                         0);
        sum += taken;
    }
    for (int i = 0; i < 60 && h->read[1] < sum; i++)
        hub_run(h, 1000 * MS);
    assert_int_equal(h->read[1], 5 * sizeof data);
    hub_works_for(h, 2, 200 * KIB);
    while (n > 0)
        block_put(held[--n]);
    hub_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_ahead_of_a_gap_take_next_to_nothing),
        cmocka_unit_test(a_byte_takes_no_block),
        cmocka_unit_test(who_holds_much_leaves_enough_to_the_next),
        cmocka_unit_test(what_is_held_for_nothing_is_taken_back),
        cmocka_unit_test(who_reads_on_keeps_what_it_holds),
        cmocka_unit_test(what_was_held_is_not_held_against_anybody),
        cmocka_unit_test(gaps_are_bounded_for_the_whole_session),
        cmocka_unit_test(who_acknowledges_nothing_does_not_stop_the_others),
        cmocka_unit_test(a_writer_that_found_no_memory_is_told),
        cmocka_unit_test(a_stream_takes_a_mebibyte_ahead),
        cmocka_unit_test(what_is_sure_is_enough_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
