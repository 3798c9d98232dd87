/* Who gets a session, when strangers, removed contacts or both sides at once ask for one; and that
 * no answer is larger than its question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000 };

static const struct psk secret = {{1, 2, 3}};
static const struct addr elsewhere = {.kind = ADDR_IPV4, .port = 77, .ip = {10, 6, 6, 6}};

static void a_removed_contact_is_refused(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("removed", 1).x, 0);
    struct session_ref s[2];
    pair_connect(p, s);
    endpoint_peer_remove(p->ep[1], p->now_us, p->peer[1]);
    assert_true(pair_run(p, 1000 * MS, 0, EP_SESSION_DOWN));
    assert_int_equal(pair_event(p, 0, EP_SESSION_DOWN)->err, ERR_CLOSED);
    assert_int_equal(pair_event(p, 1, EP_SESSION_DOWN)->err, ERR_CLOSED);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_true(pair_run(p, 10000 * MS, 0, EP_CONNECT_FAILED));
    assert_int_equal(pair_event(p, 0, EP_CONNECT_FAILED)->err, ERR_UNKNOWN);
    assert_int_equal(endpoint_session_count(p->ep[1]) + endpoint_half_open_count(p->ep[1]), 0);
    pair_free(p);
}

/* All datagrams that wait in `from` go to `to`, if they are for it. */
static void carry(struct pair *from, int side, const struct addr *from_addr, struct pair *to,
                  int to_side, const struct addr *to_addr) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    struct ep_event e;
    while (endpoint_output(from->ep[side], from->now_us, &t))
        if (hop_is_to(&t.to, to_addr))
            endpoint_input(to->ep[to_side], to->now_us, AT(from_addr), t.ecn, t.buf, t.len);
    while (endpoint_poll(from->ep[side], &e))
        from->events[side][from->event_count[side]++] = e;
}

static void two_strangers_with_one_ticket_at_once_do_not_both_pair(void **state) {
    (void)state;
    uint64_t seed = rand_seeded("ticket", 2).x;
    struct pair *p = pair_new(seed), *q = pair_new(seed + 1);
    q->id[1] = p->id[1];
    q->addr[0] = elsewhere;
    pair_start(p, 0);
    pair_start(q, 0);
    pair_know(p, 0, &secret, true);
    pair_know(q, 0, &secret, true);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &secret, TIME_NEVER), 0);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    assert_int_equal(endpoint_connect(q->ep[0], q->now_us, q->peer[0]), 0);
    carry(p, 0, &p->addr[0], p, 1, &p->addr[1]); /* both initiations first */
    carry(q, 0, &q->addr[0], p, 1, &p->addr[1]);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 2);
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct train t = {.buf = buf};
    while (endpoint_output(p->ep[1], p->now_us, &t)) {
        struct pair *to = hop_is_to(&t.to, &p->addr[0]) ? p : q;
        endpoint_input(to->ep[0], to->now_us, AT(&p->addr[1]), t.ecn, t.buf, t.len);
    }
    carry(p, 0, &p->addr[0], p, 1, &p->addr[1]);
    carry(q, 0, &q->addr[0], p, 1, &p->addr[1]);
    while (endpoint_output(p->ep[1], p->now_us, &t)) {
        struct pair *to = hop_is_to(&t.to, &p->addr[0]) ? p : q;
        endpoint_input(to->ep[0], to->now_us, AT(&p->addr[1]), t.ecn, t.buf, t.len);
    }
    carry(p, 1, &p->addr[1], p, 0, &elsewhere);
    carry(q, 0, &q->addr[0], p, 1, &p->addr[1]);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 1);
    assert_true(node_id_equal(&pair_event(p, 1, EP_PAIRED)->node, &p->id[0].id));
    assert_int_equal(endpoint_session_count(p->ep[1]), 1);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
    /* The one who came second is told. */
    assert_int_equal(pair_count(q, 0, EP_SESSION_DOWN), 1);
    assert_int_equal(pair_event(q, 0, EP_SESSION_DOWN)->err, ERR_TICKET);
    pair_free(p);
    pair_free(q);
}

static void both_at_once_give_one_session_whoever_wins(void **state) {
    (void)state;
    struct rand_state r = rand_seeded("simultaneous", 3);
    unsigned greater = 0;
    for (int round = 0; round < 20; round++) {
        struct pair *p = pair_known(rand_u64(&r), 0);
        bool first = memcmp(&p->id[0].transport_public, &p->id[1].transport_public,
                            sizeof p->id[0].transport_public) > 0;
        greater += first;
        for (int i = 0; i < 2; i++)
            assert_int_equal(endpoint_connect(p->ep[i], p->now_us, p->peer[i]), 0);
        pair_run(p, 3000 * MS, -1, -1);
        struct session_info info[2];
        for (int i = 0; i < 2; i++) {
            struct session_ref s;
            assert_int_equal(endpoint_session_count(p->ep[i]), 1);
            assert_int_equal(endpoint_half_open_count(p->ep[i]), 0);
            assert_int_equal(pair_count(p, i, EP_SESSION_UP), 1);
            assert_int_equal(pair_count(p, i, EP_CONNECT_FAILED), 0);
            assert_true(endpoint_session(p->ep[i], p->peer[i], &s));
            assert_true(endpoint_session_info(p->ep[i], p->now_us, s, &info[i]));
        }
        assert_true(info[0].session_id == info[1].session_id);
        assert_true(info[0].initiator == first && info[1].initiator == !first);
        pair_free(p);
    }
    assert_true(greater > 0 && greater < 20);
}

static bool swap_response(struct pair *p, int from, uint8_t *data, size_t len) {
    const uint8_t *other = p->tap_ctx;
    if (from == 1 && len == RESPONSE_BYTES && data[0] == PACKET_RESPONSE)
        memcpy(data, other, len);
    return true;
}

static bool only_forge(struct pair *p, int from, uint8_t *data, size_t len) {
    uint8_t *copy = p->tap_ctx;
    if (from == 0 && len == INITIATION_BYTES)
        memcpy(copy, data, len);
    return from == 0;
}

/* Even who holds the responder's keys cannot make it choose what is not the best of both. */
static void a_weaker_suite_than_agreed_is_refused(void **state) {
    (void)state;
    struct pair *p = pair_known(rand_seeded("suite", 4).x, 0);
    unsigned all = p->ep[0]->suites;
    if (all == AEAD_CHACHA20_POLY1305 || all == AEAD_AES_256_GCM)
        skip(); /* nothing to choose on this machine */
    unsigned best = aead_choose(all, all), weak = all & ~best;
    for (int honest = 0; honest < 2; honest++) {
        uint8_t msg[INITIATION_BYTES], forged[RESPONSE_BYTES];
        p->tap = only_forge;
        p->tap_ctx = msg;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 5 * MS, -1, -1);
        struct noise n;
        struct initiation in;
        uint32_t sender;
        assert_true(handshake_read_initiation(&n, &p->ep[1]->self, msg, &in, &sender));
        struct response r = {.suites = all,
                             .suite = honest ? best : weak,
                             .session_id = in.session_id,
                             .cert = p->ep[1]->cert};
        struct dh_secret ephemeral;
        rng_fill(&p->rng, &ephemeral, sizeof ephemeral);
        static const struct psk none;
        assert_true(handshake_write_response(&n, &p->ep[1]->self, &ephemeral, &none, &r, 5, sender,
                                             forged));
        p->tap = swap_response;
        p->tap_ctx = forged;
        uint64_t before = endpoint_counters(p->ep[0])->auth_fail;
        pair_inject(p, 0, &p->addr[1], forged, sizeof forged);
        pair_run(p, 1 * MS, -1, -1);
        assert_int_equal(endpoint_session_count(p->ep[0]), honest);
        assert_int_equal(endpoint_counters(p->ep[0])->auth_fail, before + !honest);
        if (honest)
            break;
        pair_run(p, 12000 * MS, -1, -1);
        assert_int_equal(endpoint_session_count(p->ep[0]), 0);
    }
    pair_free(p);
}

static bool never_larger(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)data;
    unsigned *largest = p->tap_ctx;
    if (from == 1 && len > *largest)
        *largest = (unsigned)len;
    return from == 0;
}

static void no_answer_is_larger_than_the_question(void **state) {
    (void)state;
    struct pair *p = pair_new(rand_seeded("amplification", 5).x);
    unsigned largest = 0;
    pair_start(p, 0);
    pair_know(p, 0, NULL, false);
    p->tap = never_larger;
    p->tap_ctx = &largest;
    for (int known_too = 0; known_too < 2; known_too++) { /* a refusal, then answers */
        if (known_too)
            pair_know(p, 1, NULL, false);
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 10000 * MS, -1, -1);
        assert_true(largest > 0 && largest <= INITIATION_BYTES);
        assert_true(p->sent_bytes[1] <= p->sent_bytes[0]);
    }
    assert_int_equal(largest, RESPONSE_BYTES);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removed_contact_is_refused),
        cmocka_unit_test(two_strangers_with_one_ticket_at_once_do_not_both_pair),
        cmocka_unit_test(both_at_once_give_one_session_whoever_wins),
        cmocka_unit_test(a_weaker_suite_than_agreed_is_refused),
        cmocka_unit_test(no_answer_is_larger_than_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
