#include "crypto/aead.h"

#include <assert.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "crypto/bytes.h"

enum { NONCE_BYTES = 12 };

/* What finds a slot, apart from the slots so that a search stays within a few cache lines. */
struct tag {
    uint64_t key_id;
    uint64_t used;  /* tick of the last use */
    unsigned suite; /* enum aead_suite, 0 = free */
};

#ifdef HAVE_LIBCRYPTO
/* One direction of a key. The context keeps the key; a packet sets only the nonce. */
struct lane {
    EVP_CIPHER_CTX *ctx;
    bool keyed;
};
#endif

struct slot {
    crypto_aead_aes256gcm_state *gcm; /* provider libsodium, suite AES-256-GCM; made at first use */
#ifdef HAVE_LIBCRYPTO
    struct lane seal, open; /* provider libcrypto; keyed at their first use */
#endif
};

struct aead {
    struct slot slots[AEAD_SLOTS];
    struct tag tags[AEAD_SLOTS];
    unsigned last_seal, last_open; /* where the last packet of each direction found its key */
    uint64_t tick;
    uint64_t last_key_id;
    unsigned suites;
    enum aead_provider provider;
#ifdef HAVE_LIBCRYPTO
    EVP_CIPHER *chacha, *gcm;
#endif
};

static void make_nonce(uint8_t nonce[static NONCE_BYTES], uint64_t counter) {
    memset(nonce, 0, 4);
    store_le64(nonce + 4, counter);
}

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

/* ---- provider libcrypto ---- */
#ifdef HAVE_LIBCRYPTO

/* After a context is keyed nothing in it allocates or can be refused any more; if it still fails
 * there is no packet that could be sent instead. */
static void must(int rc) {
    if (rc != 1)
        abort();
}

static void lane_wipe(struct lane *l) {
    if (l->keyed)
        (void)EVP_CIPHER_CTX_reset(l->ctx); /* clears and frees the key schedule */
    l->keyed = false;
}

/* The lane's context, keyed; NULL on out of memory. */
static EVP_CIPHER_CTX *lane_keyed(const struct aead *a, struct lane *l, enum aead_suite suite,
                                  const struct aead_key *key, bool encrypt) {
    if (l->keyed)
        return l->ctx;
    if (!l->ctx)
        l->ctx = EVP_CIPHER_CTX_new();
    if (!l->ctx)
        return NULL;
    const EVP_CIPHER *cipher = suite == AEAD_AES_256_GCM ? a->gcm : a->chacha;
    l->keyed = true;
    if (EVP_CipherInit_ex(l->ctx, cipher, NULL, key->bytes, NULL, encrypt) != 1) {
        lane_wipe(l);
        return NULL;
    }
    return l->ctx;
}

static void evp_seal(EVP_CIPHER_CTX *ctx, const uint8_t nonce[static NONCE_BYTES],
                     const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    int n = 0;
    must(EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce));
    if (ad_len > 0)
        must(EVP_EncryptUpdate(ctx, NULL, &n, ad, (int)ad_len));
    if (len > 0)
        must(EVP_EncryptUpdate(ctx, buf, &n, buf, (int)len));
    must(EVP_EncryptFinal_ex(ctx, buf + len, &n));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_BYTES, buf + len));
}

static bool evp_open(EVP_CIPHER_CTX *ctx, const uint8_t nonce[static NONCE_BYTES],
                     const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    int n = 0;
    uint8_t none[1];
    must(EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_BYTES, buf + len));
    if (ad_len > 0)
        must(EVP_DecryptUpdate(ctx, NULL, &n, ad, (int)ad_len));
    if (len > 0)
        must(EVP_DecryptUpdate(ctx, buf, &n, buf, (int)len));
    if (EVP_DecryptFinal_ex(ctx, none, &n) == 1)
        return true;
    sodium_memzero(buf, len); /* as libsodium does: unauthenticated plaintext is nobody's */
    return false;
}
#endif

/* ---- provider libsodium ---- */

/* AES with the slot's expanded key; without one it is expanded for this packet. */
static void sodium_seal(const struct slot *s, enum aead_suite suite, const struct aead_key *key,
                        const uint8_t nonce[static NONCE_BYTES], const uint8_t *ad, size_t ad_len,
                        uint8_t *buf, size_t len) {
    int rc;
    if (suite == AEAD_CHACHA20_POLY1305)
        rc = crypto_aead_chacha20poly1305_ietf_encrypt_detached(buf, buf + len, NULL, buf, len, ad,
                                                                ad_len, NULL, nonce, key->bytes);
    else if (s && s->gcm)
        rc = crypto_aead_aes256gcm_encrypt_detached_afternm(buf, buf + len, NULL, buf, len, ad,
                                                            ad_len, NULL, nonce, s->gcm);
    else
        rc = crypto_aead_aes256gcm_encrypt_detached(buf, buf + len, NULL, buf, len, ad, ad_len,
                                                    NULL, nonce, key->bytes);
    if (rc != 0)
        abort(); /* no AES here: sending plaintext is the only other way out */
}

static bool sodium_open(const struct slot *s, enum aead_suite suite, const struct aead_key *key,
                        const uint8_t nonce[static NONCE_BYTES], const uint8_t *ad, size_t ad_len,
                        uint8_t *buf, size_t len) {
    int rc;
    if (suite == AEAD_CHACHA20_POLY1305)
        rc = crypto_aead_chacha20poly1305_ietf_decrypt_detached(buf, NULL, buf, len, buf + len, ad,
                                                                ad_len, nonce, key->bytes);
    else if (s && s->gcm)
        rc = crypto_aead_aes256gcm_decrypt_detached_afternm(buf, NULL, buf, len, buf + len, ad,
                                                            ad_len, nonce, s->gcm);
    else
        rc = crypto_aead_aes256gcm_decrypt_detached(buf, NULL, buf, len, buf + len, ad, ad_len,
                                                    nonce, key->bytes);
    return rc == 0;
}

/* ---- the cache ---- */

static void slot_wipe(struct aead *a, unsigned i) {
    if (a->tags[i].suite == 0)
        return;
    if (a->slots[i].gcm)
        sodium_memzero(a->slots[i].gcm, sizeof *a->slots[i].gcm);
#ifdef HAVE_LIBCRYPTO
    lane_wipe(&a->slots[i].seal);
    lane_wipe(&a->slots[i].open);
#endif
    a->tags[i] = (struct tag){0};
}

static bool tag_is(const struct tag *t, enum aead_suite suite, uint64_t key_id) {
    return t->key_id == key_id && t->suite == (unsigned)suite;
}

/* The slot of this key; the least recently used one is given to a key that has none. */
static unsigned slot_find(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                          uint64_t key_id) {
    unsigned oldest = 0; /* free slots have used == 0 */
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        if (tag_is(&a->tags[i], suite, key_id))
            return i;
        if (a->tags[i].used < a->tags[oldest].used)
            oldest = i;
    }
    slot_wipe(a, oldest);
    a->tags[oldest] = (struct tag){.key_id = key_id, .suite = suite};
    if (a->provider == AEAD_LIBSODIUM && suite == AEAD_AES_256_GCM) {
        struct slot *s = &a->slots[oldest];
        if (!s->gcm)
            s->gcm = aligned_alloc(16, sizeof *s->gcm);
        if (s->gcm)
            (void)crypto_aead_aes256gcm_beforenm(s->gcm, key->bytes);
    }
    return oldest;
}

/* `last` is where the last packet of this direction found its key: mostly this one's place too. */
static struct slot *slot_for(struct aead *a, unsigned *last, enum aead_suite suite,
                             const struct aead_key *key, uint64_t key_id) {
    if (!tag_is(&a->tags[*last], suite, key_id))
        *last = slot_find(a, suite, key, key_id);
    a->tags[*last].used = ++a->tick;
    return &a->slots[*last];
}

/* ---- the face ---- */

struct aead *aead_new(enum aead_provider provider) {
#ifdef HAVE_LIBCRYPTO
    if (provider == AEAD_AUTO)
        provider = AEAD_LIBCRYPTO;
#else
    if (provider == AEAD_AUTO)
        provider = AEAD_LIBSODIUM;
    if (provider == AEAD_LIBCRYPTO)
        return NULL;
#endif
    if (sodium_init() < 0) /* without it libsodium does not know the CPU */
        return NULL;
    struct aead *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->provider = provider;
    a->suites = AEAD_CHACHA20_POLY1305;
    if (provider == AEAD_LIBSODIUM) {
        if (crypto_aead_aes256gcm_is_available())
            a->suites |= AEAD_AES_256_GCM;
    } else if (cpu_has_aes()) {
        a->suites |= AEAD_AES_256_GCM;
    }
#ifdef HAVE_LIBCRYPTO
    if (provider == AEAD_LIBCRYPTO) {
        a->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
        a->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        if (!a->chacha || !a->gcm) {
            aead_free(a);
            return NULL;
        }
    }
#endif
    return a;
}

void aead_free(struct aead *a) {
    if (!a)
        return;
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        slot_wipe(a, i);
        free(a->slots[i].gcm);
    }
#ifdef HAVE_LIBCRYPTO
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        EVP_CIPHER_CTX_free(a->slots[i].seal.ctx);
        EVP_CIPHER_CTX_free(a->slots[i].open.ctx);
    }
    EVP_CIPHER_free(a->chacha);
    EVP_CIPHER_free(a->gcm);
#endif
    free(a);
}

unsigned aead_suites(const struct aead *a) {
    return a->suites;
}

unsigned aead_choose(unsigned ours, unsigned theirs) {
    unsigned both = ours & theirs;
    if (both & AEAD_AES_256_GCM)
        return AEAD_AES_256_GCM;
    return both & AEAD_CHACHA20_POLY1305;
}

const char *aead_suite_name(unsigned suite) {
    switch (suite) {
    case AEAD_CHACHA20_POLY1305:
        return "chacha20-poly1305";
    case AEAD_AES_256_GCM:
        return "aes-256-gcm";
    default:
        return "none";
    }
}

const char *aead_provider_name(const struct aead *a) {
    return a->provider == AEAD_LIBCRYPTO ? "libcrypto" : "libsodium";
}

void aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    assert(a->suites & (unsigned)suite);
    assert(len <= INT_MAX && ad_len <= INT_MAX);
    uint8_t nonce[NONCE_BYTES];
    make_nonce(nonce, counter);

    struct slot *s = NULL;
#ifdef HAVE_LIBCRYPTO
    if (a->provider == AEAD_LIBCRYPTO) {
        s = slot_for(a, &a->last_seal, suite, key, key_id);
        EVP_CIPHER_CTX *ctx = lane_keyed(a, &s->seal, suite, key, true);
        if (ctx) {
            evp_seal(ctx, nonce, ad, ad_len, buf, len);
            return;
        }
        s = NULL; /* out of memory: libsodium needs none */
    }
#endif
    if (a->provider == AEAD_LIBSODIUM && suite == AEAD_AES_256_GCM)
        s = slot_for(a, &a->last_seal, suite, key, key_id);
    sodium_seal(s, suite, key, nonce, ad, ad_len, buf, len);
}

bool aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    assert(a->suites & (unsigned)suite);
    assert(len <= INT_MAX && ad_len <= INT_MAX);
    if (len < AEAD_TAG_BYTES)
        return false;
    len -= AEAD_TAG_BYTES;
    uint8_t nonce[NONCE_BYTES];
    make_nonce(nonce, counter);

    struct slot *s = NULL;
#ifdef HAVE_LIBCRYPTO
    if (a->provider == AEAD_LIBCRYPTO) {
        s = slot_for(a, &a->last_open, suite, key, key_id);
        EVP_CIPHER_CTX *ctx = lane_keyed(a, &s->open, suite, key, false);
        if (ctx)
            return evp_open(ctx, nonce, ad, ad_len, buf, len);
        s = NULL; /* out of memory: libsodium needs none */
    }
#endif
    if (a->provider == AEAD_LIBSODIUM && suite == AEAD_AES_256_GCM)
        s = slot_for(a, &a->last_open, suite, key, key_id);
    return sodium_open(s, suite, key, nonce, ad, ad_len, buf, len);
}

uint64_t aead_key_id(struct aead *a) {
    return ++a->last_key_id;
}

void aead_forget(struct aead *a, uint64_t key_id) {
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        if (a->tags[i].key_id == key_id)
            slot_wipe(a, i);
    }
}
