/* identity.h: who a node is.
 *
 * An Ed25519 key pair is the identity; its public key is the node id (text form `mesh1...`,
 * bech32m). A separate X25519 transport key is used in handshakes and certified by the identity
 * (struct key_cert), so that it can be replaced while the id stays (docs/PROTOCOL.md §1). The
 * text of the identity file is made and read here; opening the file, its mode and owner are the
 * daemon's business (node/daemon/disk/keyfile).
 */
#ifndef MESHD_CRYPTO_IDENTITY_IDENTITY_H
#define MESHD_CRYPTO_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/base/err.h"
#include "crypto/base/rng.h"
#include "crypto/base/types.h"

#define NODE_ID_HRP "mesh"

enum {
    NODE_ID_TEXT_CHARS = 63, /* "mesh1" + 52 + 6, without the NUL */
    KEY_CERT_BYTES = 104,    /* id 32 | seq 8 | signature 64 */
    IDENTITY_FILE_MAX = 1024,
};

struct identity { /* secret: wipe with identity_clear */
    struct node_id id;
    struct sign_secret sign;
    struct dh_public transport_public;
    struct dh_secret transport_secret;
    uint64_t transport_seq; /* grows with every replacement of the transport key */
};

/* What proves that a transport key belongs to an id. The transport key itself is not inside: it
 * is known from the handshake. Signature (Ed25519, by id) over
 *   "meshd transport key v1" (22 bytes) | seq u64 LE | transport public 32. */
struct key_cert {
    struct node_id id;
    uint64_t seq;
    uint8_t signature[SIGN_BYTES];
};

/* A fresh identity with transport_seq 1. */
void identity_generate(struct identity *out, const struct rng *rng);
void identity_clear(struct identity *i);

/* From the stored secrets (public halves are derived). */
void identity_from_secrets(struct identity *out, const struct sign_secret *sign,
                           const struct dh_secret *transport, uint64_t transport_seq);

/* The identity file: "key = value" lines in ASCII (version = 1, sign_secret and transport_secret in
 * hex, transport_seq in decimal), '#' comments, empty lines; LF or CRLF. encode: NUL-terminated,
 * ERR_FULL if cap < IDENTITY_FILE_MAX; the caller wipes `out`. decode: `len` bytes without the NUL;
 * ERR_FORMAT if anything is missing, doubled, unknown or malformed, or the file is longer than
 * IDENTITY_FILE_MAX; `out` is then untouched. */
int identity_encode(const struct identity *i, char *out, size_t cap) MUST_USE;
int identity_decode(struct identity *out, const char *text, size_t len) MUST_USE;

void identity_cert(const struct identity *i, struct key_cert *out);
bool key_cert_verify(const struct key_cert *c, const struct dh_public *transport);
void key_cert_write(const struct key_cert *c, uint8_t out[static KEY_CERT_BYTES]);
void key_cert_read(struct key_cert *c, const uint8_t in[static KEY_CERT_BYTES]);

/* Text form; `out` holds NODE_ID_TEXT_CHARS + 1. */
void node_id_text(const struct node_id *id, char out[static NODE_ID_TEXT_CHARS + 1]);
int node_id_parse(struct node_id *out, const char *text) MUST_USE; /* ERR_FORMAT */
bool node_id_equal(const struct node_id *a, const struct node_id *b);

#endif
