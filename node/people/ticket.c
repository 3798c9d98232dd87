#include "node/people/ticket.h"

#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/identity/bech32m.h"

enum {
    TICKET_VERSION = 1,
    FLAG_SECRET = 1,
    FLAG_EXPIRY = 2,
    TICKET_BYTES_MAX = 2 + 32 + 32 + TICKET_SECRET_BYTES + 4 + 1 + TICKET_ADDRS_MAX * ADDR_WIRE_MAX,
};

_Static_assert(sizeof TICKET_HRP + 6 + (TICKET_BYTES_MAX * 8 + 4) / 5 <= TICKET_TEXT_MAX,
               "the largest ticket fits its text");

int ticket_encode(const struct ticket *t, char out[static TICKET_TEXT_MAX + 1]) {
    uint8_t raw[TICKET_BYTES_MAX];
    if (t->addr_count > TICKET_ADDRS_MAX)
        return ERR_USAGE;
    struct wr w = wr_init(raw, sizeof raw);
    wr_u8(&w, TICKET_VERSION);
    wr_u8(&w, (uint8_t)((t->has_secret ? FLAG_SECRET : 0) | (t->expires_s ? FLAG_EXPIRY : 0)));
    wr_bytes(&w, t->id.bytes, sizeof t->id.bytes);
    wr_bytes(&w, t->transport.bytes, sizeof t->transport.bytes);
    if (t->has_secret)
        wr_bytes(&w, t->secret, sizeof t->secret);
    if (t->expires_s)
        wr_u32(&w, t->expires_s);
    wr_u8(&w, (uint8_t)t->addr_count);
    int err = 0;
    for (unsigned i = 0; i < t->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        size_t n = addr_write(&t->addrs[i], a);
        if (n == 0)
            err = ERR_USAGE;
        wr_bytes(&w, a, n);
    }
    if (!err)
        err = bech32m_encode(out, TICKET_TEXT_MAX + 1, TICKET_HRP, raw, wr_len(&w));
    sodium_memzero(raw, sizeof raw);
    return err;
}

static bool from_bytes(struct ticket *t, const uint8_t *raw, size_t len) {
    struct rd r = rd_init(raw, len);
    uint8_t version = rd_u8(&r), flags = rd_u8(&r);
    if (version != TICKET_VERSION || (flags & ~(FLAG_SECRET | FLAG_EXPIRY)))
        return false;
    rd_bytes(&r, t->id.bytes, sizeof t->id.bytes);
    rd_bytes(&r, t->transport.bytes, sizeof t->transport.bytes);
    t->has_secret = flags & FLAG_SECRET;
    if (t->has_secret)
        rd_bytes(&r, t->secret, sizeof t->secret);
    if (flags & FLAG_EXPIRY) {
        t->expires_s = rd_u32(&r);
        if (t->expires_s == 0)
            return false;
    }
    t->addr_count = rd_u8(&r);
    if (!r.ok || t->addr_count > TICKET_ADDRS_MAX)
        return false;
    for (unsigned i = 0; i < t->addr_count; i++) {
        size_t n = addr_read(&t->addrs[i], r.p, rd_left(&r));
        if (n == 0 || !rd_take(&r, n))
            return false;
    }
    return r.ok && r.p == r.end;
}

/* The text without white space at its ends; false if it is too long to be a ticket. */
static bool trim(const char *text, char out[static TICKET_TEXT_MAX + 1]) {
    static const char space[] = " \t\r\n";
    text += strspn(text, space);
    size_t n = strlen(text);
    while (n > 0 && strchr(space, text[n - 1]))
        n--;
    if (n > TICKET_TEXT_MAX)
        return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

int ticket_decode(struct ticket *t, const char *text) {
    uint8_t raw[TICKET_BYTES_MAX];
    char trimmed[TICKET_TEXT_MAX + 1];
    size_t len = 0;
    memset(t, 0, sizeof *t);
    bool good = trim(text, trimmed) &&
                bech32m_decode(raw, sizeof raw, &len, TICKET_HRP, trimmed) == 0 &&
                from_bytes(t, raw, len);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(trimmed, sizeof trimmed);
    if (!good)
        ticket_clear(t);
    return good ? 0 : ERR_FORMAT;
}

void ticket_psk(const struct ticket *t, struct psk *out) {
    static const char label[] = "meshd ticket psk v1";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, PSK_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, t->id.bytes, sizeof t->id.bytes);
    crypto_generichash_update(&h, t->secret, sizeof t->secret);
    crypto_generichash_final(&h, out->bytes, PSK_BYTES);
    sodium_memzero(&h, sizeof h);
}

void ticket_clear(struct ticket *t) {
    sodium_memzero(t, sizeof *t);
}
