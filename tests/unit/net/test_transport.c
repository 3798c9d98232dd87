#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/frame.h"
#include "support_pair.h"
#include "support_rand.h"

enum { IDS = 4096, MS = 1000 };

/* Two endpoints and, for each side, what it has read of every stream. Byte `i` of stream `id` from
 * side `s` is always the same, so every reader checks what it reads. */
struct world {
    struct pair *p;
    struct session_ref s[2];
    uint64_t read[2][IDS], written[2][IDS];
    bool fin[2][IDS];
    unsigned fins[2];
    bool deaf[2];   /* does not read */
    uint64_t whole; /* what is written to each stream that becomes writable again, then a FIN */
    uint64_t first_us[2][IDS];
};

static uint8_t byte_at(int side, uint64_t id, uint64_t i) {
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + id * 13 + (uint64_t)side);
}

static void read_stream(struct world *w, int side, uint64_t id) {
    assert_true(id < IDS);
    struct span v[8];
    bool fin = false;
    unsigned n;
    do {
        n = stream_peek(w->p->ep[side], w->s[side], id, 0, v, 8, &fin);
        size_t total = 0;
        for (unsigned k = 0; k < n; k++)
            for (uint32_t b = 0; b < v[k].len; b++, total++)
                if (v[k].block->data[v[k].offset + b] !=
                    byte_at(!side, id, w->read[side][id] + total))
                    fail_msg("stream %u: byte %u differs", (unsigned)id,
                             (unsigned)(w->read[side][id] + total));
        if (total > 0 && w->read[side][id] == 0)
            w->first_us[side][id] = w->p->now_us;
        w->read[side][id] += total;
        stream_consume(w->p->ep[side], w->p->now_us, w->s[side], id, total);
    } while (n > 0 && !fin);
    if (fin && !w->fin[side][id]) {
        w->fin[side][id] = true;
        w->fins[side]++;
    }
}

static struct transport *tp(struct world *w, int side) {
    struct session *s = endpoint_find(w->p->ep[side], w->s[side]);
    assert_non_null(s);
    return s->tp;
}

/* Writes until `total` bytes are in or the buffer is full; true once they all are. */
static bool feed(struct world *w, int side, uint64_t id, uint64_t total) {
    while (w->written[side][id] < total) {
        uint8_t buf[4096];
        uint64_t left = total - w->written[side][id];
        size_t n = left < sizeof buf ? (size_t)left : sizeof buf, taken;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(side, id, w->written[side][id] + i);
        int err = stream_write(w->p->ep[side], w->s[side], id, buf, n, &taken);
        assert_true(err == 0 || err == ERR_AGAIN);
        w->written[side][id] += taken;
        if (taken == 0)
            return false;
    }
    return true;
}

static void finish(struct world *w, int side, uint64_t id) {
    assert_int_equal(stream_finish(w->p->ep[side], w->s[side], id), 0);
}

static void on_event(struct pair *p, int side, const struct ep_event *e) {
    struct world *w = p->user;
    if (e->kind == EP_STREAM_READABLE && !w->deaf[side])
        read_stream(w, side, e->stream);
    if (e->kind == EP_STREAM_WRITABLE && w->whole > 0 && feed(w, side, e->stream, w->whole))
        finish(w, side, e->stream);
}

static struct world *world_new(uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->p = pair_new(seed);
    w->p->user = w;
    w->p->on_event = on_event;
    pair_start(w->p, 0);
    pair_know(w->p, 0, NULL, false);
    pair_know(w->p, 1, NULL, false);
    pair_connect(w->p, w->s);
    return w;
}

static void world_free(struct world *w) {
    pair_free(w->p);
    free(w);
}

static void run(struct world *w, uint64_t us) {
    pair_run(w->p, us, -1, -1);
}

static uint64_t open_stream(struct world *w, int side) {
    uint64_t id;
    assert_int_equal(stream_open(w->p->ep[side], w->s[side], &id), 0);
    return id;
}

static void nobody_hung_up(const struct world *w) {
    assert_int_equal(pair_count(w->p, 0, EP_SESSION_DOWN), 0);
    assert_int_equal(pair_count(w->p, 1, EP_SESSION_DOWN), 0);
    assert_int_equal(endpoint_counters(w->p->ep[0])->frames_bad, 0);
    assert_int_equal(endpoint_counters(w->p->ep[1])->frames_bad, 0);
}

/* What may be on its way never exceeds what the receiver has granted. */
static void credit_is_kept(struct world *w) {
    struct transport *a = tp(w, 0), *b = tp(w, 1);
    if (!a || !b)
        return;
    assert_true(a->memo->credit.send_used <= b->memo->credit.recv_limit);
    for (uint32_t i = 0; i < a->hash_cap; i++)
        for (struct stream *s = a->hash[i]; s; s = s->hash_next) {
            struct stream *r = transport_stream(b, s->id);
            assert_true(s->out.next <= s->out.credit);
            assert_true(!r || r->in.has_final || s->out.credit <= r->in.limit);
        }
}

static void send_all(struct world *w, uint64_t id, uint64_t total, uint64_t limit_us) {
    uint64_t end_us = w->p->now_us + limit_us;
    bool all = false;
    while (!w->fin[1][id] && w->p->now_us < end_us) {
        if (!all && feed(w, 0, id, total)) {
            all = true;
            finish(w, 0, id);
        }
        run(w, 5 * MS);
        credit_is_kept(w);
    }
    assert_true(w->fin[1][id]);
    assert_true(w->read[1][id] == total);
}

static void eight_mebibytes_arrive_exactly_over_a_bad_link(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("transfer", 1);
    for (int round = 0; round < 4; round++) {
        struct world *w = world_new(rand_u64(&r));
        w->p->loss_permille = 50;
        w->p->dup_permille = 50;
        w->p->jitter_us = round % 2 ? 12 * MS : 0;
        send_all(w, open_stream(w, 0), 8 << 20, UINT64_C(600000000));
        nobody_hung_up(w);
        world_free(w);
    }
}

static void who_does_not_read_stops_the_sender(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("flow", 2).x);
    uint64_t total = 4 << 20, slow = open_stream(w, 0), quick = open_stream(w, 0);
    w->deaf[1] = true;
    for (int i = 0; i < 400; i++) {
        feed(w, 0, slow, total);
        run(w, 5 * MS);
        credit_is_kept(w);
    }
    assert_int_equal(transport_stream(tp(w, 0), slow)->out.next, STREAM_WINDOW_BYTES);
    /* It does not stop the others. */
    feed(w, 0, quick, 1000);
    run(w, 100 * MS);
    read_stream(w, 1, quick);
    assert_int_equal(w->read[1][quick], 1000);
    w->deaf[1] = false;
    read_stream(w, 1, slow);
    send_all(w, slow, total, 60000 * MS);
    nobody_hung_up(w);
    world_free(w);
}

static void who_ignores_credit_is_cut_off(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct world *w = world_new(rand_seeded("credit", 3).x);
        w->deaf[1] = true;
        uint64_t id = open_stream(w, 0);
        if (way == 0) { /* of the stream */
            feed(w, 0, id, STREAM_WINDOW_BYTES + 5000);
            transport_stream(tp(w, 0), id)->out.credit = VARINT_MAX;
        } else { /* of the session, by three streams within theirs */
            tp(w, 0)->memo->credit.send_limit = VARINT_MAX;
            for (int i = 0; i < 3; i++, id = open_stream(w, 0))
                feed(w, 0, id, STREAM_WINDOW_BYTES);
        }
        assert_true(pair_run(w->p, 20000 * MS, 1, EP_SESSION_DOWN));
        assert_int_equal(pair_event(w->p, 1, EP_SESSION_DOWN)->err, ERR_PROTO);
        assert_int_equal(endpoint_counters(w->p->ep[1])->frames_bad, 1);
        world_free(w);
    }
}

static void bulk_does_not_delay_an_urgent_message(void **state) {
    (void)state;
    const uint64_t bulk_bytes = UINT64_C(4)
                                << 30; /* never all: the path has no limit but the windows */
    struct world *w = world_new(rand_seeded("priority", 4).x);
    uint64_t bulk = open_stream(w, 0);
    stream_set_priority(w->p->ep[0], w->s[0], bulk, 7);
    for (int i = 0; i < 20; i++) {
        feed(w, 0, bulk, bulk_bytes);
        run(w, 5 * MS);
    }
    for (int i = 0; i < 20; i++) {
        uint64_t urgent = open_stream(w, 0);
        stream_set_priority(w->p->ep[0], w->s[0], urgent, 0);
        feed(w, 0, bulk, bulk_bytes);
        assert_true(stream_unsent(w->p->ep[0], w->s[0], bulk) >= STREAM_SEND_BUFFER_BYTES / 2);
        feed(w, 0, urgent, 1000);
        finish(w, 0, urgent);
        uint64_t start_us = w->p->now_us;
        for (int k = 0; k < 100 && !w->fin[1][urgent]; k++) {
            run(w, MS);
            feed(w, 0, bulk, bulk_bytes);
        }
        assert_true(w->fin[1][urgent]);
        /* Half a round trip, and at most one until the window opens. */
        assert_true(w->p->now_us - start_us <= 35 * MS);
    }
    nobody_hung_up(w);
    world_free(w);
}

static void each_half_closes_by_itself(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("half close", 5).x);
    w->p->loss_permille = 100;
    uint64_t id = open_stream(w, 0);
    size_t taken;
    feed(w, 0, id, 30000);
    finish(w, 0, id);
    finish(w, 0, id); /* twice is fine */
    assert_int_equal(stream_write(w->p->ep[0], w->s[0], id, "x", 1, &taken), ERR_CLOSED);
    run(w, 20000 * MS);
    assert_true(w->fin[1][id] && w->read[1][id] == 30000 && !w->fin[0][id]);
    /* The answer flows after the question's end was read. */
    feed(w, 1, id, 50000);
    run(w, 20000 * MS);
    assert_true(w->read[0][id] == 50000 && !w->fin[0][id]);
    finish(w, 1, id);
    run(w, 20000 * MS);
    assert_true(w->fin[0][id]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_count(w->p, i, EP_STREAM_FINISHED), 1);
        assert_null(tp(w, i)); /* nothing left of it */
    }
    assert_int_equal(pair_count(w->p, 1, EP_STREAM_OPENED), 1);
    nobody_hung_up(w);
    world_free(w);
}

static void given_up_streams_leave_nothing_behind(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("reset", 6);
    struct world *w = world_new(rand_u64(&r));
    w->p->loss_permille = 100;
    w->p->jitter_us = 10 * MS;
    for (int i = 0; i < 200; i++) {
        uint64_t id = open_stream(w, 0);
        feed(w, 0, id, 1 + rand_below(&r, 100000));
        run(w, rand_below(&r, 100 * MS));
        int way = (int)rand_below(&r, 3);
        if (way == 0) {
            assert_int_equal(stream_reset(w->p->ep[0], w->s[0], id, ERR_CANCELLED), 0);
            int err = stream_stop(w->p->ep[0], w->s[0], id, ERR_CANCELLED);
            assert_true(err == 0 || err == ERR_NOT_FOUND);
        } else if (way == 1) {
            int err = stream_stop(w->p->ep[1], w->s[1], id, ERR_REFUSED);
            assert_true(err == 0 || err == ERR_NOT_FOUND);
            finish(w, 0, id);
        } else {
            finish(w, 0, id);
        }
    }
    run(w, 30000 * MS);
    for (uint64_t id = 0; id < 400; id += 2) { /* the answering halves */
        int err = stream_reset(w->p->ep[1], w->s[1], id, ERR_CANCELLED);
        assert_true(err == 0 || err == ERR_NOT_FOUND);
    }
    run(w, 60000 * MS);
    nobody_hung_up(w);
    for (int i = 0; i < 2; i++)
        if (tp(w, i))
            assert_int_equal(tp(w, i)->stream_count, 0);
    struct session *a = endpoint_find(w->p->ep[0], w->s[0]),
                   *b = endpoint_find(w->p->ep[1], w->s[1]);
    /* Credit is neither lost nor invented: all that was used counts as read. */
    assert_true(a->memo.credit.send_used == b->memo.credit.recv_used);
    assert_true(b->memo.credit.recv_used == b->memo.credit.recv_consumed);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[0])), 0);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[1])), 0);
    world_free(w);
}

static void who_acknowledges_what_was_never_sent_is_cut_off(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("optimistic", 7).x);
    uint64_t id = open_stream(w, 0);
    while (tp(w, 0)->skipped_count == 0) {
        feed(w, 0, id, 64 << 20);
        run(w, 5 * MS);
    }
    nobody_hung_up(w);
    assert_int_equal(ack_received(&tp(w, 1)->ack, w->p->now_us, tp(w, 0)->skipped[0], true), 0);
    feed(w, 0, id, 64 << 20);
    assert_true(pair_run(w->p, 1000 * MS, 0, EP_SESSION_DOWN));
    assert_int_equal(pair_event(w->p, 0, EP_SESSION_DOWN)->err, ERR_PROTO);
    world_free(w);
}

static void drop_in_flight(struct pair *p) {
    for (unsigned k = 0; k < p->in_flight; k++)
        free(p->queue[k].data);
    p->in_flight = 0;
}

/* The old path dies with all that is on it. */
static void a_new_path_carries_on_within_a_few_round_trips(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("path switch", 8).x);
    uint64_t id = open_stream(w, 0);
    for (int i = 0; i < 100; i++) {
        feed(w, 0, id, 8 << 20);
        run(w, 2 * MS);
    }
    for (int i = 0; i < 3; i++) {
        drop_in_flight(w->p);
        uint64_t before = w->read[1][id], start_us = w->p->now_us;
        w->p->addr[1].port++;
        assert_int_equal(session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], &w->p->addr[1], 0),
                         0);
        while (w->read[1][id] < before + 20000 && w->p->now_us < start_us + 2000 * MS) {
            feed(w, 0, id, 8 << 20);
            run(w, MS);
        }
        assert_true(w->p->now_us - start_us <= 7 * 20 * MS);
    }
    send_all(w, id, 8 << 20, 60000 * MS);
    nobody_hung_up(w);
    world_free(w);
}

enum { MANY = 1600 };

/* `each` bytes over each of `streams` streams both ways, all at once; gives how many had to wait for memory. */
static unsigned all_finish(uint64_t seed, unsigned streams, unsigned each) {
    struct world *w = world_new(seed);
    w->p->loss_permille = 20;
    w->p->jitter_us = 5 * MS;
    w->whole = each;
    uint64_t ids[2][MANY];
    unsigned waiting = 0;
    for (unsigned i = 0; i < streams; i++)
        for (int side = 0; side < 2; side++) { /* both sides open */
            ids[side][i] = open_stream(w, side);
            if (feed(w, side, ids[side][i], each))
                finish(w, side, ids[side][i]);
            else
                waiting++;
        }
    for (int i = 0; i < 6000 && (w->fins[0] < streams || w->fins[1] < streams); i++)
        run(w, 10 * MS);
    for (unsigned i = 0; i < streams; i++)
        for (int side = 0; side < 2; side++)
            assert_int_equal(w->read[!side][ids[side][i]], each);
    run(w, 1000 * MS);
    for (int side = 0; side < 2; side++)
        assert_int_equal(pair_count(w->p, side, EP_STREAM_FINISHED), streams);
    nobody_hung_up(w);
    world_free(w);
    return waiting;
}

static void a_thousand_streams_at_once_all_finish(void **state) {
    (void)state;
    assert_int_equal(all_finish(rand_seeded("streams", 9).x, 1000, 3000), 0);
}

/* More than there is memory to write into: the later ones wait for a turn. */
static void writers_wait_for_memory_and_all_finish(void **state) {
    (void)state;
    assert_true(all_finish(rand_seeded("waiting", 12).x, MANY, 60000) > 0);
}

static void a_black_hole_for_big_packets_is_left_behind(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("black hole", 10).x);
    w->p->mtu = 1472;
    uint64_t id = open_stream(w, 0);
    for (int i = 0; i < 400; i++) {
        feed(w, 0, id, 8 << 20);
        run(w, 5 * MS);
        if (transport_mtu(tp(w, 0)) > 1400 && w->read[1][id] > (1 << 20))
            break;
    }
    uint16_t mtu = transport_mtu(tp(w, 0));
    assert_true(mtu > 1400 && mtu <= 1472); /* found, and no more than that */
    assert_false(w->fin[1][id]);
    w->p->mtu = 1252;
    drop_in_flight(w->p);
    uint64_t before = w->read[1][id], start_us = w->p->now_us;
    while (w->read[1][id] < before + 100000 && w->p->now_us < start_us + 10000 * MS) {
        feed(w, 0, id, 8 << 20);
        run(w, 5 * MS);
    }
    assert_true(w->p->now_us - start_us < 3000 * MS);
    assert_true(transport_mtu(tp(w, 0)) <= 1252);
    assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, 1);
    send_all(w, id, 8 << 20, 60000 * MS);
    nobody_hung_up(w);
    world_free(w);
}

static void late_datagrams_are_dropped_and_lost_ones_not_repeated(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("datagrams", 11).x);
    struct pair *p = w->p;
    p->loss_permille = 300;
    uint64_t none = TIME_NEVER;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], &i, sizeof i, none), 0);
        run(w, 2 * MS);
    }
    run(w, 5000 * MS);
    unsigned came = pair_count(p, 1, EP_DATAGRAM);
    assert_true(came > 600 && came < 800);
    assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], "x", 1, p->now_us - 1), 0);
    run(w, 1000 * MS);
    assert_int_equal(endpoint_counters(p->ep[0])->datagrams_expired, 1);
    assert_int_equal(pair_count(p, 1, EP_DATAGRAM), came);
    uint8_t big[DATAGRAM_MAX_BYTES + 1] = {0};
    assert_int_equal(session_datagram(p->ep[0], p->now_us, w->s[0], big, sizeof big, none),
                     ERR_USAGE);
    world_free(w);
}

static bool frames_take(struct world *w, const uint8_t *frame, size_t len, int *err) {
    uint8_t *exact = malloc(len ? len : 1); /* so that a read beyond it is seen */
    assert_non_null(exact);
    memcpy(exact, frame, len);
    struct rd r = rd_init(exact, len);
    bool eliciting = false;
    *err = transport_frame(tp(w, 1), w->p->now_us, rd_u8(&r), &r, &eliciting);
    bool all = r.ok && rd_left(&r) == 0;
    free(exact);
    return all;
}

static void every_truncated_frame_is_refused(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("truncated", 12).x);
    w->deaf[1] = true;
    uint64_t id = open_stream(w, 0);
    feed(w, 0, id, 5000);
    run(w, 100 * MS);
    static const struct {
        const char *name;
        uint8_t bytes[16];
        size_t len;
    } whole[] = {
        {"ack", {FRAME_ACK, 0x40, 0, 0x40, 5, 0x40, 0, 0x40, 0}, 9},
        {"ack with counts",
         {FRAME_ACK_ECN, 0x40, 0, 0x40, 5, 0x40, 0, 0x40, 0, 0x40, 1, 0x40, 0, 0x40, 0},
         15},
        {"reset", {FRAME_RESET, 0x40, 0, 0x40, 5, 0x80, 0, 0x17, 0x70}, 9},
        {"stop", {FRAME_STOP, 0x40, 0, 0x40, 5}, 5},
        {"stream", {FRAME_STREAM | STREAM_LEN | STREAM_OFF, 0x40, 0, 0x40, 1, 3, 1, 2, 3}, 9},
        {"max data", {FRAME_MAX_DATA, 0x80, 0, 0, 1}, 5},
        {"max stream data", {FRAME_MAX_STREAM_DATA, 0x40, 0, 0x80, 0, 0, 1}, 7},
        {"max streams", {FRAME_MAX_STREAMS, 0x40, 1}, 3},
        {"datagram", {FRAME_DATAGRAM, 4, 1, 2, 3, 4}, 6},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        int err;
        for (size_t cut = 1; cut < whole[i].len; cut++)
            if (frames_take(w, whole[i].bytes, cut, &err) || err != ERR_PROTO)
                fail_msg("%s of %zu bytes passed: %d", whole[i].name, cut, err);
        /* RESET last would end the stream for the others: each is tried whole on its own. */
        if (whole[i].bytes[0] != FRAME_RESET && whole[i].bytes[0] != FRAME_STOP)
            if (!frames_take(w, whole[i].bytes, whole[i].len, &err) || err != 0)
                fail_msg("%s did not pass: %d", whole[i].name, err);
    }
    static const uint8_t unknown[] = {0x06, 0x07, 0x13, 0x1d, 0x24, 0x31, 0x40, 0xff};
    for (size_t i = 0; i < sizeof unknown; i++) {
        int err;
        frames_take(w, unknown + i, 1, &err);
        assert_int_equal(err, ERR_PROTO);
    }
    world_free(w);
}

/* Who stops reading gives the memory back at once, also when the other side goes on and never ends. */
static void what_nobody_will_read_keeps_no_memory(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("stop", 13).x);
    w->deaf[1] = true;
    const uint64_t id = open_stream(w, 0);
    for (int i = 0; i < 40; i++) {
        feed(w, 0, id, 300000);
        run(w, 5 * MS);
    }
    assert_true(block_pool_in_use(endpoint_blocks(w->p->ep[1])) >= 4);
    w->p->cut = true; /* so that no reset answers */
    assert_int_equal(stream_stop(w->p->ep[1], w->s[1], id, ERR_CANCELLED), 0);
    assert_int_equal(block_pool_in_use(endpoint_blocks(w->p->ep[1])), 0);
    assert_non_null(transport_stream(tp(w, 1), id));
    world_free(w);
}

/* A slow way back that loses half of the acknowledgements, and of the credit (asymmetric lines, busy relays): each says
 * all there is, so nothing that arrived is taken for lost, and what stands still goes on within probe timeouts. */
static bool lose_half_of_the_way_back(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)data;
    return from == 0 || len > 200 || pair_draw(p) % 10 < 5;
}

static void every_second_acknowledgement_may_be_lost(void **state) {
    (void)state;
    uint64_t took_us[2];
    for (int lossy = 0; lossy < 2; lossy++) {
        struct world *w = world_new(rand_seeded("lost acks", 14).x);
        w->p->tap = lossy ? lose_half_of_the_way_back : NULL;
        const uint64_t from_us = w->p->now_us;
        send_all(w, open_stream(w, 0), 8 << 20, 60000 * MS);
        took_us[lossy] = w->p->now_us - from_us;
        /* Nothing that carried data was lost. */
        struct transport *t = tp(w, 0);
        if (lossy && t)
            assert_true(t->cc.reductions - t->cc.undone <= 1);
        nobody_hung_up(w);
        world_free(w);
    }
    assert_true(took_us[1] < took_us[0] + 5000 * MS);
}

/* The new path carries less than the old one, silently, and everything that was under way is gone. */
static void a_new_path_with_a_smaller_mtu_carries_on(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("smaller mtu", 15).x);
    const uint64_t id = open_stream(w, 0);
    w->p->mtu = 8972;
    while (transport_mtu(tp(w, 0)) != 8972) {
        feed(w, 0, id, w->read[1][id] + (1 << 20));
        run(w, 5 * MS);
        assert_false(w->fin[1][id]);
    }
    for (size_t mtu = 1452; mtu >= 1200; mtu -= 84) {
        drop_in_flight(w->p);
        w->p->mtu = mtu;
        w->p->addr[1].port++;
        const uint64_t before = w->read[1][id], start_us = w->p->now_us;
        assert_int_equal(session_switch_path(w->p->ep[0], start_us, w->s[0], &w->p->addr[1], 0), 0);
        while (w->read[1][id] < before + 100000 && w->p->now_us < start_us + 3000 * MS) {
            feed(w, 0, id, w->read[1][id] + (1 << 20));
            run(w, MS);
        }
        assert_true(w->p->now_us - start_us <= 10 * 20 * MS); /* no black hole to be found first */
        for (int i = 0; i < 300; i++) {
            feed(w, 0, id, w->read[1][id] + (1 << 20));
            run(w, MS);
            assert_true(transport_mtu(tp(w, 0)) <= mtu);
        }
    }
    assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, 0);
    nobody_hung_up(w);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_mebibytes_arrive_exactly_over_a_bad_link),
        cmocka_unit_test(who_does_not_read_stops_the_sender),
        cmocka_unit_test(who_ignores_credit_is_cut_off),
        cmocka_unit_test(bulk_does_not_delay_an_urgent_message),
        cmocka_unit_test(each_half_closes_by_itself),
        cmocka_unit_test(given_up_streams_leave_nothing_behind),
        cmocka_unit_test(who_acknowledges_what_was_never_sent_is_cut_off),
        cmocka_unit_test(a_new_path_carries_on_within_a_few_round_trips),
        cmocka_unit_test(a_thousand_streams_at_once_all_finish),
        cmocka_unit_test(writers_wait_for_memory_and_all_finish),
        cmocka_unit_test(a_black_hole_for_big_packets_is_left_behind),
        cmocka_unit_test(late_datagrams_are_dropped_and_lost_ones_not_repeated),
        cmocka_unit_test(every_truncated_frame_is_refused),
        cmocka_unit_test(what_nobody_will_read_keeps_no_memory),
        cmocka_unit_test(every_second_acknowledgement_may_be_lost),
        cmocka_unit_test(a_new_path_with_a_smaller_mtu_carries_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
