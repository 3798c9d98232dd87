/* What a peer may say in a handshake, and what of it is believed: a peer with real keys and nothing
 * good in mind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/handshake_int.h"
#include "net/wire/frame.h"
#include "support_forge.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000 };

static const struct psk no_psk, ticket = {{7, 7}};
static uint8_t train_bytes[TRAIN_MAX_BYTES];

static struct pair *known(const char *name, uint64_t seed) {
    return pair_known(rand_seeded(name, seed).x, 0);
}

/* The INITIATION that side 0 has ready, taken from its output and read as side 1 would. */
static void take_initiation(struct pair *p, struct noise *n, struct initiation *in,
                            uint32_t *sender) {
    struct train t = {.buf = train_bytes};
    bool found = false;
    while (!found && endpoint_output(p->ep[0], p->now_us, &t))
        found = t.len == INITIATION_BYTES && t.buf[0] == PACKET_INITIATION;
    assert_true(found);
    assert_true(handshake_read_initiation(n, &p->ep[1]->self, t.buf, in, sender));
}

static void answer_with(struct pair *p, struct noise n, uint32_t receiver,
                        const struct forged_response *f) {
    uint8_t msg[RESPONSE_BYTES];
    assert_true(forge_response(&n, &p->rng, &no_psk, f, 7, receiver, msg));
    endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
}

/* ---- answers ---- */

static void an_answer_that_does_not_follow_from_the_offer_is_passed_over(void **state) {
    (void)state;
    struct pair *p = known("answers", 1);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    struct noise n;
    struct initiation in;
    uint32_t sender;
    take_initiation(p, &n, &in, &sender);
    const struct forged_response honest = {
        .version = PROTOCOL_VERSION,
        .suites = (uint8_t)p->ep[1]->suites,
        .suite = (uint8_t)aead_choose(p->ep[0]->suites, p->ep[1]->suites),
        .session_id = in.session_id,
        .cert = p->ep[1]->cert};
    struct forged_response bad[9];
    _Static_assert(sizeof bad / sizeof bad[0] <= HANDSHAKE_MISFITS_MAX, "each is read");
    for (unsigned i = 0; i < 9; i++)
        bad[i] = honest;
    bad[0].suites = bad[0].suite = 0; /* nothing offered, nothing chosen */
    bad[1].suite = 0;
    bad[2].suites = bad[2].suite = 4; /* one that we do not have */
    bad[3].suites = 0xff, bad[3].suite = 3;
    bad[4].epoch = 1;
    bad[5].flags = 1; /* continues what has not begun */
    bad[6].flags = 1, bad[6].epoch = 1;
    bad[7].session_id++;
    bad[8].version++;
    for (unsigned i = 0; i < 9; i++) {
        answer_with(p, n, sender, &bad[i]);
        assert_int_equal(endpoint_session_count(p->ep[0]), 0);
        assert_int_equal(endpoint_half_open_count(p->ep[0]), 1);
        assert_int_equal(endpoint_counters(p->ep[0])->auth_fail, i + 1);
        struct train t = {.buf = train_bytes};
        assert_false(endpoint_output(p->ep[0], p->now_us, &t));
    }
    answer_with(p, n, sender, &honest); /* the attempt has gone on */
    assert_int_equal(endpoint_session_count(p->ep[0]), 1);
    pair_free(p);
}

/* mac1 says that it comes from the one that was called; that one may still send 10,000 a second. */
static void only_so_many_wrong_answers_to_one_call_are_read(void **state) {
    (void)state;
    struct pair *p = known("many answers", 14);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    struct noise n;
    struct initiation in;
    uint32_t sender;
    take_initiation(p, &n, &in, &sender);
    const struct forged_response bad = {.version = PROTOCOL_VERSION, .cert = p->ep[1]->cert};
    for (unsigned i = 0; i < 100; i++)
        answer_with(p, n, sender, &bad);
    const struct endpoint_counters *c = endpoint_counters(p->ep[0]);
    assert_int_equal(c->auth_fail, HANDSHAKE_MISFITS_MAX);
    assert_int_equal(c->handshakes_limited, 100 - HANDSHAKE_MISFITS_MAX);
    assert_true(pair_run(p, 10000 * MS, 0, EP_CONNECT_FAILED));
    /* The next call is another one. */
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 1000 * MS, 0, EP_SESSION_UP));
    pair_free(p);
}

/* What a rekey offers is the next epoch of the session that is up, and nothing else. */
static void an_answer_to_a_rekey_may_only_continue_with_the_epoch_offered(void **state) {
    (void)state;
    struct pair *p = known("rekey answers", 2);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, 200 * MS, -1, -1);
    struct session *ours = endpoint_find(p->ep[0], s[0]);
    assert_non_null(ours);
    assert_int_equal(handshake_start(p->ep[0], ours, p->now_us, HANDSHAKE_REKEY), 0);
    struct noise n;
    struct initiation in;
    uint32_t sender;
    take_initiation(p, &n, &in, &sender);
    assert_int_equal(in.epoch, 1);
    const struct forged_response honest = {
        .version = PROTOCOL_VERSION,
        .suites = (uint8_t)p->ep[1]->suites,
        .suite = (uint8_t)aead_choose(p->ep[0]->suites, p->ep[1]->suites),
        .epoch = 1,
        .flags = 1,
        .session_id = in.session_id,
        .cert = p->ep[1]->cert};
    static const uint8_t wrong[] = {0, 2, 255};
    for (unsigned i = 0; i < sizeof wrong; i++) {
        struct forged_response bad = honest;
        bad.epoch = wrong[i];
        answer_with(p, n, sender, &bad);
        assert_int_equal(ours->keys.current.epoch, 0);
        assert_int_equal(endpoint_counters(p->ep[0])->auth_fail, i + 1);
    }
    /* Meanwhile the other side's own rekey has come through: this epoch is taken. */
    ours->keys.current.epoch = 1;
    answer_with(p, n, sender, &honest);
    assert_int_equal(endpoint_counters(p->ep[0])->auth_fail, sizeof wrong + 1);
    ours->keys.current.epoch = 0;
    answer_with(p, n, sender, &honest);
    assert_int_equal(ours->keys.current.epoch, 1);
    pair_free(p);
}

/* ---- questions ---- */

struct question { /* a hostile initiator in the place of side 0 */
    struct noise n;
    struct forged_initiation f;
    uint32_t sender;
};

static struct question usual_question(const struct pair *p) {
    return (struct question){.f = {.version = PROTOCOL_VERSION,
                                   .suites = (uint8_t)p->ep[0]->suites,
                                   .timestamp_us = UINT64_C(1790000001000000),
                                   .session_id = 99,
                                   .cert = p->ep[0]->cert},
                             .sender = 5};
}

/* Asks side 1, and gives the length of its answer: 0 for none. */
static size_t ask(struct pair *p, struct question *q, struct train *t) {
    uint8_t msg[INITIATION_BYTES];
    *t = (struct train){.buf = train_bytes};
    assert_true(forge_initiation(&q->n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &q->f,
                                 q->sender, msg));
    endpoint_input(p->ep[1], p->now_us, AT(&p->addr[0]), ECN_NOT_ECT, msg, sizeof msg);
    return endpoint_output(p->ep[1], p->now_us, t) ? t->len : 0;
}

static void a_question_without_a_common_suite_or_version_leaves_nothing_behind(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct pair *p = pair_new(rand_seeded("questions", 3).x);
        pair_start(p, 0);
        assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket, TIME_NEVER), 0);
        struct question q = usual_question(p);
        struct train t;
        q.f.psk_id = psk_id(&ticket); /* a stranger with a ticket */
        if (way == 2)
            q.f.version++;
        else
            q.f.suites = way ? 0xfc : 0;
        assert_int_equal(ask(p, &q, &t), 0);
        assert_int_equal(p->ep[1]->peers.used, 0);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
        pair_free(p);
    }
}

/* A rekey names the session, its next epoch and the index it has: else it is a new session. */
static void a_rekey_with_another_sender_index_is_a_new_session(void **state) {
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct pair *p = known("index", 4);
        struct session_ref s[2];
        pair_connect(p, s);
        pair_run(p, 200 * MS, -1, -1);
        const struct session *theirs = endpoint_find(p->ep[1], s[1]);
        assert_non_null(theirs);
        struct question q = usual_question(p);
        struct train t;
        q.f.timestamp_us = UINT64_MAX;
        q.f.session_id = theirs->id;
        q.f.epoch = 1;
        q.sender = theirs->remote_index ^ (uint32_t)other;
        assert_int_equal(ask(p, &q, &t), RESPONSE_BYTES);
        struct response r;
        uint32_t sender;
        assert_true(handshake_read_response(&q.n, t.buf, &no_psk, &r, &sender));
        assert_int_equal(r.continues, !other);
        assert_int_equal(r.epoch, !other);
        pair_free(p);
    }
}

/* ---- retries ---- */

/* A contact can make us call again, but not at addresses that have not asked for it. */
static void only_the_address_that_sent_a_retry_is_called_again(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) { /* a cookie, a challenge */
        struct pair *p = pair_new(rand_seeded("retry", 10).x);
        pair_start(p, 0);
        struct peer_setup s = {.id = p->id[1].id,
                               .transport = p->id[1].transport_public,
                               .addr_count = PEER_ADDRS_MAX};
        for (uint8_t i = 0; i < PEER_ADDRS_MAX; i++)
            s.addrs[i] = (struct addr){.kind = ADDR_IPV4, .port = 53, .ip = {192, 0, 2, i}};
        assert_int_equal(endpoint_peer_add(p->ep[0], &s, &p->peer[0]), 0);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        struct train t = {.buf = train_bytes};
        uint8_t first[INITIATION_BYTES];
        unsigned sent = 0;
        for (; endpoint_output(p->ep[0], p->now_us, &t); sent++)
            memcpy(first, t.buf, sizeof first);
        assert_int_equal(sent, PEER_ADDRS_MAX);

        uint8_t retry[RETRY_BYTES] = {PACKET_RETRY}, values[2][COOKIE_BYTES] = {{0}};
        memcpy(retry + 4, first + 4, 4);
        values[kind][0] = 1;
        cookie_seal(&p->id[1].transport_public, retry + 8, first + sizeof first - 2 * MAC_BYTES,
                    values[0], values[1], retry + 8 + COOKIE_NONCE_BYTES);
        endpoint_input(p->ep[0], p->now_us, AT_SOCKET(&s.addrs[5], 3), ECN_NOT_ECT, retry,
                       sizeof retry);
        assert_true(endpoint_output(p->ep[0], p->now_us, &t));
        assert_true(t.len == INITIATION_BYTES && hop_is_to(&t.to, &s.addrs[5]) &&
                    t.to.udp.local == 3);
        assert_false(endpoint_output(p->ep[0], p->now_us, &t));
        pair_free(p);
    }
}

/* ---- floods ---- */

/* Whoever has a cookie for its own address may not have everything read; and beside the flood
 * another address comes through. */
static void a_cookie_does_not_buy_a_core(void **state) {
    (void)state;
    struct pair *p = known("cookie flood", 13);
    struct endpoint *e = p->ep[1];
    struct question q = usual_question(p);
    const struct addr flooder = {.kind = ADDR_IPV4, .port = 9, .ip = {10, 9, 9, 9}};
    uint8_t msg[INITIATION_BYTES], cookie[COOKIE_BYTES], challenge[CHALLENGE_BYTES];
    struct train t = {.buf = train_bytes};
    assert_true(forge_initiation(&q.n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &q.f,
                                 q.sender, msg));
    bool has_cookie = false;
    const uint64_t end_us = p->now_us + 5000 * MS;
    unsigned asked = 0;
    for (; p->now_us < end_us; p->now_us += 500, asked++) { /* 2,000 a second */
        endpoint_input(e, p->now_us, AT(&flooder), ECN_NOT_ECT, msg, sizeof msg);
        while (endpoint_output(e, p->now_us, &t))
            if (!has_cookie && t.buf[0] == PACKET_RETRY &&
                cookie_unseal(&p->id[1].transport_public, t.buf + 8,
                              msg + sizeof msg - 2 * MAC_BYTES, t.buf + 8 + COOKIE_NONCE_BYTES,
                              cookie, challenge)) {
                handshake_set_mac2(msg, sizeof msg, cookie);
                has_cookie = true;
            }
    }
    assert_true(has_cookie);
    const struct endpoint_counters *c = endpoint_counters(e);
    assert_true(c->handshakes_in <= 5 * HANDSHAKE_LOAD_PER_S + HANDSHAKE_SOURCE_BURST +
                                        5000 * MS / HANDSHAKE_SOURCE_US);
    assert_true(c->handshakes_in + c->handshakes_limited >= asked - 10);
    pair_free(p);
}

/* A session that is up may have its keys renewed as often as anybody may open one, and no oftener:
 * each time costs four X25519, and may bring a new key of the peer's or a pairing, which are
 * written down. */
static void who_renews_keys_without_end_is_not_answered_each_time(void **state) {
    (void)state;
    enum { SECONDS = 5 };
    for (int by_ticket = 0; by_ticket < 2; by_ticket++) {
        struct pair *p = pair_new(rand_seeded("renewals", 15).x);
        pair_start(p, 0);
        if (by_ticket)
            assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket, TIME_NEVER), 0);
        else
            pair_know(p, 1, NULL, false);
        pair_know(p, 0, by_ticket ? &ticket : NULL, by_ticket);
        p->delay_us = MS;
        struct session_ref s[2];
        pair_connect(p, s);
        struct endpoint *hostile = p->ep[0];
        const uint64_t end_us = p->now_us + (uint64_t)SECONDS * 1000 * MS;
        while (p->now_us < end_us) {
            struct session *ours = endpoint_find(hostile, s[0]);
            assert_non_null(ours);
            hostile->identity.transport_seq++;
            identity_cert(&hostile->identity, &hostile->cert);
            session_drop_hs_out(ours);
            assert_int_equal(handshake_start(hostile, ours, p->now_us, HANDSHAKE_REKEY), 0);
            pair_run(p, 10 * MS, -1, -1);
            p->event_count[0] = 0;
        }
        assert_in_range(pair_count(p, 1, by_ticket ? EP_PAIRED : EP_PEER_KEY), 2,
                        PEER_OPEN_BURST + (uint64_t)SECONDS * 1000 * MS / PEER_OPEN_US + 1);
        assert_int_equal(pair_count(p, 1, EP_SESSION_DOWN), 0); /* and that is all */
        pair_free(p);
    }
}

/* ---- how often, how long ---- */

static void an_attempt_lasts_as_long_as_is_said(void **state) {
    (void)state;
    struct pair *p = known("attempt", 11);
    p->cut = true;
    const uint64_t begun_us = p->now_us;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 60000 * MS, 0, EP_CONNECT_FAILED));
    assert_int_equal(p->now_us - begun_us, HANDSHAKE_ATTEMPT_US);
    pair_free(p);
}

/* After the first handshake nothing passes. */
static bool count_data(struct pair *p, int from, uint8_t *data, size_t len) {
    unsigned *sent = p->tap_ctx;
    (void)len;
    *sent += from == 0 && data[0] == PACKET_DATA;
    return *sent == 0;
}

static void a_confirm_is_sent_as_often_as_is_said(void **state) {
    (void)state;
    struct pair *p = known("confirm", 12);
    unsigned sent = 0;
    p->tap = count_data;
    p->tap_ctx = &sent;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 1000 * MS, 0, EP_SESSION_UP));
    pair_run(p, 13000 * MS, -1, -1); /* an outage of 12 s is not the end of it */
    assert_true(sent < CONFIRM_TRIES);
    pair_run(p, 30000 * MS, -1, -1);
    assert_int_equal(sent, CONFIRM_TRIES);
    pair_free(p);
}

/* ---- what a listener learns ---- */

static bool keep_response(struct pair *p, int from, uint8_t *data, size_t len) {
    if (from == 1 && data[0] == PACKET_RESPONSE && len == RESPONSE_BYTES)
        memcpy(p->tap_ctx, data, len);
    return true;
}

/* Whoever has the public keys of all people, and sees every packet, and each key's own messages
 * besides. */
static void an_answer_does_not_tell_whom_it_is_for(void **state) {
    (void)state;
    struct pair *p = known("mac1", 8);
    uint8_t msg[RESPONSE_BYTES] = {0};
    struct session_ref s[2];
    p->tap = keep_response;
    p->tap_ctx = msg;
    pair_connect(p, s);
    assert_int_equal(msg[0], PACKET_RESPONSE);
    for (int i = 0; i < 2; i++)
        assert_false(cookie_mac1_ok(&p->id[i].transport_public, msg, sizeof msg - 2 * MAC_BYTES,
                                    msg + sizeof msg - 2 * MAC_BYTES));
    pair_free(p);
}

/* Seeing the INITIATION is not enough to have its answers read: mac1 is checked first. */
static void a_forged_answer_costs_one_hash(void **state) {
    (void)state;
    struct pair *p = known("forged answer", 9);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    struct noise n;
    struct initiation in;
    uint32_t sender;
    take_initiation(p, &n, &in, &sender);
    uint8_t msg[RESPONSE_BYTES];
    for (unsigned i = 0; i < 10; i++) {
        rng_fill(&p->rng, msg, sizeof msg);
        memset(msg, 0, 4);
        msg[0] = PACKET_RESPONSE;
        store_le32(msg + 8, sender);
        cookie_mac1(&p->id[0].transport_public, msg, sizeof msg - 2 * MAC_BYTES,
                    msg + sizeof msg - 2 * MAC_BYTES);
        endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
        assert_int_equal(endpoint_counters(p->ep[0])->mac_fail, i + 1);
        assert_int_equal(endpoint_counters(p->ep[0])->auth_fail, 0);
    }
    pair_free(p);
}

/* ---- room to grow ---- */

static void what_both_sides_can_do_is_known_to_the_session(void **state) {
    (void)state;
    struct pair *p = pair_new(rand_seeded("capabilities", 5).x);
    pair_start(p, 1000 * MS);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    p->ep[0]->caps = 0x80000005; /* bits of the future, and not the same on both sides */
    p->ep[1]->caps = 0x80000006;
    struct session_ref s[2];
    struct session_info info;
    pair_connect(p, s);
    for (int i = 0; i < 2; i++) {
        assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info));
        assert_int_equal(info.caps, 0x80000004);
    }
    p->ep[0]->caps = 3; /* as after an update: the next handshake says it */
    pair_run(p, 1500 * MS, -1, -1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(session_ping(p->ep[i], p->now_us, s[i], 1), 0);
    pair_run(p, 1000 * MS, -1, -1);
    for (int i = 0; i < 2; i++) {
        assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info));
        assert_int_equal(info.key_epoch, 1);
        assert_int_equal(info.caps, 2);
    }
    pair_free(p);
}

static void flags_and_capabilities_that_are_not_known_change_nothing(void **state) {
    (void)state;
    struct pair *p = known("future", 6);
    struct question q = usual_question(p);
    struct train t;
    q.f.flags = 0xff;
    q.f.caps = 0xffffffff;
    q.f.suites |= 0xfc;
    assert_int_equal(ask(p, &q, &t), RESPONSE_BYTES);
    struct response r;
    uint32_t sender;
    assert_true(handshake_read_response(&q.n, t.buf, &no_psk, &r, &sender));
    assert_int_equal(r.caps, CAPABILITIES);
    pair_free(p);

    p = known("future", 7);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    struct noise n;
    struct initiation in;
    take_initiation(p, &n, &in, &sender);
    const struct forged_response f = {.version = PROTOCOL_VERSION,
                                      .suites = 0xfc | AEAD_CHACHA20_POLY1305,
                                      .suite = AEAD_CHACHA20_POLY1305,
                                      .flags = 0xfffffffe,
                                      .caps = 0xffffffff,
                                      .session_id = in.session_id,
                                      .cert = p->ep[1]->cert};
    answer_with(p, n, sender, &f);
    assert_int_equal(endpoint_session_count(p->ep[0]), 1);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_does_not_follow_from_the_offer_is_passed_over),
        cmocka_unit_test(only_so_many_wrong_answers_to_one_call_are_read),
        cmocka_unit_test(an_answer_to_a_rekey_may_only_continue_with_the_epoch_offered),
        cmocka_unit_test(a_question_without_a_common_suite_or_version_leaves_nothing_behind),
        cmocka_unit_test(a_rekey_with_another_sender_index_is_a_new_session),
        cmocka_unit_test(only_the_address_that_sent_a_retry_is_called_again),
        cmocka_unit_test(a_cookie_does_not_buy_a_core),
        cmocka_unit_test(who_renews_keys_without_end_is_not_answered_each_time),
        cmocka_unit_test(an_attempt_lasts_as_long_as_is_said),
        cmocka_unit_test(a_confirm_is_sent_as_often_as_is_said),
        cmocka_unit_test(an_answer_does_not_tell_whom_it_is_for),
        cmocka_unit_test(a_forged_answer_costs_one_hash),
        cmocka_unit_test(what_both_sides_can_do_is_known_to_the_session),
        cmocka_unit_test(flags_and_capabilities_that_are_not_known_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
