/* Handshake messages put together field by field, with real Noise. */
#include "support_forge.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"

static void draw_ephemeral(const struct rng *rng, struct dh_secret *out) {
    rng_fill(rng, out, sizeof *out);
}

static void put_cert(struct wr *w, const struct key_cert *cert) {
    uint8_t bytes[KEY_CERT_BYTES];
    key_cert_write(cert, bytes);
    wr_bytes(w, bytes, sizeof bytes);
}

bool forge_initiation(struct noise *n, const struct handshake_self *self, const struct rng *rng,
                      const struct dh_public *to, const struct forged_initiation *f,
                      uint32_t sender, uint8_t out[static INITIATION_BYTES]) {
    uint8_t payload[INITIATION_PAYLOAD_BYTES];
    struct wr w = wr_init(payload, sizeof payload);
    struct dh_secret ephemeral;
    wr_u8(&w, f->version);
    wr_u8(&w, f->suites);
    wr_u8(&w, f->epoch);
    wr_u8(&w, f->flags);
    wr_u32(&w, f->caps);
    wr_u64(&w, f->timestamp_us);
    wr_bytes(&w, f->challenge, CHALLENGE_BYTES);
    wr_u64(&w, f->session_id);
    wr_u64(&w, f->psk_id);
    put_cert(&w, &f->cert);
    draw_ephemeral(rng, &ephemeral);
    memset(out, 0, INITIATION_BYTES);
    store_le32(out, PACKET_INITIATION);
    store_le32(out + 4, sender);
    noise_init(n, NOISE_IKPSK2, true, self->prologue, self->prologue_len,
               &self->identity->transport_public, &self->identity->transport_secret, to);
    if (!w.ok || !noise_write1(n, &ephemeral, payload, sizeof payload, out + 8))
        return false;
    cookie_mac1(to, out, INITIATION_BYTES - 2 * MAC_BYTES, out + INITIATION_BYTES - 2 * MAC_BYTES);
    return true;
}

bool forge_response(struct noise *n, const struct rng *rng, const struct psk *psk,
                    const struct forged_response *f, uint32_t sender, uint32_t receiver,
                    uint8_t out[static RESPONSE_BYTES]) {
    uint8_t payload[RESPONSE_PAYLOAD_BYTES];
    struct wr w = wr_init(payload, sizeof payload);
    struct dh_secret ephemeral;
    wr_u8(&w, f->version);
    wr_u8(&w, f->suites);
    wr_u8(&w, f->suite);
    wr_u8(&w, f->epoch);
    wr_u32(&w, f->flags);
    wr_u32(&w, f->caps);
    wr_u64(&w, f->session_id);
    put_cert(&w, &f->cert);
    draw_ephemeral(rng, &ephemeral);
    memset(out, 0, RESPONSE_BYTES);
    store_le32(out, PACKET_RESPONSE);
    store_le32(out + 4, sender);
    store_le32(out + 8, receiver);
    uint8_t key[32];
    if (!w.ok || !noise_extra_key(n, "meshd mac1 response v1", key) ||
        !noise_write2(n, &ephemeral, psk, payload, sizeof payload, out + 12))
        return false;
    crypto_generichash(out + RESPONSE_BYTES - 2 * MAC_BYTES, MAC_BYTES, out,
                       RESPONSE_BYTES - 2 * MAC_BYTES, key, sizeof key);
    return true;
}
