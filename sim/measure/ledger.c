#include "sim/measure/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"

static const double ns_per_s = 1e9;

/* Room for one more, zeroed. */
static void *grow(void *items, uint64_t count, uint64_t *cap, size_t item_bytes) {
    if (count < *cap)
        return items;
    *cap = *cap ? *cap * 2 : 16;
    void *grown = mem_realloc(items, (size_t)*cap * item_bytes);
    if (!grown)
        abort();
    return grown;
}

void ledger_clear(struct ledger *l) {
    for (uint32_t i = 0; i < l->host_count; i++)
        mem_free(l->hosts[i].bonds);
    mem_free(l->hosts);
    mem_free(l->transfers);
    mem_free(l->messages);
    samples_clear(&l->handshake);
    samples_clear(&l->reconnect);
    samples_clear(&l->ping);
    samples_clear(&l->message);
    samples_clear(&l->flow);
    samples_clear(&l->first_byte);
    samples_clear(&l->noticed);
    progress_clear(&l->progress);
    *l = (struct ledger){0};
}

static struct ledger_host *host_of(struct ledger *l, uint32_t host) {
    if (host >= l->host_count) {
        struct ledger_host *grown = mem_realloc(l->hosts, (host + 1) * sizeof *grown);
        if (!grown)
            abort();
        memset(grown + l->host_count, 0, (host + 1 - l->host_count) * sizeof *grown);
        l->hosts = grown;
        l->host_count = host + 1;
    }
    return &l->hosts[host];
}

struct ledger_bond *ledger_bond(struct ledger *l, uint32_t from, uint32_t to) {
    struct ledger_host *h = host_of(l, from);
    for (uint32_t i = 0; i < h->bond_count; i++)
        if (h->bonds[i].to == to)
            return &h->bonds[i];
    uint64_t cap = h->bond_cap;
    h->bonds = grow(h->bonds, h->bond_count, &cap, sizeof *h->bonds);
    h->bond_cap = (uint32_t)cap;
    struct ledger_bond *b = &h->bonds[h->bond_count++];
    *b = (struct ledger_bond){.to = to, .asked_ns = LEDGER_NEVER, .down_ns = LEDGER_NEVER};
    return b;
}

void ledger_want(struct ledger *l, uint64_t now_ns, uint32_t from, uint32_t to) {
    struct ledger_bond *b = ledger_bond(l, from, to);
    b->wanted = true;
    if (!b->up && b->asked_ns == LEDGER_NEVER)
        b->asked_ns = now_ns;
}

struct ledger_transfer *ledger_add_transfer(struct ledger *l) {
    l->transfers = grow(l->transfers, l->transfer_count, &l->transfer_cap, sizeof *l->transfers);
    struct ledger_transfer *t = &l->transfers[l->transfer_count++];
    *t = (struct ledger_transfer){
        .started_ns = LEDGER_NEVER, .ended_ns = LEDGER_NEVER, .first_ns = LEDGER_NEVER};
    return t;
}

struct ledger_message *ledger_add_message(struct ledger *l) {
    l->messages = grow(l->messages, l->message_count, &l->message_cap, sizeof *l->messages);
    struct ledger_message *m = &l->messages[l->message_count++];
    *m = (struct ledger_message){.received_ns = LEDGER_NEVER};
    return m;
}

static void peer_up(struct ledger *l, uint64_t now_ns, struct ledger_bond *b) {
    if (b->asked_ns != LEDGER_NEVER)
        samples_add(&l->handshake, (double)(now_ns - b->asked_ns) / ns_per_s);
    if (b->down_ns != LEDGER_NEVER)
        samples_add(&l->reconnect, (double)(now_ns - b->down_ns) / ns_per_s);
    b->asked_ns = b->down_ns = LEDGER_NEVER;
    b->up = b->ever_up = true;
    b->noticed = false;
}

/* It says that the other is gone, or does not answer. */
static void notices(struct ledger *l, struct ledger_bond *b, uint64_t now_ns) {
    const uint64_t died_ns = b->to < l->host_count ? l->hosts[b->to].died_ns : 0;
    if (b->up && died_ns > 0 && !b->noticed)
        samples_add(&l->noticed, (double)(now_ns + 1 - died_ns) / ns_per_s);
    b->noticed = b->noticed || died_ns > 0;
}

static void peer_down(struct ledger *l, struct ledger_bond *b, uint64_t now_ns) {
    notices(l, b, now_ns);
    if (b->up)
        b->down_ns = now_ns;
    b->up = false;
}

static void connect_failed(struct ledger *l, struct ledger_bond *b) {
    if (b->asked_ns != LEDGER_NEVER)
        l->handshakes_failed++;
    b->asked_ns = LEDGER_NEVER;
}

static struct ledger_transfer *open_transfer(struct ledger *l, uint32_t from, uint64_t id) {
    for (uint64_t i = l->transfer_count; i-- > 0;) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->from == from && t->id == id && t->ended_ns == LEDGER_NEVER)
            return t;
    }
    return NULL;
}

void ledger_begun(struct ledger *l, uint64_t number) {
    struct ledger_host *h = host_of(l, l->transfers[number].to);
    h->incoming++;
    h->fresh++;
}

/* From when both were there: asked for, and connected. */
static void first_data(struct ledger *l, uint64_t now_ns, uint32_t host,
                       struct ledger_transfer *t) {
    const uint64_t up_ns = host_of(l, t->from)->up_ns;
    host_of(l, host)->fresh--;
    t->first_ns = now_ns;
    samples_add(&l->first_byte,
                (double)(now_ns - (up_ns > t->asked_ns ? up_ns : t->asked_ns)) / ns_per_s);
}

void ledger_data(struct ledger *l, uint64_t now_ns, uint32_t host) {
    const struct ledger_host *h = host < l->host_count ? &l->hosts[host] : NULL;
    if (!h || h->incoming == 0)
        return;
    progress_data(&l->progress, now_ns, host);
    for (uint64_t i = l->transfer_count; i-- > 0 && h->fresh > 0;) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->to == host && t->first_ns == LEDGER_NEVER && t->ended_ns == LEDGER_NEVER)
            first_data(l, now_ns, host, t);
    }
}

static void ended(struct ledger *l, uint64_t now_ns, struct ledger_transfer *t) {
    struct ledger_host *h = host_of(l, t->to);
    t->ended_ns = now_ns;
    h->fresh -= t->first_ns == LEDGER_NEVER;
    if (--h->incoming == 0)
        progress_over(&l->progress, t->to);
}

static void transfer_event(struct ledger *l, uint64_t now_ns, uint32_t host,
                           const struct node_event *e) {
    struct ledger_transfer *t = open_transfer(l, host, e->id);
    if (!t)
        return;
    if (e->kind == NODE_TRANSFER_STARTED) {
        t->started_ns = now_ns;
        return;
    }
    ended(l, now_ns, t);
    t->done = e->kind == NODE_TRANSFER_DONE;
    t->failed = !t->done;
    t->err = e->err;
}

/* A number that a power cut took is given again: the latest message of it is meant. */
static struct ledger_message *message_of(struct ledger *l, uint32_t host, uint64_t seq) {
    for (uint64_t i = l->message_count; i-- > 0;)
        if (l->messages[i].from == host && l->messages[i].seq == seq)
            return &l->messages[i];
    return NULL;
}

void ledger_lost_power(struct ledger *l, uint32_t host) {
    for (uint64_t i = 0; i < l->message_count; i++) {
        struct ledger_message *m = &l->messages[i];
        m->excused |= m->from == host && !m->promised;
    }
}

static void message_delivered(struct ledger *l, uint32_t host, uint64_t seq) {
    struct ledger_message *m = message_of(l, host, seq);
    if (!m)
        return;
    l->messages_delivered += !m->delivered;
    m->delivered = true;
}

void ledger_got_message(struct ledger *l, uint64_t now_ns, uint32_t host, uint32_t peer,
                        uint64_t serial, uint64_t seq) {
    if (serial < l->message_count && l->messages[serial].times_received > 0 &&
        l->messages[serial].stored_seq == seq)
        return; /* one and the same: that it was told of was lost with the power */
    l->messages_received++;
    if (serial >= l->message_count || l->messages[serial].to != host ||
        l->messages[serial].from != peer) {
        l->messages_unknown++;
        return;
    }
    struct ledger_message *m = &l->messages[serial];
    if (m->times_received++ > 0) {
        l->messages_doubled++;
        return;
    }
    m->stored_seq = seq;
    m->received_ns = now_ns;
    samples_add(&l->message, (double)(now_ns - m->asked_ns) / ns_per_s);
    struct ledger_bond *b = ledger_bond(l, peer, host);
    l->messages_disordered += serial < b->last_serial;
    b->last_serial = serial;
}

void ledger_event(struct ledger *l, uint64_t now_ns, uint32_t host, uint32_t peer,
                  const struct node_event *e) {
    l->events[e->kind]++;
    switch (e->kind) {
    case NODE_PEER_UP:
        peer_up(l, now_ns, ledger_bond(l, host, peer));
        host_of(l, host)->up_ns = now_ns;
        host_of(l, host)->died_ns = 0;
        break;
    case NODE_PEER_DOWN:
        peer_down(l, ledger_bond(l, host, peer), now_ns);
        break;
    case NODE_CONNECT_FAILED:
        connect_failed(l, ledger_bond(l, host, peer));
        break;
    case NODE_TRANSFER_STARTED:
    case NODE_TRANSFER_DONE:
    case NODE_TRANSFER_FAILED:
        transfer_event(l, now_ns, host, e);
        break;
    case NODE_MESSAGE_DELIVERED:
        message_delivered(l, host, e->id);
        break;
    case NODE_MESSAGE_QUEUED: {
        struct ledger_message *m = message_of(l, host, e->id);
        if (m)
            m->promised = true;
        break;
    }
    case NODE_PEER_SILENT:
        notices(l, ledger_bond(l, host, peer), now_ns);
        break;
    case NODE_PONG:
        samples_add(&l->ping, (double)e->rtt_us / 1e6);
        break;
    case NODE_PING_FAILED:
        l->pings_failed++;
        break;
    case NODE_PEER_ANSWERS:
    case NODE_CONTACT_ADDED:
    case NODE_CONTACT_REMOVED:
    case NODE_CONTACT_RENAMED:
    case NODE_PAIRING_FAILED:
    case NODE_PATH_CHANGED:
    case NODE_TRANSFER_OFFERED:
    case NODE_TRANSFER_PROGRESS:
    case NODE_MESSAGE:
    case NODE_MESSAGE_REFUSED:
    case NODE_MESSAGE_FAILED:
    case NODE_MESSAGE_FULL:
    case NODE_TICKET_STORED:
    case NODE_CONTACT_DENIED:
    case NODE_RELAY:
        break;
    }
}

void ledger_flow(struct ledger *l, uint64_t now_ns, uint32_t host, uint64_t sent_ns) {
    progress_flow(&l->progress, now_ns, host);
    if (sent_ns <= now_ns)
        samples_add(&l->flow, (double)(now_ns - sent_ns) / ns_per_s);
}

void ledger_died(struct ledger *l, uint64_t now_ns, uint32_t host) {
    struct ledger_host *h = host_of(l, host);
    h->died_ns = now_ns + 1;
    for (uint32_t i = 0; i < h->bond_count; i++) {
        h->bonds[i].up = false;
        h->bonds[i].asked_ns = h->bonds[i].down_ns = LEDGER_NEVER;
    }
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->from != host || t->ended_ns != LEDGER_NEVER)
            continue;
        ended(l, now_ns, t);
        t->failed = true;
        t->err = ERR_CLOSED;
    }
}
