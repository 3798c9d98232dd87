#include "crypto/identity/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/identity/bech32m.h"
#include "crypto/identity/sign.h"
#include "crypto/noise/dh.h"

/* ---- keys ---- */

void identity_from_secrets(struct identity *out, const struct sign_secret *sign,
                           const struct dh_secret *transport, uint64_t transport_seq) {
    out->sign = *sign;
    sign_public_of(&out->id, sign);
    out->transport_secret = *transport;
    dh_public_of(&out->transport_public, transport);
    out->transport_seq = transport_seq;
}

void identity_generate(struct identity *out, const struct rng *rng) {
    struct sign_secret sign;
    struct dh_secret transport;
    rng_fill(rng, sign.bytes, sizeof sign.bytes);
    rng_fill(rng, transport.bytes, sizeof transport.bytes);
    identity_from_secrets(out, &sign, &transport, 1);
    sodium_memzero(&sign, sizeof sign);
    sodium_memzero(&transport, sizeof transport);
}

void identity_clear(struct identity *i) {
    sodium_memzero(i, sizeof *i);
}

/* ---- the identity file ---- */

enum field { FIELD_VERSION, FIELD_SIGN, FIELD_TRANSPORT, FIELD_SEQ, FIELD_COUNT };

static const char *const field_name[FIELD_COUNT] = {
    [FIELD_VERSION] = "version",
    [FIELD_SIGN] = "sign_secret",
    [FIELD_TRANSPORT] = "transport_secret",
    [FIELD_SEQ] = "transport_seq",
};

static const char file_version[] = "1";

struct span {
    const char *p;
    size_t len;
};

int identity_encode(const struct identity *i, char *out, size_t cap) {
    if (cap < IDENTITY_FILE_MAX)
        return ERR_FULL;
    char id[NODE_ID_TEXT_CHARS + 1], sign[65], transport[65];
    node_id_text(&i->id, id);
    sodium_bin2hex(sign, sizeof sign, i->sign.bytes, sizeof i->sign.bytes);
    sodium_bin2hex(transport, sizeof transport, i->transport_secret.bytes,
                   sizeof i->transport_secret.bytes);
    int n = snprintf(out, cap,
                     "# The identity of %s\n"
                     "# Whoever has this file is this node: keep it secret, and keep a copy.\n"
                     "%s = %s\n%s = %s\n%s = %s\n%s = %llu\n",
                     id, field_name[FIELD_VERSION], file_version, field_name[FIELD_SIGN], sign,
                     field_name[FIELD_TRANSPORT], transport, field_name[FIELD_SEQ],
                     (unsigned long long)i->transport_seq);
    sodium_memzero(sign, sizeof sign);
    sodium_memzero(transport, sizeof transport);
    return n > 0 && (size_t)n < cap ? 0 : ERR_FULL;
}

static struct span trim(struct span s) {
    while (s.len > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* The next line without its end ("\n" or "\r\n"), taken off `rest`. */
static struct span take_line(struct span *rest) {
    const char *nl = memchr(rest->p, '\n', rest->len);
    struct span line = {rest->p, nl ? (size_t)(nl - rest->p) : rest->len};
    size_t used = line.len + (nl ? 1 : 0);
    rest->p += used;
    rest->len -= used;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_text(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        bool blank = text[i] == '\t' || text[i] == '\n' || text[i] == '\r';
        if (!blank && (text[i] < 0x20 || text[i] > 0x7e))
            return false;
    }
    return true;
}

/* One line into `value`; an empty line and a comment are nothing. */
static bool read_line(struct span line, struct span value[static FIELD_COUNT]) {
    line = trim(line);
    if (line.len == 0 || *line.p == '#')
        return true;
    const char *eq = memchr(line.p, '=', line.len);
    if (!eq)
        return false;
    size_t left = (size_t)(eq - line.p);
    struct span name = trim((struct span){line.p, left});
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (strlen(field_name[f]) != name.len || memcmp(field_name[f], name.p, name.len) != 0)
            continue;
        if (value[f].p)
            return false; /* doubled */
        value[f] = trim((struct span){eq + 1, line.len - left - 1});
        return value[f].len > 0;
    }
    return false;
}

/* sodium_hex2bin is constant-time in the digits' values. */
static bool read_hex32(struct span s, uint8_t out[static 32]) {
    size_t n;
    return s.len == 64 && sodium_hex2bin(out, 32, s.p, s.len, NULL, &n, NULL) == 0 && n == 32;
}

static bool read_u64(struct span s, uint64_t *out) {
    uint64_t v = 0;
    if (s.len == 0 || (s.len > 1 && *s.p == '0'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

int identity_decode(struct identity *out, const char *text, size_t len) {
    if (len > IDENTITY_FILE_MAX || !is_text(text, len))
        return ERR_FORMAT;
    struct span rest = {text, len}, value[FIELD_COUNT] = {{NULL, 0}};
    while (rest.len > 0) {
        if (!read_line(take_line(&rest), value))
            return ERR_FORMAT;
    }
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (!value[f].p)
            return ERR_FORMAT;
    }
    if (value[FIELD_VERSION].len != sizeof file_version - 1 ||
        memcmp(value[FIELD_VERSION].p, file_version, sizeof file_version - 1) != 0)
        return ERR_FORMAT;

    struct sign_secret sign = {{0}};
    struct dh_secret transport = {{0}};
    uint64_t seq = 0;
    bool ok = read_hex32(value[FIELD_SIGN], sign.bytes) &&
              read_hex32(value[FIELD_TRANSPORT], transport.bytes) &&
              read_u64(value[FIELD_SEQ], &seq);
    if (ok)
        identity_from_secrets(out, &sign, &transport, seq);
    sodium_memzero(&sign, sizeof sign);
    sodium_memzero(&transport, sizeof transport);
    return ok ? 0 : ERR_FORMAT;
}

/* ---- the certificate of the transport key ---- */

static const char cert_label[] = "meshd transport key v1";
enum { CERT_LABEL_BYTES = sizeof cert_label - 1, CERT_SIGNED_BYTES = CERT_LABEL_BYTES + 8 + 32 };
_Static_assert(CERT_LABEL_BYTES == 22, "as identity.h says");

static void cert_signed_bytes(uint8_t out[static CERT_SIGNED_BYTES], uint64_t seq,
                              const struct dh_public *transport) {
    memcpy(out, cert_label, CERT_LABEL_BYTES);
    store_le64(out + CERT_LABEL_BYTES, seq);
    memcpy(out + CERT_LABEL_BYTES + 8, transport->bytes, DH_KEY_BYTES);
}

void identity_cert(const struct identity *i, struct key_cert *out) {
    uint8_t msg[CERT_SIGNED_BYTES];
    cert_signed_bytes(msg, i->transport_seq, &i->transport_public);
    out->id = i->id;
    out->seq = i->transport_seq;
    sign_make(out->signature, &i->sign, &i->id, msg, sizeof msg);
}

bool key_cert_verify(const struct key_cert *c, const struct dh_public *transport) {
    uint8_t msg[CERT_SIGNED_BYTES];
    cert_signed_bytes(msg, c->seq, transport);
    return sign_verify(c->signature, &c->id, msg, sizeof msg);
}

void key_cert_write(const struct key_cert *c, uint8_t out[static KEY_CERT_BYTES]) {
    memcpy(out, c->id.bytes, NODE_ID_BYTES);
    store_le64(out + NODE_ID_BYTES, c->seq);
    memcpy(out + NODE_ID_BYTES + 8, c->signature, SIGN_BYTES);
}

void key_cert_read(struct key_cert *c, const uint8_t in[static KEY_CERT_BYTES]) {
    memcpy(c->id.bytes, in, NODE_ID_BYTES);
    c->seq = load_le64(in + NODE_ID_BYTES);
    memcpy(c->signature, in + NODE_ID_BYTES + 8, SIGN_BYTES);
}

/* ---- the node id ---- */

void node_id_text(const struct node_id *id, char out[static NODE_ID_TEXT_CHARS + 1]) {
    /* The sizes fit by the definition of NODE_ID_TEXT_CHARS. */
    if (bech32m_encode(out, NODE_ID_TEXT_CHARS + 1, NODE_ID_HRP, id->bytes, NODE_ID_BYTES) != 0)
        out[0] = '\0';
}

int node_id_parse(struct node_id *out, const char *text) {
    struct node_id id;
    size_t len;
    if (bech32m_decode(id.bytes, sizeof id.bytes, &len, NODE_ID_HRP, text) != 0 ||
        len != NODE_ID_BYTES)
        return ERR_FORMAT;
    *out = id;
    return 0;
}

bool node_id_equal(const struct node_id *a, const struct node_id *b) {
    return memcmp(a->bytes, b->bytes, NODE_ID_BYTES) == 0; /* ids are public */
}
