/* Two endpoints on a path that marks, clears or drops: what is sent marked, what is told, what
 * follows from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000 };

struct world {
    struct pair *p;
    struct session_ref s[2];
    uint64_t stream, written, read, total;
    uint64_t fields[4];  /* of what side 0 has sent */
    uint64_t back[4];    /* and side 1 */
    unsigned mark_every; /* CE on each so manieth packet of side 0 that can bear it; 0: none */
    uint8_t turn_to;     /* other than 0xfe: every field becomes this */
    bool drop_marked;
    unsigned drop_until; /* so many marked packets of side 0 are dropped, then no more */
};
enum { AS_IT_IS = 0xfe };

static uint8_t path(struct pair *p, int from, uint8_t ecn) {
    struct world *w = p->user;
    if (from == 0)
        w->fields[ecn & ECN_MASK]++;
    else
        w->back[ecn & ECN_MASK]++;
    if (ecn != ECN_NOT_ECT && w->drop_marked)
        return PAIR_DROP;
    if (from == 0 && ecn == ECN_ECT0 && w->fields[ECN_ECT0] <= w->drop_until)
        return PAIR_DROP;
    if (w->turn_to != AS_IT_IS)
        return w->turn_to;
    if (from == 0 && ecn == ECN_ECT0 && w->mark_every > 0 &&
        w->fields[ECN_ECT0] % w->mark_every == 0)
        return ECN_CE;
    return ecn;
}

static void feed(struct world *w) {
    static const uint8_t bytes[4096];
    while (w->written < w->total) {
        size_t n =
            w->total - w->written < sizeof bytes ? (size_t)(w->total - w->written) : sizeof bytes;
        size_t taken = 0;
        int err = stream_write(w->p->ep[0], w->s[0], w->stream, bytes, n, &taken);
        assert_true(err == 0 || err == ERR_AGAIN);
        w->written += taken;
        if (taken == 0)
            return;
    }
}

static void on_event(struct pair *p, int side, const struct ep_event *e) {
    struct world *w = p->user;
    if (side == 0 && e->kind == EP_STREAM_WRITABLE)
        feed(w);
    if (side != 1 || e->kind != EP_STREAM_READABLE)
        return;
    struct span v[8];
    bool fin;
    unsigned n;
    while ((n = stream_peek(p->ep[1], w->s[1], e->stream, 0, v, 8, &fin)) > 0) {
        size_t len = 0;
        for (unsigned i = 0; i < n; i++)
            len += v[i].len;
        w->read += len;
        stream_consume(p->ep[1], p->now_us, w->s[1], e->stream, len);
    }
}

static struct world *world_new(uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->turn_to = AS_IT_IS;
    w->p = pair_new(seed);
    w->p->user = w;
    w->p->on_event = on_event;
    w->p->field = path;
    w->p->mtu = 1300;
    pair_start(w->p, 0);
    pair_know(w->p, 0, NULL, false);
    pair_know(w->p, 1, NULL, false);
    pair_connect(w->p, w->s);
    assert_int_equal(w->fields[ECN_ECT0] + w->fields[ECN_ECT1] + w->fields[ECN_CE], 0);
    assert_int_equal(stream_open(w->p->ep[0], w->s[0], &w->stream), 0);
    return w;
}

static void world_free(struct world *w) {
    for (int i = 0; i < 2; i++) {
        assert_int_equal(endpoint_counters(w->p->ep[i])->frames_bad, 0);
        assert_int_equal(pair_count(w->p, i, EP_SESSION_DOWN), 0);
    }
    pair_free(w->p);
    free(w);
}

static void send(struct world *w, uint64_t bytes, uint64_t us) {
    w->total += bytes;
    feed(w);
    pair_run(w->p, us, -1, -1);
    assert_int_equal(w->read, w->total);
}

static const struct endpoint_counters *counted(const struct world *w, int side) {
    return endpoint_counters(w->p->ep[side]);
}

static struct transport *tp(struct world *w, int side) {
    struct session *s = endpoint_find(w->p->ep[side], w->s[side]);
    assert_non_null(s);
    assert_non_null(s->tp);
    return s->tp;
}

static void a_path_that_carries_marks_gets_them(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("carries", 1).x);
    send(w, 1 << 20, 5000 * MS);
    assert_int_equal(counted(w, 0)->ecn_validated, 1);
    assert_int_equal(counted(w, 0)->ecn_failed, 0);
    assert_int_equal(counted(w, 1)->ecn_failed, 0);
    assert_true(w->fields[ECN_ECT0] > 600);
    assert_int_equal(w->fields[ECN_ECT1] + w->fields[ECN_CE], 0);
    assert_int_equal(counted(w, 1)->ce_received, 0);
    const uint64_t unmarked = w->fields[ECN_NOT_ECT];
    /* Both sides have let their transports go: the counts have stayed. */
    pair_run(w->p, 20000 * MS, -1, -1);
    send(w, 1 << 20, 5000 * MS);
    assert_true(w->fields[ECN_NOT_ECT] <= unmarked + 8); /* acknowledgements alone */
    assert_int_equal(counted(w, 0)->ecn_failed, 0);
    world_free(w);
}

static void congestion_that_is_told_makes_the_window_smaller_once_a_round_trip(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("told", 2).x);
    w->mark_every = 1;
    send(w, 1 << 20, 20000 * MS);
    const struct cc *c = &tp(w, 0)->rec->cc;
    assert_true(counted(w, 1)->ce_received > 100);
    assert_int_equal(counted(w, 0)->pkts_lost, 0);
    assert_true(c->reductions > 10 && c->reductions * 3 < counted(w, 1)->ce_received * 2);
    assert_int_equal(c->undone, 0);
    assert_true(c->cwnd_bytes < (CC_MIN_PKTS + 1) * c->mss_bytes);
    assert_int_equal(counted(w, 0)->ecn_failed, 0);
    world_free(w);
}

static void ce_is_acknowledged_at_once(void **state) {
    (void)state;
    for (unsigned marked = 0; marked < 2; marked++) {
        struct world *w = world_new(rand_seeded("at once", 3).x);
        send(w, 100000,
             400 * MS); /* so that the path is trusted, and nobody asks after the other yet */
        w->mark_every = marked;
        const uint64_t before = counted(w, 1)->pkts_out;
        w->total += 100; /* one packet */
        feed(w);
        pair_run(w->p, 15 * MS, -1, -1);
        assert_int_equal(w->read, w->total);
        assert_int_equal(counted(w, 1)->pkts_out - before, marked);
        world_free(w);
    }
}

static void who_clears_marks_is_found_out(void **state) {
    (void)state;
    static const uint8_t fields[] = {ECN_NOT_ECT, ECN_ECT1};
    for (size_t i = 0; i < sizeof fields; i++) {
        struct world *w = world_new(rand_seeded("clears", 4).x);
        w->turn_to = fields[i];
        send(w, 1 << 20, 5000 * MS);
        assert_int_equal(counted(w, 0)->ecn_validated, 0);
        assert_int_equal(counted(w, 0)->ecn_failed, 1);
        assert_true(w->fields[ECN_ECT0] <= 16);
        /* And not trusted for the rest of this path. */
        w->turn_to = AS_IT_IS;
        send(w, 1 << 20, 5000 * MS);
        assert_true(w->fields[ECN_ECT0] <= 16);
        world_free(w);
    }
}

static void who_drops_marks_is_found_out(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("drops", 5).x);
    w->drop_marked = true;
    send(w, 1 << 20, 10000 * MS);
    assert_int_equal(counted(w, 0)->ecn_validated, 0);
    assert_int_equal(counted(w, 0)->ecn_failed, 1);
    const uint64_t marked = w->fields[ECN_ECT0];
    assert_true(marked <= 16);
    send(w, 1 << 20, 5000 * MS);
    assert_int_equal(w->fields[ECN_ECT0], marked);
    world_free(w);
}

/* A router that drops marks is not congestion: nothing gets smaller for what the test has cost. */
static void what_is_dropped_for_its_mark_is_no_congestion(void **state) {
    (void)state;
    for (int trusted = 0; trusted < 2; trusted++) {
        struct world *w = world_new(rand_seeded("no congestion", 8).x);
        if (trusted)
            send(w, 100000, 500 * MS);
        w->drop_marked = true;
        w->total += 1 << 20;
        feed(w);
        pair_run(w->p, 1500 * MS, -1, -1);
        assert_int_equal(counted(w, 0)->ecn_validated, trusted);
        assert_true(counted(w, 0)->pkts_lost >= 10);
        const struct cc *c = &tp(w, 0)->rec->cc;
        assert_true(trusted ? c->reductions > 0
                            : c->reductions == 0); /* what was trusted may be full */
        assert_true(trusted ? c->rate.lost > 0 : c->rate.lost == 0);
        world_free(w);
    }
}

/* Once one of the test has come through, the others' losses are like any. */
static void a_test_that_succeeds_excuses_nothing(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("excuses", 9).x);
    w->drop_until = 4;
    w->total = 1 << 20;
    feed(w);
    pair_run(w->p, 1500 * MS, -1, -1);
    assert_int_equal(counted(w, 0)->ecn_validated, 1);
    assert_true(tp(w, 0)->rec->cc.reductions > 0);
    assert_true(tp(w, 0)->rec->cc.rate.lost > 0);
    world_free(w);
}

static void a_trusted_path_that_begins_to_drop_marks_is_left_within_seconds(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("begins", 6).x);
    send(w, 1 << 20, 3000 * MS);
    assert_int_equal(counted(w, 0)->ecn_validated, 1);
    w->drop_marked = true;
    send(w, 1 << 20, 8000 * MS);
    assert_int_equal(counted(w, 0)->ecn_failed, 1);
    world_free(w);
}

/* What only acknowledges is not at risk: nobody would notice that it does not come through. */
static void bare_acknowledgements_are_not_marked(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("bare", 8).x);
    send(w, 1 << 20, 3000 * MS);
    assert_int_equal(counted(w, 1)->ecn_validated, 1); /* credit asks for acknowledgements */
    const uint64_t marked = w->back[ECN_ECT0], plain = w->back[ECN_NOT_ECT];
    assert_true(plain > 2 * marked);
    world_free(w);
}

/* It has nothing outstanding that could time out: its acknowledgements bear no marks. */
static void who_only_acknowledges_is_not_muted(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("acknowledges", 10).x);
    send(w, 100000, 500 * MS);
    tp(w, 1)->memo->ecn.state = ECN_CAPABLE;
    w->drop_marked = true;
    send(w, 100000, 3000 * MS);
    world_free(w);
}

/* A question and its answer, of a packet each, where marks are dropped: who waits for a timeout at
 * both ends takes the other one for dead. */
static void a_question_and_its_answer_pass_where_marks_are_dropped(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("question", 11).x);
    w->drop_marked = true;
    send(w, 100, 200 * MS);
    assert_int_equal(w->fields[ECN_ECT0], 0);
    send(w, 300000, 3000 * MS); /* what is more is tried */
    assert_true(w->fields[ECN_ECT0] > 0);
    world_free(w);
}

static void a_new_path_is_tested_afresh(void **state) {
    (void)state;
    struct world *w = world_new(rand_seeded("afresh", 7).x);
    w->turn_to = ECN_NOT_ECT;
    send(w, 300000, 3000 * MS);
    assert_int_equal(counted(w, 0)->ecn_failed, 1);
    const struct addr to = w->p->addr[1];
    w->turn_to = AS_IT_IS;
    w->p->local[0] = 1;
    assert_int_equal(session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], AT_SOCKET(&to, 1)), 0);
    send(w, 300000, 3000 * MS); /* leaves in part before the path has moved */
    send(w, 300000, 3000 * MS);
    assert_int_equal(counted(w, 0)->ecn_validated, 1);
    assert_int_equal(counted(w, 0)->ecn_failed, 1);
    /* And from a trusted one to one that clears. */
    w->turn_to = ECN_NOT_ECT;
    w->p->local[0] = 2;
    assert_int_equal(session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], AT_SOCKET(&to, 2)), 0);
    send(w, 300000, 3000 * MS);
    send(w, 300000, 3000 * MS);
    assert_int_equal(counted(w, 0)->ecn_failed, 2);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_carries_marks_gets_them),
        cmocka_unit_test(congestion_that_is_told_makes_the_window_smaller_once_a_round_trip),
        cmocka_unit_test(ce_is_acknowledged_at_once),
        cmocka_unit_test(who_clears_marks_is_found_out),
        cmocka_unit_test(who_drops_marks_is_found_out),
        cmocka_unit_test(what_is_dropped_for_its_mark_is_no_congestion),
        cmocka_unit_test(a_test_that_succeeds_excuses_nothing),
        cmocka_unit_test(a_trusted_path_that_begins_to_drop_marks_is_left_within_seconds),
        cmocka_unit_test(bare_acknowledgements_are_not_marked),
        cmocka_unit_test(who_only_acknowledges_is_not_muted),
        cmocka_unit_test(a_question_and_its_answer_pass_where_marks_are_dropped),
        cmocka_unit_test(a_new_path_is_tested_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
