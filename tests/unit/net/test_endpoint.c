/* Two endpoints that open sessions: who gets one, by what secret, once or not at all; and what
 * anybody else who calls, replays or floods gets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"

static const struct psk secret = {{1, 2, 3}}, other_secret = {{9}};

static void two_who_know_each_other_get_one_session(void **state) {
    (void)state;
    struct pair *p = pair_known(1, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    struct session_info a, b;
    assert_true(endpoint_session_info(p->ep[0], p->now_us, s[0], &a));
    assert_true(endpoint_session_info(p->ep[1], p->now_us, s[1], &b));
    assert_true(a.session_id == b.session_id && a.initiator && !b.initiator);
    assert_true(node_id_equal(&a.peer, &p->id[1].id) && node_id_equal(&b.peer, &p->id[0].id));
    pair_free(p);
}

static void strangers_and_wrong_secrets_are_refused(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct pair *p = pair_new(2);
        pair_start(p, 0);
        pair_know(p, 0, way == 1 ? NULL : &secret, false);
        if (way > 0) /* 0: not known at all; 1: a secret is missing; 2: another secret */
            pair_know(p, 1, way == 1 ? &secret : &other_secret, false);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
        assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, way ? ERR_SECRET : ERR_UNKNOWN);
        assert_int_equal(endpoint_session_count(p->ep[1]), 0);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
        assert_true(endpoint_counters(p->ep[1])->handshake_refused > 0);
        pair_free(p);
    }
}

/* Each session that comes up is told, logged, and perhaps written down: an authentic peer must not
 * bring that about as fast as handshakes go. */
static void who_opens_and_closes_without_end_is_not_answered_each_time(void **state) {
    (void)state;
    enum { MS = 1000, SECONDS = 20, AGAIN_US = 5 * MS };
    struct pair *p = pair_known(4, 0);
    struct session_ref s;
    p->delay_us = MS;
    const uint64_t end_us = p->now_us + (uint64_t)SECONDS * 1000 * MS;
    while (p->now_us < end_us) {
        if (endpoint_session(p->ep[0], p->peer[0], &s))
            endpoint_disconnect(p->ep[0], p->now_us, s, ERR_UNKNOWN);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, AGAIN_US, -1, -1);
        p->event_count[0] = 0;
    }
    assert_in_range(pair_count(p, 1, EP_SESSION_UP), PEER_OPEN_BURST,
                    PEER_OPEN_BURST + (uint64_t)SECONDS * 1000 * MS / PEER_OPEN_US + 1);
    assert_true(endpoint_counters(p->ep[1])->handshakes_limited > 0);
    /* And then it is let in as ever. */
    if (endpoint_session(p->ep[0], p->peer[0], &s))
        endpoint_disconnect(p->ep[0], p->now_us, s, ERR_CLOSED);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 2000 * MS, 0, EP_SESSION_UP));
    pair_free(p);
}

static void nobody_there_is_a_timeout(void **state) {
    (void)state;
    struct pair *p = pair_known(3, 0);
    p->cut = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_TIMEOUT);
    pair_free(p);
}

static void a_ticket_pairs_once(void **state) {
    (void)state;
    struct pair *p = pair_new(4);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, TIME_NEVER), 0);
    pair_know(p, 0, &secret, true);
    struct session_ref s[2];
    pair_connect(p, s);
    const struct ep_event *a = pair_event(p, 0, EP_PAIRED), *b = pair_event(p, 1, EP_PAIRED);
    assert_non_null(a);
    assert_non_null(b);
    assert_memory_equal(&a->secret, &b->secret, sizeof a->secret);
    assert_memory_not_equal(&a->secret, &secret, sizeof secret);
    assert_memory_equal(&b->ticket, &secret, sizeof secret);
    assert_true(node_id_equal(&b->node, &p->id[0].id));
    /* Used up: somebody else who has it gets nothing. */
    identity_generate(&p->id[0], &p->rng);
    pair_restart(p, 0);
    pair_know(p, 0, &secret, true);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 10000000, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_UNKNOWN);
    assert_true(pair_event(p, 0, EP_CONNECT_FAILED)->by_ticket);
    pair_free(p);
}

static void give_secrets(struct pair *p, int side, const struct psk *first,
                         const struct psk *second) {
    struct peer_setup s = {.id = p->id[!side].id,
                           .transport = p->id[!side].transport_public,
                           .psks = {*first, *second},
                           .psk_count = 2,
                           .pairing = true,
                           .addrs = {p->addr[!side]},
                           .addr_count = 1};
    assert_int_equal(endpoint_peer_add(p->ep[side], &s, &p->peer[side]), 0);
}

static void again(struct pair *p, int from) {
    struct session_ref s;
    assert_true(endpoint_session(p->ep[from], p->peer[from], &s));
    endpoint_disconnect(p->ep[from], p->now_us, s, ERR_CLOSED);
    pair_run(p, 1000000, -1, -1);
    unsigned ups = pair_count(p, !from, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[from], p->now_us, p->peer[from]), 0);
    pair_run(p, 10000000, -1, -1);
    assert_int_equal(pair_count(p, !from, EP_SESSION_UP), ups + 1);
}

/* Each may lose what it has not stored yet: the ticket's secret holds until both have the other. */
static void a_pairing_secret_opens_nothing_until_it_is_given_back(void **state) {
    (void)state;
    struct pair *p = pair_new(5);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, TIME_NEVER), 0);
    pair_know(p, 0, &secret, true);
    struct session_ref s[2];
    pair_connect(p, s);
    p->peer[1] = pair_event(p, 1, EP_PAIRED)->peer;
    again(p, 0); /* neither has given it back: by the ticket once more, bound to this peer */
    assert_int_equal(pair_count(p, 0, EP_PAIRED), 2);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 2);
    struct psk made = pair_event(p, 0, EP_PAIRED)->secret;
    give_secrets(p, 0, &made, &secret);
    again(p, 0); /* only one has */
    assert_int_equal(pair_count(p, 0, EP_PAIRED), 3);
    assert_int_equal(pair_count(p, 0, EP_TICKET_DONE), 0);
    made = pair_event(p, 0, EP_PAIRED)->secret;
    for (int i = 0; i < 2; i++)
        give_secrets(p, i, &made, &secret);
    again(p, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair_count(p, i, EP_PAIRED), 3);
        assert_int_equal(pair_count(p, i, EP_TICKET_DONE), 1);
    }
    again(p, 1);
    assert_int_equal(pair_count(p, 1, EP_TICKET_DONE), 1);
    pair_free(p);
}

/* The first datagram that a side has to send; others are lost. 0: none. */
static size_t first_out(struct pair *p, int side, uint8_t out[static TRAIN_MAX_BYTES]) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    size_t len = 0;
    while (endpoint_output(p->ep[side], p->now_us, &t)) {
        if (len == 0)
            memcpy(out, t.buf, len = t.len);
    }
    return len;
}

static void hand_over(struct pair *p, int to, uint8_t *msg, size_t len) {
    endpoint_input(p->ep[to], p->now_us, AT(&p->addr[!to]), ECN_NOT_ECT, msg, len);
}

/* Two handshakes cross: one with the pairing secret succeeds at side 0, which has answered one with
 * the ticket's; out of that answer side 1 takes another pairing secret afterwards. */
static void a_ticket_is_not_forgotten_while_an_answer_by_it_is_out(void **state) {
    (void)state;
    static uint8_t by_ticket[TRAIN_MAX_BYTES], by_secret[TRAIN_MAX_BYTES];
    const struct psk made = {{7}};
    struct pair *p = pair_new(6);
    while (memcmp(&p->id[0].transport_public, &p->id[1].transport_public, DH_KEY_BYTES) > 0)
        identity_generate(&p->id[0], &p->rng); /* side 0 yields */
    pair_start(p, 0);
    give_secrets(p, 0, &made, &secret);
    pair_know(p, 1, &secret, true); /* it has the pairing secret, but not safely yet */
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
    size_t secret_len = first_out(p, 0, by_secret), ticket_len = first_out(p, 1, by_ticket);
    hand_over(p, 0, by_ticket, ticket_len);
    ticket_len = first_out(p, 0, by_ticket);
    assert_int_equal(ticket_len, RESPONSE_BYTES);
    give_secrets(p, 1, &made, &secret);
    p->now_us += 1500000; /* side 1 insists no longer */
    hand_over(p, 1, by_secret, secret_len);
    secret_len = first_out(p, 1, by_secret);
    assert_int_equal(secret_len, RESPONSE_BYTES);
    hand_over(p, 0, by_secret, secret_len);
    struct session_ref s;
    assert_true(endpoint_session(p->ep[0], p->peer[0], &s)); /* by the pairing secret */
    hand_over(p, 1, by_ticket, ticket_len);
    pair_run(p, 0, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 1); /* and side 1 has another one now */
    const struct psk other = pair_event(p, 1, EP_PAIRED)->secret;
    assert_int_equal(pair_count(p, 0, EP_TICKET_DONE), 0);
    pair_restart(p, 1);
    give_secrets(p, 1, &other, &secret);
    unsigned ups = pair_count(p, 1, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
    pair_run(p, 10000000, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_UP), ups + 1);
    pair_free(p);
}

static void simultaneous_opens_merge_into_one_session(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct pair *p = pair_known(seed, 0);
        p->loss_permille = seed % 3 == 0 ? 200 : 0;
        p->jitter_us = seed % 2 ? 15000 : 0;
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_connect(p->ep[i], p->now_us, p->peer[i]), 0);
        pair_run(p, 12000000, -1, -1);
        struct session_info info[2];
        for (int i = 0; i < 2; i++) {
            struct session_ref s;
            assert_true(endpoint_session(p->ep[i], p->peer[i], &s));
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
            assert_int_equal(endpoint_half_open_count(p->ep[i]), 0);
            assert_true(endpoint_session_info(p->ep[i], p->now_us, s, &info[i]));
        }
        assert_true(info[0].session_id == info[1].session_id);
        pair_free(p);
    }
}

static void handshakes_survive_a_bad_network(void **state) {
    (void)state;
    unsigned good = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct pair *p = pair_known(seed, 0);
        p->loss_permille = 200;
        p->dup_permille = 500;
        p->jitter_us = 40000;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        bool a = pair_run(p, 5000000, 0, EP_SESSION_UP);
        good += a && (pair_event(p, 1, EP_SESSION_UP) || pair_run(p, 2000000, 1, EP_SESSION_UP));
        pair_free(p);
    }
    assert_true(good >= 999);
}

struct first { /* the first INITIATION that side 0 sends */
    uint8_t msg[INITIATION_BYTES];
    bool have, swallow;
};

static bool keep_first(struct pair *p, int from, uint8_t *data, size_t len) {
    struct first *f = p->tap_ctx;
    if (from == 0 && len == INITIATION_BYTES && data[0] == PACKET_INITIATION && !f->have) {
        memcpy(f->msg, data, len);
        f->have = true;
    }
    return !(f->swallow && from == 0);
}

static void replayed_initiations_make_no_session(void **state) {
    (void)state;
    struct pair *p = pair_known(5, 0);
    struct first f = {.swallow = true};
    p->tap = keep_first;
    p->tap_ctx = &f;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 100000, -1, -1);
    assert_true(f.have);
    p->cut = true;
    p->sent_bytes[1] = 0;
    for (int i = 0; i < 100000; i++) {
        pair_inject(p, 1, &p->addr[0], f.msg, sizeof f.msg);
        if (i % 100 == 99)
            pair_run(p, 20000, -1, -1);
    }
    assert_int_equal(endpoint_session_count(p->ep[1]), 0);
    assert_true(endpoint_half_open_count(p->ep[1]) <= 1);
    assert_true(p->sent_bytes[1] > 0 && p->sent_bytes[1] <= UINT64_C(100000) * INITIATION_BYTES);
    pair_free(p);
}

static void a_clock_that_went_back_is_challenged_and_let_in(void **state) {
    (void)state;
    struct pair *p = pair_known(6, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    endpoint_disconnect(p->ep[0], p->now_us, s[0], ERR_CLOSED);
    pair_run(p, 1000000, -1, -1);
    pair_restart(p, 0);
    pair_know(p, 0, NULL, false);
    endpoint_set_wall(p->ep[0], p->now_us, UINT64_C(1780000000000000));
    unsigned before = pair_count(p, 0, EP_SESSION_UP);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 2000000, 0, EP_SESSION_UP));
    assert_int_equal(pair_count(p, 0, EP_SESSION_UP), before + 1);
    assert_true(endpoint_counters(p->ep[1])->challenges_sent >= 1);
    pair_free(p);
}

static void under_load_a_cookie_opens_the_door(void **state) {
    (void)state;
    struct pair *p = pair_known(7, 0);
    /* A flood with the right mac1 from another address, from somebody who knows our key. */
    struct addr flooder = {.kind = ADDR_IPV4, .port = 9, .ip = {10, 9, 9, 9}};
    uint8_t junk[INITIATION_BYTES];
    for (int i = 0; i < 2 * HANDSHAKE_LOAD_PER_S; i++) {
        for (size_t k = 0; k < sizeof junk; k++)
            junk[k] = (uint8_t)pair_draw(p);
        memset(junk, 0, 4);
        junk[0] = PACKET_INITIATION;
        cookie_mac1(&p->id[1].transport_public, junk, sizeof junk - 2 * MAC_BYTES,
                    junk + sizeof junk - 2 * MAC_BYTES);
        endpoint_input(p->ep[1], p->now_us, AT(&flooder), ECN_NOT_ECT, junk, sizeof junk);
        static uint8_t out[TRAIN_MAX_BYTES];
        struct train t = {.buf = out};
        while (endpoint_output(p->ep[1], p->now_us, &t))
            assert_true(t.len <= RETRY_BYTES);
    }
    assert_true(endpoint_counters(p->ep[1])->cookies_sent >= HANDSHAKE_LOAD_PER_S);
    struct session_ref s[2];
    p->delay_us = 1000;
    pair_connect(p, s);
    pair_free(p);
}

static void silent_to_whoever_does_not_know_the_key(void **state) {
    (void)state;
    struct pair *p = pair_known(8, 0);
    uint8_t junk[INITIATION_BYTES] = {PACKET_INITIATION};
    for (int i = 0; i < 1000; i++) {
        for (size_t k = 4; k < sizeof junk; k++)
            junk[k] = (uint8_t)pair_draw(p);
        pair_inject(p, 1, &p->addr[0], junk, sizeof junk);
    }
    pair_run(p, 1000000, -1, -1);
    assert_int_equal(p->sent_bytes[1], 0);
    assert_int_equal(endpoint_counters(p->ep[1])->mac_fail, 1000);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_who_know_each_other_get_one_session),
        cmocka_unit_test(strangers_and_wrong_secrets_are_refused),
        cmocka_unit_test(who_opens_and_closes_without_end_is_not_answered_each_time),
        cmocka_unit_test(nobody_there_is_a_timeout),
        cmocka_unit_test(a_ticket_pairs_once),
        cmocka_unit_test(a_pairing_secret_opens_nothing_until_it_is_given_back),
        cmocka_unit_test(a_ticket_is_not_forgotten_while_an_answer_by_it_is_out),
        cmocka_unit_test(simultaneous_opens_merge_into_one_session),
        cmocka_unit_test(handshakes_survive_a_bad_network),
        cmocka_unit_test(replayed_initiations_make_no_session),
        cmocka_unit_test(a_clock_that_went_back_is_challenged_and_let_in),
        cmocka_unit_test(under_load_a_cookie_opens_the_door),
        cmocka_unit_test(silent_to_whoever_does_not_know_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
