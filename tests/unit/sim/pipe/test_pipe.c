/* A simulated TCP connection: whatever the wire between its ends does, bytes come in order and
 * complete, or there is an error; who does not read stops who writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/err.h"
#include "sim/engine/draw.h"
#include "sim/pipe/pipe.h"
#include "sim/pipe/segment.h"

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

enum { SIDES = 2, QUEUE = 4096, WIRE_BYTES = PIPE_MSS_BYTES + SEGMENT_HEAD_BYTES };

struct flight {
    uint64_t at_ns, order;
    unsigned to;
    uint32_t len;
    uint8_t bytes[WIRE_BYTES];
};

struct wire {
    struct draw draw;
    struct pipe *end[SIDES];
    struct flight *queue[QUEUE];
    unsigned queued;
    uint64_t now_ns, order, delay_ns, jitter_ns;
    uint32_t loss_ppb, double_ppb;
    bool cut;
    uint64_t sent, lost;
};

static struct wire *wire_new(uint64_t seed, const struct pipe_config *c) {
    struct wire *w = calloc(1, sizeof *w);
    draw_init(&w->draw, seed);
    w->delay_ns = 10 * MS;
    for (unsigned i = 0; i < SIDES; i++)
        w->end[i] = pipe_new(c);
    return w;
}

static void wire_free(struct wire *w) {
    while (w->queued > 0)
        free(w->queue[--w->queued]);
    for (unsigned i = 0; i < SIDES; i++)
        pipe_free(w->end[i]);
    free(w);
}

static bool chance(struct wire *w, uint32_t ppb) {
    return draw_chance(draw_u64(&w->draw, 0, DRAW_LOSS, w->order++), ppb);
}

static void fly(struct wire *w, unsigned to, const uint8_t *bytes, uint32_t len) {
    const uint64_t drawn = draw_u64(&w->draw, 1, DRAW_JITTER, w->order);
    assert_in_range(w->queued, 0, QUEUE - 1);
    struct flight *f = w->queue[w->queued++] = calloc(1, sizeof *f);
    f->at_ns = w->now_ns + w->delay_ns + (w->jitter_ns ? drawn % w->jitter_ns : 0);
    f->order = w->order++;
    f->to = to;
    f->len = len;
    memcpy(f->bytes, bytes, len);
}

static void pump(struct wire *w) {
    uint8_t out[WIRE_BYTES];
    uint32_t n;
    for (unsigned i = 0; i < SIDES; i++)
        while ((n = pipe_output(w->end[i], w->now_ns, out)) > 0) {
            w->sent++;
            if (w->cut || chance(w, w->loss_ppb)) {
                w->lost++;
                continue;
            }
            fly(w, !i, out, n);
            if (chance(w, w->double_ppb))
                fly(w, !i, out, n);
        }
}

/* The next thing that happens; false: nothing does before until_ns. */
static bool step(struct wire *w, uint64_t until_ns) {
    pump(w);
    unsigned first = 0;
    uint64_t at_ns = UINT64_MAX;
    for (unsigned i = 1; i < w->queued; i++)
        if (w->queue[i]->at_ns < w->queue[first]->at_ns ||
            (w->queue[i]->at_ns == w->queue[first]->at_ns &&
             w->queue[i]->order < w->queue[first]->order))
            first = i;
    if (w->queued > 0)
        at_ns = w->queue[first]->at_ns;
    const uint64_t come_ns = at_ns;
    for (unsigned i = 0; i < SIDES; i++)
        at_ns = pipe_deadline_ns(w->end[i]) < at_ns ? pipe_deadline_ns(w->end[i]) : at_ns;
    if (at_ns > until_ns) {
        w->now_ns = until_ns;
        return false;
    }
    w->now_ns = at_ns > w->now_ns ? at_ns : w->now_ns;
    if (come_ns > at_ns) {
        for (unsigned i = 0; i < SIDES; i++)
            pipe_timeout(w->end[i], w->now_ns);
        return true;
    }
    struct flight *f = w->queue[first];
    w->queue[first] = w->queue[--w->queued];
    (void)pipe_input(w->end[f->to], w->now_ns, f->bytes, f->len);
    free(f);
    return true;
}

static void run(struct wire *w, uint64_t ns) {
    const uint64_t until_ns = w->now_ns + ns;
    while (step(w, until_ns))
        continue;
}

static struct pipe_info info(const struct wire *w, unsigned side) {
    struct pipe_info i;
    pipe_info(w->end[side], &i);
    return i;
}

static struct wire *opened(uint64_t seed, const struct pipe_config *c) {
    struct wire *w = wire_new(seed, c);
    pipe_connect(w->end[0]);
    pipe_accept(w->end[1]);
    run(w, S);
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    assert_int_equal(info(w, 1).state, PIPE_OPEN);
    return w;
}

static uint8_t byte_at(uint64_t at) {
    return (uint8_t)(at * 131 + (at >> 8) * 7);
}

/* Side `from` writes `total` bytes as fast as it may, the other reads all it gets, until it is at
 * the end. */
static void carry(struct wire *w, unsigned from, uint64_t total, uint64_t limit_ns) {
    uint64_t wrote = 0, got = 0;
    const uint64_t until_ns = w->now_ns + limit_ns;
    uint8_t buf[1000];
    do {
        while (wrote < total) {
            size_t n = total - wrote < sizeof buf ? (size_t)(total - wrote) : sizeof buf;
            for (size_t i = 0; i < n; i++)
                buf[i] = byte_at(wrote + i);
            n = pipe_write(w->end[from], buf, n);
            wrote += n;
            if (n == 0)
                break;
        }
        if (wrote == total)
            pipe_shut(w->end[from]);
        for (size_t n; (n = pipe_read(w->end[!from], buf, sizeof buf)) > 0; got += n)
            for (size_t i = 0; i < n; i++)
                assert_int_equal(buf[i], byte_at(got + i));
    } while (!info(w, !from).ended && step(w, until_ns));
    assert_int_equal(got, total);
    assert_true(info(w, !from).ended);
}

/* ---- beginning ---- */

static void a_connection_opens_in_one_round_trip(void **state) {
    (void)state;
    struct wire *w = wire_new(1, NULL);
    pipe_connect(w->end[0]);
    pipe_accept(w->end[1]);
    run(w, 20 * MS);
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    assert_int_equal(info(w, 1).state, PIPE_ACCEPTING);
    run(w, 10 * MS);
    assert_int_equal(info(w, 1).state, PIPE_OPEN);
    assert_int_equal(w->sent, 3);
    assert_int_equal(info(w, 0).srtt_ns, 20 * MS);
    run(w, 1000 * S); /* nothing is said where nothing is to be said */
    assert_int_equal(w->sent, 3);
    wire_free(w);
}

static void both_may_begin_at_once(void **state) {
    (void)state;
    struct wire *w = wire_new(1, NULL);
    pipe_connect(w->end[0]);
    pipe_connect(w->end[1]);
    run(w, S);
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    assert_int_equal(info(w, 1).state, PIPE_OPEN);
    carry(w, 0, 100000, 60 * S);
    wire_free(w);
}

static void who_is_not_answered_gives_up_after_two_minutes(void **state) {
    (void)state;
    struct wire *w = wire_new(1, NULL);
    w->cut = true;
    pipe_connect(w->end[0]);
    run(w, 126 * S);
    assert_int_equal(info(w, 0).state, PIPE_CONNECTING);
    assert_int_equal(w->sent, 1 + PIPE_CONNECT_TRIES);
    run(w, 2 * S);
    assert_int_equal(info(w, 0).state, PIPE_CLOSED);
    assert_int_equal(info(w, 0).err, ERR_TIMEOUT);
    wire_free(w);
}

static void nobody_there_is_a_refusal(void **state) {
    (void)state;
    uint8_t syn[WIRE_BYTES], rst[SEGMENT_HEAD_BYTES], none[SEGMENT_HEAD_BYTES];
    struct pipe *p = pipe_new(NULL);
    pipe_connect(p);
    const uint32_t n = pipe_output(p, 0, syn);
    assert_int_equal(n, SEGMENT_HEAD_BYTES);
    assert_int_equal(segment_refuse(syn, n, rst), SEGMENT_HEAD_BYTES);
    assert_int_equal(segment_refuse(rst, sizeof rst, none), 0); /* no answer to that */
    assert_int_equal(segment_refuse(syn, n - 1, none), 0);
    assert_true(pipe_input(p, 0, rst, sizeof rst));
    struct pipe_info i;
    pipe_info(p, &i);
    assert_true(i.state == PIPE_CLOSED && i.err == ERR_REFUSED);
    assert_int_equal(pipe_write(p, "x", 1), 0);
    pipe_free(p);
}

/* ---- bytes ---- */

static void bytes_come_whole_and_in_order_over_any_wire(void **state) {
    (void)state;
    static const struct {
        uint32_t loss_ppb, double_ppb;
        uint64_t jitter_ns;
    } wires[] = {{0, 0, 0},
                 {10000000, 0, 0},
                 {100000000, 50000000, 0},
                 {0, 0, 30 * MS},
                 {200000000, 100000000, 30 * MS}};
    static const uint64_t sizes[] = {0, 1, 1399, 1400, 1401, 262144, 1000000};
    for (unsigned i = 0; i < sizeof wires / sizeof *wires; i++)
        for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct wire *w = wire_new(1 + i * 10 + k, NULL);
            w->loss_ppb = wires[i].loss_ppb;
            w->double_ppb = wires[i].double_ppb;
            w->jitter_ns = wires[i].jitter_ns;
            pipe_connect(w->end[0]);
            pipe_accept(w->end[1]);
            carry(w, k % 2, sizes[k], 4000 * S);
            wire_free(w);
        }
}

/* Each second byte first, and then the others: more gaps than anybody remembers. */
static void what_is_next_is_taken_however_many_gaps_there_are(void **state) {
    (void)state;
    struct wire *w = opened(2, NULL);
    uint8_t out[SEGMENT_HEAD_BYTES + 1];
    for (unsigned odd = 2; odd-- > 0;)
        for (uint64_t at = odd; at < 200; at += 2) {
            const uint8_t byte = byte_at(at);
            const struct segment s = {.seq = 1 + at,
                                      .ack = 1,
                                      .window = 1000,
                                      .flags = SEGMENT_ACK,
                                      .data = &byte,
                                      .len = 1};
            assert_true(pipe_input(w->end[1], w->now_ns, out, segment_write(&s, out)));
        }
    const uint64_t got = info(w, 1).unread;
    uint8_t in[200];
    assert_in_range(got, 65, 199); /* 32 gaps were known */
    assert_int_equal(pipe_read(w->end[1], in, sizeof in), got);
    for (uint64_t i = 0; i < got; i++)
        assert_int_equal(in[i], byte_at(i));
    wire_free(w);
}

static void a_small_buffer_is_enough(void **state) {
    (void)state;
    const struct pipe_config c = {.buffer_bytes = 1000, .mss_bytes = 300};
    struct wire *w = opened(3, &c);
    w->loss_ppb = 50000000;
    carry(w, 0, 100000, 4000 * S);
    wire_free(w);
}

/* 64 KiB of window, 200 ms away: no more than a window each round trip. */
static void a_window_is_carried_each_round_trip(void **state) {
    (void)state;
    const struct pipe_config c = {.buffer_bytes = 65536};
    struct wire *w = opened(4, &c);
    w->delay_ns = 100 * MS;
    const uint64_t start_ns = w->now_ns;
    carry(w, 0, 65536 * 20, 4000 * S);
    const uint64_t rounds = (w->now_ns - start_ns) / (200 * MS);
    assert_in_range(rounds, 20, 28); /* and the slow start */
    wire_free(w);
}

static void loss_costs_more_where_it_is_far(void **state) {
    (void)state;
    uint64_t took_ns[2];
    for (unsigned i = 0; i < 2; i++) {
        struct wire *w = opened(5, NULL);
        w->loss_ppb = 10000000;
        w->delay_ns = (i ? 100 : 5) * MS;
        const uint64_t start_ns = w->now_ns;
        carry(w, 0, 1000000, 4000 * S);
        took_ns[i] = w->now_ns - start_ns;
        assert_true(info(w, 0).resent >= w->lost / 4);
        wire_free(w);
    }
    assert_true(took_ns[1] > 5 * took_ns[0]);
}

static void who_does_not_read_stops_who_writes(void **state) {
    (void)state;
    struct wire *w = opened(6, NULL);
    static uint8_t buf[PIPE_BUFFER_BYTES];
    uint64_t wrote = 0;
    for (unsigned i = 0; i < 100; i++) {
        wrote += pipe_write(w->end[0], buf, sizeof buf);
        run(w, S);
    }
    assert_int_equal(wrote, 2 * PIPE_BUFFER_BYTES); /* its buffer and ours */
    assert_int_equal(info(w, 0).room, 0);
    assert_int_equal(info(w, 1).unread, PIPE_BUFFER_BYTES);
    const uint64_t before = w->sent;
    run(w, 3600 * S); /* it is asked from time to time, and does not give up */
    assert_in_range(w->sent - before, 20, 200);
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    uint64_t got = 0;
    for (unsigned i = 0; i < 200 && got < wrote; i++) {
        got += pipe_read(w->end[1], buf, sizeof buf);
        run(w, S);
    }
    assert_int_equal(got, wrote);
    wire_free(w);
}

/* ---- the end ---- */

static void one_direction_may_end_before_the_other(void **state) {
    (void)state;
    struct wire *w = opened(7, NULL);
    carry(w, 0, 5000, 60 * S); /* and shut */
    assert_int_equal(pipe_write(w->end[0], "x", 1), 0);
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    run(w, 100 * S);
    carry(w, 1, 300000, 60 * S);
    run(w, S);
    for (unsigned i = 0; i < SIDES; i++)
        assert_true(info(w, i).state == PIPE_CLOSED && info(w, i).err == 0 && info(w, i).ended);
    wire_free(w);
}

static void the_end_comes_through_losses_on_both_sides(void **state) {
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct wire *w = opened(100 + seed, NULL);
        w->loss_ppb = 300000000;
        pipe_shut(w->end[0]);
        pipe_shut(w->end[1]);
        run(w, 3000 * S);
        for (unsigned i = 0; i < SIDES; i++)
            assert_true(info(w, i).state == PIPE_CLOSED && info(w, i).err == 0);
        wire_free(w);
    }
}

static void a_reset_ends_both_at_once(void **state) {
    (void)state;
    struct wire *w = opened(8, NULL);
    assert_int_equal(pipe_write(w->end[0], "lost", 4), 4);
    pipe_reset(w->end[0]);
    run(w, S);
    for (unsigned i = 0; i < SIDES; i++)
        assert_true(info(w, i).state == PIPE_CLOSED && info(w, i).err == ERR_RESET);
    assert_int_equal(info(w, 1).unread, 0);
    const uint64_t sent = w->sent;
    run(w, 100 * S);
    assert_int_equal(w->sent, sent);
    wire_free(w);
}

static void a_cut_wire_is_noticed_by_who_has_something_to_say(void **state) {
    (void)state;
    struct wire *w = opened(9, NULL);
    w->cut = true;
    assert_int_equal(pipe_write(w->end[0], "anybody?", 8), 8);
    run(w, 2000 * S);
    assert_true(info(w, 0).state == PIPE_CLOSED && info(w, 0).err == ERR_TIMEOUT);
    assert_int_equal(info(w, 1).state, PIPE_OPEN); /* it does not know */
    wire_free(w);
}

static void a_short_outage_is_survived(void **state) {
    (void)state;
    struct wire *w = opened(10, NULL);
    w->cut = true;
    assert_int_equal(pipe_write(w->end[0], "later", 5), 5);
    run(w, 30 * S);
    w->cut = false;
    run(w, 60 * S);
    assert_int_equal(info(w, 1).unread, 5);
    wire_free(w);
}

static void what_is_no_segment_of_it_changes_nothing(void **state) {
    (void)state;
    struct wire *w = opened(11, NULL);
    uint8_t junk[64];
    for (unsigned i = 0; i < 20000; i++) {
        const uint64_t drawn = draw_u64(&w->draw, 9, DRAW_CONTENT, i);
        for (unsigned k = 0; k < sizeof junk; k++)
            junk[k] = (uint8_t)(draw_u64(&w->draw, k, DRAW_CONTENT, i));
        junk[8] &= (uint8_t)~SEGMENT_RST; /* one of those may be right by chance */
        (void)pipe_input(w->end[i % 2], w->now_ns, junk, (uint32_t)(drawn % sizeof junk));
    }
    assert_int_equal(info(w, 0).state, PIPE_OPEN);
    assert_int_equal(info(w, 1).state, PIPE_OPEN);
    wire_free(w);
}

static void runs_of_one_seed_are_equal(void **state) {
    (void)state;
    uint64_t sent[2], ended_ns[2];
    for (unsigned i = 0; i < 2; i++) {
        struct wire *w = opened(12, NULL);
        w->loss_ppb = 50000000;
        w->jitter_ns = 20 * MS;
        carry(w, 0, 500000, 1000 * S);
        sent[i] = w->sent;
        ended_ns[i] = w->now_ns;
        wire_free(w);
    }
    assert_int_equal(sent[0], sent[1]);
    assert_int_equal(ended_ns[0], ended_ns[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_opens_in_one_round_trip),
        cmocka_unit_test(both_may_begin_at_once),
        cmocka_unit_test(who_is_not_answered_gives_up_after_two_minutes),
        cmocka_unit_test(nobody_there_is_a_refusal),
        cmocka_unit_test(bytes_come_whole_and_in_order_over_any_wire),
        cmocka_unit_test(what_is_next_is_taken_however_many_gaps_there_are),
        cmocka_unit_test(a_small_buffer_is_enough),
        cmocka_unit_test(a_window_is_carried_each_round_trip),
        cmocka_unit_test(loss_costs_more_where_it_is_far),
        cmocka_unit_test(who_does_not_read_stops_who_writes),
        cmocka_unit_test(one_direction_may_end_before_the_other),
        cmocka_unit_test(the_end_comes_through_losses_on_both_sides),
        cmocka_unit_test(a_reset_ends_both_at_once),
        cmocka_unit_test(a_cut_wire_is_noticed_by_who_has_something_to_say),
        cmocka_unit_test(a_short_outage_is_survived),
        cmocka_unit_test(what_is_no_segment_of_it_changes_nothing),
        cmocka_unit_test(runs_of_one_seed_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
