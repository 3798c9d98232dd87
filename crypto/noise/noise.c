#include "crypto/noise/noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/noise/dh.h"
#include "crypto/noise/hkdf.h"

static const char *const protocol_name[] = {
    [NOISE_IK] = "Noise_IK_25519_ChaChaPoly_BLAKE2b",
    [NOISE_IKPSK2] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b",
};

/* ---- CipherState and SymmetricState (Noise §5.1, §5.2) ---- */

/* Noise's nonce for ChaChaPoly: 32 zero bits, then the counter in little-endian (§12.3). */
static void make_nonce(uint8_t nonce[static 12], uint64_t counter) {
    memset(nonce, 0, 4);
    store_le64(nonce + 4, counter);
}

static void seal(const struct aead_key *k, uint64_t counter, const uint8_t *ad, size_t ad_len,
                 const uint8_t *in, size_t len, uint8_t *out) {
    uint8_t nonce[12];
    make_nonce(nonce, counter);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, ad_len, NULL, nonce,
                                                    k->bytes);
}

static bool open_sealed(const struct aead_key *k, uint64_t counter, const uint8_t *ad,
                        size_t ad_len, const uint8_t *in, size_t len, uint8_t *out) {
    uint8_t nonce[12];
    make_nonce(nonce, counter);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len, ad, ad_len, nonce,
                                                     k->bytes) == 0;
}

static void mix_hash(struct noise *n, const uint8_t *data, size_t len) {
    crypto_generichash_blake2b_state st;
    crypto_generichash_blake2b_init(&st, NULL, 0, NOISE_HASH_BYTES);
    crypto_generichash_blake2b_update(&st, n->h, NOISE_HASH_BYTES);
    crypto_generichash_blake2b_update(&st, data, len);
    crypto_generichash_blake2b_final(&st, n->h, NOISE_HASH_BYTES);
}

static void initialize_key(struct noise *n, const uint8_t temp_k[static NOISE_HASH_BYTES]) {
    memcpy(n->k.bytes, temp_k, AEAD_KEY_BYTES);
    n->nonce = 0;
}

static void mix_key(struct noise *n, const uint8_t ikm[static 32]) {
    uint8_t temp_k[NOISE_HASH_BYTES];
    hkdf_blake2b(n->ck, ikm, 32, n->ck, temp_k, NULL);
    initialize_key(n, temp_k);
    sodium_memzero(temp_k, sizeof temp_k);
}

static void mix_key_and_hash(struct noise *n, const struct psk *psk) {
    uint8_t temp_h[NOISE_HASH_BYTES], temp_k[NOISE_HASH_BYTES];
    hkdf_blake2b(n->ck, psk->bytes, PSK_BYTES, n->ck, temp_h, temp_k);
    mix_hash(n, temp_h, sizeof temp_h);
    initialize_key(n, temp_k);
    sodium_memzero(temp_h, sizeof temp_h);
    sodium_memzero(temp_k, sizeof temp_k);
}

static bool mix_dh(struct noise *n, const struct dh_secret *ours, const struct dh_public *theirs) {
    uint8_t shared[DH_KEY_BYTES];
    bool ok = dh_shared(shared, ours, theirs);
    if (ok)
        mix_key(n, shared);
    sodium_memzero(shared, sizeof shared);
    return ok;
}

/* Both patterns set a key before anything is encrypted, so there is no plaintext case here. */
static void encrypt_and_hash(struct noise *n, const uint8_t *in, size_t len, uint8_t *out) {
    seal(&n->k, n->nonce++, n->h, NOISE_HASH_BYTES, in, len, out);
    mix_hash(n, out, len + AEAD_TAG_BYTES);
}

/* The ciphertext is hashed before it is opened, so that `out` may lie where `in` does. */
static bool decrypt_and_hash(struct noise *n, const uint8_t *in, size_t len, uint8_t *out) {
    uint8_t h[NOISE_HASH_BYTES];
    memcpy(h, n->h, sizeof h);
    mix_hash(n, in, len);
    return open_sealed(&n->k, n->nonce++, h, sizeof h, in, len, out);
}

/* ---- tokens ---- */

/* With a psk in the pattern an ephemeral key is also mixed into the key (§9.2). */
static void mix_ephemeral(struct noise *n, const struct dh_public *e) {
    mix_hash(n, e->bytes, DH_KEY_BYTES);
    if (n->pattern == NOISE_IKPSK2)
        mix_key(n, e->bytes);
}

static void write_ephemeral(struct noise *n, const struct dh_secret *e, uint8_t *out) {
    n->local_ephemeral_secret = *e;
    dh_public_of(&n->local_ephemeral, e);
    memcpy(out, n->local_ephemeral.bytes, DH_KEY_BYTES);
    mix_ephemeral(n, &n->local_ephemeral);
}

static void read_ephemeral(struct noise *n, const uint8_t *in) {
    memcpy(n->remote_ephemeral.bytes, in, DH_KEY_BYTES);
    mix_ephemeral(n, &n->remote_ephemeral);
}

/* ---- the handshake ---- */

void noise_init(struct noise *n, enum noise_pattern pattern, bool initiator,
                const uint8_t *prologue, size_t prologue_len, const struct dh_public *local,
                const struct dh_secret *local_secret, const struct dh_public *remote) {
    assert(initiator == (remote != NULL));
    memset(n, 0, sizeof *n);
    n->pattern = pattern;
    n->initiator = initiator;
    n->step = NOISE_MSG1;
    n->local_static = *local;
    n->local_static_secret = *local_secret;
    if (remote)
        n->remote_static = *remote;

    /* Names of at most one hash length are padded with zeroes instead of hashed (§5.2). */
    size_t name_len = strlen(protocol_name[pattern]);
    assert(name_len <= NOISE_HASH_BYTES);
    memcpy(n->h, protocol_name[pattern], name_len);
    memcpy(n->ck, n->h, NOISE_HASH_BYTES);
    mix_hash(n, prologue, prologue_len);
    mix_hash(n, initiator ? remote->bytes : local->bytes, DH_KEY_BYTES); /* <- s */
}

void noise_clear(struct noise *n) {
    sodium_memzero(n, sizeof *n); /* NOISE_DEAD is 0 */
}

bool noise_write1(struct noise *n, const struct dh_secret *ephemeral, const uint8_t *payload,
                  size_t len, uint8_t *out) {
    if (n->step != NOISE_MSG1)
        return false;
    assert(n->initiator);

    write_ephemeral(n, ephemeral, out);                            /* -> e */
    if (!mix_dh(n, &n->local_ephemeral_secret, &n->remote_static)) /* es */
        goto dead;
    encrypt_and_hash(n, n->local_static.bytes, DH_KEY_BYTES, out + 32); /* s */
    if (!mix_dh(n, &n->local_static_secret, &n->remote_static))         /* ss */
        goto dead;
    encrypt_and_hash(n, payload, len, out + 80);
    n->step = NOISE_MSG2;
    return true;
dead:
    noise_clear(n);
    return false;
}

bool noise_read1(struct noise *n, const uint8_t *in, size_t in_len, uint8_t *payload) {
    if (n->step != NOISE_MSG1)
        return false;
    assert(!n->initiator);

    if (in_len < NOISE_MSG1_OVERHEAD)
        goto dead;
    read_ephemeral(n, in);                                         /* -> e */
    if (!mix_dh(n, &n->local_static_secret, &n->remote_ephemeral)) /* es */
        goto dead;
    if (!decrypt_and_hash(n, in + 32, 48, n->remote_static.bytes)) /* s */
        goto dead;
    if (!mix_dh(n, &n->local_static_secret, &n->remote_static)) /* ss */
        goto dead;
    if (!decrypt_and_hash(n, in + 80, in_len - 80, payload))
        goto dead;
    n->step = NOISE_MSG2;
    return true;
dead:
    noise_clear(n);
    return false;
}

bool noise_write2(struct noise *n, const struct dh_secret *ephemeral, const struct psk *psk,
                  const uint8_t *payload, size_t len, uint8_t *out) {
    if (n->step != NOISE_MSG2)
        return false;
    assert(!n->initiator);
    assert(n->pattern == NOISE_IK || psk);

    write_ephemeral(n, ephemeral, out);                               /* <- e */
    if (!mix_dh(n, &n->local_ephemeral_secret, &n->remote_ephemeral)) /* ee */
        goto dead;
    if (!mix_dh(n, &n->local_ephemeral_secret, &n->remote_static)) /* se */
        goto dead;
    if (n->pattern == NOISE_IKPSK2)
        mix_key_and_hash(n, psk); /* psk */
    encrypt_and_hash(n, payload, len, out + 32);
    n->step = NOISE_DONE;
    return true;
dead:
    noise_clear(n);
    return false;
}

bool noise_read2(struct noise *n, const uint8_t *in, size_t in_len, const struct psk *psk,
                 uint8_t *payload) {
    if (n->step != NOISE_MSG2 || in_len < NOISE_MSG2_OVERHEAD)
        return false;
    assert(n->initiator);
    assert(n->pattern == NOISE_IK || psk);

    bool ok = false;
    struct noise t = *n;    /* an answer that does not authenticate must leave `n` as it was */
    read_ephemeral(&t, in); /* <- e */
    if (!mix_dh(&t, &t.local_ephemeral_secret, &t.remote_ephemeral)) /* ee */
        goto out;
    if (!mix_dh(&t, &t.local_static_secret, &t.remote_ephemeral)) /* se */
        goto out;
    if (t.pattern == NOISE_IKPSK2)
        mix_key_and_hash(&t, psk); /* psk */
    if (!decrypt_and_hash(&t, in + 32, in_len - 32, payload))
        goto out;
    t.step = NOISE_DONE;
    *n = t;
    ok = true;
out:
    noise_clear(&t);
    return ok;
}

const struct dh_public *noise_remote(const struct noise *n) {
    return &n->remote_static;
}

bool noise_extra_key(const struct noise *n, const char *label, uint8_t out[static 32]) {
    if (n->step != NOISE_MSG2)
        return false;
    crypto_generichash_blake2b(out, 32, (const uint8_t *)label, strlen(label), n->ck,
                               NOISE_HASH_BYTES);
    return true;
}

void noise_split(const struct noise *n, struct aead_key *i2r, struct aead_key *r2i,
                 uint8_t hash[NOISE_HASH_BYTES], struct psk *extra) {
    assert(n->step == NOISE_DONE);
    uint8_t k1[NOISE_HASH_BYTES], k2[NOISE_HASH_BYTES], k3[NOISE_HASH_BYTES];

    hkdf_blake2b(n->ck, NULL, 0, k1, k2, k3);
    if (i2r)
        memcpy(i2r->bytes, k1, AEAD_KEY_BYTES);
    if (r2i)
        memcpy(r2i->bytes, k2, AEAD_KEY_BYTES);
    if (hash)
        memcpy(hash, n->h, NOISE_HASH_BYTES);
    if (extra)
        memcpy(extra->bytes, k3, PSK_BYTES);
    sodium_memzero(k1, sizeof k1);
    sodium_memzero(k2, sizeof k2);
    sodium_memzero(k3, sizeof k3);
}

void noise_transport_seal(const struct aead_key *k, uint64_t counter, const uint8_t *in, size_t len,
                          uint8_t *out) {
    seal(k, counter, NULL, 0, in, len, out);
}

bool noise_transport_open(const struct aead_key *k, uint64_t counter, const uint8_t *in, size_t len,
                          uint8_t *out) {
    return len >= AEAD_TAG_BYTES && open_sealed(k, counter, NULL, 0, in, len, out);
}
