/* Whose share it is: what one contact can take of each pool, queue and table, and what is left to the others (limits.h). */
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

/* Both ways, whatever the others do. */
static void works_for(struct hub *h, unsigned i, size_t len) {
    static const uint8_t data[64 * KIB];
    uint64_t there, back;
    hub_run(h, 100 * MS); /* what is still under way */
    const uint64_t before = h->read[i], before_at = h->read_at[i];
    assert_int_equal(stream_open(h->ep[i], h->mine[i], &there), 0);
    assert_int_equal(stream_open(h->ep[0], h->at0[i], &back), 0);
    size_t sent = 0, sent_back = 0;
    for (int step = 0; step < 20000; step++) {
        size_t taken = 0;
        const size_t n = len - sent < sizeof data ? len - sent : sizeof data;
        const size_t k = len - sent_back < sizeof data ? len - sent_back : sizeof data;
        if (n > 0 && stream_write(h->ep[i], h->mine[i], there, data, n, &taken) == 0)
            sent += taken;
        if (k > 0 && stream_write(h->ep[0], h->at0[i], back, data, k, &taken) == 0)
            sent_back += taken;
        hub_run(h, 5 * MS);
        if (h->read[i] - before == len && h->read_at[i] - before_at == len)
            return;
    }
    fail_msg("contact %u: %u of %u read from it, %u by it", i, (unsigned)(h->read[i] - before),
             (unsigned)len, (unsigned)(h->read_at[i] - before_at));
}

/* ---- memory for what is received ---- */

/* A byte at the end of what is granted, over and over, and then one over each second border of two blocks. */
static void bytes_ahead_of_a_gap_take_next_to_nothing(void **state) {
    (void)state;
    struct hub *h = hub_new(2);
    h->slow[1] = h->deaf[1] = true;
    for (int i = 0; i < 10; i++) {
        const struct transport *t = hub_session(h, 1)->tp;
        const struct stream *q = t ? transport_stream(t, 0) : NULL;
        hub_bytes(h, 1, 0, (q ? q->in.limit : STREAM_WINDOW_BYTES) - 1, 1);
        hub_run(h, 10 * MS);
    }
    for (uint64_t b = 1; b < STREAM_WINDOW_MAX_BYTES / STREAM_BLOCK_BYTES; b += 2) {
        const uint64_t at = (b + 1) * STREAM_BLOCK_BYTES - 1;
        if (at + 2 <= transport_stream(hub_session(h, 1)->tp, 0)->in.limit)
            hub_bytes(h, 1, 0, at, 2);
    }
    assert_non_null(hub_session(h, 1));
    assert_true(pool_bytes(h) <= 512 * KIB);
    assert_int_equal(write_from_0(h, 2, 64 * KIB), 64 * KIB);
    works_for(h, 2, MIB);
    hub_free(h);
}

/* As many streams as it may, a byte at the end of the first block of each: a piece and its table, but for the first few. */
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
        s->memo.credit.recv_limit = transport_stream(s->tp, 0)->in.limit = 200 * MIB;
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
    works_for(h, 5, 300 * KIB);
    works_for(h, 6, 300 * KIB);
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

/* It keeps its session with a byte now and then that is read. After half a minute in which less could be read of it than it
 * holds, whoever finds no room gets that. */
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
            s->memo.credit.recv_limit += 60000;
            if (transport_stream(s->tp, 2))
                transport_stream(s->tp, 2)->in.limit += 60000;
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
    s->memo.credit.recv_limit = in->limit = 200 * MIB;
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
    works_for(h, 2, 10000);
    hub_free(h);
}

/* ---- memory for what is sent ---- */

/* It takes part in the session and acknowledges next to nothing, while much is to be sent to it: others are sent to all the same, and
 * half a minute later it is gone. */
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
    works_for(h, 3, MIB);
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

/* Others hold all there is, and packets are lost: what is next always finds room, so that several streams at once come to
 * their ends. */
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
    works_for(h, 2, 200 * KIB);
    while (n > 0)
        block_put(held[--n]);
    hub_free(h);
}

/* ---- streams ---- */

static void open_streams(struct hub *h, unsigned i, uint64_t up_to) {
    hub_bytes(h, i, 2 * (up_to - 1), 0, 0);
}

/* One frame opens all 4,096; of what all sessions may have, half of the rest stays free, and a few are sure to each. */
static void streams_are_shared_by_all_sessions(void **state) {
    (void)state;
    struct hub *h = hub_new(7);
    assert_int_equal(h->ep[0]->shares.streams.max, STREAMS_ALL_MAX);
    h->ep[0]->shares.streams.max = 6000;
    static const unsigned expected[] = {0, 3000, 1500, 750, 375, 188};
    for (unsigned i = 1; i <= 5; i++) {
        open_streams(h, i, STREAMS_MAX);
        hub_run(h, 2 * MS);
        assert_int_equal(hub_session(h, i)->tp->peer_streams, expected[i]);
    }
    h->ep[0]->shares.streams.max = 100;
    open_streams(h, 6, STREAMS_MAX);
    assert_int_equal(hub_session(h, 6)->tp->peer_streams, STREAMS_SURE);
    const uint64_t used = h->ep[0]->shares.streams.used;
    assert_int_equal(used, 3000 + 1500 + 750 + 375 + 188 + STREAMS_SURE);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CLOSED);
    assert_int_equal(h->ep[0]->shares.streams.used, used - 3000);
    h->ep[0]->shares.streams.max = 6000;
    works_for(h, 7, 1000);
    hub_free(h);
}

/* A peer may allow us any number of streams; we do not open them. */
static void a_peer_cannot_make_us_hold_more_streams(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    uint8_t frame[9] = {FRAME_MAX_STREAMS};
    struct wr w = wr_init(frame, sizeof frame);
    wr_u8(&w, FRAME_MAX_STREAMS);
    wr_varint(&w, VARINT_MAX);
    hub_hostile(h, 1, frame, wr_len(&w));
    uint64_t id;
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        assert_int_equal(stream_open(h->ep[0], h->at0[1], &id), 0);
    assert_int_equal(stream_open(h->ep[0], h->at0[1], &id), ERR_FULL);
    hub_free(h);
}

/* ---- what is told ---- */

/* Between two looks at the queue, seven contacts cause all the events they can. What another says then is heard, and nothing
 * that was said once is lost. */
static void events_of_one_session_do_not_push_out_anothers(void **state) {
    (void)state;
    struct hub *h = hub_new(8);
    h->unheard = true;
    for (unsigned i = 1; i <= 7; i++) {
        h->ep[0]->shares.streams.max = UINT64_MAX / 2; /* only the queue bounds them here */
        hub_session(h, i)->memo.peer_max = 20000;
        open_streams(h, i, 20000);
        assert_true(hub_session(h, i)->memo.told.streams <= EVENTS_SESSION_MAX);
        for (uint64_t k = 0; k < 500; k++)
            hub_bytes(h, i, 2 * k, 0, 1);
    }
    assert_true(h->ep[0]->events.count <= EVENTS_MAX - EVENTS_MAX / 4 + 7 * EVENTS_SESSION_SURE);
    assert_true(h->ep[0]->events.count >= EVENTS_MAX / 2);
    hub_bytes(h, 8, 0, 0, 1);
    h->unheard = false;
    hub_run(h, 5 * MS);
    assert_int_equal(h->read[8], 1);
    assert_int_equal(endpoint_counters(h->ep[0])->queue_dropped, 0);
    for (unsigned i = 1; i <= 8; i++)
        assert_int_equal(hub_session(h, i)->memo.told.streams, 0);
    hub_free(h);
}

static void datagrams_and_echoes_of_one_leave_room_to_anothers(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    static const uint8_t datagram[] = {FRAME_DATAGRAM, 1, 'x'}, echoed[9] = {FRAME_ECHOED};
    h->unheard = true;
    for (int i = 0; i < 20000; i++) {
        hub_hostile(h, 1, datagram, sizeof datagram);
        hub_hostile(h, 2, echoed, sizeof echoed);
    }
    for (int i = 0; i < 10; i++) {
        hub_hostile(h, 3, datagram, sizeof datagram);
        hub_hostile(h, 3, echoed, sizeof echoed);
    }
    hub_hear(h);
    assert_int_equal(h->told[1][EP_DATAGRAM], EVENTS_NOISE_SESSION_MAX);
    assert_int_equal(h->told[2][EP_PONG], EVENTS_NOISE_SESSION_MAX);
    assert_int_equal(h->told[3][EP_DATAGRAM], 10);
    assert_int_equal(h->told[3][EP_PONG], 10);
    hub_hostile(h, 1, datagram, sizeof datagram); /* heard: there is room again */
    hub_hear(h);
    assert_int_equal(h->told[1][EP_DATAGRAM], EVENTS_NOISE_SESSION_MAX + 1);
    hub_free(h);
}

/* ---- small packets ---- */

/* Echoes asked for by the thousand, and a stranger's flood that is answered with RETRYs: an echo of another and our own goodbye
 * leave all the same. */
static void answers_to_one_do_not_push_out_packets_to_others(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    uint8_t echoes[9 * 8] = {0};
    for (unsigned i = 0; i < 8; i++)
        echoes[9 * i] = FRAME_ECHO;
    for (int i = 0; i < 1000; i++)
        hub_hostile(h, 1, echoes, sizeof echoes);
    assert_int_equal(hub_session(h, 1)->small_waiting, SMALL_PER_SESSION_MAX / 2);
    const uint8_t retry[RETRY_BYTES] = {PACKET_RETRY}, answer[RESPONSE_BYTES] = {PACKET_RESPONSE},
                  attempt[INITIATION_BYTES] = {PACKET_INITIATION};
    for (int i = 0; i < 5000; i++) {
        endpoint_queue_small(h->ep[0], &h->addr[2], 0, retry, sizeof retry);
        endpoint_queue_small(h->ep[0], &h->addr[2], 0, answer, sizeof answer);
        endpoint_queue_small(h->ep[0], &h->addr[2], 0, attempt, sizeof attempt);
    }
    const struct small_list *l = h->ep[0]->small.lists;
    assert_int_equal(l[SMALL_RETRY].count, SMALL_RETRY_MAX);
    assert_int_equal(l[SMALL_ANSWER].count, SMALL_ANSWER_MAX);
    assert_int_equal(l[SMALL_ATTEMPT].count, SMALL_ATTEMPT_MAX);
    assert_int_equal(l[SMALL_SESSION].count, SMALL_PER_SESSION_MAX / 2);
    assert_int_equal(session_ping(h->ep[3], h->now_us, h->mine[3], 77), 0);
    hub_run(h, MS);
    struct ep_event e;
    bool ponged = false;
    while (endpoint_poll(h->ep[3], &e))
        ponged |= e.kind == EP_PONG;
    (void)ponged;
    assert_int_equal(hub_session(h, 1)->small_waiting, 0);
    for (int i = 0; i < 10; i++)
        hub_hostile(h, 1, echoes, sizeof echoes);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CLOSED);
    hub_run(h, MS);
    assert_null(endpoint_find(h->ep[1], h->mine[1])); /* it has heard the goodbye */
    assert_non_null(hub_session(h, 3));
    hub_free(h);
}

/* Each kind has its turn, whichever is longest. */
static void small_packets_leave_in_turn_of_their_kinds(void **state) {
    (void)state;
    struct small_queue q = {0};
    const struct small_packet head = {.local = 3};
    static const uint8_t kinds[] = {PACKET_DATA, PACKET_INITIATION, PACKET_RESPONSE, PACKET_RETRY};
    for (int i = 0; i < 100; i++)
        assert_true(small_push(&q, &head, &kinds[3], 1));
    for (int i = 0; i < 6; i++)
        assert_true(small_push(&q, &head, &kinds[i % 3], 1));
    for (int i = 0; i < 10; i++) {
        struct small_packet *p = small_pop(&q);
        assert_int_equal(p->data[0], kinds[i < 8 ? i % 4 : 3]);
        assert_int_equal(p->local, 3);
        free(p);
    }
    for (int i = 0; i < 1025; i++)
        assert_int_equal(small_push(&q, &head, &kinds[0], 1), i < SMALL_SESSION_MAX);
    small_clear(&q);
    assert_null(small_pop(&q));
}

/* ---- records of sent packets ---- */

static void records_of_sent_packets_are_shared_by_all_sessions(void **state) {
    (void)state;
    struct share all = {.max = SENT_ALL_MAX};
    struct sent s[6];
    struct sent_pkt *p;
    static const uint32_t caps[] = {131072, 65536, 32768, 16384, 8192, 4096};
    for (unsigned i = 0; i < 6; i++) {
        sent_init(&s[i], 0);
        s[i].all = &all;
        uint64_t pn = 0;
        while (sent_add(&s[i], pn, &p) == 0)
            pn++;
        assert_int_equal(s[i].cap, caps[i]);
        assert_int_equal(pn, caps[i]);
    }
    all.max = 0; /* and so many are sure */
    struct sent last;
    sent_init(&last, 0);
    last.all = &all;
    for (uint64_t pn = 0; pn <= SENT_SURE_PKTS; pn++)
        assert_int_equal(sent_add(&last, pn, &p), pn < SENT_SURE_PKTS ? 0 : ERR_FULL);
    sent_clear(&last);
    for (unsigned i = 0; i < 6; i++)
        sent_clear(&s[i]);
    assert_int_equal(all.used, 0);
}

/* ---- what only we ourselves fill ---- */

static void the_oldest_datagram_gives_way(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    for (unsigned i = 0; i < DATAGRAM_QUEUE_MAX + 3; i++) {
        const uint8_t number = (uint8_t)i;
        assert_int_equal(
            session_datagram(h->ep[0], h->now_us, h->at0[1], &number, 1, h->now_us + 1000 * MS), 0);
    }
    const struct transport *t = hub_session(h, 1)->tp;
    assert_int_equal(t->dgram_count, DATAGRAM_QUEUE_MAX);
    assert_int_equal(t->dgram_head->data[0], 3);
    assert_int_equal(t->dgram_tail->data[0], (DATAGRAM_QUEUE_MAX + 2) % 256);
    assert_int_equal(endpoint_counters(h->ep[0])->datagrams_expired, 3);
    hub_free(h);
}

static void the_oldest_open_ticket_gives_way(void **state) {
    (void)state;
    struct hub *h = hub_new(0);
    struct psk secrets[TICKETS_OPEN_MAX + 2];
    for (unsigned i = 0; i < TICKETS_OPEN_MAX + 2; i++) {
        memset(&secrets[i], (int)i + 1, sizeof secrets[i]);
        assert_int_equal(endpoint_ticket_open(h->ep[0], &secrets[i], UINT64_MAX), 0);
    }
    for (unsigned i = 0; i < TICKETS_OPEN_MAX + 2; i++)
        assert_int_equal(endpoint_ticket(h->ep[0], h->now_us, psk_id(&secrets[i])) != NULL, i >= 2);
    hub_free(h);
}

static void pings_wait_for_keys_up_to_four(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    hub_session(h, 1)->send_counter = UINT64_MAX - 1; /* nothing may leave under these keys */
    for (unsigned i = 0; i < 2 * SESSION_ECHOES; i++)
        assert_int_equal(session_ping(h->ep[0], h->now_us, h->at0[1], i),
                         i < SESSION_ECHOES ? 0 : ERR_FULL);
    hub_free(h);
}

static void peers_are_bounded(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    struct endpoint *e = h->ep[0];
    struct peer_ref p;
    const struct peer_setup known = {.id = h->id[1].id}, other = {.id = {{1, 2, 3}}};
    const uint32_t count = e->peer_count, used = e->peers_used, cap = e->bucket_cap;
    e->peer_count = e->peers_used = PEERS_MAX; /* as if they were there */
    e->bucket_cap = cap;
    assert_int_equal(endpoint_peer_add(e, &known, &p), 0);
    e->bucket_cap = PEERS_MAX * 2; /* no growth of what is not there */
    assert_null(peers_add(e, &other.id));
    e->peer_count = count;
    e->peers_used = used;
    e->bucket_cap = cap;
    assert_int_equal(endpoint_peer_add(e, &other, &p), 0);
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
        cmocka_unit_test(streams_are_shared_by_all_sessions),
        cmocka_unit_test(a_peer_cannot_make_us_hold_more_streams),
        cmocka_unit_test(events_of_one_session_do_not_push_out_anothers),
        cmocka_unit_test(datagrams_and_echoes_of_one_leave_room_to_anothers),
        cmocka_unit_test(answers_to_one_do_not_push_out_packets_to_others),
        cmocka_unit_test(small_packets_leave_in_turn_of_their_kinds),
        cmocka_unit_test(records_of_sent_packets_are_shared_by_all_sessions),
        cmocka_unit_test(the_oldest_datagram_gives_way),
        cmocka_unit_test(the_oldest_open_ticket_gives_way),
        cmocka_unit_test(pings_wait_for_keys_up_to_four),
        cmocka_unit_test(peers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
