#include "sim/engine/crypto_mode.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead/aead.h"
#include "crypto/base/mem.h"
#include "crypto/identity/sign.h"
#include "crypto/noise/dh.h"
#include "crypto/noise/hkdf.h"

static enum crypto_mode mode;
static struct crypto_mode_counts counts;
static struct crypto_hooks hooks;

static const char *const names[] = {"real", "memo", "stub"};

const char *crypto_mode_name(enum crypto_mode m) {
    return names[m];
}

bool crypto_mode_find(const char *name, enum crypto_mode *out) {
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum crypto_mode)i;
            return true;
        }
    return false;
}

enum crypto_mode crypto_mode_get(void) {
    return mode;
}

void crypto_mode_counts(struct crypto_mode_counts *out) {
    *out = counts;
}

void crypto_mode_hook(const struct crypto_hooks *h) {
    hooks = h ? *h : (struct crypto_hooks){0};
}

#ifdef MESHD_SIM_WRAP

/* ---- what memo remembers: a direct-mapped table, so that its memory is bounded ---- */
enum { MEMO_SLOTS = 1 << 17 };

struct memo {
    uint8_t key[16]; /* hash of kind and inputs; all zeroes: empty */
    uint8_t result[32];
    bool ok;
};

static struct memo *memos;

bool crypto_mode_supported(enum crypto_mode m) {
    (void)m;
    return true;
}

void crypto_mode_set(enum crypto_mode m) {
    mode = m;
}

void crypto_mode_clear(void) {
    if (memos)
        sodium_memzero(memos, MEMO_SLOTS * sizeof *memos);
    mem_free(memos);
    memos = NULL;
    counts = (struct crypto_mode_counts){0};
}

enum memo_kind { MEMO_PUBLIC = 1, MEMO_SHARED, MEMO_VERIFY };

struct memo_key {
    crypto_generichash_state state;
};

static void key_begin(struct memo_key *k, enum memo_kind kind) {
    const uint8_t first = (uint8_t)kind;
    (void)crypto_generichash_init(&k->state, NULL, 0, 16);
    (void)crypto_generichash_update(&k->state, &first, 1);
}

static void key_add(struct memo_key *k, const void *data, size_t len) {
    (void)crypto_generichash_update(&k->state, data, len);
}

/* The slot of this key; *known: it holds the result. Otherwise the caller fills it. */
static struct memo *key_slot(struct memo_key *k, bool *known) {
    uint8_t key[16];
    uint32_t at;
    (void)crypto_generichash_final(&k->state, key, sizeof key);
    if (!memos && !(memos = mem_calloc(MEMO_SLOTS, sizeof *memos)))
        abort();
    memcpy(&at, key, sizeof at);
    struct memo *m = &memos[at % MEMO_SLOTS];
    *known = memcmp(m->key, key, sizeof key) == 0;
    memcpy(m->key, key, sizeof key);
    if (*known)
        counts.remembered++;
    else
        counts.computed++;
    return m;
}

/* ---- crypto/noise/dh ---- */
void __real_dh_public_of(struct dh_public *out, const struct dh_secret *secret);
bool __real_dh_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
                      const struct dh_public *theirs);
void __wrap_dh_public_of(struct dh_public *out, const struct dh_secret *secret);
bool __wrap_dh_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
                      const struct dh_public *theirs);

static void stub_public_of(struct dh_public *out, const struct dh_secret *secret) {
    (void)crypto_generichash(out->bytes, DH_KEY_BYTES, secret->bytes, DH_KEY_BYTES, NULL, 0);
}

void __wrap_dh_public_of(struct dh_public *out, const struct dh_secret *secret) {
    if (mode == CRYPTO_REAL) {
        __real_dh_public_of(out, secret);
        return;
    }
    if (mode == CRYPTO_STUB) {
        stub_public_of(out, secret);
        return;
    }
    struct memo_key k;
    bool known;
    key_begin(&k, MEMO_PUBLIC);
    key_add(&k, secret->bytes, DH_KEY_BYTES);
    struct memo *m = key_slot(&k, &known);
    if (!known) {
        __real_dh_public_of(out, secret);
        memcpy(m->result, out->bytes, DH_KEY_BYTES);
        return;
    }
    memcpy(out->bytes, m->result, DH_KEY_BYTES);
}

/* Both ends name the agreement alike: by the two public keys, the smaller first. */
static void key_pair(struct memo_key *k, const uint8_t *a, const uint8_t *b) {
    const bool order = memcmp(a, b, DH_KEY_BYTES) < 0;
    key_add(k, order ? a : b, DH_KEY_BYTES);
    key_add(k, order ? b : a, DH_KEY_BYTES);
}

static bool stub_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
                        const struct dh_public *theirs) {
    struct dh_public mine;
    uint8_t both[2 * DH_KEY_BYTES];
    stub_public_of(&mine, ours);
    const bool order = memcmp(mine.bytes, theirs->bytes, DH_KEY_BYTES) < 0;
    memcpy(both, order ? mine.bytes : theirs->bytes, DH_KEY_BYTES);
    memcpy(both + DH_KEY_BYTES, order ? theirs->bytes : mine.bytes, DH_KEY_BYTES);
    (void)crypto_generichash(out, DH_KEY_BYTES, both, sizeof both, NULL, 0);
    return true;
}

bool __wrap_dh_shared(uint8_t out[static DH_KEY_BYTES], const struct dh_secret *ours,
                      const struct dh_public *theirs) {
    if (mode == CRYPTO_REAL)
        return __real_dh_shared(out, ours, theirs);
    if (mode == CRYPTO_STUB)
        return stub_shared(out, ours, theirs);
    struct memo_key k;
    struct dh_public mine;
    bool known;
    __wrap_dh_public_of(&mine, ours);
    key_begin(&k, MEMO_SHARED);
    key_pair(&k, mine.bytes, theirs->bytes);
    struct memo *m = key_slot(&k, &known);
    if (!known) {
        m->ok = __real_dh_shared(out, ours, theirs);
        memcpy(m->result, out, DH_KEY_BYTES);
        return m->ok;
    }
    memcpy(out, m->result, DH_KEY_BYTES);
    return m->ok;
}

/* ---- crypto/identity/sign ---- */
void __real_sign_make(uint8_t signature[static SIGN_BYTES], const struct sign_secret *secret,
                      const struct node_id *id, const uint8_t *msg, size_t len);
bool __real_sign_verify(const uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                        const uint8_t *msg, size_t len);
void __wrap_sign_make(uint8_t signature[static SIGN_BYTES], const struct sign_secret *secret,
                      const struct node_id *id, const uint8_t *msg, size_t len);
bool __wrap_sign_verify(const uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                        const uint8_t *msg, size_t len);

static void stub_sign(uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                      const uint8_t *msg, size_t len) {
    (void)crypto_generichash(signature, SIGN_BYTES, msg, len, id->bytes, NODE_ID_BYTES);
}

void __wrap_sign_make(uint8_t signature[static SIGN_BYTES], const struct sign_secret *secret,
                      const struct node_id *id, const uint8_t *msg, size_t len) {
    if (mode == CRYPTO_STUB)
        stub_sign(signature, id, msg, len);
    else
        __real_sign_make(signature, secret, id, msg, len);
}

bool __wrap_sign_verify(const uint8_t signature[static SIGN_BYTES], const struct node_id *id,
                        const uint8_t *msg, size_t len) {
    if (mode == CRYPTO_REAL)
        return __real_sign_verify(signature, id, msg, len);
    if (mode == CRYPTO_STUB) {
        uint8_t right[SIGN_BYTES];
        stub_sign(right, id, msg, len);
        return memcmp(right, signature, SIGN_BYTES) == 0;
    }
    struct memo_key k;
    bool known;
    key_begin(&k, MEMO_VERIFY);
    key_add(&k, id->bytes, NODE_ID_BYTES);
    key_add(&k, signature, SIGN_BYTES);
    key_add(&k, msg, len);
    struct memo *m = key_slot(&k, &known);
    if (!known)
        m->ok = __real_sign_verify(signature, id, msg, len);
    return m->ok;
}

/* ---- crypto/noise/hkdf ---- */
void __real_hkdf_blake2b(const uint8_t ck[static NOISE_HASH_BYTES], const uint8_t *ikm,
                         size_t ikm_len, uint8_t o1[static NOISE_HASH_BYTES],
                         uint8_t o2[static NOISE_HASH_BYTES], uint8_t *o3);
void __wrap_hkdf_blake2b(const uint8_t ck[static NOISE_HASH_BYTES], const uint8_t *ikm,
                         size_t ikm_len, uint8_t o1[static NOISE_HASH_BYTES],
                         uint8_t o2[static NOISE_HASH_BYTES], uint8_t *o3);

/* One hash in place of eight to twelve; the further outputs are the first one, told apart. */
void __wrap_hkdf_blake2b(const uint8_t ck[static NOISE_HASH_BYTES], const uint8_t *ikm,
                         size_t ikm_len, uint8_t o1[static NOISE_HASH_BYTES],
                         uint8_t o2[static NOISE_HASH_BYTES], uint8_t *o3) {
    if (mode != CRYPTO_STUB) {
        __real_hkdf_blake2b(ck, ikm, ikm_len, o1, o2, o3);
        return;
    }
    uint8_t first[NOISE_HASH_BYTES];
    (void)crypto_generichash(first, sizeof first, ikm, ikm_len, ck, NOISE_HASH_BYTES);
    for (size_t i = 0; i < sizeof first; i++) {
        o1[i] = first[i];
        o2[i] = (uint8_t)(first[i] ^ 0x5a);
        if (o3)
            o3[i] = (uint8_t)(first[i] ^ 0xa5);
    }
}

/* ---- crypto/aead/aead ---- */
enum { AEAD_TAG = 16 };
void __real_aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len);
bool __real_aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len);
void __wrap_aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len);
bool __wrap_aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len);

/* SipHash of the payload, and of counter and associated data, under the first half of the key. */
static void stub_tag(uint8_t tag[AEAD_TAG], const struct aead_key *key, uint64_t counter,
                     const uint8_t *ad, size_t ad_len, const uint8_t *buf, size_t len) {
    uint8_t head[8 + 64] = {0};
    memcpy(head, &counter, 8);
    memcpy(head + 8, ad, ad_len < 64 ? ad_len : 64);
    (void)crypto_shorthash(tag, buf, len, key->bytes);
    (void)crypto_shorthash(tag + 8, head, 8 + (ad_len < 64 ? ad_len : 64), key->bytes);
}

void __wrap_aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len) {
    if (hooks.sealed)
        hooks.sealed(hooks.ctx, key->bytes, counter);
    if (mode == CRYPTO_STUB)
        stub_tag(buf + len, key, counter, ad, ad_len, buf, len);
    else
        __real_aead_seal(a, suite, key, key_id, counter, ad, ad_len, buf, len);
}

bool __wrap_aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key,
                      uint64_t key_id, uint64_t counter, const uint8_t *ad, size_t ad_len,
                      uint8_t *buf, size_t len) {
    bool ok;
    if (mode == CRYPTO_STUB) {
        uint8_t tag[AEAD_TAG];
        stub_tag(tag, key, counter, ad, ad_len, buf, len - AEAD_TAG);
        ok = memcmp(tag, buf + len - AEAD_TAG, AEAD_TAG) == 0;
    } else {
        ok = __real_aead_open(a, suite, key, key_id, counter, ad, ad_len, buf, len);
    }
    if (ok && hooks.opened)
        hooks.opened(hooks.ctx, key->bytes, counter);
    return ok;
}

#else
bool crypto_mode_supported(enum crypto_mode m) {
    return m == CRYPTO_REAL;
}

void crypto_mode_set(enum crypto_mode m) {
    mode = m == CRYPTO_REAL ? m : CRYPTO_REAL;
}

void crypto_mode_clear(void) {
}
#endif
