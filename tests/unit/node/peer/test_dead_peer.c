/* A peer that something waits for is asked when it is silent, and given up when it stays so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000 };

static struct session_info session(struct world *w) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[0].node, w->now_us, "n1", &c));
    assert_true(c.online);
    return c.session;
}

/* A transfer that waits for the other user's yes: nothing is unacknowledged, nothing is sent. */
static struct world *waiting(uint64_t seed) {
    struct world *w = world_new(2, seed);
    const char *path = "/f";
    uint64_t id;
    world_pair(w, 0, 1);
    world_run(w, 12 * S); /* what pairing has left to say is said */
    disk_fill(w, 0, path, 1000, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_OFFERED, 5 * S));
    world_run(w, S);
    return w;
}

static void a_silent_peer_is_asked_after_five_seconds(void **state) {
    (void)state;
    struct world *w = waiting(1);
    uint64_t before = session(w).pkts_sent, answered = session(w).pkts_received;
    assert_int_equal(WATCH_US, 5 * S);
    world_run(w, 3 * S);
    assert_int_equal(session(w).pkts_sent, before);
    world_run(w, 7 * S);
    assert_true(session(w).pkts_sent > before);
    assert_true(session(w).pkts_received > answered);
    world_free(w);
}

static void a_peer_that_answers_is_waited_for_as_long_as_it_takes(void **state) {
    (void)state;
    struct world *w = waiting(2);
    world_run(w, 600 * S);
    assert_int_equal(world_count(w, 0, NODE_PEER_DOWN), 0);
    assert_int_equal(world_count(w, 0, NODE_TRANSFER_FAILED), 0);
    world_free(w);
}

static void a_peer_that_stays_silent_is_given_up_after_twenty_seconds(void **state) {
    (void)state;
    struct world *w = waiting(3);
    assert_int_equal(WATCH_GONE_US, 20 * S);
    w->nodes[1].unplugged = true;
    uint64_t last_heard_us = w->now_us;
    struct node_event *e = world_wait(w, 0, NODE_PEER_DOWN, 60 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_TIMEOUT);
    /* It is looked at every five seconds, twice before the twenty begin. */
    assert_in_range(w->now_us - last_heard_us, 14 * S, 31 * S);
    world_free(w);
}

static void a_peer_that_nothing_waits_for_is_left_alone(void **state) {
    (void)state;
    struct world *w = world_new(2, 4);
    world_pair(w, 0, 1);
    world_run(w, 12 * S);
    uint64_t before = session(w).pkts_sent;
    world_run(w, 60 * S);
    assert_int_equal(session(w).pkts_sent, before);
    w->nodes[1].unplugged = true;
    world_run(w, 60 * S);
    assert_int_equal(world_count(w, 0, NODE_PEER_DOWN), 0);
    world_free(w);
}

/* Who is asked for a yes is not asked for ever by somebody who is gone. */
static void an_offer_ends_with_a_sentence_when_its_sender_is_silent(void **state) {
    (void)state;
    struct world *w = waiting(5);
    struct transfer_info t;
    w->nodes[0].unplugged = true;
    const struct node_event *e = world_wait(w, 1, NODE_TRANSFER_FAILED, 40 * S);
    assert_non_null(e);
    assert_true(node_transfer_get(w->nodes[1].node, e->id, &t));
    assert_int_equal(t.state, TRANSFER_FAILED);
    assert_int_equal(t.err, ERR_CLOSED);
    assert_string_equal(t.detail, "the connection to the peer was lost");
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_peer_is_asked_after_five_seconds),
        cmocka_unit_test(a_peer_that_answers_is_waited_for_as_long_as_it_takes),
        cmocka_unit_test(a_peer_that_stays_silent_is_given_up_after_twenty_seconds),
        cmocka_unit_test(a_peer_that_nothing_waits_for_is_left_alone),
        cmocka_unit_test(an_offer_ends_with_a_sentence_when_its_sender_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
