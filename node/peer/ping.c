#include "node/peer/ping.h"

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/peer/dial.h"
#include <string.h>

static bool is_to(const struct ping *p, const struct peering *peer) {
    return p->peer.index == peer->ref.index && p->peer.generation == peer->ref.generation;
}

static void drop(struct pings *pings, unsigned i) {
    memmove(&pings->list[i], &pings->list[i + 1], (pings->count - i - 1) * sizeof *pings->list);
    pings->count--;
}

static void fail(struct pings *pings, unsigned i, const struct peering *peer, int err) {
    struct node_event *e = peering_tell_event(pings->peers, NODE_PING_FAILED, peer);
    e->id = pings->list[i].id;
    e->err = err;
    e->cause = cause_here(err);
    drop(pings, i);
}

static bool send(struct pings *pings, struct ping *p, struct peering *peer) {
    p->sent_us = pings->turn->now_us;
    p->sent = session_ping(pings->turn->ep, pings->turn->now_us, peer->session, p->id) == 0;
    if (p->sent)
        dial_expect(pings->dials, peer);
    return p->sent;
}

int ping_start(struct pings *pings, struct peering *peer, uint64_t timeout_us, uint64_t *id) {
    if (pings->count >= PINGS_MAX)
        return turn_met(pings->turn, LIMIT_PINGS, PINGS_MAX);
    if (!mem_grow(&pings->list, &pings->cap, pings->count + 1, sizeof *pings->list, PINGS_MAX))
        return ERR_NOMEM;
    struct ping p = {.id = pings->last_id + 1, .peer = peer->ref, .patient = timeout_us > 0};
    p.deadline_us = pings->turn->now_us + (p.patient ? timeout_us : PING_US);
    if (peer->online) {
        if (!send(pings, &p, peer))
            return ERR_CLOSED;
    } else {
        int err = dial_now(pings->dials, peer);
        if (err)
            return err;
    }
    pings->last_id++;
    pings->list[pings->count++] = p;
    *id = p.id;
    return 0;
}

void ping_stop(struct pings *pings, uint64_t id) {
    for (unsigned i = 0; i < pings->count; i++)
        if (pings->list[i].id == id) {
            drop(pings, i);
            return;
        }
}

void pings_clear(struct pings *pings) {
    mem_free(pings->list);
    pings->list = NULL;
    pings->count = pings->cap = 0;
}

void ping_peer_up(struct pings *pings, struct peering *peer) {
    for (unsigned i = pings->count; i-- > 0;) {
        struct ping *p = &pings->list[i];
        if (is_to(p, peer) && !p->sent && !send(pings, p, peer))
            fail(pings, i, peer, ERR_CLOSED);
    }
}

void ping_peer_lost(struct pings *pings, struct peering *peer, int err) {
    for (unsigned i = pings->count; i-- > 0;)
        if (is_to(&pings->list[i], peer) && !(pings->list[i].patient && err == ERR_OFFLINE))
            fail(pings, i, peer, err);
}

uint64_t ping_peer_silent(struct pings *pings, struct peering *peer, uint64_t before_us) {
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = pings->count; i-- > 0;) {
        const struct ping *p = &pings->list[i];
        if (!is_to(p, peer) || p->patient || !p->sent)
            continue;
        if (p->sent_us > before_us)
            next_us = p->sent_us < next_us ? p->sent_us : next_us;
        else if (p->sent_us >= endpoint_heard_us(pings->turn->ep, peer->ref))
            fail(pings, i, peer, ERR_OFFLINE);
    }
    return next_us;
}

void ping_answered(struct pings *pings, struct peering *peer, uint64_t id, const struct addr *at) {
    dial_answered(pings->dials, peer);
    for (unsigned i = 0; i < pings->count; i++) {
        if (pings->list[i].id != id || !is_to(&pings->list[i], peer))
            continue;
        struct node_event *e = peering_tell_event(pings->peers, NODE_PONG, peer);
        e->id = id;
        e->rtt_us = pings->turn->now_us - pings->list[i].sent_us;
        e->addr = *at;
        drop(pings, i);
        return;
    }
}

uint64_t pings_deadline_us(const struct pings *pings) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < pings->count; i++)
        if (pings->list[i].deadline_us < next)
            next = pings->list[i].deadline_us;
    return next;
}

void pings_timeout(struct pings *pings) {
    for (unsigned i = pings->count; i-- > 0;) {
        if (pings->list[i].deadline_us > pings->turn->now_us)
            continue;
        const struct peering *peer = peering_by_ref(pings->peers, pings->list[i].peer);
        fail(pings, i, peer, pings->list[i].sent ? ERR_TIMEOUT : ERR_OFFLINE);
    }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    pings_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return pings_deadline_us(self);
}

static void part_timeout(void *self) {
    pings_timeout(self);
}

static void part_session_up(void *self, struct peering *peer) {
    ping_peer_up(self, peer);
}

static void part_session_down(void *self, struct peering *peer, int err) {
    (void)err;
    ping_peer_lost(self, peer, ERR_CLOSED);
}

static void part_not_connected(void *self, struct peering *peer, int err) {
    ping_peer_lost(self, peer, err == ERR_TIMEOUT ? ERR_OFFLINE : err);
}

static uint64_t part_silent(void *self, struct peering *peer, uint64_t before_us) {
    return ping_peer_silent(self, peer, before_us);
}

static void part_peer_gone(void *self, struct peering *peer) {
    ping_peer_lost(self, peer, ERR_CANCELLED);
}

const struct part_ops pings_part = {.clear = part_clear,
                                    .deadline_us = part_deadline_us,
                                    .timeout = part_timeout,
                                    .session_up = part_session_up,
                                    .session_down = part_session_down,
                                    .not_connected = part_not_connected,
                                    .silent = part_silent,
                                    .peer_gone = part_peer_gone};
