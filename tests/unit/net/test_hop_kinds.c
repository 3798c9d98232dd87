/* The endpoint hands hops on whole: what comes by a relay's flow is answered there, and by nothing
 * that is another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/endpoint_int.h"
#include "support_forge.h"
#include "support_pair.h"
#include "support_rand.h"

static uint8_t train_bytes[TRAIN_MAX_BYTES];

struct asking {
    struct noise n;
    uint8_t msg[INITIATION_BYTES];
};

static struct pair *flooded(uint64_t seed) {
    struct pair *p = pair_new(rand_seeded("hops", seed).x);
    pair_start(p, 0);
    pair_know(p, 1, NULL, false);
    p->ep[1]->load_second = p->now_us / 1000000;
    p->ep[1]->load_count = HANDSHAKE_LOAD_PER_S;
    return p;
}

static void forge(const struct pair *p, struct asking *a) {
    const struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                        .suites = (uint8_t)p->ep[0]->suites,
                                        .timestamp_us = UINT64_C(1790000001000000),
                                        .session_id = 99,
                                        .cert = p->ep[0]->cert};
    assert_true(forge_initiation(&a->n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &f, 5,
                                 a->msg));
}

/* Gives the length of the answer, which goes where the question came from. */
static size_t ask(struct pair *p, const struct asking *a, const struct hop *from) {
    uint8_t msg[INITIATION_BYTES];
    memcpy(msg, a->msg, sizeof msg);
    endpoint_input(p->ep[1], p->now_us, from, ECN_NOT_ECT, msg, sizeof msg);
    struct small_packet *answer = small_pop(&p->ep[1]->waiting, NULL); /* no relay is there */
    if (!answer)
        return 0;
    const size_t len = answer->len;
    assert_true(hop_equal(&answer->to, from));
    memcpy(train_bytes, answer->data, len);
    mem_free(answer);
    return len;
}

static void take_cookie(struct asking *a) {
    uint8_t cookie[COOKIE_BYTES], challenge[CHALLENGE_BYTES];
    assert_true(cookie_unseal(noise_remote(&a->n), train_bytes + 8,
                              a->msg + INITIATION_BYTES - 2 * MAC_BYTES,
                              train_bytes + 8 + COOKIE_NONCE_BYTES, cookie, challenge));
    handshake_set_mac2(a->msg, sizeof a->msg, cookie);
}

/* Who has shown that one is its own has shown nothing of the other. */
static void a_cookie_of_one_hop_is_worth_nothing_at_another(void **state) {
    (void)state;
    const struct addr at = {.kind = ADDR_IPV4, .port = 9, .ip = {192, 0, 2, 1}};
    const struct hop hops[] = {
        {.kind = HOP_RELAY, .relay = {{1, 1}, 1}}, {.kind = HOP_RELAY, .relay = {{1, 1}, 2}},
        {.kind = HOP_RELAY, .relay = {{2, 1}, 1}}, {.kind = HOP_PIPE, .pipe = {1}},
        {.kind = HOP_PIPE, .pipe = {2}},           hop_udp(&at, 0),
    };
    enum { HOPS = sizeof hops / sizeof hops[0] };
    for (unsigned i = 0; i < HOPS; i++) {
        struct pair *p = flooded(i);
        struct asking a;
        forge(p, &a);
        assert_int_equal(ask(p, &a, &hops[i]), RETRY_BYTES);
        take_cookie(&a);
        for (unsigned k = 0; k < HOPS; k++)
            if (k != i)
                assert_int_equal(ask(p, &a, &hops[k]), RETRY_BYTES);
        assert_int_equal(ask(p, &a, &hops[i]), RESPONSE_BYTES);
        pair_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_of_one_hop_is_worth_nothing_at_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
