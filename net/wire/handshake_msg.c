#include "net/wire/handshake_msg.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"

uint64_t psk_id(const struct psk *psk) {
    static const char label[] = "meshd psk id v1";
    if (sodium_is_zero(psk->bytes, sizeof psk->bytes))
        return 0;
    uint8_t out[16]; /* libsodium's smallest output is 16 bytes; the first 8 are used */
    crypto_generichash_state st;
    crypto_generichash_init(&st, NULL, 0, sizeof out);
    crypto_generichash_update(&st, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&st, psk->bytes, sizeof psk->bytes);
    crypto_generichash_final(&st, out, sizeof out);
    sodium_memzero(&st, sizeof st);
    return load_le64(out);
}

void handshake_set_mac2(uint8_t *msg, size_t len, const uint8_t cookie[static COOKIE_BYTES]) {
    cookie_mac2(cookie, msg, len - MAC_BYTES, msg + len - MAC_BYTES);
}

bool handshake_mac1_ok(const struct identity *self, const uint8_t msg[static INITIATION_BYTES]) {
    const size_t len = INITIATION_BYTES - 2 * MAC_BYTES;
    return cookie_mac1_ok(&self->transport_public, msg, len, msg + len);
}

/* The key of a RESPONSE's mac1 comes from what message 1 has made common. Were it the initiator's
 * public key, as in WireGuard, whoever has a list of keys could tell from a recording who
 * called. */
enum { MAC1_KEY_BYTES = 32 };

static bool response_key(const struct noise *n, uint8_t key[static MAC1_KEY_BYTES]) {
    return noise_extra_key(n, "meshd mac1 response v1", key);
}

static void response_mac1(const uint8_t key[static MAC1_KEY_BYTES],
                          const uint8_t msg[static RESPONSE_BYTES], uint8_t out[static MAC_BYTES]) {
    crypto_generichash_blake2b(out, MAC_BYTES, msg, RESPONSE_BYTES - 2 * MAC_BYTES, key,
                               MAC1_KEY_BYTES);
}

bool handshake_response_mac1_ok(const struct noise *n, const uint8_t msg[static RESPONSE_BYTES]) {
    uint8_t key[MAC1_KEY_BYTES], want[MAC_BYTES];
    if (!response_key(n, key))
        return false;
    response_mac1(key, msg, want);
    bool ok = sodium_memcmp(want, msg + RESPONSE_BYTES - 2 * MAC_BYTES, MAC_BYTES) == 0;
    sodium_memzero(key, sizeof key);
    sodium_memzero(want, sizeof want);
    return ok;
}

/* ---- refusals ---- */
static void refusal_nonce(const uint8_t key[static MAC1_KEY_BYTES], uint8_t why,
                          const uint8_t msg[static INITIATION_BYTES],
                          uint8_t out[static COOKIE_NONCE_BYTES]) {
    uint8_t in[1 + MAC_BYTES] = {why};
    memcpy(in + 1, msg + INITIATION_BYTES - 2 * MAC_BYTES, MAC_BYTES);
    crypto_generichash_blake2b(out, COOKIE_NONCE_BYTES, in, sizeof in, key, MAC1_KEY_BYTES);
}

static const char refusal_label[] = "meshd refusal v1";

bool handshake_refusal(const struct noise *n, enum refusal why,
                       const uint8_t msg[static INITIATION_BYTES],
                       uint8_t nonce[static COOKIE_NONCE_BYTES]) {
    uint8_t key[MAC1_KEY_BYTES];
    if (!noise_extra_key(n, refusal_label, key))
        return false;
    refusal_nonce(key, (uint8_t)why, msg, nonce);
    sodium_memzero(key, sizeof key);
    return true;
}

unsigned handshake_refused(const struct noise *n, const uint8_t msg[static INITIATION_BYTES],
                           const uint8_t nonce[static COOKIE_NONCE_BYTES]) {
    uint8_t key[MAC1_KEY_BYTES], want[COOKIE_NONCE_BYTES];
    unsigned why = 0;
    if (!noise_extra_key(n, refusal_label, key))
        return 0;
    for (unsigned i = 1; i <= REFUSALS_MAX; i++) {
        refusal_nonce(key, (uint8_t)i, msg, want);
        if (sodium_memcmp(want, nonce, sizeof want) == 0)
            why = i;
    }
    sodium_memzero(key, sizeof key);
    sodium_memzero(want, sizeof want);
    return why;
}

bool handshake_write_initiation(struct noise *n, const struct handshake_self *self,
                                const struct dh_public *peer, const struct dh_secret *ephemeral,
                                const struct initiation *in, uint32_t sender,
                                uint8_t out[static INITIATION_BYTES]) {
    uint8_t payload[INITIATION_PAYLOAD_BYTES], cert[KEY_CERT_BYTES];
    key_cert_write(self->cert, cert);
    struct wr p = wr_init(payload, sizeof payload);
    wr_u8(&p, PROTOCOL_VERSION);
    wr_u8(&p, (uint8_t)in->suites);
    wr_u8(&p, in->epoch);
    wr_u8(&p, 0);
    wr_u32(&p, in->caps);
    wr_u64(&p, in->timestamp_us);
    wr_bytes(&p, in->challenge, CHALLENGE_BYTES);
    wr_u64(&p, in->session_id);
    wr_u64(&p, in->psk_id);
    wr_bytes(&p, cert, sizeof cert);

    store_le32(out, PACKET_INITIATION);
    store_le32(out + 4, sender);
    noise_init(n, NOISE_IKPSK2, true, self->prologue, self->prologue_len,
               &self->identity->transport_public, &self->identity->transport_secret, peer);
    bool ok = p.ok && noise_write1(n, ephemeral, payload, sizeof payload, out + 8);
    uint8_t *mac1 = out + INITIATION_BYTES - 2 * MAC_BYTES;
    cookie_mac1(peer, out, INITIATION_BYTES - 2 * MAC_BYTES, mac1);
    memset(mac1 + MAC_BYTES, 0, MAC_BYTES);
    sodium_memzero(payload, sizeof payload);
    return ok;
}

bool handshake_read_initiation(struct noise *n, const struct handshake_self *self,
                               const uint8_t msg[static INITIATION_BYTES], struct initiation *out,
                               uint32_t *sender) {
    uint8_t payload[INITIATION_PAYLOAD_BYTES];
    *sender = load_le32(msg + 4);
    noise_init(n, NOISE_IKPSK2, false, self->prologue, self->prologue_len,
               &self->identity->transport_public, &self->identity->transport_secret, NULL);
    bool ok = noise_read1(n, msg + 8, INITIATION_NOISE_BYTES, payload);
    if (ok) {
        struct rd r = rd_init(payload, sizeof payload);
        out->version = rd_u8(&r);
        out->suites = rd_u8(&r);
        out->epoch = rd_u8(&r);
        (void)rd_u8(&r); /* flags: none is defined, and one that is not known changes nothing */
        out->caps = rd_u32(&r);
        out->timestamp_us = rd_u64(&r);
        rd_bytes(&r, out->challenge, CHALLENGE_BYTES);
        out->session_id = rd_u64(&r);
        out->psk_id = rd_u64(&r);
        uint8_t cert[KEY_CERT_BYTES];
        rd_bytes(&r, cert, sizeof cert);
        key_cert_read(&out->cert, cert);
        ok = r.ok;
    }
    sodium_memzero(payload, sizeof payload);
    return ok;
}

bool handshake_write_response(struct noise *n, const struct handshake_self *self,
                              const struct dh_secret *ephemeral, const struct psk *psk,
                              const struct response *r, uint32_t sender, uint32_t receiver,
                              uint8_t out[static RESPONSE_BYTES]) {
    uint8_t payload[RESPONSE_PAYLOAD_BYTES], cert[KEY_CERT_BYTES];
    key_cert_write(self->cert, cert);
    struct wr p = wr_init(payload, sizeof payload);
    wr_u8(&p, PROTOCOL_VERSION);
    wr_u8(&p, (uint8_t)r->suites);
    wr_u8(&p, (uint8_t)r->suite);
    wr_u8(&p, r->epoch);
    wr_u32(&p, r->continues ? 1 : 0);
    wr_u32(&p, r->caps);
    wr_u64(&p, r->session_id);
    wr_bytes(&p, cert, sizeof cert);

    store_le32(out, PACKET_RESPONSE);
    store_le32(out + 4, sender);
    store_le32(out + 8, receiver);
    uint8_t key[MAC1_KEY_BYTES] = {0}, *mac1 = out + RESPONSE_BYTES - 2 * MAC_BYTES;
    bool ok = p.ok && response_key(n, key) &&
              noise_write2(n, ephemeral, psk, payload, sizeof payload, out + 12);
    response_mac1(key, out, mac1);
    memset(mac1 + MAC_BYTES, 0, MAC_BYTES);
    sodium_memzero(key, sizeof key);
    sodium_memzero(payload, sizeof payload);
    return ok;
}

bool handshake_read_response(struct noise *n, const uint8_t msg[static RESPONSE_BYTES],
                             const struct psk *psk, struct response *out, uint32_t *sender) {
    uint8_t payload[RESPONSE_PAYLOAD_BYTES];
    *sender = load_le32(msg + 4);
    bool ok = noise_read2(n, msg + 12, RESPONSE_NOISE_BYTES, psk, payload);
    if (ok) {
        struct rd r = rd_init(payload, sizeof payload);
        out->version = rd_u8(&r);
        out->suites = rd_u8(&r);
        out->suite = rd_u8(&r);
        out->epoch = rd_u8(&r);
        out->continues = (rd_u32(&r) & 1) != 0;
        out->caps = rd_u32(&r);
        out->session_id = rd_u64(&r);
        uint8_t cert[KEY_CERT_BYTES];
        rd_bytes(&r, cert, sizeof cert);
        key_cert_read(&out->cert, cert);
        ok = r.ok;
    }
    sodium_memzero(payload, sizeof payload);
    return ok;
}

bool handshake_response_fits(const struct offer *o, const struct response *r) {
    if (r->version != PROTOCOL_VERSION || r->session_id != o->session_id)
        return false;
    /* 0 is what both lists choose together when they have nothing in common. */
    if (r->suite == 0 || r->suite != aead_choose(o->suites, r->suites))
        return false;
    return r->continues ? o->rekey && r->epoch == o->epoch : r->epoch == 0;
}

bool handshake_initiation_fits(unsigned suites, const struct initiation *in) {
    return in->version == PROTOCOL_VERSION && aead_choose(suites, in->suites) != 0;
}

void handshake_keys(const struct noise *n, bool initiator, enum aead_suite suite, uint8_t epoch,
                    struct keygen *out, struct psk *pairing) {
    *out = (struct keygen){.valid = true, .epoch = epoch, .suite = suite};
    struct aead_key *i2r = initiator ? &out->send : &out->recv;
    struct aead_key *r2i = initiator ? &out->recv : &out->send;
    noise_split(n, i2r, r2i, NULL, pairing);
}
