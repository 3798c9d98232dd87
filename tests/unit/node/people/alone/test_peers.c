/* Peers, calls and echoes on an endpoint that is the test's own: no contact, no channel is
 * needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_peers.h"

/* A peer that is no contact, as a relay will be. */
static struct peering *hold(struct scene *s, unsigned n) {
    const struct peer_setup setup = {
        .id = id_of(n), .addrs = {{.kind = ADDR_IPV4, .port = 7, .ip = {10}}}, .addr_count = 1};
    struct peering *p;
    assert_int_equal(peering_new(&s->peers, &setup, &p), 0);
    return p;
}

static void a_peer_is_found_by_its_reference_and_its_session(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct peering *p = hold(&s, 1), *q = hold(&s, 2);
    assert_ptr_equal(peering_by_ref(&s.peers, p->ref), p);
    assert_ptr_equal(peering_by_ref(&s.peers, q->ref), q);
    assert_null(peering_by_ref(&s.peers, (struct peer_ref){p->ref.index, p->ref.generation + 1}));
    assert_null(peering_by_ref(&s.peers, (struct peer_ref){FAKE_PEERS, 1}));
    assert_null(peering_by_session(&s.peers, p->session)); /* none is up */
    scene_up(&s, p);
    const struct session_ref first = p->session;
    assert_ptr_equal(peering_by_session(&s.peers, first), p);
    scene_down(&s, p, ERR_CLOSED);
    scene_up(&s, p);
    assert_null(peering_by_session(&s.peers, first)); /* one that was */
    const struct session_ref now = p->session;
    p->session = first; /* the endpoint has another one, and nobody here has heard of it yet */
    assert_null(peering_by_session(&s.peers, now));
    p->session = now;
    p->online = false;
    assert_null(peering_by_session(&s.peers, now));
    p->online = true;
    assert_ptr_equal(peering_by_session(&s.peers, now), p);
    dial_forget(&s.dials, p);
    peering_end(&s.peers, p);
    assert_false(fake[0].there);
    assert_null(peering_at(&s.peers, 0));
    scene_end(&s);
}

static void who_is_no_contact_is_dialled_and_found_away(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    assert_int_equal(dial_state(&s.dials, p), PEER_CONNECTING);
    assert_int_equal(dial_now(&s.dials, p), 0);
    assert_int_equal(fake[p->ref.index].connects, 1);
    scene_wait(&s, DIAL_CALL_US + 1);
    assert_int_equal(dial_state(&s.dials, p), PEER_OFFLINE);
    assert_true(scene_heard(&s, NODE_CONNECT_FAILED, &e));
    assert_string_equal(e.contact, "");
    assert_int_equal(e.err, ERR_OFFLINE);
    scene_end(&s);
}

static void a_lost_peer_is_called_ever_later(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    struct fake_peer *f = &fake[p->ref.index];
    scene_up(&s, p);
    assert_int_equal(dial_state(&s.dials, p), PEER_ONLINE);
    scene_down(&s, p, ERR_TIMEOUT);
    uint64_t pause_us = DIAL_FIRST_US;
    for (unsigned i = 1; i <= 4; i++, pause_us *= 2) {
        scene_wait(&s, pause_us / 2);
        assert_int_equal(f->calls, i - 1);
        scene_wait(&s, pause_us);
        assert_int_equal(f->calls, i);
        dial_failed(&s.dials, p, ERR_TIMEOUT);
    }
    scene_end(&s);
}

static void whoever_does_not_let_us_in_is_called_once_an_hour(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    p->refused = true;
    assert_int_equal(dial_state(&s.dials, p), PEER_OFFLINE); /* known from before the start */
    dial_failed(&s.dials, p, ERR_UNKNOWN);
    scene_wait(&s, (uint64_t)DIAL_REFUSED_S * S / 2);
    assert_int_equal(fake[p->ref.index].calls, 0);
    scene_wait(&s, (uint64_t)DIAL_REFUSED_S * S);
    assert_int_equal(fake[p->ref.index].calls, 1);
    scene_end(&s);
}

static void a_session_that_ended_for_want_of_use_is_left_alone_until_something_waits(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    scene_up(&s, p);
    scene_down(&s, p, 0);
    assert_int_equal(dial_state(&s.dials, p), PEER_IDLE);
    scene_wait(&s, 3600 * (uint64_t)S);
    assert_int_equal(fake[p->ref.index].calls, 0);
    scene_up(&s, p);
    p->queued = 1;
    scene_down(&s, p, 0);
    scene_wait(&s, 2 * (uint64_t)DIAL_FIRST_US);
    assert_int_equal(fake[p->ref.index].calls, 1);
    scene_end(&s);
}

static void an_answer_is_a_pong_and_silence_a_verdict(void **state) {
    (void)state;
    static const struct addr there = {.kind = ADDR_IPV4, .port = 9};
    struct scene s;
    struct node_event e;
    uint64_t id = 0;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    scene_up(&s, p);
    s.turn.now_us += S;
    assert_int_equal(ping_start(&s.pings, p, 0, &id), 0);
    assert_int_equal(fake[p->ref.index].last_ping, id);
    s.turn.now_us += 3000;
    fake[p->ref.index].heard_us = s.turn.now_us;
    ping_answered(&s.pings, p, id, &there);
    assert_true(scene_heard(&s, NODE_PONG, &e));
    assert_int_equal(e.id, id);
    assert_int_equal(e.rtt_us, 3000);
    assert_true(addr_equal(&e.addr, &there));
    ping_answered(&s.pings, p, id, &there); /* twice is once */
    assert_false(scene_heard(&s, NODE_PONG, &e));

    s.turn.now_us += S;
    assert_int_equal(ping_start(&s.pings, p, 0, &id), 0);
    scene_wait(&s, DIAL_PATIENCE_US + 1);
    assert_true(scene_heard(&s, NODE_PEER_SILENT, &e));
    assert_true(scene_heard(&s, NODE_PING_FAILED, &e));
    assert_int_equal(e.err, ERR_OFFLINE);
    assert_int_equal(dial_state(&s.dials, p), PEER_SILENT);
    scene_end(&s);
}

static void pings_beyond_the_bound_are_refused_and_end_with_their_peer(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    uint64_t id;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    scene_up(&s, p);
    for (unsigned i = 0; i < PINGS_MAX; i++)
        assert_int_equal(ping_start(&s.pings, p, S, &id), 0);
    assert_int_equal(ping_start(&s.pings, p, S, &id), ERR_FULL);
    assert_int_equal(turn_why(&s.turn, ERR_FULL).limit, LIMIT_PINGS);
    parts_peer_gone(&s.turn.parts, p);
    unsigned failed = 0;
    while (scene_heard(&s, NODE_PING_FAILED, &e)) {
        assert_int_equal(e.err, ERR_CANCELLED);
        failed++;
    }
    assert_int_equal(failed, PINGS_MAX);
    scene_end(&s);
}

static void changes_of_the_network_count_once_a_second(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct contact *c = scene_contact(&s, "ann", 1);
    scene_up(&s, c->peering);
    const unsigned before = fake[c->peering->ref.index].pings;
    for (unsigned i = 0; i < 100; i++) {
        dials_network_changed(&s.dials);
        scene_wait(&s, 10000);
    }
    scene_wait(&s, S);
    const unsigned asked = fake[c->peering->ref.index].pings - before;
    assert_in_range(asked, 1, 2);
    scene_end(&s);
}

static void who_is_lazy_calls_only_those_for_whom_something_waits(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    s.turn.lazy = true;
    struct peering *p = hold(&s, 1), *q = hold(&s, 2);
    q->queued = 1;
    dial_soon(&s.dials, p);
    dial_soon(&s.dials, q);
    scene_wait(&s, 60 * (uint64_t)S);
    assert_int_equal(fake[p->ref.index].calls, 0);
    assert_int_equal(fake[q->ref.index].calls, 1);
    scene_end(&s);
}

static void nothing_begins_once_the_end_has(void **state) {
    (void)state;
    struct scene s;
    scene_begin(&s);
    struct peering *p = hold(&s, 1);
    s.turn.shut = true;
    dials_network_changed(&s.dials);
    dial_soon(&s.dials, p);
    dial_failed(&s.dials, p, ERR_TIMEOUT);
    assert_true(dials_deadline_us(&s.dials) == UINT64_MAX);
    scene_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_found_by_its_reference_and_its_session),
        cmocka_unit_test(who_is_no_contact_is_dialled_and_found_away),
        cmocka_unit_test(a_lost_peer_is_called_ever_later),
        cmocka_unit_test(whoever_does_not_let_us_in_is_called_once_an_hour),
        cmocka_unit_test(a_session_that_ended_for_want_of_use_is_left_alone_until_something_waits),
        cmocka_unit_test(an_answer_is_a_pong_and_silence_a_verdict),
        cmocka_unit_test(pings_beyond_the_bound_are_refused_and_end_with_their_peer),
        cmocka_unit_test(changes_of_the_network_count_once_a_second),
        cmocka_unit_test(who_is_lazy_calls_only_those_for_whom_something_waits),
        cmocka_unit_test(nothing_begins_once_the_end_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
