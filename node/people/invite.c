#include "node/people/invite.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/wire/handshake_msg.h"
#include "node/node_int.h"

static const char table[] = "tickets";

enum { INVITE_VERSION = 1, INVITE_VALUE_MAX = 1 + 8 + PETNAME_MAX };

static bool decode(struct invite *v, const uint8_t *key, size_t key_len, const uint8_t *in,
                   size_t len) {
    struct rd r = rd_init(in, len);
    bool version = rd_u8(&r) == INVITE_VERSION;
    v->expires_s = rd_u64(&r);
    size_t n = rd_left(&r);
    if (!version || key_len != PSK_BYTES || n > PETNAME_MAX || !r.ok)
        return false;
    memcpy(v->psk.bytes, key, PSK_BYTES);
    rd_bytes(&r, (uint8_t *)v->name, n);
    return n == 0 || petname_ok(v->name);
}

static bool expired(const struct node *n, const struct invite *v) {
    return v->expires_s <= node_wall_us(n) / 1000000;
}

/* When the wall clock reaches the expiry, in this node's monotonic time. */
static uint64_t expires_us(const struct node *n, const struct invite *v) {
    uint64_t wall = node_wall_us(n);
    if (v->expires_s > UINT64_MAX / 2000000)
        return UINT64_MAX / 2;
    uint64_t at = v->expires_s * 1000000;
    return n->now_us + (at > wall ? at - wall : 0);
}

int invite_store_del(struct node *n, const struct psk *psk) {
    return keep_del(n, table, psk->bytes, PSK_BYTES);
}

/* Its bytes go from the disk, too. */
static void sweep(struct node *n, const struct psk *psk) {
    int err = invite_store_del(n, psk);
    if (err)
        node_log(n, LOG_ERROR, "a ticket that has ended could not be removed: %s", err_text(err));
    keep_scrub(n);
}

/* Into the table and the endpoint. */
static int insert(struct node *n, const struct invite *v) {
    struct invites *t = &n->invites;
    if (t->count >= TICKETS_OPEN_MAX)
        return node_met(n, LIMIT_TICKETS, TICKETS_OPEN_MAX);
    if (!t->list)
        t->list = calloc(TICKETS_OPEN_MAX, sizeof *t->list);
    if (!t->list)
        return ERR_NOMEM;
    int err = endpoint_ticket_open(n->ep, &v->psk, expires_us(n, v));
    if (!err)
        t->list[t->count++] = *v;
    return err;
}

/* An older meshd named unnamed tickets after the node that gave them out, and stored that. */
static void forget_own_name(const struct node *n, struct invite *v) {
    char text[NODE_ID_TEXT_CHARS + 1], own[PETNAME_MAX + 1];
    node_id_text(&n->id, text);
    int len = snprintf(own, sizeof own, "peer-%.8s", text + sizeof NODE_ID_HRP);
    if (strncmp(v->name, own, (size_t)len) == 0 && (v->name[len] == '\0' || v->name[len] == '-'))
        sodium_memzero(v->name, sizeof v->name);
}

int invites_load(struct node *n) {
    uint8_t key[STORE_KEY_MAX], value[INVITE_VALUE_MAX];
    size_t key_len = 0, len;
    int err;
    while ((err = keep_next(n, table, key, &key_len, value, sizeof value, &len)) == 0) {
        struct invite v = {0};
        bool good = decode(&v, key, key_len, value, len);
        forget_own_name(n, &v);
        if (!good)
            node_log(n, LOG_ERROR, "a stored ticket cannot be read; it is left alone");
        /* A contact of the reserved name was stored by an older meshd, which died before burning. */
        else if (expired(n, &v) || (v.name[0] && contact_by_name(n, v.name)))
            sweep(n, &v.psk);
        else
            err = insert(n, &v);
        sodium_memzero(&v, sizeof v);
        if (err)
            break;
    }
    sodium_memzero(key, sizeof key);
    return err == ERR_NOT_FOUND ? 0 : err;
}

void invites_clear(struct node *n) {
    if (n->invites.list)
        sodium_memzero(n->invites.list, TICKETS_OPEN_MAX * sizeof *n->invites.list);
    free(n->invites.list);
    n->invites = (struct invites){0};
}

bool invite_name_taken(const struct node *n, const char *name) {
    for (unsigned i = 0; i < n->invites.count; i++)
        if (strcmp(n->invites.list[i].name, name) == 0 && !expired(n, &n->invites.list[i]))
            return true;
    return false;
}

/* The holder will find its ticket: it may be shown. */
static void stored(struct node *n, const struct owed *o) {
    node_tell(n, NODE_TICKET_STORED, NULL)->id = o->ref;
}

int invite_open(struct node *n, const struct invite *v) {
    invites_timeout(n);
    if (n->invites.count >= TICKETS_OPEN_MAX)
        return node_met(n, LIMIT_TICKETS, TICKETS_OPEN_MAX);
    uint8_t value[INVITE_VALUE_MAX];
    struct wr w = wr_init(value, sizeof value);
    wr_u8(&w, INVITE_VERSION);
    wr_u64(&w, v->expires_s);
    wr_bytes(&w, v->name, strlen(v->name));
    int err = keep_begin(n);
    if (err)
        return err;
    const struct owed made = {.run = stored, .ref = psk_id(&v->psk)};
    err = keep_put(n, table, v->psk.bytes, PSK_BYTES, value, wr_len(&w));
    if (!err)
        err = keep_owe(n, &made);
    err = keep_end(n, err);
    if (err)
        return err;
    err = insert(n, v);
    if (err)
        sweep(n, &v->psk);
    return err;
}

static int find(const struct node *n, const struct psk *psk) {
    for (unsigned i = 0; i < n->invites.count; i++)
        if (sodium_memcmp(n->invites.list[i].psk.bytes, psk->bytes, PSK_BYTES) == 0)
            return (int)i;
    return -1;
}

bool invite_find(const struct node *n, const struct psk *psk, struct invite *out) {
    int i = find(n, psk);
    if (i < 0 || expired(n, &n->invites.list[i]))
        return false;
    *out = n->invites.list[i];
    return true;
}

static void forget_at(struct node *n, unsigned i) {
    struct invites *t = &n->invites;
    endpoint_ticket_close(n->ep, &t->list[i].psk);
    t->list[i] = t->list[--t->count];
    sodium_memzero(&t->list[t->count], sizeof t->list[0]);
    if (t->count == 0)
        invites_clear(n);
    keep_scrub(n);
}

void invite_forget(struct node *n, const struct psk *psk) {
    int i = find(n, psk);
    if (i >= 0)
        forget_at(n, (unsigned)i);
}

int invite_reopen(struct node *n, const struct psk *psk) {
    int i = find(n, psk);
    return i < 0 ? 0 : endpoint_ticket_open(n->ep, psk, expires_us(n, &n->invites.list[i]));
}

int invite_store_del_name(struct node *n, const char *name) {
    int err = 0;
    for (unsigned i = 0; !err && i < n->invites.count; i++)
        if (strcmp(n->invites.list[i].name, name) == 0)
            err = invite_store_del(n, &n->invites.list[i].psk);
    return err;
}

void invite_forget_name(struct node *n, const char *name) {
    for (unsigned i = n->invites.count; i-- > 0;)
        if (strcmp(n->invites.list[i].name, name) == 0)
            forget_at(n, i);
}

uint64_t invites_deadline_us(const struct node *n) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < n->invites.count; i++) {
        uint64_t at = expires_us(n, &n->invites.list[i]);
        if (at < next)
            next = at;
    }
    return next;
}

void invites_timeout(struct node *n) {
    for (unsigned i = n->invites.count; i-- > 0;)
        if (expired(n, &n->invites.list[i])) {
            sweep(n, &n->invites.list[i].psk);
            forget_at(n, i);
        }
}
