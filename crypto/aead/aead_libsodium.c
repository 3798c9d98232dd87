/* aead_libsodium.c: packet encryption by libsodium, which every build has. */
#include <sodium.h>
#include <stdlib.h>

#include "crypto/aead/aead_ops.h"
#include "crypto/base/mem.h"

struct slot {
    crypto_aead_aes256gcm_state *gcm; /* made at first use, kept for the slot's next key */
    bool expanded;
};

struct sodium {
    struct slot slots[AEAD_SLOTS];
};

/* `gcm` NULL: the key is expanded for this packet. */
static void seal_with(const struct aead_packet *p, const crypto_aead_aes256gcm_state *gcm) {
    int rc;
    if (p->suite == AEAD_CHACHA20_POLY1305)
        rc = crypto_aead_chacha20poly1305_ietf_encrypt_detached(p->buf, p->buf + p->len, NULL,
                                                                p->buf, p->len, p->ad, p->ad_len,
                                                                NULL, p->nonce, p->key->bytes);
    else if (gcm)
        rc = crypto_aead_aes256gcm_encrypt_detached_afternm(
            p->buf, p->buf + p->len, NULL, p->buf, p->len, p->ad, p->ad_len, NULL, p->nonce, gcm);
    else
        rc =
            crypto_aead_aes256gcm_encrypt_detached(p->buf, p->buf + p->len, NULL, p->buf, p->len,
                                                   p->ad, p->ad_len, NULL, p->nonce, p->key->bytes);
    if (rc != 0)
        abort(); /* no AES here: sending plaintext is the only other way out */
}

static bool open_with(const struct aead_packet *p, const crypto_aead_aes256gcm_state *gcm) {
    int rc;
    if (p->suite == AEAD_CHACHA20_POLY1305)
        rc = crypto_aead_chacha20poly1305_ietf_decrypt_detached(p->buf, NULL, p->buf, p->len,
                                                                p->buf + p->len, p->ad, p->ad_len,
                                                                p->nonce, p->key->bytes);
    else if (gcm)
        rc = crypto_aead_aes256gcm_decrypt_detached_afternm(
            p->buf, NULL, p->buf, p->len, p->buf + p->len, p->ad, p->ad_len, p->nonce, gcm);
    else
        rc = crypto_aead_aes256gcm_decrypt_detached(p->buf, NULL, p->buf, p->len, p->buf + p->len,
                                                    p->ad, p->ad_len, p->nonce, p->key->bytes);
    return rc == 0;
}

void aead_once_seal(const struct aead_packet *p) {
    seal_with(p, NULL);
}

bool aead_once_open(const struct aead_packet *p) {
    return open_with(p, NULL);
}

static void *state_new(unsigned *suites) {
    *suites = AEAD_CHACHA20_POLY1305;
    if (crypto_aead_aes256gcm_is_available())
        *suites |= AEAD_AES_256_GCM;
    return mem_calloc(1, sizeof(struct sodium));
}

static void state_free(void *state) {
    struct sodium *s = state;
    for (unsigned i = 0; i < AEAD_SLOTS; i++)
        mem_free(s->slots[i].gcm);
    mem_free(s);
}

static void slot_clear(void *state, unsigned slot) {
    struct slot *s = &((struct sodium *)state)->slots[slot];
    if (s->expanded)
        sodium_memzero(s->gcm, sizeof *s->gcm);
    s->expanded = false;
}

/* The slot's expanded key; NULL for ChaCha20-Poly1305, which has none, and on out of memory. */
static const crypto_aead_aes256gcm_state *expanded(struct sodium *sodium, unsigned slot,
                                                   const struct aead_packet *p) {
    if (p->suite != AEAD_AES_256_GCM)
        return NULL;
    struct slot *s = &sodium->slots[slot];
    if (s->expanded)
        return s->gcm;
    if (!s->gcm)
        s->gcm = mem_aligned(16, sizeof *s->gcm);
    if (!s->gcm)
        return NULL;
    (void)crypto_aead_aes256gcm_beforenm(s->gcm, p->key->bytes);
    s->expanded = true;
    return s->gcm;
}

static void slot_seal(void *state, unsigned slot, const struct aead_packet *p) {
    seal_with(p, expanded(state, slot, p));
}

static bool slot_open(void *state, unsigned slot, const struct aead_packet *p) {
    return open_with(p, expanded(state, slot, p));
}

const struct aead_ops aead_libsodium = {
    .name = "libsodium",
    .expands = AEAD_AES_256_GCM,
    .new = state_new,
    .free = state_free,
    .clear = slot_clear,
    .seal = slot_seal,
    .open = slot_open,
};
