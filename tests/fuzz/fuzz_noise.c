/* fuzz_noise.c: any bytes as message 1, message 2 and transport message, and as damage (XOR) to a
 * true handshake, which must fail unless it changes nothing. The first byte chooses. */
#include <stdlib.h>
#include <string.h>

#include "crypto/noise/dh.h"
#include "crypto/noise/noise.h"

enum { MAX = 4096, PAYLOAD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static const struct dh_secret i_static = {{1}}, r_static = {{2}}, i_eph = {{3}}, r_eph = {{4}};
static const struct psk psk = {{5}};
static const uint8_t payload[PAYLOAD] = "sixteen bytes!!";

static void begin(struct noise *i, struct noise *r, enum noise_pattern pattern) {
    struct dh_public i_pub, r_pub;
    dh_public_of(&i_pub, &i_static);
    dh_public_of(&r_pub, &r_static);
    noise_init(i, pattern, true, NULL, 0, &i_pub, &i_static, &r_pub);
    noise_init(r, pattern, false, NULL, 0, &r_pub, &r_static, NULL);
}

/* XORs the input into the message; whether that changed anything. */
static bool damage(uint8_t *msg, size_t len, const uint8_t *in, size_t size) {
    uint8_t any = 0;
    for (size_t k = 0; k < size && k < len; k++) {
        msg[k] ^= in[k];
        any |= in[k];
    }
    return any != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size) {
    static uint8_t out[MAX];
    uint8_t msg1[NOISE_MSG1_OVERHEAD + PAYLOAD], msg2[NOISE_MSG2_OVERHEAD + PAYLOAD];
    struct noise i, r;
    if (size < 1 || size > MAX)
        return 0;
    uint8_t choice = *in++;
    size--;
    begin(&i, &r, choice & 1 ? NOISE_IKPSK2 : NOISE_IK);

    if (choice & 2) { /* raw */
        if (noise_read1(&r, in, size, out))
            abort();
        if (!noise_write1(&i, &i_eph, payload, PAYLOAD, msg1))
            abort();
        if (noise_read2(&i, in, size, &psk, out))
            abort();
        struct aead_key k = {{6}};
        if (noise_transport_open(&k, 0, in, size, out))
            abort();
        return 0;
    }

    if (!noise_write1(&i, &i_eph, payload, PAYLOAD, msg1))
        abort();
    if (choice & 4 && damage(msg1, sizeof msg1, in, size)) {
        if (noise_read1(&r, msg1, sizeof msg1, out))
            abort();
        return 0;
    }
    if (!noise_read1(&r, msg1, sizeof msg1, out) || memcmp(out, payload, PAYLOAD) != 0 ||
        !noise_write2(&r, &r_eph, &psk, payload, PAYLOAD, msg2))
        abort();
    uint8_t bad[sizeof msg2];
    memcpy(bad, msg2, sizeof bad);
    if (damage(bad, sizeof bad, in, size) && noise_read2(&i, bad, sizeof bad, &psk, out))
        abort();
    if (!noise_read2(&i, msg2, sizeof msg2, &psk, out) || memcmp(out, payload, PAYLOAD) != 0)
        abort();
    return 0;
}
