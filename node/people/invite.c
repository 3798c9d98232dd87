#include "node/people/invite.h"
#include "crypto/base/mem.h"
#include "node/people/petname.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/endpoint.h"
#include "net/wire/handshake_msg.h"

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

static bool expired(const struct invites *invites, const struct invite *v) {
    return v->expires_s <= turn_wall_us(invites->turn) / 1000000;
}

/* When the wall clock reaches the expiry, in this node's monotonic time. */
static uint64_t expires_us(const struct invites *invites, const struct invite *v) {
    uint64_t wall = turn_wall_us(invites->turn);
    if (v->expires_s > UINT64_MAX / 2000000)
        return UINT64_MAX / 2;
    uint64_t at = v->expires_s * 1000000;
    return invites->turn->now_us + (at > wall ? at - wall : 0);
}

int invite_store_del(struct invites *invites, const struct psk *psk) {
    return keep_del(invites->keep, table, psk->bytes, PSK_BYTES);
}

/* Its bytes go from the disk, too. */
static void sweep(struct invites *invites, const struct psk *psk) {
    int err = invite_store_del(invites, psk);
    if (err)
        turn_log(invites->turn, LOG_ERROR, "a ticket that has ended could not be removed: %s",
                 err_text(err));
    keep_scrub(invites->keep);
}

/* Into the table and the endpoint. */
static int insert(struct invites *invites, const struct invite *v) {
    if (invites->count >= TICKETS_OPEN_MAX)
        return turn_met(invites->turn, LIMIT_TICKETS, TICKETS_OPEN_MAX);
    if (!invites->list)
        invites->list = mem_calloc(TICKETS_OPEN_MAX, sizeof *invites->list);
    if (!invites->list)
        return ERR_NOMEM;
    int err = endpoint_ticket_open(invites->turn->ep, &v->psk, expires_us(invites, v));
    if (!err)
        invites->list[invites->count++] = *v;
    return err;
}

/* An older meshd named unnamed tickets after the node that gave them out, and stored that. */
static void forget_own_name(const struct invites *invites, struct invite *v) {
    char text[NODE_ID_TEXT_CHARS + 1], own[PETNAME_MAX + 1];
    node_id_text(&invites->turn->id, text);
    int len = snprintf(own, sizeof own, "peer-%.8s", text + sizeof NODE_ID_HRP);
    if (strncmp(v->name, own, (size_t)len) == 0 && (v->name[len] == '\0' || v->name[len] == '-'))
        sodium_memzero(v->name, sizeof v->name);
}

int invites_load(struct invites *invites) {
    uint8_t key[STORE_KEY_MAX], value[INVITE_VALUE_MAX];
    size_t key_len = 0, len;
    int err;
    while ((err = keep_next(invites->keep, table, key, &key_len, value, sizeof value, &len)) == 0) {
        struct invite v = {0};
        bool good = decode(&v, key, key_len, value, len);
        forget_own_name(invites, &v);
        if (!good)
            turn_log(invites->turn, LOG_ERROR, "a stored ticket cannot be read; it is left alone");
        /* A contact of the reserved name was stored by an older meshd, which died before
         * burning. */
        else if (expired(invites, &v) || (v.name[0] && contact_by_name(invites->contacts, v.name)))
            sweep(invites, &v.psk);
        else
            err = insert(invites, &v);
        sodium_memzero(&v, sizeof v);
        if (err)
            break;
    }
    sodium_memzero(key, sizeof key);
    return err == ERR_NOT_FOUND ? 0 : err;
}

void invites_clear(struct invites *invites) {
    if (invites->list)
        sodium_memzero(invites->list, TICKETS_OPEN_MAX * sizeof *invites->list);
    mem_free(invites->list);
    invites->list = NULL;
    invites->count = 0;
}

bool invite_name_reserved(const struct invites *invites, const char *name) {
    for (unsigned i = 0; i < invites->count; i++)
        if (strcmp(invites->list[i].name, name) == 0 && !expired(invites, &invites->list[i]))
            return true;
    return false;
}

bool invite_name_taken(const struct invites *invites, const char *name) {
    return contact_by_name(invites->contacts, name) || invite_name_reserved(invites, name);
}

void invite_free_name(const struct invites *invites, const struct node_id *id,
                      char out[static PETNAME_MAX + 1]) {
    unsigned i = 0;
    do
        petname_default(id, i++, out);
    while (invite_name_taken(invites, out));
}

/* The holder will find its ticket: it may be shown. */
static void stored(const struct owed *o) {
    struct invites *invites = o->self;
    contacts_tell(invites->contacts, NODE_TICKET_STORED, NULL)->id = o->ref;
}

int invite_open(struct invites *invites, const struct invite *v) {
    invites_timeout(invites);
    if (invites->count >= TICKETS_OPEN_MAX)
        return turn_met(invites->turn, LIMIT_TICKETS, TICKETS_OPEN_MAX);
    uint8_t value[INVITE_VALUE_MAX];
    struct wr w = wr_init(value, sizeof value);
    wr_u8(&w, INVITE_VERSION);
    wr_u64(&w, v->expires_s);
    wr_bytes(&w, v->name, strlen(v->name));
    int err = keep_begin(invites->keep);
    if (err)
        return err;
    const struct owed made = {.run = stored, .self = invites, .ref = psk_id(&v->psk)};
    err = keep_put(invites->keep, table, v->psk.bytes, PSK_BYTES, value, wr_len(&w));
    if (!err)
        err = keep_owe(invites->keep, &made);
    err = keep_end(invites->keep, err);
    if (err)
        return err;
    err = insert(invites, v);
    if (err)
        sweep(invites, &v->psk);
    return err;
}

static int find(const struct invites *invites, const struct psk *psk) {
    for (unsigned i = 0; i < invites->count; i++)
        if (sodium_memcmp(invites->list[i].psk.bytes, psk->bytes, PSK_BYTES) == 0)
            return (int)i;
    return -1;
}

bool invite_find(const struct invites *invites, const struct psk *psk, struct invite *out) {
    int i = find(invites, psk);
    if (i < 0 || expired(invites, &invites->list[i]))
        return false;
    *out = invites->list[i];
    return true;
}

static void forget_at(struct invites *invites, unsigned i) {
    endpoint_ticket_close(invites->turn->ep, &invites->list[i].psk);
    invites->list[i] = invites->list[--invites->count];
    sodium_memzero(&invites->list[invites->count], sizeof invites->list[0]);
    if (invites->count == 0)
        invites_clear(invites);
    keep_scrub(invites->keep);
}

void invite_forget(struct invites *invites, const struct psk *psk) {
    int i = find(invites, psk);
    if (i >= 0)
        forget_at(invites, (unsigned)i);
}

int invite_reopen(struct invites *invites, const struct psk *psk) {
    int i = find(invites, psk);
    return i < 0 ? 0
                 : endpoint_ticket_open(invites->turn->ep, psk,
                                        expires_us(invites, &invites->list[i]));
}

int invite_store_del_name(struct invites *invites, const char *name) {
    int err = 0;
    for (unsigned i = 0; !err && i < invites->count; i++)
        if (strcmp(invites->list[i].name, name) == 0)
            err = invite_store_del(invites, &invites->list[i].psk);
    return err;
}

void invite_forget_name(struct invites *invites, const char *name) {
    for (unsigned i = invites->count; i-- > 0;)
        if (strcmp(invites->list[i].name, name) == 0)
            forget_at(invites, i);
}

uint64_t invites_deadline_us(const struct invites *invites) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < invites->count; i++) {
        uint64_t at = expires_us(invites, &invites->list[i]);
        if (at < next)
            next = at;
    }
    return next;
}

void invites_timeout(struct invites *invites) {
    for (unsigned i = invites->count; i-- > 0;)
        if (expired(invites, &invites->list[i])) {
            sweep(invites, &invites->list[i].psk);
            forget_at(invites, i);
        }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static int part_load(void *self) {
    return invites_load(self);
}

static void part_clear(void *self) {
    invites_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return invites_deadline_us(self);
}

static void part_timeout(void *self) {
    invites_timeout(self);
}

const struct part_ops invites_part = {.load = part_load,
                                      .clear = part_clear,
                                      .deadline_us = part_deadline_us,
                                      .timeout = part_timeout};
