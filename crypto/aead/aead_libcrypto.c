/* aead_libcrypto.c: packet encryption by OpenSSL's libcrypto, where the build found it. */
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "crypto/aead/aead_ops.h"
#include "crypto/base/mem.h"

/* One direction of a key. The context keeps the key; a packet sets only the nonce. */
struct lane {
    EVP_CIPHER_CTX *ctx; /* made at first use, kept for the slot's next key */
    bool keyed;
};

struct libcrypto {
    struct {
        struct lane seal, open;
    } slots[AEAD_SLOTS];
    EVP_CIPHER *chacha, *gcm;
};

/* Whether the CPU has both AES and carry-less multiply. Without them AES-GCM in software is slow
 * or leaks through the cache, and is not offered. */
static bool cpu_has_aes(void) {
#if defined(__aarch64__) && defined(__APPLE__)
    return true;
#elif defined(__aarch64__) && defined(__linux__)
    unsigned long caps = getauxval(AT_HWCAP);
    return (caps & HWCAP_AES) && (caps & HWCAP_PMULL);
#else
    return sodium_runtime_has_aesni() && sodium_runtime_has_pclmul();
#endif
}

static void state_free(void *state) {
    struct libcrypto *c = state;
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        EVP_CIPHER_CTX_free(c->slots[i].seal.ctx);
        EVP_CIPHER_CTX_free(c->slots[i].open.ctx);
    }
    EVP_CIPHER_free(c->chacha);
    EVP_CIPHER_free(c->gcm);
    mem_free(c);
}

static void *state_new(unsigned *suites) {
    struct libcrypto *c = mem_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    c->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!c->chacha || !c->gcm) {
        state_free(c);
        return NULL;
    }
    *suites = AEAD_CHACHA20_POLY1305;
    if (cpu_has_aes())
        *suites |= AEAD_AES_256_GCM;
    return c;
}

static void lane_clear(struct lane *l) {
    if (l->keyed)
        (void)EVP_CIPHER_CTX_reset(l->ctx); /* clears and frees the key schedule */
    l->keyed = false;
}

static void slot_clear(void *state, unsigned slot) {
    struct libcrypto *c = state;
    lane_clear(&c->slots[slot].seal);
    lane_clear(&c->slots[slot].open);
}

/* The lane's context, keyed; NULL on out of memory. */
static EVP_CIPHER_CTX *lane_keyed(const struct libcrypto *c, struct lane *l,
                                  const struct aead_packet *p, bool encrypt) {
    if (l->keyed)
        return l->ctx;
    if (!l->ctx)
        l->ctx = EVP_CIPHER_CTX_new();
    if (!l->ctx)
        return NULL;
    const EVP_CIPHER *cipher = p->suite == AEAD_AES_256_GCM ? c->gcm : c->chacha;
    l->keyed = true;
    if (EVP_CipherInit_ex(l->ctx, cipher, NULL, p->key->bytes, NULL, encrypt) != 1) {
        lane_clear(l);
        return NULL;
    }
    return l->ctx;
}

/* After a context is keyed nothing in it allocates or can be refused any more; if it still fails
 * there is no packet that could be sent instead. */
static void must(int rc) {
    if (rc != 1)
        abort();
}

static void slot_seal(void *state, unsigned slot, const struct aead_packet *p) {
    struct libcrypto *c = state;
    EVP_CIPHER_CTX *ctx = lane_keyed(c, &c->slots[slot].seal, p, true);
    if (!ctx) {
        aead_once_seal(p);
        return;
    }
    int n = 0;
    must(EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, p->nonce));
    if (p->ad_len > 0)
        must(EVP_EncryptUpdate(ctx, NULL, &n, p->ad, (int)p->ad_len));
    if (p->len > 0)
        must(EVP_EncryptUpdate(ctx, p->buf, &n, p->buf, (int)p->len));
    must(EVP_EncryptFinal_ex(ctx, p->buf + p->len, &n));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, p->buf + p->len));
}

static bool slot_open(void *state, unsigned slot, const struct aead_packet *p) {
    struct libcrypto *c = state;
    EVP_CIPHER_CTX *ctx = lane_keyed(c, &c->slots[slot].open, p, false);
    if (!ctx)
        return aead_once_open(p);
    int n = 0;
    uint8_t none[1];
    must(EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, p->nonce));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, p->buf + p->len));
    if (p->ad_len > 0)
        must(EVP_DecryptUpdate(ctx, NULL, &n, p->ad, (int)p->ad_len));
    if (p->len > 0)
        must(EVP_DecryptUpdate(ctx, p->buf, &n, p->buf, (int)p->len));
    if (EVP_DecryptFinal_ex(ctx, none, &n) == 1)
        return true;
    sodium_memzero(p->buf, p->len); /* as libsodium does: unauthenticated plaintext is nobody's */
    return false;
}

const struct aead_ops aead_libcrypto = {
    .name = "libcrypto",
    .expands = AEAD_CHACHA20_POLY1305 | AEAD_AES_256_GCM,
    .new = state_new,
    .free = state_free,
    .clear = slot_clear,
    .seal = slot_seal,
    .open = slot_open,
};
