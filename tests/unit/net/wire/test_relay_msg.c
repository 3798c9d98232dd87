/* Relay messages come back as they were written, and are refused when they are wrong: cut short,
 * too long, garbage, or three relays in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "net/wire/relay_msg.h"
#include "support_rand.h"

static const struct {
    const char *name;
    uint8_t op;
    size_t bytes;
} ops[] = {
#define X(name, op, bytes) {#name, op, bytes},
    RELAY_OPS(X)
#undef X
};
enum { OPS = sizeof ops / sizeof *ops };

static void fill(void *ctx, void *buf, size_t len) {
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)rand_u64(ctx);
}

/* A read beyond `len` is seen by the sanitizer. */
static bool read_exact(struct relay_msg *m, const uint8_t *data, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    const bool ok = relay_msg_read(m, copy, len);
    free(copy);
    return ok;
}

static void every_message_has_the_bytes_of_the_document(void **state) {
    (void)state;
    struct relay_msg m = {.reason = 0x11,
                          .load = 0x22,
                          .lifetime_s = 0x3433,
                          .flows_max = 0x4645,
                          .request = 0x5a595857,
                          .flow = 0x6d6c6b6a,
                          .rate_kib_s = 0x7d7c7b7a,
                          .quota_left_mib = 0x8d8c8b8a,
                          .in_ms = 0x9d9c9b9a,
                          .for_ms = 0xadacabaa};
    memset(m.peer.bytes, 0xee, sizeof m.peer.bytes);
#define PEER32 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
    static const struct {
        uint8_t op;
        const char *hex;
    } want[OPS] = {
        {RELAY_RESERVE, "0101"
                        "5758595a"
                        "3334"},
        {RELAY_OPEN, "0102"
                     "5758595a" PEER32},
        {RELAY_CLOSE, "0103"
                      "6a6b6c6d"},
        {RELAY_ACCEPT, "0104"
                       "6a6b6c6d"},
        {RELAY_REFUSE, "0105"
                       "6a6b6c6d"
                       "11"},
        {RELAY_RESERVED, "0181"
                         "5758595a"
                         "3334"
                         "22"
                         "4546"
                         "7a7b7c7d"
                         "8a8b8c8d"},
        {RELAY_OPENED, "0182"
                       "5758595a"
                       "6a6b6c6d"
                       "3334"},
        {RELAY_INCOMING, "0183"
                         "6a6b6c6d" PEER32 "3334"},
        {RELAY_ENDED, "0184"
                      "6a6b6c6d"
                      "11"},
        {RELAY_RESTARTING, "0185"
                           "9a9b9c9d"
                           "aaabacad"},
        {RELAY_REFUSED, "0186"
                        "5758595a"
                        "11"},
        {RELAY_LOAD, "0187"
                     "22"
                     "7a7b7c7d"
                     "8a8b8c8d"},
    };
    for (unsigned i = 0; i < OPS; i++) {
        uint8_t out[RELAY_MSG_MAX_BYTES];
        char hex[2 * RELAY_MSG_MAX_BYTES + 1] = "";
        m.op = want[i].op;
        const size_t len = relay_msg_write(&m, out);
        for (size_t k = 0; k < len; k++)
            (void)snprintf(hex + 2 * k, 3, "%02x", out[k]);
        assert_string_equal(hex, want[i].hex);
        assert_int_equal(len, ops[i].bytes);
        assert_int_equal(want[i].op, ops[i].op);
    }
}

static void any_message_comes_back_and_none_is_cut_short_or_longer(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("relay_msg", 1);
    for (unsigned round = 0; round < 2000; round++) {
        struct relay_msg m = {0}, got, again;
        uint8_t out[RELAY_MSG_MAX_BYTES + 1] = {0}, back[RELAY_MSG_MAX_BYTES];
        fill(&rnd, &m, sizeof m);
        m.flow |= 1;
        m.op = ops[round % OPS].op;
        const size_t len = relay_msg_write(&m, out);
        assert_true(read_exact(&got, out, len));
        assert_int_equal(got.op, m.op);
        assert_int_equal(relay_msg_write(&got, back), len);
        assert_memory_equal(back, out, len);
        memset(&again, 7, sizeof again);
        const struct relay_msg before = again;
        for (size_t cut = 0; cut < len; cut++)
            assert_false(read_exact(&again, out, cut));
        assert_false(read_exact(&again, out, len + 1));
        assert_memory_equal(&again, &before, sizeof again);
    }
}

static void garbage_is_no_message(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("relay_garbage", 1);
    struct relay_msg m;
    uint8_t data[RELAY_MSG_MAX_BYTES];
    for (unsigned kind = 0; kind < 256; kind++)
        for (unsigned op = 0; op < 256; op++) {
            size_t want = 0;
            for (unsigned i = 0; i < OPS; i++)
                if (ops[i].op == op && kind == RECORD_KIND_RELAY)
                    want = ops[i].bytes;
            fill(&rnd, data, sizeof data);
            memset(data + 2, 1, 4); /* flow is not 0 */
            data[0] = (uint8_t)kind;
            data[1] = (uint8_t)op;
            for (size_t len = 0; len <= sizeof data; len++)
                assert_true(read_exact(&m, data, len) == (len == want && len > 0));
        }
}

static void flow_0_is_no_flow(void **state) {
    (void)state;
    for (unsigned i = 0; i < OPS; i++) {
        struct relay_msg m = {.op = ops[i].op}, got;
        uint8_t out[RELAY_MSG_MAX_BYTES];
        const size_t len = relay_msg_write(&m, out);
        const bool has_flow = m.op == RELAY_CLOSE || m.op == RELAY_ACCEPT || m.op == RELAY_REFUSE ||
                              m.op == RELAY_OPENED || m.op == RELAY_INCOMING || m.op == RELAY_ENDED;
        assert_true(read_exact(&got, out, len) != has_flow);
    }
    static const uint8_t forward[8 + 32] = {PACKET_FORWARD, [8] = PACKET_DATA};
    assert_int_equal(forward_read(forward, sizeof forward), 0);
}

static void each_reason_has_a_word(void **state) {
    (void)state;
    for (unsigned i = 1; i < RELAY_REASONS_END; i++)
        assert_string_not_equal(relay_reason_name(i), "unknown");
    assert_string_equal(relay_reason_name(0), "unknown");
    assert_string_equal(relay_reason_name(RELAY_REASONS_END), "unknown");
    assert_string_equal(relay_reason_name(UINT32_MAX), "unknown");
}

static uint32_t forward_read_exact(const uint8_t *data, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    const uint32_t flow = forward_read(copy, len);
    free(copy);
    return flow;
}

static void what_is_forwarded_is_a_datagram_of_two_ends(void **state) {
    (void)state;
    static const struct {
        uint8_t inner;
        size_t len;
        bool ok;
    } cases[] = {
        {PACKET_INITIATION, INITIATION_BYTES, true},
        {PACKET_INITIATION, INITIATION_BYTES - 1, false},
        {PACKET_INITIATION, INITIATION_BYTES + 1, false},
        {PACKET_RESPONSE, RESPONSE_BYTES, true},
        {PACKET_RESPONSE, RESPONSE_BYTES + 1, false},
        {PACKET_RETRY, RETRY_BYTES, true},
        {PACKET_RETRY, RETRY_BYTES - 1, false},
        {PACKET_DATA, DATA_OVERHEAD_BYTES, true},
        {PACKET_DATA, 1400, true},
        {PACKET_DATA, DATA_OVERHEAD_BYTES - 1, false},
        {PACKET_DATA, 1, false},
        {PACKET_DATA, 0, false},
        {0, 100, false},
        {PACKET_KEY_ASK, KEY_ASK_BYTES, false},
        {PACKET_KEY_TOLD, KEY_TOLD_BYTES, false},
        {9, 100, false},
        {255, 100, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned relays = 1; relays <= 3; relays++) {
            uint8_t buf[1500] = {0};
            for (unsigned k = 0; k < relays; k++)
                forward_write(buf + (size_t)k * FORWARD_HEADER_BYTES,
                              k % 2 ? PACKET_FORWARDED : PACKET_FORWARD, 0xdeadbeef + k);
            const size_t head = (size_t)relays * FORWARD_HEADER_BYTES;
            buf[head] = cases[i].inner;
            const bool ok = cases[i].ok && relays <= RELAYS_IN_A_ROW_MAX;
            assert_int_equal(forward_read_exact(buf, head + cases[i].len), ok ? 0xdeadbeef : 0);
            for (unsigned k = 1; k < 4 && ok; k++) { /* reserved bytes of each header */
                for (unsigned at = 0; at < relays; at++) {
                    buf[at * FORWARD_HEADER_BYTES + k] = 1;
                    assert_int_equal(forward_read_exact(buf, head + cases[i].len), 0);
                    buf[at * FORWARD_HEADER_BYTES + k] = 0;
                }
            }
            for (size_t cut = 0; cut < head + 1; cut++)
                assert_int_equal(forward_read_exact(buf, cut), 0);
        }
}

static void a_key_is_asked_for_with_as_many_bytes_as_it_is_told_in(void **state) {
    (void)state;
    uint8_t ask[KEY_ASK_BYTES], nonce[KEY_NONCE_BYTES];
    key_ask_write((const uint8_t *)"8 random", ask);
    assert_true(key_ask_read(nonce, ask, sizeof ask));
    assert_memory_equal(nonce, "8 random", sizeof nonce);
    assert_false(key_ask_read(nonce, ask, sizeof ask - 1));
    for (size_t i = 0; i < sizeof ask; i++) { /* all but the nonce is as it must be */
        const bool free_byte = i >= 4 && i < 4 + KEY_NONCE_BYTES;
        ask[i] ^= 1;
        assert_true(key_ask_read(nonce, ask, sizeof ask) == free_byte);
        ask[i] ^= 1;
    }
}

static void a_told_key_is_certified_by_the_id_it_names(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("key_told", 1);
    struct identity id;
    struct key_told t = {.nonce = {1, 2, 3}}, got;
    uint8_t out[KEY_TOLD_BYTES + 1] = {0};
    identity_generate(&id, &(struct rng){fill, &rnd});
    identity_cert(&id, &t.cert);
    t.transport = id.transport_public;
    key_told_write(&t, out);
    assert_true(key_told_read(&got, out, KEY_TOLD_BYTES));
    assert_memory_equal(&got, &t, sizeof t);
    assert_memory_equal(key_told_nonce(out, KEY_TOLD_BYTES), t.nonce, sizeof t.nonce);
    assert_false(key_told_read(&got, out, KEY_TOLD_BYTES - 1));
    assert_false(key_told_read(&got, out, KEY_TOLD_BYTES + 1));
    assert_null(key_told_nonce(out, KEY_TOLD_BYTES - 1));
    for (size_t i = 0; i < KEY_TOLD_BYTES; i++) {
        out[i] ^= 1;
        const bool free_byte = i >= 4 && i < 4 + KEY_NONCE_BYTES;
        assert_true(key_told_read(&got, out, KEY_TOLD_BYTES) == free_byte);
        out[i] ^= 1;
    }
    identity_clear(&id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_the_bytes_of_the_document),
        cmocka_unit_test(any_message_comes_back_and_none_is_cut_short_or_longer),
        cmocka_unit_test(garbage_is_no_message),
        cmocka_unit_test(flow_0_is_no_flow),
        cmocka_unit_test(each_reason_has_a_word),
        cmocka_unit_test(what_is_forwarded_is_a_datagram_of_two_ends),
        cmocka_unit_test(a_key_is_asked_for_with_as_many_bytes_as_it_is_told_in),
        cmocka_unit_test(a_told_key_is_certified_by_the_id_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
