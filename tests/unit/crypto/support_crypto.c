/* Hexadecimal text, random bytes from a seed, and the points of low order. */
#include "tests/unit/crypto/support_crypto.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"

size_t unhex(uint8_t *out, size_t cap, const char *hex) {
    size_t n = 0;
    assert_int_equal(sodium_hex2bin(out, cap, hex, strlen(hex), " \n", &n, NULL), 0);
    return n;
}

static void seeded_fill(void *ctx, void *buf, size_t len) {
    struct seeded *s = ctx;
    uint8_t key[32] = {0}, nonce[8];
    store_le64(key, s->seed);
    store_le64(nonce, s->blocks++);
    crypto_stream_chacha20(buf, len, nonce, key);
}

struct rng seeded_rng(struct seeded *state, uint64_t seed) {
    *state = (struct seeded){seed, 0};
    return (struct rng){seeded_fill, state};
}

const char *const low_order_points[LOW_ORDER_POINTS] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
