/* Handshake messages: both sides read the same, and a change of any byte fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/handshake_msg.h"
#include "support_rand.h"

struct side {
    struct identity id;
    struct key_cert cert;
    uint8_t prologue[8];
    struct handshake_self self;
    struct dh_secret ephemeral;
};

struct duo {
    struct rand_state rand;
    struct side a, b;
};

static const struct psk no_psk, secret = {{1, 2, 3}}, other_secret = {{1, 2, 4}};

static void fill(void *ctx, void *buf, size_t len) {
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)rand_u64(ctx);
}

static void side_init(struct side *s, struct rng *rng) {
    identity_generate(&s->id, rng);
    identity_cert(&s->id, &s->cert);
    memcpy(s->prologue, "meshd v1", sizeof s->prologue);
    s->self = (struct handshake_self){.identity = &s->id,
                                      .cert = &s->cert,
                                      .prologue = s->prologue,
                                      .prologue_len = sizeof s->prologue,
                                      .suites = AEAD_CHACHA20_POLY1305 | AEAD_AES_256_GCM};
    rng_fill(rng, &s->ephemeral, sizeof s->ephemeral);
}

static struct duo *duo_new(uint64_t seed) {
    struct duo *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->rand = rand_seeded("handshake", seed);
    struct rng rng = {fill, &d->rand};
    side_init(&d->a, &rng);
    side_init(&d->b, &rng);
    return d;
}

static const struct initiation usual = {.suites = AEAD_CHACHA20_POLY1305 | AEAD_AES_256_GCM,
                                        .epoch = 3,
                                        .timestamp_us = 1234567890123,
                                        .session_id = 0x1122334455667788,
                                        .psk_id = 42,
                                        .challenge = {9, 8, 7}};

static void initiate(struct duo *d, struct noise *n, uint8_t msg[static INITIATION_BYTES]) {
    *n = (struct noise){0};
    assert_true(handshake_write_initiation(n, &d->a.self, &d->b.id.transport_public,
                                           &d->a.ephemeral, &usual, 77, msg));
}

static void respond(struct duo *d, struct noise *n, const struct psk *psk,
                    uint8_t msg[static RESPONSE_BYTES]) {
    struct response r = {.suites = d->b.self.suites,
                         .suite = AEAD_AES_256_GCM,
                         .epoch = 3,
                         .continues = true,
                         .session_id = usual.session_id,
                         .cert = d->b.cert};
    assert_true(handshake_write_response(n, &d->b.self, &d->b.ephemeral, psk, &r, 88, 77, msg));
}

static void both_sides_read_what_was_said_and_share_keys(void **state) {
    (void)state;
    for (int with_psk = 0; with_psk < 2; with_psk++) {
        struct duo *d = duo_new(1);
        const struct psk *psk = with_psk ? &secret : &no_psk;
        struct noise na, nb;
        uint8_t m1[INITIATION_BYTES], m2[RESPONSE_BYTES];
        initiate(d, &na, m1);
        struct initiation in;
        uint32_t sender;
        assert_true(handshake_mac1_ok(&d->b.id, m1));
        assert_false(handshake_mac1_ok(&d->a.id, m1));
        assert_true(handshake_read_initiation(&nb, &d->b.self, m1, &in, &sender));
        assert_int_equal(sender, 77);
        assert_true(in.suites == usual.suites && in.epoch == usual.epoch &&
                    in.timestamp_us == usual.timestamp_us && in.session_id == usual.session_id &&
                    in.psk_id == usual.psk_id);
        assert_memory_equal(in.challenge, usual.challenge, sizeof in.challenge);
        assert_true(key_cert_verify(&in.cert, noise_remote(&nb)));
        assert_true(node_id_equal(&in.cert.id, &d->a.id.id));

        respond(d, &nb, psk, m2);
        assert_true(handshake_response_mac1_ok(&na, m2));
        struct response r;
        assert_true(handshake_read_response(&na, m2, psk, &r, &sender));
        assert_int_equal(sender, 88);
        assert_true(r.suite == AEAD_AES_256_GCM && r.epoch == 3 && r.continues &&
                    r.session_id == usual.session_id);
        assert_true(key_cert_verify(&r.cert, &d->b.id.transport_public));

        struct keygen ka, kb;
        struct psk pa, pb;
        handshake_keys(&na, true, AEAD_AES_256_GCM, 3, &ka, &pa);
        handshake_keys(&nb, false, AEAD_AES_256_GCM, 3, &kb, &pb);
        assert_memory_equal(&ka.send, &kb.recv, sizeof ka.send);
        assert_memory_equal(&ka.recv, &kb.send, sizeof ka.recv);
        assert_memory_not_equal(&ka.send, &ka.recv, sizeof ka.send);
        assert_memory_equal(&pa, &pb, sizeof pa);
        free(d);
    }
}

/* The suite chosen lies inside: whoever changes it, or anything else, changes a byte. */
static void a_changed_byte_anywhere_fails(void **state) {
    (void)state;
    struct duo *d = duo_new(2);
    struct noise na, nb;
    uint8_t m1[INITIATION_BYTES], m2[RESPONSE_BYTES];
    struct initiation in;
    struct response r;
    uint32_t sender;
    initiate(d, &na, m1);
    for (size_t i = 8; i < 8 + INITIATION_NOISE_BYTES; i++) {
        uint8_t bad[INITIATION_BYTES];
        memcpy(bad, m1, sizeof bad);
        bad[i] ^= (uint8_t)(1 << rand_below(&d->rand, 8));
        assert_false(handshake_mac1_ok(&d->b.id, bad));
        assert_false(handshake_read_initiation(&nb, &d->b.self, bad, &in, &sender));
    }
    assert_true(handshake_read_initiation(&nb, &d->b.self, m1, &in, &sender));
    respond(d, &nb, &secret, m2);
    for (size_t i = 12; i < 12 + RESPONSE_NOISE_BYTES; i++) {
        uint8_t bad[RESPONSE_BYTES];
        memcpy(bad, m2, sizeof bad);
        bad[i] ^= (uint8_t)(1 << rand_below(&d->rand, 8));
        assert_false(handshake_response_mac1_ok(&na, bad));
        assert_false(handshake_read_response(&na, bad, &secret, &r, &sender));
    }
    /* The forgeries have not spoiled the state: the true one still counts. */
    assert_true(handshake_read_response(&na, m2, &secret, &r, &sender));
    free(d);
}

static void another_secret_network_or_key_fails(void **state) {
    (void)state;
    struct duo *d = duo_new(3);
    struct noise na, nb;
    uint8_t m1[INITIATION_BYTES], m2[RESPONSE_BYTES];
    struct initiation in;
    struct response r;
    uint32_t sender;
    initiate(d, &na, m1);
    d->b.prologue[7] ^= 1;
    assert_false(handshake_read_initiation(&nb, &d->b.self, m1, &in, &sender));
    d->b.prologue[7] ^= 1;
    assert_false(handshake_read_initiation(&nb, &d->a.self, m1, &in, &sender));
    assert_true(handshake_read_initiation(&nb, &d->b.self, m1, &in, &sender));
    respond(d, &nb, &secret, m2);
    assert_false(handshake_read_response(&na, m2, &no_psk, &r, &sender));
    assert_false(handshake_read_response(&na, m2, &other_secret, &r, &sender));
    assert_true(handshake_read_response(&na, m2, &secret, &r, &sender));
    free(d);
}

static void a_secret_is_named_without_being_told(void **state) {
    (void)state;
    assert_true(psk_id(&no_psk) == 0);
    assert_true(psk_id(&secret) != 0 && psk_id(&secret) != psk_id(&other_secret));
    assert_true(psk_id(&secret) == psk_id(&secret));
}

static void mac2_covers_mac1_and_all_before_it(void **state) {
    (void)state;
    struct duo *d = duo_new(4);
    struct noise n;
    uint8_t m[INITIATION_BYTES], before[INITIATION_BYTES], cookie[COOKIE_BYTES] = {5};
    static const uint8_t zero[MAC_BYTES];
    initiate(d, &n, m);
    assert_memory_equal(m + sizeof m - MAC_BYTES, zero, MAC_BYTES);
    memcpy(before, m, sizeof m);
    handshake_set_mac2(m, sizeof m, cookie);
    assert_memory_equal(m, before, sizeof m - MAC_BYTES);
    uint8_t want[MAC_BYTES];
    cookie_mac2(cookie, before, sizeof m - MAC_BYTES, want);
    assert_memory_equal(m + sizeof m - MAC_BYTES, want, MAC_BYTES);
    for (size_t i = 0; i < sizeof m - MAC_BYTES; i++) {
        uint8_t other[MAC_BYTES];
        before[i] ^= 0x10;
        cookie_mac2(cookie, before, sizeof m - MAC_BYTES, other);
        assert_memory_not_equal(other, want, MAC_BYTES);
        before[i] ^= 0x10;
    }
    free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_read_what_was_said_and_share_keys),
        cmocka_unit_test(a_changed_byte_anywhere_fails),
        cmocka_unit_test(another_secret_network_or_key_fails),
        cmocka_unit_test(a_secret_is_named_without_being_told),
        cmocka_unit_test(mac2_covers_mac1_and_all_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
