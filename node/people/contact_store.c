#include "node/people/contact_store.h"
#include "node/people/petname.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"

/* ---- denials ---- */
/* By code: appended, never renumbered. */
static const int denials[] = {0, ERR_TICKET, ERR_UNKNOWN, ERR_SECRET, ERR_STALE, ERR_AUTH};
enum { DENIALS = sizeof denials / sizeof denials[0] };
_Static_assert(DENIALS <= DENIAL_CODE_MAX + 1, "three bits");

unsigned denial_code(int err) {
    for (unsigned i = 1; i < DENIALS; i++)
        if (denials[i] == err)
            return i;
    return 0;
}

int denial_of_code(unsigned code) {
    return code < DENIALS ? denials[code] : 0;
}

/* ---- one contact ---- */
static const char table[] = "contacts";

enum {
    CONTACT_VERSION_WITH_WAYS = 3,
    CONTACT_VERSION = 2,
    CONTACT_VERSION_BY_NAME = 1,
    FLAG_PAIRED = 1,
    FLAG_PAIRING = 2,
    DENIAL_SHIFT = 2 /* the code of the denial, three bits */
};

/* ---- one entry ---- */
static void encode_ways(struct wr *w, const struct contact *c) {
    wr_u8(w, (uint8_t)c->path);
    wr_u8(w, (uint8_t)(c->relays ? c->relays->count : 0));
    for (unsigned i = 0; c->relays && i < c->relays->count; i++) {
        uint8_t a[RELAY_ADDR_WIRE_MAX];
        wr_bytes(w, a, relay_addr_write(&c->relays->list[i], a));
    }
}

size_t contact_encode(const struct contact *c, uint8_t out[static CONTACT_VALUE_MAX]) {
    struct wr w = wr_init(out, CONTACT_VALUE_MAX);
    size_t name_len = strlen(c->name);
    const bool ways = c->relays || c->path != CONTACT_PATH_NODE;
    wr_u8(&w, ways ? CONTACT_VERSION_WITH_WAYS : CONTACT_VERSION);
    wr_u8(&w, (uint8_t)((c->paired ? FLAG_PAIRED : 0) | (c->pairing ? FLAG_PAIRING : 0) |
                        denial_code(c->denied) << DENIAL_SHIFT));
    wr_u8(&w, (uint8_t)name_len);
    wr_bytes(&w, c->name, name_len);
    wr_bytes(&w, c->transport.bytes, sizeof c->transport.bytes);
    wr_u64(&w, c->cert_seq);
    wr_bytes(&w, c->psk.bytes, sizeof c->psk.bytes);
    wr_bytes(&w, c->ticket.bytes, sizeof c->ticket.bytes);
    wr_u8(&w, (uint8_t)c->addr_count);
    for (unsigned i = 0; i < c->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        wr_bytes(&w, a, addr_write(&c->addrs[i], a));
    }
    if (ways)
        encode_ways(&w, c);
    return wr_len(&w);
}

/* Who it is: id and name. The cursor stands behind version and flags. */
static bool decode_who(struct contact *c, bool by_name, struct rd *r, const uint8_t *key,
                       size_t key_len) {
    size_t name_len = by_name ? key_len : rd_u8(r);
    if (name_len > PETNAME_MAX || (!by_name && key_len != NODE_ID_BYTES))
        return false;
    if (by_name) {
        memcpy(c->name, key, key_len);
        rd_bytes(r, c->id.bytes, sizeof c->id.bytes);
    } else {
        memcpy(c->id.bytes, key, NODE_ID_BYTES);
        rd_bytes(r, (uint8_t *)c->name, name_len);
    }
    return r->ok && strlen(c->name) == name_len && petname_ok(c->name);
}

static bool decode_addrs(struct contact *c, struct rd *r) {
    c->addr_count = rd_u8(r);
    if (!r->ok || c->addr_count > PEER_ADDRS_MAX)
        return false;
    for (unsigned i = 0; i < c->addr_count; i++) {
        size_t n = addr_read(&c->addrs[i], r->p, rd_left(r));
        if (n == 0 || !rd_take(r, n))
            return false;
    }
    return true;
}

static bool decode_ways(struct contact *c, struct relay_set *relays, struct rd *r) {
    const uint8_t path = rd_u8(r), count = rd_u8(r);
    if (!r->ok || path > CONTACT_PATH_DIRECT_ONLY || count > RELAY_SET_MAX)
        return false;
    c->path = (enum contact_path)path;
    for (unsigned i = 0; i < count; i++) {
        struct relay_addr a;
        const char *wrong;
        size_t n = relay_addr_read(&a, r->p, rd_left(r), &wrong);
        if (n == 0 || !rd_take(r, n) || !relay_set_add(relays, &a))
            return false;
    }
    c->relays = count > 0 ? relays : NULL;
    return true;
}

bool contact_decode(struct contact *c, struct relay_set *relays, const uint8_t *key, size_t key_len,
                    const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    uint8_t version = rd_u8(&r), flags = rd_u8(&r);
    bool by_name = version == CONTACT_VERSION_BY_NAME;
    const bool ways = version == CONTACT_VERSION_WITH_WAYS;
    memset(c, 0, sizeof *c);
    memset(relays, 0, sizeof *relays);
    if ((version != CONTACT_VERSION && !by_name && !ways) ||
        !decode_who(c, by_name, &r, key, key_len))
        return false;
    c->paired = flags & FLAG_PAIRED;
    c->pairing = flags & FLAG_PAIRING;
    c->denied = denial_of_code(flags >> DENIAL_SHIFT & DENIAL_CODE_MAX);
    rd_bytes(&r, c->transport.bytes, sizeof c->transport.bytes);
    if (!by_name)
        c->cert_seq = rd_u64(&r);
    rd_bytes(&r, c->psk.bytes, sizeof c->psk.bytes);
    rd_bytes(&r, c->ticket.bytes, sizeof c->ticket.bytes);
    return decode_addrs(c, &r) && (!ways || decode_ways(c, relays, &r)) && r.p == r.end;
}

int contact_store_put(struct contacts *people, const struct contact *c) {
    uint8_t value[CONTACT_VALUE_MAX];
    size_t len = contact_encode(c, value);
    int err = keep_put(people->keep, table, c->id.bytes, sizeof c->id.bytes, value, len);
    sodium_memzero(value, sizeof value);
    return err;
}

int contact_store_del(struct contacts *people, const struct node_id *id) {
    return keep_del(people->keep, table, id->bytes, sizeof id->bytes);
}

int contact_store_del_by_name(struct contacts *people, const char *name) {
    return keep_del(people->keep, table, name, strlen(name));
}

int contact_store_next(struct contacts *people, uint8_t key[static STORE_KEY_MAX], size_t *key_len,
                       struct contact *c, struct relay_set *relays, bool *by_name) {
    uint8_t value[CONTACT_VALUE_MAX];
    size_t len;
    int err = keep_next(people->keep, table, key, key_len, value, sizeof value, &len);
    if (err == ERR_FULL || (!err && !contact_decode(c, relays, key, *key_len, value, len)))
        err = ERR_FORMAT;
    *by_name = !err && value[0] == CONTACT_VERSION_BY_NAME;
    sodium_memzero(value, sizeof value);
    return err;
}
