/* Keys, node ids, identity files and certificates: what comes back whole, and that any change is
 * noticed.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/identity/bech32m.h"
#include "crypto/identity/identity.h"
#include "crypto/identity/sign.h"
#include "tests/unit/crypto/support_crypto.h"

static struct identity some_identity(uint64_t number) {
    struct seeded seed;
    struct rng rng = seeded_rng(&seed, number);
    struct identity i;
    identity_generate(&i, &rng);
    return i;
}

static void ed25519_is_that_of_rfc_8032(void **state) {
    (void)state;
    /* §7.1, TEST 2 */
    struct sign_secret secret;
    struct node_id id;
    uint8_t want_id[32], want[64], got[64];
    const uint8_t msg[1] = {0x72};
    unhex(secret.bytes, 32, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    unhex(want_id, 32, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    unhex(want, 64,
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    sign_public_of(&id, &secret);
    assert_memory_equal(id.bytes, want_id, 32);
    sign_make(got, &secret, &id, msg, sizeof msg);
    assert_memory_equal(got, want, 64);
    assert_true(sign_verify(got, &id, msg, sizeof msg));
    assert_false(sign_verify(got, &id, msg, 0));
}

static void the_transport_key_is_x25519_of_rfc_7748(void **state) {
    (void)state;
    /* §6.1, Alice */
    struct sign_secret sign = {{1}};
    struct dh_secret transport;
    struct identity i;
    uint8_t want[32];
    unhex(transport.bytes, 32, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    unhex(want, 32, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    identity_from_secrets(&i, &sign, &transport, 7);
    assert_memory_equal(i.transport_public.bytes, want, 32);
    assert_int_equal(i.transport_seq, 7);
}

static void a_node_id_is_63_characters_and_round_trips(void **state) {
    (void)state;
    for (uint64_t n = 0; n < 50; n++) {
        struct identity i = some_identity(n);
        struct node_id back;
        char text[NODE_ID_TEXT_CHARS + 1];
        node_id_text(&i.id, text);
        assert_int_equal(strlen(text), NODE_ID_TEXT_CHARS);
        assert_memory_equal(text, "mesh1", 5);
        assert_int_equal(node_id_parse(&back, text), 0);
        assert_true(node_id_equal(&back, &i.id));
    }
}

static void every_single_wrong_character_in_a_node_id_is_noticed(void **state) {
    (void)state;
    struct identity i = some_identity(1);
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(&i.id, text);
    for (size_t at = 0; at < NODE_ID_TEXT_CHARS; at++) {
        char right = text[at];
        for (int c = 0; c < 256; c++) {
            struct node_id out;
            if ((char)c == right)
                continue;
            text[at] = (char)c;
            if (node_id_parse(&out, text) != ERR_FORMAT)
                fail_msg("character %zu as %d", at, c);
        }
        text[at] = right;
    }
}

static void a_node_id_of_another_length_or_prefix_is_refused(void **state) {
    (void)state;
    struct node_id out;
    const uint8_t data[33] = {1, 2, 3};
    char text[128];
    assert_int_equal(bech32m_encode(text, sizeof text, "mesh", data, 31), 0);
    assert_int_equal(node_id_parse(&out, text), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "mesh", data, 33), 0);
    assert_int_equal(node_id_parse(&out, text), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "meshticket", data, 32), 0);
    assert_int_equal(node_id_parse(&out, text), ERR_FORMAT);
    assert_int_equal(bech32m_encode(text, sizeof text, "mesh", data, 32), 0);
    assert_int_equal(node_id_parse(&out, text), 0);
    strcat(text, " ");
    assert_int_equal(node_id_parse(&out, text), ERR_FORMAT);
    assert_int_equal(node_id_parse(&out, ""), ERR_FORMAT);
}

static void different_randomness_gives_different_identities(void **state) {
    (void)state;
    struct identity a = some_identity(1), b = some_identity(2), again = some_identity(1);
    assert_false(node_id_equal(&a.id, &b.id));
    assert_memory_not_equal(a.transport_public.bytes, b.transport_public.bytes, 32);
    assert_memory_not_equal(a.sign.bytes, a.transport_secret.bytes, 32);
    assert_true(node_id_equal(&a.id, &again.id));
    assert_int_equal(a.transport_seq, 1);
}

static void clearing_leaves_nothing(void **state) {
    (void)state;
    struct identity i = some_identity(3);
    identity_clear(&i);
    assert_true(sodium_is_zero((const uint8_t *)&i, sizeof i));
}

/* ---- the file ---- */

static void assert_same(const struct identity *a, const struct identity *b) {
    assert_true(node_id_equal(&a->id, &b->id));
    assert_memory_equal(a->sign.bytes, b->sign.bytes, 32);
    assert_memory_equal(a->transport_public.bytes, b->transport_public.bytes, 32);
    assert_memory_equal(a->transport_secret.bytes, b->transport_secret.bytes, 32);
    assert_true(a->transport_seq == b->transport_seq);
}

static void the_identity_file_round_trips(void **state) {
    (void)state;
    static const uint64_t seqs[] = {0, 1, 10, UINT64_MAX};
    for (size_t n = 0; n < sizeof seqs / sizeof seqs[0]; n++) {
        struct identity i = some_identity(n), back;
        char text[IDENTITY_FILE_MAX];
        i.transport_seq = seqs[n];
        assert_int_equal(identity_encode(&i, text, sizeof text), 0);
        assert_int_equal(identity_decode(&back, text, strlen(text)), 0);
        assert_same(&i, &back);
    }
    struct identity i = some_identity(1);
    char text[IDENTITY_FILE_MAX];
    assert_int_equal(identity_encode(&i, text, sizeof text - 1), ERR_FULL);
}

#define HEX_A "0101010101010101010101010101010101010101010101010101010101010101"
#define HEX_B "02020202020202020202020202020202020202020202020202020202020202fF"
#define VERSION "version = 1\n"
#define SIGN "sign_secret = " HEX_A "\n"
#define TRANSPORT "transport_secret = " HEX_B "\n"
#define SEQ "transport_seq = 12\n"

static const struct {
    const char *text;
    int rc;
} files[] = {
    {VERSION SIGN TRANSPORT SEQ, 0},
    {SEQ TRANSPORT "# between\n\n" SIGN "\t " VERSION, 0},
    {"version=1\r\nsign_secret=" HEX_A "\r\ntransport_secret =" HEX_B "  \r\n"
     "  transport_seq\t=\t12",
     0},
    {"", ERR_FORMAT},
    {"# nothing else\n", ERR_FORMAT},
    {SIGN TRANSPORT SEQ, ERR_FORMAT},
    {VERSION TRANSPORT SEQ, ERR_FORMAT},
    {VERSION SIGN SEQ, ERR_FORMAT},
    {VERSION SIGN TRANSPORT, ERR_FORMAT},
    {VERSION VERSION SIGN TRANSPORT SEQ, ERR_FORMAT},
    {VERSION SIGN SIGN TRANSPORT SEQ, ERR_FORMAT},
    {VERSION SIGN TRANSPORT TRANSPORT SEQ, ERR_FORMAT},
    {VERSION SIGN TRANSPORT SEQ "transport_seq = 13\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT SEQ "colour = blue\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT SEQ "garbage\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT SEQ "= 1\n", ERR_FORMAT},
    {"version = 2\n" SIGN TRANSPORT SEQ, ERR_FORMAT},
    {"version = \n" SIGN TRANSPORT SEQ, ERR_FORMAT},
    {"Version = 1\n" SIGN TRANSPORT SEQ, ERR_FORMAT},
    {VERSION "sign_secret = " HEX_A "00\n" TRANSPORT SEQ, ERR_FORMAT},
    {VERSION "sign_secret = 0101\n" TRANSPORT SEQ, ERR_FORMAT},
    {VERSION
     "sign_secret = 0x01010101010101010101010101010101010101010101010101010101010101\n" TRANSPORT
         SEQ,
     ERR_FORMAT},
    {VERSION
     "sign_secret = g101010101010101010101010101010101010101010101010101010101010101\n" TRANSPORT
         SEQ,
     ERR_FORMAT},
    {VERSION SIGN TRANSPORT "transport_seq = 012\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT "transport_seq = -1\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT "transport_seq = 1 2\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT "transport_seq = 18446744073709551615\n", 0},
    {VERSION SIGN TRANSPORT "transport_seq = 18446744073709551616\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT "transport_seq = 99999999999999999999\n", ERR_FORMAT},
    {VERSION SIGN TRANSPORT SEQ "# caf\xc3\xa9\n", ERR_FORMAT},
};

static void identity_files_with_anything_missing_doubled_or_odd_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct identity out;
        memset(&out, 0xee, sizeof out);
        if (identity_decode(&out, files[i].text, strlen(files[i].text)) != files[i].rc)
            fail_msg("case %zu:\n%s", i, files[i].text);
        if (files[i].rc != 0) /* a refused file says nothing */
            assert_int_equal(out.sign.bytes[0], 0xee);
    }
}

static void a_cut_a_nul_and_a_long_file_are_refused(void **state) {
    (void)state;
    struct identity i = some_identity(5), out;
    char text[IDENTITY_FILE_MAX + 1];
    assert_int_equal(identity_encode(&i, text, sizeof text), 0);
    size_t len = strlen(text);
    /* Cut anywhere before the last digit. What is cut inside the number would be another number:
     * there is only one digit here. */
    for (size_t n = 0; n + 1 < len; n++)
        assert_int_equal(identity_decode(&out, text, n), ERR_FORMAT);
    assert_int_equal(identity_decode(&out, text, len - 1), 0);          /* only the newline */
    assert_int_equal(identity_decode(&out, text, len + 1), ERR_FORMAT); /* a NUL */
    memset(text + len, '\n', sizeof text - len);
    assert_int_equal(identity_decode(&out, text, IDENTITY_FILE_MAX), 0);
    assert_int_equal(identity_decode(&out, text, IDENTITY_FILE_MAX + 1), ERR_FORMAT);
}

/* ---- the certificate ---- */

static void a_certificate_proves_the_transport_key(void **state) {
    (void)state;
    struct identity i = some_identity(6), other = some_identity(7);
    struct key_cert cert, back;
    uint8_t wire[KEY_CERT_BYTES];
    identity_cert(&i, &cert);
    assert_true(key_cert_verify(&cert, &i.transport_public));
    assert_false(key_cert_verify(&cert, &other.transport_public));
    key_cert_write(&cert, wire);
    key_cert_read(&back, wire);
    assert_true(key_cert_verify(&back, &i.transport_public));
    assert_true(back.seq == i.transport_seq && node_id_equal(&back.id, &i.id));
}

static void the_signed_bytes_are_those_of_the_header(void **state) {
    (void)state;
    struct identity i = some_identity(6);
    struct key_cert cert;
    uint8_t msg[62] = "meshd transport key v1";
    i.transport_seq = 0x0807060504030201;
    for (uint8_t n = 0; n < 8; n++)
        msg[22 + n] = (uint8_t)(n + 1);
    memcpy(msg + 30, i.transport_public.bytes, 32);
    identity_cert(&i, &cert);
    assert_true(sign_verify(cert.signature, &i.id, msg, sizeof msg));
}

static void every_changed_bit_of_a_certificate_is_noticed(void **state) {
    (void)state;
    struct identity i = some_identity(8);
    struct key_cert cert;
    uint8_t wire[KEY_CERT_BYTES];
    identity_cert(&i, &cert);
    key_cert_write(&cert, wire);
    for (size_t at = 0; at < KEY_CERT_BYTES; at++) {
        wire[at] ^= (uint8_t)(1 << at % 8);
        key_cert_read(&cert, wire);
        assert_false(key_cert_verify(&cert, &i.transport_public));
        wire[at] ^= (uint8_t)(1 << at % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_is_that_of_rfc_8032),
        cmocka_unit_test(the_transport_key_is_x25519_of_rfc_7748),
        cmocka_unit_test(a_node_id_is_63_characters_and_round_trips),
        cmocka_unit_test(every_single_wrong_character_in_a_node_id_is_noticed),
        cmocka_unit_test(a_node_id_of_another_length_or_prefix_is_refused),
        cmocka_unit_test(different_randomness_gives_different_identities),
        cmocka_unit_test(clearing_leaves_nothing),
        cmocka_unit_test(the_identity_file_round_trips),
        cmocka_unit_test(identity_files_with_anything_missing_doubled_or_odd_are_refused),
        cmocka_unit_test(a_cut_a_nul_and_a_long_file_are_refused),
        cmocka_unit_test(a_certificate_proves_the_transport_key),
        cmocka_unit_test(the_signed_bytes_are_those_of_the_header),
        cmocka_unit_test(every_changed_bit_of_a_certificate_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
