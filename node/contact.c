#include "node/contact.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "node/core.h"
#include "node/utf8.h"

static const char table[] = "contacts";

enum { CONTACT_VERSION = 1, FLAG_PAIRED = 1, FLAG_PAIRING = 2 };

/* ---- names ---- */
bool petname_ok(const char *name) {
    size_t n = strlen(name);
    return n >= 1 && n <= PETNAME_MAX && utf8_all_plain(name, n) && !memchr(name, '/', n) &&
           name[0] != ' ' && name[0] != '-' && name[n - 1] != ' ';
}

void petname_default(const struct node_id *id, char out[static PETNAME_MAX + 1]) {
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(id, text);
    snprintf(out, PETNAME_MAX + 1, "peer-%.8s", text + sizeof NODE_ID_HRP);
}

/* ---- the stored form ---- */
size_t contact_encode(const struct contact *c, uint8_t out[static CONTACT_VALUE_MAX]) {
    struct wr w = wr_init(out, CONTACT_VALUE_MAX);
    wr_u8(&w, CONTACT_VERSION);
    wr_u8(&w, (uint8_t)((c->paired ? FLAG_PAIRED : 0) | (c->pairing ? FLAG_PAIRING : 0)));
    wr_bytes(&w, c->id.bytes, sizeof c->id.bytes);
    wr_bytes(&w, c->transport.bytes, sizeof c->transport.bytes);
    wr_bytes(&w, c->psk.bytes, sizeof c->psk.bytes);
    wr_bytes(&w, c->ticket.bytes, sizeof c->ticket.bytes);
    wr_u8(&w, (uint8_t)c->addr_count);
    for (unsigned i = 0; i < c->addr_count; i++) {
        uint8_t a[ADDR_WIRE_MAX];
        wr_bytes(&w, a, addr_write(&c->addrs[i], a));
    }
    return wr_len(&w);
}

bool contact_decode(struct contact *c, const uint8_t *in, size_t len) {
    struct rd r = rd_init(in, len);
    if (rd_u8(&r) != CONTACT_VERSION)
        return false;
    uint8_t flags = rd_u8(&r);
    c->paired = flags & FLAG_PAIRED;
    c->pairing = flags & FLAG_PAIRING;
    rd_bytes(&r, c->id.bytes, sizeof c->id.bytes);
    rd_bytes(&r, c->transport.bytes, sizeof c->transport.bytes);
    rd_bytes(&r, c->psk.bytes, sizeof c->psk.bytes);
    rd_bytes(&r, c->ticket.bytes, sizeof c->ticket.bytes);
    c->addr_count = rd_u8(&r);
    if (!r.ok || c->addr_count > PEER_ADDRS_MAX)
        return false;
    for (unsigned i = 0; i < c->addr_count; i++) {
        size_t n = addr_read(&c->addrs[i], r.p, rd_left(&r));
        if (n == 0 || !rd_take(&r, n))
            return false;
    }
    return r.p == r.end;
}

static int store_contact(const struct node *n, const struct contact *c) {
    uint8_t value[CONTACT_VALUE_MAX];
    size_t len = contact_encode(c, value);
    int err = n->env.store.put(n->env.store.ctx, table, c->name, strlen(c->name), value, len);
    sodium_memzero(value, sizeof value);
    return err;
}

/* ---- the table ---- */
/* The first place whose name is not smaller. */
static unsigned place(const struct node *n, const char *name) {
    unsigned lo = 0, hi = n->contacts.count;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (strcmp(n->contacts.list[mid]->name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int tell_endpoint(struct node *n, struct contact *c) {
    struct peer_setup s = {
        .id = c->id, .transport = c->transport, .pairing = c->pairing, .addr_count = c->addr_count};
    if (c->paired)
        s.psks[s.psk_count++] = c->psk;
    if (c->pairing)
        s.psks[s.psk_count++] = c->ticket;
    memcpy(s.addrs, c->addrs, sizeof s.addrs);
    int err = endpoint_peer_add(n->ep, &s, &c->peer);
    sodium_memzero(&s, sizeof s);
    return err;
}

static void free_contact(struct contact *c) {
    sodium_memzero(c, sizeof *c);
    free(c);
}

/* Into the table and the endpoint, not into the store. */
static int insert(struct node *n, const struct contact *model, struct contact **out) {
    struct contacts *t = &n->contacts;
    if (t->count >= CONTACTS_MAX)
        return ERR_FULL;
    if (t->count == t->cap) {
        unsigned cap = t->cap ? t->cap * 2 : 8;
        struct contact **list = realloc(t->list, cap * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        t->list = list;
        t->cap = cap;
    }
    struct contact *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    memcpy(c->name, model->name, sizeof c->name);
    c->id = model->id;
    c->transport = model->transport;
    c->psk = model->psk;
    c->ticket = model->ticket;
    c->paired = model->paired;
    c->pairing = model->pairing;
    memcpy(c->addrs, model->addrs, sizeof c->addrs);
    c->addr_count = model->addr_count;
    c->serial = ++t->last_serial;
    int err = tell_endpoint(n, c);
    if (err) {
        free_contact(c);
        return err;
    }
    unsigned at = place(n, c->name);
    memmove(&t->list[at + 1], &t->list[at], (t->count - at) * sizeof(struct contact *));
    t->list[at] = c;
    t->count++;
    *out = c;
    return 0;
}

/* Out of the table and the endpoint. */
static void take_out(struct node *n, struct contact *c) {
    struct contacts *t = &n->contacts;
    unsigned at = place(n, c->name);
    memmove(&t->list[at], &t->list[at + 1], (t->count - at - 1) * sizeof(struct contact *));
    t->count--;
    endpoint_peer_remove(n->ep, n->now_us, c->peer);
    free_contact(c);
}

int contacts_load(struct node *n) {
    uint8_t key[STORE_KEY_MAX], value[CONTACT_VALUE_MAX];
    size_t key_len = 0, len;
    int err;
    n->contacts.retry_us = UINT64_MAX;
    while ((err = n->env.store.next(n->env.store.ctx, table, key, &key_len, value, sizeof value,
                                    &len)) == 0) {
        struct contact c = {0}, *made;
        bool good = key_len <= PETNAME_MAX && contact_decode(&c, value, len);
        if (good)
            memcpy(c.name, key, key_len);
        if (!good || !petname_ok(c.name))
            node_log(n, LOG_ERROR, "a stored contact cannot be read; it is left alone");
        else
            err = insert(n, &c, &made);
        sodium_memzero(&c, sizeof c);
        if (err)
            break;
    }
    sodium_memzero(value, sizeof value);
    return err == ERR_NOT_FOUND ? 0 : err;
}

void contacts_clear(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        free_contact(n->contacts.list[i]);
    free(n->contacts.list);
    n->contacts = (struct contacts){.retry_us = UINT64_MAX};
}

/* ---- finding ---- */
struct contact *contact_by_name(const struct node *n, const char *name) {
    unsigned at = place(n, name);
    if (at < n->contacts.count && strcmp(n->contacts.list[at]->name, name) == 0)
        return n->contacts.list[at];
    return NULL;
}

struct contact *contact_by_id(const struct node *n, const struct node_id *id) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        if (node_id_equal(&n->contacts.list[i]->id, id))
            return n->contacts.list[i];
    return NULL;
}

struct contact *contact_by_serial(const struct node *n, uint32_t serial) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        if (n->contacts.list[i]->serial == serial)
            return n->contacts.list[i];
    return NULL;
}

struct contact *contact_by_peer(const struct node *n, struct peer_ref p) {
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        if (c->peer.index == p.index && c->peer.generation == p.generation)
            return c;
    }
    return NULL;
}

struct contact *contact_by_session(const struct node *n, struct session_ref s) {
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        if (c->online && session_ref_equal(c->session, s))
            return c;
    }
    return NULL;
}

/* ---- changing ---- */
int contact_add(struct node *n, const struct contact *model, struct contact **out) {
    if (contact_by_name(n, model->name) || contact_by_id(n, &model->id))
        return ERR_EXISTS;
    int err = insert(n, model, out);
    if (err)
        return err;
    err = store_contact(n, *out);
    if (err) {
        take_out(n, *out);
        return err;
    }
    node_tell(n, NODE_CONTACT_ADDED, (*out)->name);
    return 0;
}

int contact_update(struct node *n, struct contact *c) {
    int err = store_contact(n, c);
    return err ? err : tell_endpoint(n, c);
}

int contact_drop(struct node *n, struct contact *c) {
    char name[PETNAME_MAX + 1];
    memcpy(name, c->name, sizeof name);
    int err = n->env.store.del(n->env.store.ctx, table, name, strlen(name));
    if (err)
        return err;
    take_out(n, c);
    node_tell(n, NODE_CONTACT_REMOVED, name);
    return 0;
}

void contact_seen_at(struct node *n, struct contact *c, const struct addr *at) {
    if (at->kind == ADDR_NONE || (c->addr_count && addr_equal(&c->addrs[0], at)))
        return;
    unsigned i = 0;
    while (i < c->addr_count && !addr_equal(&c->addrs[i], at))
        i++;
    if (i == c->addr_count) {
        if (c->addr_count < PEER_ADDRS_MAX)
            c->addr_count++;
        else
            i--; /* the last one, tried last, gives way */
    }
    struct addr first = *at;
    memmove(&c->addrs[1], &c->addrs[0], i * sizeof c->addrs[0]);
    c->addrs[0] = first;
    int err = contact_update(n, c);
    if (err)
        node_log(n, LOG_WARN, "the address of \"%s\" was not stored: %s", c->name, err_text(err));
}

void contact_info_fill(const struct node *n, const struct contact *c, uint64_t now_us,
                       struct contact_info *out) {
    memset(out, 0, sizeof *out);
    memcpy(out->name, c->name, sizeof out->name);
    out->id = c->id;
    out->paired = c->paired;
    out->online = c->online && endpoint_session_info(n->ep, now_us, c->session, &out->session);
    memcpy(out->addrs, c->addrs, sizeof out->addrs);
    out->addr_count = c->addr_count;
    out->queued = c->queued;
}

/* ---- trying again ---- */
void contact_retry_later(struct node *n, struct contact *c) {
    if (n->shut)
        return;
    c->backoff_us = c->backoff_us == 0 ? CONTACT_RETRY_US : c->backoff_us * 2;
    if (c->backoff_us > CONTACT_RETRY_MAX_US)
        c->backoff_us = CONTACT_RETRY_MAX_US;
    c->retry_us = n->now_us + c->backoff_us;
    if (c->retry_us < n->contacts.retry_us)
        n->contacts.retry_us = c->retry_us;
}

void contact_retry_reset(struct contact *c) {
    c->retry_us = 0;
    c->backoff_us = 0;
}

uint64_t contacts_deadline_us(const struct node *n) {
    return n->contacts.retry_us;
}

static void retry(struct node *n, struct contact *c) {
    c->retry_us = 0;
    if (c->queued == 0)
        return;
    if (c->online)
        message_kick(n, c);
    else if (endpoint_connect(n->ep, n->now_us, c->peer) != 0)
        contact_retry_later(n, c);
}

void contacts_timeout(struct node *n) {
    if (n->now_us < n->contacts.retry_us)
        return;
    uint64_t next = UINT64_MAX;
    n->contacts.retry_us = UINT64_MAX;
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        if (c->retry_us && c->retry_us <= n->now_us)
            retry(n, c);
        if (c->retry_us && c->retry_us < next)
            next = c->retry_us;
    }
    n->contacts.retry_us = next;
}
