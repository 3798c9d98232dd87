#include "node/people/ticket.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/identity/bech32m.h"

enum {
    TICKET_VERSION = 1,
    TICKET_VERSION_WITH_RELAYS = 2,
    FLAG_SECRET = 1,
    FLAG_EXPIRY = 2,
    BYTES_MAX_WITHOUT_RELAYS =
        2 + 32 + 32 + TICKET_SECRET_BYTES + 4 + 1 + TICKET_ADDRS_MAX * ADDR_WIRE_MAX,
};

_Static_assert(sizeof TICKET_HRP + TICKET_CHECKSUM_CHARS + (TICKET_BYTES_MAX * 8 + 4) / 5 <=
                   TICKET_TEXT_MAX,
               "the largest ticket fits its text");
_Static_assert(BYTES_MAX_WITHOUT_RELAYS + 1 + RELAY_SET_MAX * (ADDR_WIRE_MAX + NODE_ID_BYTES) <=
                   TICKET_BYTES_MAX,
               "relays without names always find room");
_Static_assert(BYTES_MAX_WITHOUT_RELAYS + 1 + RELAY_ADDR_WIRE_MAX <= TICKET_BYTES_MAX,
               "so does one with the longest name");

/* ---- writing ---- */
static int write_addrs(const struct ticket *t, struct wr *w) {
    wr_u8(w, (uint8_t)t->addr_count);
    for (unsigned i = 0; i < t->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        size_t n = addr_write(&t->addrs[i], a);
        if (n == 0)
            return ERR_USAGE;
        wr_bytes(w, a, n);
    }
    return 0;
}

static int write_relays(const struct ticket *t, struct wr *w) {
    wr_u8(w, (uint8_t)t->relays.count);
    for (unsigned i = 0; i < t->relays.count; i++) {
        uint8_t a[RELAY_ADDR_WIRE_MAX];
        size_t n = relay_addr_write(&t->relays.list[i], a);
        if (n == 0)
            return ERR_USAGE;
        wr_bytes(w, a, n);
    }
    return 0;
}

/* As ticket_encode, the bytes: raw[0..TICKET_BYTES_MAX). */
static int to_bytes(const struct ticket *t, uint8_t *raw, size_t *len) {
    if (t->addr_count > TICKET_ADDRS_MAX || t->relays.count > RELAY_SET_MAX)
        return ERR_USAGE;
    struct wr w = wr_init(raw, TICKET_BYTES_MAX);
    wr_u8(&w, t->relays.count > 0 ? TICKET_VERSION_WITH_RELAYS : TICKET_VERSION);
    wr_u8(&w, (uint8_t)((t->has_secret ? FLAG_SECRET : 0) | (t->expires_s ? FLAG_EXPIRY : 0)));
    wr_bytes(&w, t->id.bytes, sizeof t->id.bytes);
    wr_bytes(&w, t->transport.bytes, sizeof t->transport.bytes);
    if (t->has_secret)
        wr_bytes(&w, t->secret, sizeof t->secret);
    if (t->expires_s)
        wr_u32(&w, t->expires_s);
    int err = write_addrs(t, &w);
    if (!err && t->relays.count > 0)
        err = write_relays(t, &w);
    *len = wr_len(&w);
    return err || w.ok ? err : ERR_FULL;
}

int ticket_encode(const struct ticket *t, char out[static TICKET_TEXT_MAX + 1]) {
    uint8_t raw[TICKET_BYTES_MAX];
    size_t len;
    int err = to_bytes(t, raw, &len);
    if (!err)
        err = bech32m_encode(out, TICKET_TEXT_MAX + 1, TICKET_HRP, raw, len);
    sodium_memzero(raw, sizeof raw);
    return err;
}

bool ticket_relay_add(struct ticket *t, const struct relay_addr *a) {
    uint8_t raw[TICKET_BYTES_MAX];
    size_t len;
    if (!relay_set_add(&t->relays, a))
        return false;
    const bool fits = to_bytes(t, raw, &len) == 0;
    if (!fits)
        t->relays.count--;
    sodium_memzero(raw, sizeof raw);
    return fits;
}

/* ---- reading ---- */
/* Half sentences about "the ticket"; what is wrong with a relay in it is one of relay_addr's. */
static const char not_one[] = "is damaged or not a ticket: one begins with " TICKET_HRP "1, and is "
                              "at most 1023 letters and digits long";
static const char damaged[] = "is damaged: a part of it is missing, or a character is another one";
static const char malformed[] = "is damaged: it does not say what a ticket says";
static const char newer[] = "is of a kind that this version of meshd does not know; update meshd";

static const char *read_addrs(struct ticket *t, struct rd *r) {
    t->addr_count = rd_u8(r);
    if (!r->ok || t->addr_count > TICKET_ADDRS_MAX)
        return malformed;
    for (unsigned i = 0; i < t->addr_count; i++) {
        size_t n = addr_read(&t->addrs[i], r->p, rd_left(r));
        if (n == 0 || !rd_take(r, n))
            return malformed;
    }
    return NULL;
}

static const char *read_relays(struct ticket *t, struct rd *r) {
    const unsigned count = rd_u8(r);
    if (!r->ok || count == 0 || count > RELAY_SET_MAX)
        return malformed;
    for (unsigned i = 0; i < count; i++) {
        struct relay_addr a;
        const char *wrong;
        size_t n = relay_addr_read(&a, r->p, rd_left(r), &wrong);
        if (n == 0)
            return wrong;
        if (!rd_take(r, n) || !relay_set_add(&t->relays, &a))
            return malformed;
    }
    return NULL;
}

static const char *from_bytes(struct ticket *t, const uint8_t *raw, size_t len) {
    struct rd r = rd_init(raw, len);
    uint8_t version = rd_u8(&r), flags = rd_u8(&r);
    if (version > TICKET_VERSION_WITH_RELAYS)
        return newer;
    if (version == 0 || (flags & ~(FLAG_SECRET | FLAG_EXPIRY)))
        return malformed;
    rd_bytes(&r, t->id.bytes, sizeof t->id.bytes);
    rd_bytes(&r, t->transport.bytes, sizeof t->transport.bytes);
    t->has_secret = flags & FLAG_SECRET;
    if (t->has_secret)
        rd_bytes(&r, t->secret, sizeof t->secret);
    if (flags & FLAG_EXPIRY) {
        t->expires_s = rd_u32(&r);
        if (t->expires_s == 0)
            return malformed;
    }
    const char *wrong = read_addrs(t, &r);
    if (!wrong && version == TICKET_VERSION_WITH_RELAYS)
        wrong = read_relays(t, &r);
    return wrong || (r.ok && r.p == r.end) ? wrong : malformed;
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

/* With the prefix of a ticket, in either case. */
static bool begins(const char *text) {
    static const char prefix[] = TICKET_HRP "1";
    for (size_t i = 0; prefix[i]; i++)
        if (text[i] != prefix[i] && text[i] != (prefix[i] & ~0x20))
            return false;
    return true;
}

static const char *from_text(struct ticket *t, const char *text) {
    uint8_t raw[TICKET_BYTES_MAX];
    char trimmed[TICKET_TEXT_MAX + 1];
    const char *wrong = not_one;
    size_t len = 0;
    memset(t, 0, sizeof *t);
    if (trim(text, trimmed) && begins(trimmed))
        wrong = bech32m_decode(raw, sizeof raw, &len, TICKET_HRP, trimmed) == 0
                    ? from_bytes(t, raw, len)
                    : damaged;
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(trimmed, sizeof trimmed);
    if (wrong)
        ticket_clear(t);
    return wrong;
}

int ticket_decode(struct ticket *t, const char *text) {
    const char *wrong = from_text(t, text);
    return wrong == newer ? ERR_UNSUPPORTED : wrong ? ERR_FORMAT : 0;
}

void ticket_wrong(const char *text, char out[static TICKET_WRONG_MAX]) {
    struct ticket t;
    const char *wrong = from_text(&t, text);
    const bool whole = wrong == not_one || wrong == damaged || wrong == malformed || wrong == newer;
    out[0] = '\0';
    if (wrong)
        snprintf(out, TICKET_WRONG_MAX, "%s%s",
                 whole ? "the ticket " : "the ticket names a relay that cannot be used: ", wrong);
    ticket_clear(&t);
}

enum { HASH_STACK_BYTES = 4096 };

void ticket_psk(const struct ticket *t, struct psk *out) {
    static const char label[] = "meshd ticket psk v1";
    crypto_generichash_state h;
    crypto_generichash_init(&h, NULL, 0, PSK_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)label, sizeof label - 1);
    crypto_generichash_update(&h, t->id.bytes, sizeof t->id.bytes);
    crypto_generichash_update(&h, t->secret, sizeof t->secret);
    crypto_generichash_final(&h, out->bytes, PSK_BYTES);
    sodium_memzero(&h, sizeof h);
    sodium_stackzero(HASH_STACK_BYTES); /* the hash leaves its result there, too */
}

void ticket_clear(struct ticket *t) {
    sodium_memzero(t, sizeof *t);
}
