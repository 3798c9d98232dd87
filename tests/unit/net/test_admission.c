/* Who comes in, and what is believed of it before it has proved that it is there: nothing. Replays,
 * and keys that were replaced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_forge.h"
#include "support_sniff.h"

enum { MS = 1000, S = 1000000 };

static uint8_t out_bytes[TRAIN_MAX_BYTES];

static struct peer *entry(const struct pair *p, int side) {
    struct peer *q = peers_by_ref(&p->ep[side]->peers, p->peer[side]);
    assert_non_null(q);
    return q;
}

/* ---- sniffing ---- */

static void replay(struct pair *p, const struct sniffed *f) {
    pair_inject(p, 1, &elsewhere, f->msg, sizeof f->msg);
    pair_run(p, MS, -1, -1);
}

static void hang_up(struct pair *p, int side) {
    struct session_ref s;
    if (endpoint_session(p->ep[side], p->peer[side], &s))
        endpoint_disconnect(p->ep[side], p->now_us, s, ERR_CLOSED);
    pair_run(p, S, -1, -1);
}

/* ---- keys that are replaced ---- */

static struct identity with_new_key(struct pair *p, const struct identity *old) {
    struct identity fresh;
    struct dh_secret secret;
    rng_fill(&p->rng, &secret, sizeof secret);
    identity_from_secrets(&fresh, &old->sign, &secret, old->transport_seq + 1);
    return fresh;
}

static void restart_as(struct pair *p, const struct identity *id) {
    p->id[0] = *id;
    pair_restart(p, 0);
    pair_know(p, 0, NULL, false);
}

static bool has_key(const struct pair *p, const struct identity *id) {
    return memcmp(&entry(p, 1)->setup.transport, &id->transport_public,
                  sizeof id->transport_public) == 0;
}

static void a_replaced_key_is_the_peers_from_then_on(void **state) {
    (void)state;
    struct pair *p = pair_known(1, 0);
    const struct identity old = p->id[0], fresh = with_new_key(p, &old);
    assert_true(comes_up(p, 0));
    const struct ep_event *told = pair_event(p, 1, EP_PEER_KEY);
    assert_non_null(told); /* nobody knew the sequence */
    assert_true(told->cert_seq == old.transport_seq);
    hang_up(p, 0);
    restart_as(p, &fresh);
    for (int i = 0; i < 3; i++) { /* not for one session only */
        assert_true(comes_up(p, 0));
        hang_up(p, 0);
        assert_true(has_key(p, &fresh));
    }
    assert_int_equal(pair_count(p, 1, EP_PEER_KEY), 2);
    told = pair_event(p, 1, EP_PEER_KEY);
    assert_true(told->cert_seq == fresh.transport_seq && node_id_equal(&told->node, &fresh.id));
    assert_memory_equal(&told->transport, &fresh.transport_public, sizeof told->transport);
    assert_true(comes_up(p, 1)); /* and it is the one that is dialled */
    hang_up(p, 1);

    restart_as(p, &old);
    assert_false(comes_up(p, 0));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_STALE);
    assert_true(has_key(p, &fresh));
    pair_free(p);
}

/* It is dialled with the old key while we learn of the new one. */
static void an_answer_of_a_replaced_key_is_not_the_peers(void **state) {
    (void)state;
    struct pair *p = pair_known(12, 0);
    const struct identity fresh = with_new_key(p, &p->id[1]);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 5 * MS, -1, -1);
    struct peer_setup s = {
        .id = fresh.id, .transport = fresh.transport_public, .cert_seq = fresh.transport_seq};
    assert_int_equal(endpoint_peer_add(p->ep[0], &s, &p->peer[0]), 0);
    assert_true(pair_run(p, S, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_AUTH);
    assert_int_equal(endpoint_session_count(p->ep[0]), 0);
    pair_free(p);
}

/* It was answered with the old key, and we learn of the new one before it is confirmed. */
static void a_key_replaced_meanwhile_confirms_nothing(void **state) {
    (void)state;
    struct pair *p = pair_known(13, 0);
    struct sniffed f;
    const struct identity fresh = with_new_key(p, &p->id[0]);
    listen_in(p, &f);
    f.drop_data = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 50 * MS, -1, -1);
    struct peer_setup s = {
        .id = fresh.id, .transport = fresh.transport_public, .cert_seq = fresh.transport_seq};
    assert_int_equal(endpoint_peer_add(p->ep[1], &s, &p->peer[1]), 0);
    f.drop_data = false;
    pair_run(p, S, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_UP), 0);
    assert_int_equal(pair_event(p, 0, EP_SESSION_DOWN)->err, ERR_UNKNOWN);
    assert_true(has_key(p, &fresh));
    pair_free(p);
}

static void adding_a_peer_again_brings_no_older_key_back(void **state) {
    (void)state;
    struct pair *p = pair_known(2, 0);
    const struct identity old = p->id[0], fresh = with_new_key(p, &old);
    restart_as(p, &fresh);
    assert_true(comes_up(p, 0));
    hang_up(p, 0);
    struct peer_setup s = {.id = old.id, .transport = old.transport_public, .addr_count = 0};
    for (s.cert_seq = 0; s.cert_seq <= old.transport_seq; s.cert_seq++) {
        assert_int_equal(endpoint_peer_add(p->ep[1], &s, &p->peer[1]), 0);
        assert_true(has_key(p, &fresh));
    }
    restart_as(p, &old);
    assert_false(comes_up(p, 0));
    pair_free(p);
}

static void a_stored_sequence_outlives_a_restart(void **state) {
    (void)state;
    struct pair *p = pair_known(3, 0);
    const struct identity old = p->id[0], fresh = with_new_key(p, &old);
    pair_restart(p, 1);
    struct peer_setup s = {.id = fresh.id,
                           .transport = fresh.transport_public,
                           .cert_seq = fresh.transport_seq,
                           .addrs = {p->addr[0]},
                           .addr_count = 1};
    assert_int_equal(endpoint_peer_add(p->ep[1], &s, &p->peer[1]), 0);
    assert_false(comes_up(p, 0)); /* with the old one */
    restart_as(p, &fresh);
    assert_true(comes_up(p, 0));
    assert_int_equal(pair_count(p, 1, EP_PEER_KEY), 0); /* nothing new to store */
    pair_free(p);
}

static bool forge_from_0(struct pair *p, const struct key_cert *cert, uint64_t timestamp_us) {
    const struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                        .suites = (uint8_t)p->ep[0]->suites,
                                        .timestamp_us = timestamp_us,
                                        .session_id = 7,
                                        .cert = *cert};
    struct noise n;
    uint8_t msg[INITIATION_BYTES];
    struct train t = {.buf = out_bytes};
    assert_true(
        forge_initiation(&n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &f, 9, msg));
    endpoint_input(p->ep[1], p->now_us, AT(&elsewhere), ECN_NOT_ECT, msg, sizeof msg);
    bool answered = false;
    while (endpoint_output(p->ep[1], p->now_us, &t))
        answered |= t.buf[0] == PACKET_RESPONSE;
    return answered;
}

/* Who has stolen a transport key, but not the identity. */
static void a_certificate_without_a_signature_counts_for_nothing(void **state) {
    (void)state;
    for (int met = 0; met < 2; met++) {
        struct pair *p = pair_known(4, 0);
        if (met) {
            assert_true(comes_up(p, 0));
            hang_up(p, 0);
        }
        const struct key_cert unsigned_cert = {.id = p->id[0].id, .seq = UINT64_MAX};
        struct key_cert half = p->ep[0]->cert;
        half.seq++;
        struct key_cert same = {.id = p->id[0].id, .seq = p->id[0].transport_seq};
        assert_false(forge_from_0(p, &unsigned_cert, UINT64_MAX));
        assert_false(forge_from_0(p, &half, UINT64_MAX));
        assert_false(forge_from_0(p, &same, UINT64_MAX));
        const struct identity fresh = with_new_key(p, &p->id[0]);
        restart_as(p, &fresh);
        assert_true(comes_up(p, 0));
        pair_free(p);
    }
}

static void an_answer_without_a_signature_is_not_the_peers(void **state) {
    (void)state;
    struct pair *p = pair_known(5, 0);
    assert_true(comes_up(p, 0));
    hang_up(p, 0);
    const uint64_t seq = entry(p, 0)->setup.cert_seq;
    p->ep[1]->cert.seq = UINT64_MAX;
    assert_false(comes_up(p, 0));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_AUTH);
    assert_true(entry(p, 0)->setup.cert_seq == seq);
    pair_free(p);
}

static void an_unconfirmed_initiation_leaves_no_trace(void **state) {
    (void)state;
    struct pair *p = pair_known(6, 0);
    struct sniffed f;
    const struct identity old = p->id[0], fresh = with_new_key(p, &old);
    restart_as(p, &fresh);
    listen_in(p, &f);
    f.swallow = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 100 * MS, -1, -1);
    assert_int_equal(f.count, 1);
    replay(p, &f);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 1);
    const struct peer *q = entry(p, 1);
    assert_true(has_key(p, &old) && q->setup.cert_seq == 0);
    assert_true(q->last_timestamp_us == 0 && q->accepted == 0);
    pair_run(p, HALF_OPEN_US + S, -1, -1);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
    pair_free(p);
}

static void a_replay_brings_no_replaced_key_back(void **state) {
    (void)state;
    struct pair *p = pair_known(7, 0);
    struct sniffed f;
    const struct identity old = p->id[0], fresh = with_new_key(p, &old);
    listen_in(p, &f);
    assert_true(comes_up(p, 0));
    hang_up(p, 0);
    const struct sniffed recorded = f;
    restart_as(p, &fresh);
    pair_restart(p, 1);
    pair_know(p, 1, NULL, false); /* the key is stored; say that its sequence is not */
    replay(p, &recorded);
    assert_true(has_key(p, &fresh));
    assert_true(comes_up(p, 1));
    pair_free(p);
}

/* ---- replays ---- */

static void a_replay_after_a_restart_stops_no_dial(void **state) {
    (void)state;
    for (int way = 0; way < 3; way++) { /* before the dial; just after it; its first message lost */
        struct pair *p = pair_known(8, 0);
        struct sniffed f;
        listen_in(p, &f);
        assert_true(comes_up(p, 0));
        hang_up(p, 0);
        const struct sniffed recorded = f;
        pair_restart(p, 1);
        pair_know(p, 1, NULL, false);
        if (way == 0)
            replay(p, &recorded);
        unsigned before = pair_count(p, 1, EP_SESSION_UP);
        p->cut = way == 2;
        assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
        pair_run(p, MS, -1, -1);
        p->cut = false;
        if (way > 0)
            replay(p, &recorded);
        pair_run(p, 1500 * MS, -1, -1);
        assert_int_equal(pair_count(p, 1, EP_SESSION_UP), before + 1);
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
        pair_free(p);
    }
}

/* Of two initiations that wait for their proof the newer one does. */
static void a_replay_pushes_no_genuine_initiation_out(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct pair *p = pair_known(9, 0);
        struct sniffed f;
        listen_in(p, &f);
        assert_true(comes_up(p, 0));
        hang_up(p, 0);
        const struct sniffed recorded = f;
        pair_restart(p, 1);
        pair_know(p, 1, NULL, false);
        if (first)
            replay(p, &recorded);
        f.drop_data = true;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 30 * MS, -1, -1);
        if (!first)
            replay(p, &recorded);
        f.drop_data = false;
        pair_run(p, S, -1, -1);
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
        assert_int_equal(pair_count(p, 0, EP_SESSION_UP), 2);
        assert_int_equal(pair_count(p, 1, EP_SESSION_UP), 2);
        pair_free(p);
    }
}

/* A challenge admits an old timestamp; what was recorded before stays a replay. */
static void the_greatest_timestamp_counts_not_the_latest(void **state) {
    (void)state;
    struct pair *p = pair_known(10, 0);
    struct sniffed f;
    listen_in(p, &f);
    assert_true(comes_up(p, 0));
    hang_up(p, 0);
    const struct sniffed recorded = f;
    pair_restart(p, 0);
    pair_know(p, 0, NULL, false);
    endpoint_set_wall(p->ep[0], p->now_us, UINT64_C(1780000000000000));
    for (int i = 0; i < 2; i++) {
        assert_true(comes_up(p, 0));
        hang_up(p, 0);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
        replay(p, &recorded);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
    }
    assert_true(endpoint_counters(p->ep[1])->challenges_sent >= 4);
    pair_free(p);
}

/* The clock of side 0 went back. A message of before that was held back has a greater timestamp
 * than all that come now. */
static void who_met_a_challenge_comes_before_a_greater_timestamp(void **state) {
    (void)state;
    struct pair *p = pair_known(11, 0);
    struct sniffed f;
    listen_in(p, &f);
    assert_true(comes_up(p, 0));
    hang_up(p, 0);
    f.swallow = true;
    assert_false(comes_up(p, 0));
    const struct sniffed held_back = f;
    f.swallow = false;
    pair_restart(p, 0);
    pair_know(p, 0, NULL, false);
    endpoint_set_wall(p->ep[0], p->now_us, UINT64_C(1780000000000000));
    f.drop_data = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 60 * MS, -1, -1); /* challenge, proof, RESPONSE */
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 1);
    replay(p, &held_back);
    f.drop_data = false;
    unsigned before = pair_count(p, 1, EP_SESSION_UP);
    pair_run(p, S, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_UP), before + 1);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replaced_key_is_the_peers_from_then_on),
        cmocka_unit_test(an_answer_of_a_replaced_key_is_not_the_peers),
        cmocka_unit_test(a_key_replaced_meanwhile_confirms_nothing),
        cmocka_unit_test(adding_a_peer_again_brings_no_older_key_back),
        cmocka_unit_test(a_stored_sequence_outlives_a_restart),
        cmocka_unit_test(a_certificate_without_a_signature_counts_for_nothing),
        cmocka_unit_test(an_answer_without_a_signature_is_not_the_peers),
        cmocka_unit_test(an_unconfirmed_initiation_leaves_no_trace),
        cmocka_unit_test(a_replay_brings_no_replaced_key_back),
        cmocka_unit_test(a_replay_after_a_restart_stops_no_dial),
        cmocka_unit_test(a_replay_pushes_no_genuine_initiation_out),
        cmocka_unit_test(the_greatest_timestamp_counts_not_the_latest),
        cmocka_unit_test(who_met_a_challenge_comes_before_a_greater_timestamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
