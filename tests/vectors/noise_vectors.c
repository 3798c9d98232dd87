/* noise_vectors.c: runs crypto/noise/noise against public Noise test vectors, byte for byte.
 *
 *   noise_vectors FILE.json...
 *
 * Reads the cacophony and the snow format (the same but for optional members). Every vector whose
 * protocol is one of ours runs from both ends: each handshake and transport message is written by
 * its sender and read by the other side. Exit codes: 0 all equal, 1 a difference or a file with
 * nothing to run, 77 a file is missing.
 */
#include "crypto/noise/dh.h"
#include "crypto/noise/noise.h"
#include "tests/vectors/vectors.h"

struct side {
    struct noise n;
    struct dh_public pub;
    struct dh_secret sec, eph;
    struct psk psk;
    const struct psk *psk_or_null;
    struct aead_key i2r, r2i;
    uint8_t hash[NOISE_HASH_BYTES];
};

#define WANT(cond, what)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "  mismatch: %s\n", (what));                                           \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

static bool pattern_of(const char *name, enum noise_pattern *out) {
    if (strcmp(name, "Noise_IK_25519_ChaChaPoly_BLAKE2b") == 0)
        *out = NOISE_IK;
    else if (strcmp(name, "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b") == 0)
        *out = NOISE_IKPSK2;
    else
        return false;
    return true;
}

static bool take32(const json_t *v, const char *name, uint8_t out[static 32]) {
    struct blob b;
    if (!vectors_hex(v, name, &b) || b.len != 32)
        return false;
    memcpy(out, b.p, 32);
    return true;
}

/* `who` is "init" or "resp". */
static bool load_side(const json_t *v, const char *who, enum noise_pattern pattern,
                      struct side *s) {
    char name[64];
    snprintf(name, sizeof name, "%s_static", who);
    WANT(take32(v, name, s->sec.bytes), name);
    dh_public_of(&s->pub, &s->sec);
    snprintf(name, sizeof name, "%s_ephemeral", who);
    WANT(take32(v, name, s->eph.bytes), name);
    s->psk_or_null = NULL;
    if (pattern == NOISE_IKPSK2) {
        snprintf(name, sizeof name, "%s_psks", who);
        const char *hex = json_string_value(json_array_get(json_object_get(v, name), 0));
        size_t n = 0;
        WANT(hex && sodium_hex2bin(s->psk.bytes, PSK_BYTES, hex, strlen(hex), NULL, &n, NULL) == 0,
             name);
        WANT(n == PSK_BYTES, name);
        s->psk_or_null = &s->psk;
    }
    return true;
}

static bool begin(const json_t *v, enum noise_pattern pattern, struct side *i, struct side *r) {
    struct blob prologue;
    struct dh_public remote;
    WANT(load_side(v, "init", pattern, i), "initiator's keys");
    WANT(load_side(v, "resp", pattern, r), "responder's keys");
    WANT(take32(v, "init_remote_static", remote.bytes), "init_remote_static");
    WANT(memcmp(remote.bytes, r->pub.bytes, DH_KEY_BYTES) == 0, "public key of resp_static");
    (void)vectors_hex(v, "init_prologue", &prologue);
    noise_init(&i->n, pattern, true, prologue.p, prologue.len, &i->pub, &i->sec, &remote);
    (void)vectors_hex(v, "resp_prologue", &prologue);
    noise_init(&r->n, pattern, false, prologue.p, prologue.len, &r->pub, &r->sec, NULL);
    return true;
}

static bool message1(struct side *i, struct side *r, const struct blob *payload,
                     const struct blob *wire) {
    uint8_t out[BLOB_MAX + NOISE_MSG1_OVERHEAD], back[BLOB_MAX];
    WANT(noise_write1(&i->n, &i->eph, payload->p, payload->len, out), "write message 1");
    WANT(blob_is(wire, out, payload->len + NOISE_MSG1_OVERHEAD), "bytes of message 1");
    WANT(noise_read1(&r->n, wire->p, wire->len, back), "read message 1");
    WANT(blob_is(payload, back, payload->len), "payload 1");
    WANT(memcmp(noise_remote(&r->n)->bytes, i->pub.bytes, DH_KEY_BYTES) == 0, "initiator's key");
    return true;
}

static bool message2(struct side *i, struct side *r, const struct blob *payload,
                     const struct blob *wire) {
    uint8_t out[BLOB_MAX + NOISE_MSG2_OVERHEAD], back[BLOB_MAX];
    WANT(noise_write2(&r->n, &r->eph, r->psk_or_null, payload->p, payload->len, out),
         "write message 2");
    WANT(blob_is(wire, out, payload->len + NOISE_MSG2_OVERHEAD), "bytes of message 2");
    WANT(noise_read2(&i->n, wire->p, wire->len, i->psk_or_null, back), "read message 2");
    WANT(blob_is(payload, back, payload->len), "payload 2");
    noise_split(&i->n, &i->i2r, &i->r2i, i->hash, NULL);
    noise_split(&r->n, &r->i2r, &r->r2i, r->hash, NULL);
    return true;
}

/* Message `index` of the whole conversation: even ones are the initiator's, each direction counts
 * its own nonces from 0 after the two handshake messages. */
static bool transport(const struct side *i, const struct side *r, size_t index,
                      const struct blob *payload, const struct blob *wire) {
    uint8_t out[BLOB_MAX + AEAD_TAG_BYTES], back[BLOB_MAX];
    uint64_t counter = (index - 2) / 2;
    bool from_initiator = index % 2 == 0;
    noise_transport_seal(from_initiator ? &i->i2r : &r->r2i, counter, payload->p, payload->len,
                         out);
    WANT(blob_is(wire, out, payload->len + AEAD_TAG_BYTES), "bytes of a transport message");
    WANT(
        noise_transport_open(from_initiator ? &r->i2r : &i->r2i, counter, wire->p, wire->len, back),
        "open a transport message");
    WANT(blob_is(payload, back, payload->len), "payload of a transport message");
    return true;
}

static bool run_vector(const json_t *v, enum noise_pattern pattern) {
    static struct side i, r;
    static struct blob payload, wire, hash;
    WANT(begin(v, pattern, &i, &r), "set-up");
    const json_t *messages = json_object_get(v, "messages");
    size_t count = json_array_size(messages);
    WANT(count >= 2, "a whole handshake");
    for (size_t at = 0; at < count; at++) {
        const json_t *m = json_array_get(messages, at);
        WANT(vectors_hex(m, "ciphertext", &wire), "ciphertext");
        (void)vectors_hex(m, "payload", &payload);
        if (at == 0)
            WANT(message1(&i, &r, &payload, &wire), "message 1");
        else if (at == 1)
            WANT(message2(&i, &r, &payload, &wire), "message 2");
        else
            WANT(transport(&i, &r, at, &payload, &wire), "transport message");
    }
    WANT(memcmp(i.hash, r.hash, NOISE_HASH_BYTES) == 0, "handshake hash of both sides");
    if (vectors_hex(v, "handshake_hash", &hash))
        WANT(blob_is(&hash, i.hash, NOISE_HASH_BYTES), "handshake_hash");
    return true;
}

static bool run_file(const char *path) {
    json_t *root = vectors_load(path);
    if (!root)
        return false;
    const json_t *list = json_object_get(root, "vectors");
    size_t ran = 0, skipped = 0, failed = 0, at;
    const json_t *v;
    json_array_foreach(list, at, v) {
        const char *name = json_string_value(json_object_get(v, "protocol_name"));
        enum noise_pattern pattern;
        if (!name || !pattern_of(name, &pattern)) {
            skipped++;
            continue;
        }
        ran++;
        if (!run_vector(v, pattern)) {
            failed++;
            fprintf(stderr, "%s: vector %zu, %s: failed\n", path, at, name);
        }
    }
    json_decref(root);
    printf("%s: %zu ran, %zu failed, %zu skipped (other patterns)\n", path, ran, failed, skipped);
    return ran > 0 && failed == 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE.json...\n", argv[0]);
        return 2;
    }
    if (sodium_init() < 0)
        return 1;
    if (vectors_missing(argc, argv))
        return EXIT_SKIPPED;
    bool ok = true;
    for (int i = 1; i < argc; i++)
        ok = run_file(argv[i]) && ok;
    return ok ? 0 : 1;
}
