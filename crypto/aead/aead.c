#include "crypto/aead/aead.h"

#include <assert.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>

#include "crypto/aead/aead_ops.h"
#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"

/* What finds a slot. */
struct tag {
    uint64_t key_id;
    uint64_t used;  /* tick of the last use */
    unsigned suite; /* enum aead_suite, 0 = free */
};

struct aead {
    struct tag tags[AEAD_SLOTS];
    unsigned last_seal, last_open; /* where the last packet of each direction found its key */
    uint64_t tick;
    uint64_t last_key_id;
    unsigned suites;
    const struct aead_ops *ops;
    void *state; /* the provider's, with the slots */
};

/* NULL: the build has none. */
static const struct aead_ops *const providers[] = {
#ifdef HAVE_LIBCRYPTO
    [AEAD_AUTO] = &aead_libcrypto,
    [AEAD_LIBCRYPTO] = &aead_libcrypto,
#else
    [AEAD_AUTO] = &aead_libsodium,
    [AEAD_LIBCRYPTO] = NULL,
#endif
    [AEAD_LIBSODIUM] = &aead_libsodium,
#ifdef HAVE_IPSEC_MB
    [AEAD_IPSEC_MB] = &aead_ipsec_mb,
#else
    [AEAD_IPSEC_MB] = NULL,
#endif
};

/* ---- the cache ---- */

static void slot_clear(struct aead *a, unsigned i) {
    if (a->tags[i].suite == 0)
        return;
    a->ops->clear(a->state, i);
    a->tags[i] = (struct tag){0};
}

static bool tag_is(const struct tag *t, enum aead_suite suite, uint64_t key_id) {
    return t->key_id == key_id && t->suite == (unsigned)suite;
}

/* The slot of this key; the least recently used one is given to a key that has none. */
static unsigned slot_find(struct aead *a, enum aead_suite suite, uint64_t key_id) {
    unsigned oldest = 0; /* free slots have used == 0 */
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        if (tag_is(&a->tags[i], suite, key_id))
            return i;
        if (a->tags[i].used < a->tags[oldest].used)
            oldest = i;
    }
    slot_clear(a, oldest);
    a->tags[oldest] = (struct tag){.key_id = key_id, .suite = suite};
    return oldest;
}

/* `last` is where the last packet of this direction found its key: mostly this one's place too. */
static unsigned slot_for(struct aead *a, unsigned *last, enum aead_suite suite, uint64_t key_id) {
    if (!(a->ops->expands & (unsigned)suite))
        return 0;
    if (!tag_is(&a->tags[*last], suite, key_id))
        *last = slot_find(a, suite, key_id);
    a->tags[*last].used = ++a->tick;
    return *last;
}

/* ---- the face ---- */

struct aead *aead_new(enum aead_provider provider) {
    const struct aead_ops *ops = providers[provider];
    if (!ops || sodium_init() < 0) /* without sodium_init libsodium does not know the CPU */
        return NULL;
    struct aead *a = mem_calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->ops = ops;
    a->state = ops->new (&a->suites);
    if (!a->state) {
        mem_free(a);
        return NULL;
    }
    return a;
}

void aead_free(struct aead *a) {
    if (!a)
        return;
    for (unsigned i = 0; i < AEAD_SLOTS; i++)
        slot_clear(a, i);
    a->ops->free(a->state);
    mem_free(a);
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

const char *aead_provider_label(enum aead_provider provider) {
    switch (provider) {
    case AEAD_AUTO:
        return "auto";
    case AEAD_LIBSODIUM:
        return "libsodium";
    case AEAD_LIBCRYPTO:
        return "libcrypto";
    case AEAD_IPSEC_MB:
        return "ipsec-mb";
    }
    return "none";
}

const char *aead_provider_name(const struct aead *a) {
    return a->ops->name;
}

static void make_nonce(uint8_t nonce[static AEAD_NONCE_BYTES], uint64_t counter) {
    memset(nonce, 0, 4);
    store_le64(nonce + 4, counter);
}

void aead_seal(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    assert(a->suites & (unsigned)suite);
    assert(len <= INT_MAX && ad_len <= INT_MAX);
    uint8_t nonce[AEAD_NONCE_BYTES];
    make_nonce(nonce, counter);
    const struct aead_packet p = {suite, key, nonce, ad, ad_len, buf, len};
    a->ops->seal(a->state, slot_for(a, &a->last_seal, suite, key_id), &p);
}

bool aead_open(struct aead *a, enum aead_suite suite, const struct aead_key *key, uint64_t key_id,
               uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf, size_t len) {
    assert(a->suites & (unsigned)suite);
    assert(len <= INT_MAX && ad_len <= INT_MAX);
    if (len < AEAD_TAG_BYTES)
        return false;
    uint8_t nonce[AEAD_NONCE_BYTES];
    make_nonce(nonce, counter);
    const struct aead_packet p = {suite, key, nonce, ad, ad_len, buf, len - AEAD_TAG_BYTES};
    return a->ops->open(a->state, slot_for(a, &a->last_open, suite, key_id), &p);
}

uint64_t aead_key_id(struct aead *a) {
    return ++a->last_key_id;
}

void aead_forget(struct aead *a, uint64_t key_id) {
    for (unsigned i = 0; i < AEAD_SLOTS; i++) {
        if (a->tags[i].key_id == key_id)
            slot_clear(a, i);
    }
}
