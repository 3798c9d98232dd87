/* aead_ipsec_mb.c: packet encryption by Intel's Multi-Buffer Crypto for IPsec, where the build
 * found it; x86-64 only. Of it only the direct calls, a packet at a time: they keep nothing outside
 * their arguments and allow the output to be the input. Both suites, for both are faster than
 * libcrypto's.
 */
#include <intel-ipsec-mb.h>
#include <sodium.h>
#include <string.h>

#include "crypto/aead/aead_ops.h"
#include "crypto/base/mem.h"

/* Serves both directions. The library wants 64 bytes of alignment, but its header says so to the
 * compiler only where LINUX is defined. */
struct slot {
    _Alignas(64) struct gcm_key_data gcm;
    bool expanded;
};

/* The library's functions for this CPU, taken out of its manager. */
struct calls {
    aes_gcm_pre_t gcm_expand;
    aes_gcm_enc_dec_t gcm_seal, gcm_open;
    chacha_poly_init_t chacha_init;
    chacha_poly_enc_dec_update_t chacha_seal, chacha_open;
    chacha_poly_finalize_t chacha_tag;
};

struct ipsec_mb {
    struct slot slots[AEAD_SLOTS];
    struct calls calls;
};

/* The manager is 200 kB of queues for batches, which are not used: it lives only as long as it
 * takes to choose the functions. False: out of memory, a CPU without AES and carry-less multiply,
 * or a failed self-test. */
static bool choose_calls(struct calls *c) {
    IMB_MGR *m = alloc_mb_mgr(0);
    if (!m)
        return false;
    const bool aes = (m->features & IMB_CPUFLAGS_SSE) == IMB_CPUFLAGS_SSE;
    if (aes)
        init_mb_mgr_auto(m, NULL);
    const bool ok = aes && imb_get_errno(m) == 0 && (m->features & IMB_FEATURE_SELF_TEST_PASS) != 0;
    if (ok)
        *c = (struct calls){.gcm_expand = m->gcm256_pre,
                            .gcm_seal = m->gcm256_enc,
                            .gcm_open = m->gcm256_dec,
                            .chacha_init = m->chacha20_poly1305_init,
                            .chacha_seal = m->chacha20_poly1305_enc_update,
                            .chacha_open = m->chacha20_poly1305_dec_update,
                            .chacha_tag = m->chacha20_poly1305_finalize};
    free_mb_mgr(m);
    return ok;
}

static void *state_new(unsigned *suites) {
    struct ipsec_mb *mb = mem_aligned(_Alignof(struct ipsec_mb), sizeof *mb);
    if (!mb)
        return NULL;
    memset(mb, 0, sizeof *mb);
    if (!choose_calls(&mb->calls)) {
        mem_free(mb);
        return NULL;
    }
    *suites = AEAD_CHACHA20_POLY1305 | AEAD_AES_256_GCM;
    return mb;
}

static void state_free(void *state) {
    mem_free(state);
}

static void slot_clear(void *state, unsigned slot) {
    struct slot *s = &((struct ipsec_mb *)state)->slots[slot];
    if (s->expanded)
        sodium_memzero(s, sizeof *s);
}

/* Encrypts or decrypts buf; the tag of whichever text is the ciphertext goes to `tag`. The
 * library's state of a packet holds its hash and key stream, enough to forge another of its
 * counter: it is wiped, which costs 2 ns. */
static void gcm(struct ipsec_mb *mb, unsigned slot, const struct aead_packet *p,
                aes_gcm_enc_dec_t run, uint8_t tag[static AEAD_TAG_BYTES]) {
    struct slot *s = &mb->slots[slot];
    if (!s->expanded)
        mb->calls.gcm_expand(p->key->bytes, &s->gcm);
    s->expanded = true;
    struct gcm_context_data ctx;
    run(&s->gcm, &ctx, p->buf, p->buf, p->len, p->nonce, p->ad, p->ad_len, tag, AEAD_TAG_BYTES);
    sodium_memzero(&ctx, sizeof ctx);
}

static void chacha(const struct calls *c, const struct aead_packet *p,
                   chacha_poly_enc_dec_update_t run, uint8_t tag[static AEAD_TAG_BYTES]) {
    struct chacha20_poly1305_context_data ctx;
    c->chacha_init(p->key->bytes, &ctx, p->nonce, p->ad, p->ad_len);
    run(p->key->bytes, &ctx, p->buf, p->buf, p->len);
    c->chacha_tag(&ctx, tag, AEAD_TAG_BYTES);
    sodium_memzero(&ctx, sizeof ctx);
}

static void slot_seal(void *state, unsigned slot, const struct aead_packet *p) {
    struct ipsec_mb *mb = state;
    if (p->suite == AEAD_AES_256_GCM)
        gcm(mb, slot, p, mb->calls.gcm_seal, p->buf + p->len);
    else
        chacha(&mb->calls, p, mb->calls.chacha_seal, p->buf + p->len);
}

static bool slot_open(void *state, unsigned slot, const struct aead_packet *p) {
    struct ipsec_mb *mb = state;
    uint8_t tag[AEAD_TAG_BYTES];
    if (p->suite == AEAD_AES_256_GCM)
        gcm(mb, slot, p, mb->calls.gcm_open, tag);
    else
        chacha(&mb->calls, p, mb->calls.chacha_open, tag);
    const bool ok = crypto_verify_16(tag, p->buf + p->len) == 0;
    sodium_memzero(tag, sizeof tag); /* the right one, of a packet that may be forged */
    if (!ok)
        sodium_memzero(p->buf, p->len);
    return ok;
}

const struct aead_ops aead_ipsec_mb = {
    .name = "ipsec-mb",
    .expands = AEAD_AES_256_GCM,
    .new = state_new,
    .free = state_free,
    .clear = slot_clear,
    .seal = slot_seal,
    .open = slot_open,
};
