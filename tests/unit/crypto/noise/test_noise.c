/* The handshakes agree or fail: every change, cut and low-order point is refused, and the true
 * message still taken.
 */
#include <sodium.h>
#include <string.h>

#include "crypto/noise/dh.h"
#include "crypto/noise/hkdf.h"
#include "crypto/noise/noise.h"
#include "tests/unit/crypto/support_crypto.h"

enum { PAYLOAD1 = 20, PAYLOAD2 = 9 };
enum { MSG1 = NOISE_MSG1_OVERHEAD + PAYLOAD1, MSG2 = NOISE_MSG2_OVERHEAD + PAYLOAD2 };

static const uint8_t prologue[] = "meshd test";
static const uint8_t payload1[PAYLOAD1] = "the first message..";
static const uint8_t payload2[PAYLOAD2] = "answered";

/* The keys of both ends and a true message of each kind. */
struct world {
    enum noise_pattern pattern;
    struct dh_secret i_static, i_eph, r_static, r_eph;
    struct dh_public i_pub, r_pub;
    struct psk psk;
    struct noise i, r; /* after message 1 and message 2 */
    uint8_t msg1[MSG1], msg2[MSG2];
};

static void begin_initiator(const struct world *w, struct noise *n) {
    noise_init(n, w->pattern, true, prologue, sizeof prologue, &w->i_pub, &w->i_static, &w->r_pub);
}

static void begin_responder(const struct world *w, struct noise *n) {
    noise_init(n, w->pattern, false, prologue, sizeof prologue, &w->r_pub, &w->r_static, NULL);
}

static struct world new_world(enum noise_pattern pattern, uint64_t number) {
    struct world w = {.pattern = pattern};
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, number);
    uint8_t back[PAYLOAD1];
    rng_fill(&rng, w.i_static.bytes, 32);
    rng_fill(&rng, w.r_static.bytes, 32);
    rng_fill(&rng, w.i_eph.bytes, 32);
    rng_fill(&rng, w.r_eph.bytes, 32);
    rng_fill(&rng, w.psk.bytes, 32);
    dh_public_of(&w.i_pub, &w.i_static);
    dh_public_of(&w.r_pub, &w.r_static);
    begin_initiator(&w, &w.i);
    begin_responder(&w, &w.r);
    assert_true(noise_write1(&w.i, &w.i_eph, payload1, PAYLOAD1, w.msg1));
    assert_true(noise_read1(&w.r, w.msg1, MSG1, back));
    assert_memory_equal(back, payload1, PAYLOAD1);
    assert_true(noise_write2(&w.r, &w.r_eph, &w.psk, payload2, PAYLOAD2, w.msg2));
    return w;
}

static const enum noise_pattern patterns[] = {NOISE_IK, NOISE_IKPSK2};
#define FOR_BOTH_PATTERNS(w)                                                                       \
    for (size_t pattern_at = 0; pattern_at < 2; pattern_at++)                                      \
        for (struct world w = new_world(patterns[pattern_at], 1), *once = &w; once; once = NULL)

/* The true answer still ends the handshake `n`, and both ends agree. */
static void assert_ends_well(const struct world *w, struct noise *n) {
    uint8_t back[PAYLOAD2], hash_i[64], hash_r[64];
    struct aead_key i2r[2], r2i[2];
    struct psk extra[2];
    assert_true(noise_read2(n, w->msg2, MSG2, &w->psk, back));
    assert_memory_equal(back, payload2, PAYLOAD2);
    noise_split(n, &i2r[0], &r2i[0], hash_i, &extra[0]);
    noise_split(&w->r, &i2r[1], &r2i[1], hash_r, &extra[1]);
    assert_memory_equal(&i2r[0], &i2r[1], sizeof i2r[0]);
    assert_memory_equal(&r2i[0], &r2i[1], sizeof r2i[0]);
    assert_memory_equal(hash_i, hash_r, sizeof hash_i);
    assert_memory_equal(&extra[0], &extra[1], sizeof extra[0]);
    assert_memory_not_equal(&i2r[0], &r2i[0], sizeof i2r[0]);
    assert_memory_not_equal(&i2r[0], &extra[0], sizeof i2r[0]);
}

static void both_ends_agree_on_keys_hash_and_extra_secret(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        assert_memory_equal(noise_remote(&w.r), &w.i_pub, sizeof w.i_pub);
        assert_memory_equal(noise_remote(&w.i), &w.r_pub, sizeof w.r_pub);
        assert_ends_well(&w, &w.i);
        noise_split(&w.i, NULL, NULL, NULL, NULL); /* any may be missing */
    }
}

static void the_patterns_do_not_understand_each_other(void **state) {
    (void)state;
    struct world w = new_world(NOISE_IK, 1);
    struct noise r;
    uint8_t back[PAYLOAD1];
    w.pattern = NOISE_IKPSK2;
    begin_responder(&w, &r);
    assert_false(noise_read1(&r, w.msg1, MSG1, back));
}

static void empty_payloads_and_payloads_in_place_work(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise i, r;
        uint8_t m1[NOISE_MSG1_OVERHEAD], m2[MSG2];
        begin_initiator(&w, &i);
        begin_responder(&w, &r);
        assert_true(noise_write1(&i, &w.i_eph, NULL, 0, m1));
        assert_true(noise_read1(&r, m1, sizeof m1, m1));
        memcpy(m2 + 32, payload2, PAYLOAD2);
        assert_true(noise_write2(&r, &w.r_eph, &w.psk, m2 + 32, PAYLOAD2, m2));
        assert_true(noise_read2(&i, m2, MSG2, &w.psk, m2 + 32));
        assert_memory_equal(m2 + 32, payload2, PAYLOAD2);
    }
}

static void another_prologue_is_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise r;
        uint8_t back[PAYLOAD1];
        noise_init(&r, w.pattern, false, prologue, sizeof prologue - 1, &w.r_pub, &w.r_static,
                   NULL);
        assert_false(noise_read1(&r, w.msg1, MSG1, back));
    }
}

static void a_message_1_for_another_node_is_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise r;
        uint8_t back[PAYLOAD1];
        noise_init(&r, w.pattern, false, prologue, sizeof prologue, &w.i_pub, &w.i_static, NULL);
        assert_false(noise_read1(&r, w.msg1, MSG1, back));
    }
}

static void every_truncation_of_message_1_is_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t n = 0; n < MSG1; n++) {
            struct noise r;
            uint8_t back[PAYLOAD1];
            begin_responder(&w, &r);
            assert_false(noise_read1(&r, w.msg1, n, back));
        }
    }
}

static void every_changed_byte_of_message_1_is_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t at = 0; at < MSG1; at++) {
            for (int bit = 0; bit < 8; bit += 7) { /* X25519 itself ignores the topmost bit of e */
                struct noise r;
                uint8_t back[PAYLOAD1], bad[MSG1];
                memcpy(bad, w.msg1, MSG1);
                bad[at] ^= (uint8_t)(1 << bit);
                begin_responder(&w, &r);
                assert_false(noise_read1(&r, bad, MSG1, back));
            }
        }
    }
}

static void a_refused_message_1_leaves_a_dead_state(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise r;
        uint8_t back[PAYLOAD1], out[MSG2], bad[MSG1];
        memcpy(bad, w.msg1, MSG1);
        bad[MSG1 - 1] ^= 1;
        begin_responder(&w, &r);
        assert_false(noise_read1(&r, bad, MSG1, back));
        assert_true(sodium_is_zero((const uint8_t *)&r, sizeof r));
        assert_false(noise_read1(&r, w.msg1, MSG1, back));
        assert_false(noise_write2(&r, &w.r_eph, &w.psk, payload2, PAYLOAD2, out));
        assert_false(noise_write1(&r, &w.i_eph, payload1, PAYLOAD1, bad));
        assert_false(noise_read2(&r, w.msg2, MSG2, &w.psk, back));
    }
}

static void every_truncation_of_message_2_is_refused_and_the_true_one_still_taken(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise before = w.i;
        for (size_t n = 0; n < MSG2; n++) {
            uint8_t back[PAYLOAD2];
            assert_false(noise_read2(&w.i, w.msg2, n, &w.psk, back));
            assert_memory_equal(&w.i, &before, sizeof before);
        }
        assert_ends_well(&w, &w.i);
    }
}

static void every_changed_byte_of_message_2_is_refused_and_the_true_one_still_taken(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise before = w.i;
        for (size_t at = 0; at < MSG2; at++) {
            for (int bit = 0; bit < 8; bit += 7) {
                uint8_t back[PAYLOAD2], bad[MSG2];
                memcpy(bad, w.msg2, MSG2);
                bad[at] ^= (uint8_t)(1 << bit);
                assert_false(noise_read2(&w.i, bad, MSG2, &w.psk, back));
                assert_memory_equal(&w.i, &before, sizeof before);
            }
        }
        assert_ends_well(&w, &w.i);
    }
}

static void a_different_psk_is_refused_and_the_right_one_still_taken(void **state) {
    (void)state;
    struct world w = new_world(NOISE_IKPSK2, 1);
    struct psk other = w.psk, zero = {{0}};
    uint8_t back[PAYLOAD2];
    other.bytes[31] ^= 1;
    assert_false(noise_read2(&w.i, w.msg2, MSG2, &other, back));
    assert_false(noise_read2(&w.i, w.msg2, MSG2, &zero, back));
    assert_ends_well(&w, &w.i);
}

static void ik_does_not_look_at_a_psk(void **state) {
    (void)state;
    struct world w = new_world(NOISE_IK, 1);
    uint8_t back[PAYLOAD2];
    assert_true(noise_read2(&w.i, w.msg2, MSG2, NULL, back));
}

static void steps_out_of_order_are_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        struct noise i, r;
        uint8_t out[MSG1], back[PAYLOAD1];
        begin_initiator(&w, &i);
        begin_responder(&w, &r);
        assert_false(noise_read2(&i, w.msg2, MSG2, &w.psk, back));
        assert_false(noise_write2(&r, &w.r_eph, &w.psk, payload2, PAYLOAD2, out));
        assert_false(noise_write1(&w.i, &w.i_eph, payload1, PAYLOAD1, out));
        assert_false(noise_read1(&w.r, w.msg1, MSG1, back));
        assert_ends_well(&w, &w.i);
        assert_false(noise_read2(&w.i, w.msg2, MSG2, &w.psk, back));
    }
}

/* ---- low-order points: each as it is, and with the bit that X25519 ignores ---- */

static struct dh_public low_order(size_t at) {
    struct dh_public p;
    unhex(p.bytes, 32, low_order_points[at % LOW_ORDER_POINTS]);
    if (at >= LOW_ORDER_POINTS)
        p.bytes[31] |= 0x80;
    return p;
}

static void low_order_points_give_no_shared_secret(void **state) {
    (void)state;
    struct dh_secret secret = {{1, 2, 3}};
    for (size_t at = 0; at < 2 * LOW_ORDER_POINTS; at++) {
        struct dh_public low = low_order(at);
        uint8_t out[32];
        memset(out, 1, sizeof out);
        assert_false(dh_shared(out, &secret, &low));
        assert_true(sodium_is_zero(out, sizeof out));
    }
}

static void a_low_order_remote_static_key_is_refused_by_the_initiator(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t at = 0; at < 2 * LOW_ORDER_POINTS; at++) {
            struct noise i;
            uint8_t out[MSG1];
            struct dh_public low = low_order(at);
            noise_init(&i, w.pattern, true, prologue, sizeof prologue, &w.i_pub, &w.i_static, &low);
            assert_false(noise_write1(&i, &w.i_eph, payload1, PAYLOAD1, out));
            assert_true(sodium_is_zero((const uint8_t *)&i, sizeof i));
        }
    }
}

static void a_low_order_ephemeral_key_is_refused_by_the_responder(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t at = 0; at < 2 * LOW_ORDER_POINTS; at++) {
            struct noise r;
            uint8_t back[PAYLOAD1], bad[MSG1];
            struct dh_public low = low_order(at);
            memcpy(bad, w.msg1, MSG1);
            memcpy(bad, low.bytes, 32);
            begin_responder(&w, &r);
            assert_false(noise_read1(&r, bad, MSG1, back));
        }
    }
}

/* An initiator who claims a low-order static key: message 1 is well made up to there. */
static void a_low_order_static_key_inside_message_1_is_refused(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t at = 0; at < 2 * LOW_ORDER_POINTS; at++) {
            struct noise i, r;
            uint8_t back[PAYLOAD1], out[MSG1];
            struct dh_public low = low_order(at);
            noise_init(&i, w.pattern, true, prologue, sizeof prologue, &low, &w.i_static, &w.r_pub);
            assert_true(noise_write1(&i, &w.i_eph, payload1, PAYLOAD1, out));
            begin_responder(&w, &r);
            assert_false(noise_read1(&r, out, MSG1, back));
        }
    }
}

static void a_low_order_ephemeral_key_in_message_2_is_refused_and_the_true_one_taken(void **state) {
    (void)state;
    FOR_BOTH_PATTERNS(w) {
        for (size_t at = 0; at < 2 * LOW_ORDER_POINTS; at++) {
            uint8_t back[PAYLOAD2], bad[MSG2];
            struct dh_public low = low_order(at);
            memcpy(bad, w.msg2, MSG2);
            memcpy(bad, low.bytes, 32);
            assert_false(noise_read2(&w.i, bad, MSG2, &w.psk, back));
        }
        assert_ends_well(&w, &w.i);
    }
}

/* ---- below and beside ---- */

/* HMAC by its definition, from the one-shot hash. */
static void hmac_is_rfc_2104_with_a_128_byte_block(void **state) {
    (void)state;
    uint8_t key[64], got[64], want[64], buf[128 + 64], inner[64];
    for (uint8_t i = 0; i < 64; i++)
        key[i] = (uint8_t)(i * 5);
    memset(buf, 0x36, 128);
    for (size_t i = 0; i < 64; i++)
        buf[i] ^= key[i];
    memcpy(buf + 128, "messagetail", 11);
    crypto_generichash(inner, 64, buf, 128 + 11, NULL, 0);
    memset(buf, 0x5c, 128);
    for (size_t i = 0; i < 64; i++)
        buf[i] ^= key[i];
    memcpy(buf + 128, inner, 64);
    crypto_generichash(want, 64, buf, 128 + 64, NULL, 0);
    hmac_blake2b(got, key, (const uint8_t *)"message", 7, (const uint8_t *)"tail", 4);
    assert_memory_equal(got, want, 64);
}

static void transport_messages_round_trip_and_notice_every_change(void **state) {
    (void)state;
    struct aead_key k = {{7}};
    uint8_t wire[PAYLOAD1 + 16], back[PAYLOAD1];
    noise_transport_seal(&k, 5, payload1, PAYLOAD1, wire);
    assert_true(noise_transport_open(&k, 5, wire, sizeof wire, back));
    assert_memory_equal(back, payload1, PAYLOAD1);
    assert_false(noise_transport_open(&k, 6, wire, sizeof wire, back));
    for (size_t at = 0; at < sizeof wire; at++) {
        assert_false(noise_transport_open(&k, 5, wire, at, back));
        wire[at] ^= 1;
        assert_false(noise_transport_open(&k, 5, wire, sizeof wire, back));
        wire[at] ^= 1;
    }
}

static void clearing_leaves_nothing(void **state) {
    (void)state;
    struct world w = new_world(NOISE_IKPSK2, 1);
    noise_clear(&w.i);
    assert_true(sodium_is_zero((const uint8_t *)&w.i, sizeof w.i));
    noise_clear(&w.i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_agree_on_keys_hash_and_extra_secret),
        cmocka_unit_test(the_patterns_do_not_understand_each_other),
        cmocka_unit_test(empty_payloads_and_payloads_in_place_work),
        cmocka_unit_test(another_prologue_is_refused),
        cmocka_unit_test(a_message_1_for_another_node_is_refused),
        cmocka_unit_test(every_truncation_of_message_1_is_refused),
        cmocka_unit_test(every_changed_byte_of_message_1_is_refused),
        cmocka_unit_test(a_refused_message_1_leaves_a_dead_state),
        cmocka_unit_test(every_truncation_of_message_2_is_refused_and_the_true_one_still_taken),
        cmocka_unit_test(every_changed_byte_of_message_2_is_refused_and_the_true_one_still_taken),
        cmocka_unit_test(a_different_psk_is_refused_and_the_right_one_still_taken),
        cmocka_unit_test(ik_does_not_look_at_a_psk),
        cmocka_unit_test(steps_out_of_order_are_refused),
        cmocka_unit_test(low_order_points_give_no_shared_secret),
        cmocka_unit_test(a_low_order_remote_static_key_is_refused_by_the_initiator),
        cmocka_unit_test(a_low_order_ephemeral_key_is_refused_by_the_responder),
        cmocka_unit_test(a_low_order_static_key_inside_message_1_is_refused),
        cmocka_unit_test(a_low_order_ephemeral_key_in_message_2_is_refused_and_the_true_one_taken),
        cmocka_unit_test(hmac_is_rfc_2104_with_a_128_byte_block),
        cmocka_unit_test(transport_messages_round_trip_and_notice_every_change),
        cmocka_unit_test(clearing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
