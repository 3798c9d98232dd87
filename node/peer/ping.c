#include "node/peer/ping.h"

#include <stdlib.h>
#include <string.h>

#include "node/node_int.h"

static void drop(struct node *n, unsigned i) {
    struct pings *t = &n->pings;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i - 1) * sizeof *t->list);
    t->count--;
}

static void fail(struct node *n, unsigned i, const char *name, int err) {
    struct node_event *e = node_tell(n, NODE_PING_FAILED, name);
    e->id = n->pings.list[i].id;
    e->err = err;
    e->cause = cause_here(err);
    drop(n, i);
}

static bool send(struct node *n, struct ping *p, struct contact *c) {
    p->sent_us = n->now_us;
    p->sent = session_ping(n->ep, n->now_us, c->session, p->id) == 0;
    if (p->sent)
        dial_expect(n, c);
    return p->sent;
}

int node_ping(struct node *n, uint64_t now_us, const char *name, uint64_t timeout_us,
              uint64_t *id) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, name);
    if (!c)
        return ERR_NOT_FOUND;
    struct pings *t = &n->pings;
    if (t->count >= PINGS_MAX)
        return node_met(n, LIMIT_PINGS, PINGS_MAX);
    if (t->count == t->cap) {
        unsigned cap = t->cap ? t->cap * 2 : 4;
        struct ping *grown = realloc(t->list, cap * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        t->list = grown;
        t->cap = cap;
    }
    struct ping p = {.id = t->last_id + 1, .contact = c->serial, .patient = timeout_us > 0};
    p.deadline_us = now_us + (p.patient ? timeout_us : PING_US);
    if (c->online) {
        if (!send(n, &p, c))
            return ERR_CLOSED;
    } else {
        int err = dial_now(n, c);
        if (err)
            return err;
    }
    t->last_id++;
    t->list[t->count++] = p;
    *id = p.id;
    return 0;
}

void node_ping_stop(struct node *n, uint64_t id) {
    for (unsigned i = 0; i < n->pings.count; i++)
        if (n->pings.list[i].id == id) {
            drop(n, i);
            return;
        }
}

void pings_clear(struct node *n) {
    free(n->pings.list);
    n->pings = (struct pings){0};
}

void ping_peer_up(struct node *n, struct contact *c) {
    for (unsigned i = n->pings.count; i-- > 0;) {
        struct ping *p = &n->pings.list[i];
        if (p->contact == c->serial && !p->sent && !send(n, p, c))
            fail(n, i, c->name, ERR_CLOSED);
    }
}

void ping_peer_lost(struct node *n, struct contact *c, int err) {
    for (unsigned i = n->pings.count; i-- > 0;)
        if (n->pings.list[i].contact == c->serial &&
            !(n->pings.list[i].patient && err == ERR_OFFLINE))
            fail(n, i, c->name, err);
}

uint64_t ping_peer_silent(struct node *n, struct contact *c, uint64_t before_us) {
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = n->pings.count; i-- > 0;) {
        const struct ping *p = &n->pings.list[i];
        if (p->contact != c->serial || p->patient || !p->sent)
            continue;
        if (p->sent_us > before_us)
            next_us = p->sent_us < next_us ? p->sent_us : next_us;
        else if (p->sent_us >= endpoint_heard_us(n->ep, c->peer))
            fail(n, i, c->name, ERR_OFFLINE);
    }
    return next_us;
}

void ping_answered(struct node *n, struct contact *c, uint64_t id) {
    dial_answered(n, c);
    for (unsigned i = 0; i < n->pings.count; i++) {
        if (n->pings.list[i].id != id || n->pings.list[i].contact != c->serial)
            continue;
        struct session_info info;
        struct node_event *e = node_tell(n, NODE_PONG, c->name);
        e->id = id;
        e->rtt_us = n->now_us - n->pings.list[i].sent_us;
        if (endpoint_session_info(n->ep, n->now_us, c->session, &info))
            e->addr = info.path;
        drop(n, i);
        return;
    }
}

uint64_t pings_deadline_us(const struct node *n) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < n->pings.count; i++)
        if (n->pings.list[i].deadline_us < next)
            next = n->pings.list[i].deadline_us;
    return next;
}

void pings_timeout(struct node *n) {
    for (unsigned i = n->pings.count; i-- > 0;) {
        if (n->pings.list[i].deadline_us > n->now_us)
            continue;
        const struct contact *c = contact_by_serial(n, n->pings.list[i].contact);
        fail(n, i, c ? c->name : "", n->pings.list[i].sent ? ERR_TIMEOUT : ERR_OFFLINE);
    }
}
