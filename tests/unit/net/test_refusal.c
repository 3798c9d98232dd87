/* Who is not let in is told so, and why, in a way that nobody else can: a refusal that was not made
 * by whoever was called is nothing. And who has not shown that it may ask is told nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_forge.h"
#include "support_pair.h"

enum { MS = 1000, S = 1000000 };

static const struct psk first = {{1}}, second = {{2}}, third = {{3}};
static uint8_t out_bytes[TRAIN_MAX_BYTES];

/* ---- what passes ---- */
struct heard {
    unsigned asked, refused;
    uint64_t asked_us;
    uint8_t initiation[INITIATION_BYTES], retry[RETRY_BYTES]; /* the last ones */
    bool swallow;                                             /* no RETRY arrives */
    bool mute;                                                /* handshakes alone do */
};

static bool listen_in(struct pair *p, int from, uint8_t *data, size_t len) {
    struct heard *h = p->tap_ctx;
    if (from == 0 && data[0] == PACKET_INITIATION) {
        memcpy(h->initiation, data, len);
        h->asked++;
        h->asked_us = p->now_us;
    }
    if (data[0] != PACKET_RETRY)
        return !h->mute || data[0] == PACKET_INITIATION || data[0] == PACKET_RESPONSE;
    memcpy(h->retry, data, len);
    h->refused++;
    return !h->swallow;
}

static struct pair *strangers(uint64_t seed, struct heard *h) {
    struct pair *p = pair_new(seed);
    *h = (struct heard){0};
    p->tap = listen_in;
    p->tap_ctx = h;
    pair_start(p, 0);
    return p;
}

static void know_both(struct pair *p, int side, const struct psk *one, const struct psk *ticket) {
    const struct peer_setup s = {.id = p->id[!side].id,
                                 .transport = p->id[!side].transport_public,
                                 .psks = {*one, *ticket},
                                 .psk_count = 2,
                                 .pairing = true,
                                 .addrs = {p->addr[!side]},
                                 .addr_count = 1};
    assert_int_equal(endpoint_peer_add(p->ep[side], &s, &p->peer[side]), 0);
}

/* Fails within `us`, and says this. */
static void fails(struct pair *p, uint64_t us, int err) {
    const unsigned before = pair_count(p, 0, EP_CONNECT_FAILED);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, us, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_count(p, 0, EP_CONNECT_FAILED), before + 1);
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, err);
}

/* ---- what is told ---- */
static void each_refusal_says_why_within_a_round_trip(void **state) {
    (void)state;
    static const struct {
        const struct psk *ours, *theirs; /* theirs NULL: they do not know us */
        bool ticket;
        int err;
    } cases[] = {{&first, NULL, false, ERR_UNKNOWN},
                 {&first, NULL, true, ERR_UNKNOWN},
                 {NULL, NULL, false, ERR_UNKNOWN},
                 {&first, &second, false, ERR_SECRET},
                 {&first, &second, true, ERR_SECRET}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct heard h;
        struct pair *p = strangers(10 + i, &h);
        pair_know(p, 0, cases[i].ours, cases[i].ticket);
        if (cases[i].theirs)
            pair_know(p, 1, cases[i].theirs, false);
        fails(p, 2 * p->delay_us + 50 * MS, cases[i].err);
        assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->by_ticket, cases[i].ticket);
        assert_int_equal(h.asked, 1);
        assert_int_equal(h.refused, 1);
        pair_free(p);
    }
}

static void the_other_secret_is_tried_at_once(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(20, &h);
    know_both(p, 0, &first, &second);
    pair_know(p, 1, &second, true); /* it has lost the pairing secret, and still has the ticket's */
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 4 * p->delay_us + 50 * MS, 0, EP_SESSION_UP));
    assert_int_equal(h.asked, 2);
    pair_free(p);
    /* And both once only. The reason is the pairing secret's. */
    p = strangers(21, &h);
    know_both(p, 0, &first, &second);
    pair_know(p, 1, &third, false);
    fails(p, 4 * p->delay_us + 50 * MS, ERR_SECRET);
    assert_true(pair_event(p, 0, EP_CONNECT_FAILED)->by_ticket);
    assert_int_equal(h.asked, 2);
    pair_free(p);
}

static bool only_the_first(struct pair *p, int from, uint8_t *data, size_t len) {
    struct heard *h = p->tap_ctx;
    return listen_in(p, from, data, len) &&
           !(from == 0 && data[0] == PACKET_INITIATION && h->asked > 1);
}

/* Whoever has the greater key does not insist on its own call for longer because that was refused:
 * a machine, or a virtual world, that has just begun must not take "4 s before now" for the far
 * future. */
static void who_was_refused_answers_a_call_all_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 60; seed < 64; seed++) {
        struct heard h;
        struct pair *p = strangers(seed, &h);
        know_both(p, 0, &first, &second);
        pair_know(p, 1, &third, false);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        p->tap = only_the_first;
        while (h.asked < 2)
            pair_run(p, MS, -1, -1);
        pair_know(p, 1, &second, true);
        assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
        assert_true(pair_run(p, 2 * S, 1, EP_SESSION_UP));
        pair_free(p);
    }
}

/* Somebody adds a new ticket while the old one is still being shown: it is not refused with it. */
static void a_secret_that_came_later_is_tried_in_the_same_attempt(void **state) {
    (void)state;
    for (int way = 0; way < 2;
         way++) { /* nobody was there; the refusal of the first was under way */
        struct heard h;
        struct pair *p = strangers(25, &h);
        pair_know(p, 0, &first, true);
        p->cut = way == 0;
        assert_int_equal(endpoint_ticket_open(p->ep[1], &second, TIME_NEVER), 0);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_false(pair_run(p, way ? p->delay_us + 1 : S, 0, EP_CONNECT_FAILED));
        pair_know(p, 0, &second, true);
        p->cut = false;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(pair_run(p, way ? 6 * p->delay_us : S, 0, EP_SESSION_UP));
        assert_int_equal(pair_count(p, 0, EP_CONNECT_FAILED), 0);
        pair_free(p);
    }
}

/* ---- what is not believed ---- */
static void forge(const struct heard *h, const struct identity *of, const uint8_t *nonce,
                  uint8_t out[static RETRY_BYTES]) {
    static const uint8_t zeroes[COOKIE_BYTES];
    memset(out, 0, RETRY_BYTES);
    out[0] = PACKET_RETRY;
    memcpy(out + 4, h->initiation + 4, 4);
    memcpy(out + 8, nonce, COOKIE_NONCE_BYTES);
    cookie_seal(&of->transport_public, out + 8, h->initiation + INITIATION_BYTES - 2 * MAC_BYTES,
                zeroes, zeroes, out + 8 + COOKIE_NONCE_BYTES);
}

/* Somebody on the path, who knows the peer's public key, makes refusals faster than the peer
 * answers: with any nonce, with one of an earlier refusal, with the earlier one as it was. */
static void a_forged_refusal_is_nothing(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(30, &h);
    uint8_t old[RETRY_BYTES], msg[RETRY_BYTES], nonce[COOKIE_NONCE_BYTES] = {0};
    pair_know(p, 0, &first, false);
    fails(p, S, ERR_UNKNOWN);
    memcpy(old, h.retry, sizeof old);
    pair_know(p, 1, &first, false);
    const uint64_t auth_fail = endpoint_counters(p->ep[0])->auth_fail;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    struct train t = {.buf = out_bytes};
    assert_true(endpoint_output(p->ep[0], p->now_us, &t)); /* it waits, and the forger was faster */
    assert_int_equal(t.len, INITIATION_BYTES);
    memcpy(h.initiation, t.buf, INITIATION_BYTES);
    unsigned forged = 0;
    for (; forged < 200; forged++) {
        rng_fill(&p->rng, nonce, sizeof nonce);
        forge(&h, &p->id[1], nonce, msg);
        endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
    }
    forge(&h, &p->id[1], old + 8, msg);
    endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
    memcpy(old + 4, h.initiation + 4, 4);
    endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, old, sizeof old);
    assert_true(endpoint_counters(p->ep[0])->auth_fail >= auth_fail + forged + 2);
    assert_false(endpoint_output(p->ep[0], p->now_us, &t)); /* nothing more is sent for them */
    assert_true(pair_run(p, S, 0, EP_SESSION_UP));
    assert_int_equal(pair_count(p, 0, EP_CONNECT_FAILED), 1);
    pair_free(p);
}

/* Nobody can make it seem that somebody who is away has refused us: that is a time-out. */
static void who_is_away_has_refused_nobody(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(31, &h);
    uint8_t msg[RETRY_BYTES], nonce[COOKIE_NONCE_BYTES];
    pair_know(p, 0, &first, false);
    p->cut = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    for (int i = 0; i < 7; i++) {
        assert_false(pair_run(p, S, 0, EP_CONNECT_FAILED));
        rng_fill(&p->rng, nonce, sizeof nonce);
        forge(&h, &p->id[1], nonce, msg);
        endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
    }
    assert_true(pair_run(p, 2 * S, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_TIMEOUT);
    pair_free(p);
}

/* A bit of a genuine one turned: neither another reason nor the same. */
static void a_changed_refusal_is_nothing(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(32, &h);
    pair_know(p, 0, &first, false);
    h.swallow = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 2 * p->delay_us + 10 * MS, -1, -1);
    assert_int_equal(h.refused, 1);
    for (unsigned bit = 0; bit < COOKIE_NONCE_BYTES * 8; bit++) {
        uint8_t msg[RETRY_BYTES], nonce[COOKIE_NONCE_BYTES];
        memcpy(nonce, h.retry + 8, sizeof nonce);
        nonce[bit / 8] ^= (uint8_t)(1 << bit % 8);
        forge(&h, &p->id[1], nonce, msg);
        endpoint_input(p->ep[0], p->now_us, AT(&p->addr[1]), ECN_NOT_ECT, msg, sizeof msg);
    }
    assert_false(pair_run(p, 10 * MS, 0, EP_CONNECT_FAILED));
    pair_inject(p, 0, &p->addr[1], h.retry, sizeof h.retry); /* the genuine one, late */
    assert_true(pair_run(p, S, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_UNKNOWN);
    pair_free(p);
}

/* ---- what is not told ---- */
static unsigned sends_back(struct pair *p, const uint8_t *msg) {
    uint8_t copy[INITIATION_BYTES];
    struct train t = {.buf = out_bytes};
    unsigned n = 0;
    memcpy(copy, msg, sizeof copy);
    endpoint_input(p->ep[1], p->now_us, AT(&p->addr[0]), ECN_NOT_ECT, copy, sizeof copy);
    while (endpoint_output(p->ep[1], p->now_us, &t))
        n++;
    return n;
}

static void who_does_not_know_the_key_or_has_no_identity_hears_nothing(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(40, &h);
    pair_know(p, 0, &first, false);
    fails(p, S, ERR_UNKNOWN);
    uint8_t scan[INITIATION_BYTES];
    memcpy(scan, h.initiation, sizeof scan);
    assert_int_equal(sends_back(p, scan), 1);
    scan[INITIATION_BYTES - 2 * MAC_BYTES] ^= 1; /* mac1 */
    assert_int_equal(sends_back(p, scan), 0);
    /* Our key is right, and its own is nobody's: no certificate, one that is not signed,
     * another's. */
    const struct key_cert certs[] = {{.seq = 1}, {.id = p->id[0].id, .seq = 9}, p->ep[1]->cert};
    for (unsigned i = 0; i < 3; i++) {
        const struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                            .suites = (uint8_t)p->ep[0]->suites,
                                            .timestamp_us = UINT64_MAX,
                                            .psk_id = psk_id(&first),
                                            .cert = certs[i]};
        struct noise n;
        assert_true(forge_initiation(&n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &f,
                                     9, scan));
        assert_int_equal(sends_back(p, scan), 0);
    }
    pair_free(p);
}

/* Two callers with the same lack of everything: what they get differs in nothing that an onlooker
 * could tell. */
static void an_onlooker_cannot_tell_the_reasons_apart(void **state) {
    (void)state;
    uint8_t sealed[2][COOKIE_NONCE_BYTES];
    for (int known = 0; known < 2; known++) {
        struct heard h;
        struct pair *p = strangers(41, &h); /* the same seed, the same initiation */
        pair_know(p, 0, &first, false);
        if (known)
            pair_know(p, 1, &second, false);
        fails(p, S, known ? ERR_SECRET : ERR_UNKNOWN);
        uint8_t cookie[COOKIE_BYTES], challenge[CHALLENGE_BYTES], all = 0;
        assert_true(cookie_unseal(&p->id[1].transport_public, h.retry + 8,
                                  h.initiation + INITIATION_BYTES - 2 * MAC_BYTES,
                                  h.retry + 8 + COOKIE_NONCE_BYTES, cookie, challenge));
        for (unsigned i = 0; i < COOKIE_BYTES; i++)
            all |= cookie[i] | challenge[i];
        assert_int_equal(all, 0);
        memcpy(sealed[known], h.retry + 8, COOKIE_NONCE_BYTES);
        pair_free(p);
    }
    unsigned same = 0;
    for (unsigned i = 0; i < COOKIE_NONCE_BYTES; i++)
        same += sealed[0][i] == sealed[1][i];
    assert_true(same < 8);
}

/* PROTOCOL "Refusal", computed from its words with another BLAKE2b: Python's hashlib. */
static void the_proof_is_what_the_document_says(void **state) {
    (void)state;
    static const struct {
        unsigned why;
        uint8_t nonce[COOKIE_NONCE_BYTES];
    } cases[] = {
        {1, {0x42, 0x12, 0xac, 0x8e, 0x17, 0x9e, 0x2a, 0x77, 0x76, 0xfe, 0xc1, 0x7b,
             0xe1, 0x8d, 0xfb, 0x12, 0x1e, 0x4e, 0xae, 0xf1, 0xab, 0x7f, 0x32, 0x7b}},
        {3, {0x27, 0x0a, 0xc5, 0x6a, 0x32, 0xd6, 0x6f, 0xb1, 0x21, 0x24, 0xcf, 0xb7,
             0x36, 0x3d, 0x79, 0x31, 0x8c, 0x19, 0x0a, 0xd4, 0x2d, 0xbd, 0x0f, 0xcf}},
        {7, {0x90, 0x7c, 0xdf, 0x56, 0x24, 0x04, 0x18, 0x03, 0xa3, 0x38, 0xe0, 0x49,
             0xcb, 0x2b, 0x1b, 0x4b, 0x76, 0xd3, 0xb5, 0xcd, 0x82, 0x42, 0x5a, 0xd4}},
    };
    struct noise n = {.step = NOISE_MSG2};
    uint8_t msg[INITIATION_BYTES] = {0}, nonce[COOKIE_NONCE_BYTES];
    for (unsigned i = 0; i < sizeof n.ck; i++)
        n.ck[i] = (uint8_t)i;
    for (unsigned i = 0; i < MAC_BYTES; i++)
        msg[INITIATION_BYTES - 2 * MAC_BYTES + i] = (uint8_t)(100 + i);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(handshake_refusal(&n, (enum refusal)cases[i].why, msg, nonce));
        assert_memory_equal(nonce, cases[i].nonce, sizeof nonce);
        assert_int_equal(handshake_refused(&n, msg, cases[i].nonce), cases[i].why);
    }
}

/* ---- a session that is up ---- */
static void a_refused_rekey_costs_the_session_nothing(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(50, &h);
    struct session_ref s[2];
    pair_know(p, 0, &first, false);
    pair_know(p, 1, &first, false);
    pair_connect(p, s);
    pair_know(p, 1, &second, false);
    const unsigned asked = h.asked;
    for (int i = 0; i < 140 && h.asked == asked; i++) {
        assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
        pair_run(p, S, -1, -1);
    }
    assert_true(h.asked > asked && h.refused > 0);
    assert_true(endpoint_counters(p->ep[0])->rekeys_failed > 0);
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 77), 0);
    assert_true(pair_run(p, S, 0, EP_PONG));
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN) + pair_count(p, 0, EP_CONNECT_FAILED), 0);
    pair_free(p);
}

/* Refusals come fast: asking on at once, as in a silence, would be a storm. */
static void a_silent_session_that_is_refused_ends_without_a_storm(void **state) {
    (void)state;
    struct heard h;
    struct pair *p = strangers(51, &h);
    struct session_ref s[2];
    pair_know(p, 0, &first, false);
    pair_know(p, 1, &first, false);
    pair_connect(p, s);
    pair_run(p, S, -1, -1);
    pair_know(p, 1, &second, false);
    const unsigned asked = h.asked;
    h.mute = true;
    assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
    assert_true(pair_run(p, 40 * (uint64_t)S, 0, EP_SESSION_DOWN));
    assert_in_range(h.asked - asked, 2, 8);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_says_why_within_a_round_trip),
        cmocka_unit_test(the_other_secret_is_tried_at_once),
        cmocka_unit_test(who_was_refused_answers_a_call_all_the_same),
        cmocka_unit_test(a_secret_that_came_later_is_tried_in_the_same_attempt),
        cmocka_unit_test(a_forged_refusal_is_nothing),
        cmocka_unit_test(who_is_away_has_refused_nobody),
        cmocka_unit_test(a_changed_refusal_is_nothing),
        cmocka_unit_test(who_does_not_know_the_key_or_has_no_identity_hears_nothing),
        cmocka_unit_test(an_onlooker_cannot_tell_the_reasons_apart),
        cmocka_unit_test(the_proof_is_what_the_document_says),
        cmocka_unit_test(a_refused_rekey_costs_the_session_nothing),
        cmocka_unit_test(a_silent_session_that_is_refused_ends_without_a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
