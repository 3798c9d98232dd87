/* inspect.c: what the watch (sim/invariants/invariants.h) is told by the world. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/world.h"

void inspect_addresses(struct host *h) {
    if (h->sim->watch)
        watch_addresses(h->sim->watch, h->index, h->addrs, h->addr_count);
}

void inspect_started(struct host *h) {
    struct sim *s = h->sim;
    struct key_cert cert;
    if (!s->watch || !s->begun)
        return;
    const bool forged = h->hostile && h->hostile->plan.forges;
    const struct identity *shown = forged ? &h->hostile->forged : &h->identity;
    identity_cert(shown, &cert);
    const struct watch_cert c = {.id = cert.id.bytes,
                                 .forged = forged,
                                 .transport = shown->transport_public.bytes,
                                 .signature = cert.signature,
                                 .seq = cert.seq,
                                 .checkable = crypto_mode_get() != CRYPTO_STUB};
    watch_host(s->watch, h->index, h->name);
    watch_started(s->watch, s->now_ns, h->index, &c);
    for (uint32_t i = 0; i < h->contact_count; i++)
        watch_contact(s->watch, h->index, h->contacts[i]);
    inspect_addresses(h);
}

static void on_sealed(void *ctx, const uint8_t *key, uint64_t counter) {
    struct sim *s = ctx;
    if (!s->begun)
        return;
    struct arena *before = arena_enter(NULL); /* what the watch remembers is not the node's */
    watch_sealed(s->watch, s->now_ns, s->acting, key, counter);
    (void)arena_enter(before);
}

static void on_opened(void *ctx, const uint8_t *key, uint64_t counter) {
    struct sim *s = ctx;
    if (!s->begun)
        return;
    struct arena *before = arena_enter(NULL); /* what the watch remembers is not the node's */
    watch_opened(s->watch, s->now_ns, s->acting, key, counter);
    (void)arena_enter(before);
}

void inspect_begin(struct sim *s) {
    const struct crypto_hooks hooks = {.ctx = s, .sealed = on_sealed, .opened = on_opened};
    crypto_mode_hook(s->watch ? &hooks : NULL);
}

void inspect_sent(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    struct sim *s = h->sim;
    if (!s->watch || !s->begun)
        return;
    const bool second = h->addr_count > 1 && h->addrs[1].kind == to->kind;
    const struct watch_packet p = {.from = h->index,
                                   .at = h->index,
                                   .src = &h->addrs[second],
                                   .dst = to,
                                   .data = data,
                                   .len = len};
    watch_sent(s->watch, s->now_ns, &p);
}

void inspect_received(struct host *h, const struct packet *p, uint64_t accepted_before) {
    struct sim *s = h->sim;
    if (!s->watch || !s->begun)
        return;
    const struct watch_packet w = {.from = p->source,
                                   .at = h->index,
                                   .src = &p->from,
                                   .dst = &p->to,
                                   .data = p->data,
                                   .len = p->len};
    watch_received(s->watch, s->now_ns, &w, inspect_accepted(h) > accepted_before);
}

void inspect_up(struct host *h, uint32_t peer) {
    struct sim *s = h->sim;
    if (s->watch && s->begun && peer != SIM_NO_HOST)
        watch_accepted(s->watch, s->now_ns, h->index, peer);
}

void inspect_turn(struct host *h) {
    struct sim *s = h->sim;
    if (!s->watch)
        return;
    watch_turn(s->watch, s->now_ns, h->index);
    if (watch_verdict(s->watch, NEVER_LIVELOCK)->count > 0)
        world_fail(s, h, "the node is in a livelock");
}

void inspect_transfer(struct host *h, const char *name, bool right) {
    if (h->sim->watch)
        watch_judged(h->sim->watch, NEVER_WRONG_BYTES);
    if (h->sim->watch && !right)
        watch_broken(h->sim->watch, NEVER_WRONG_BYTES, h->sim->now_ns,
                     "%s: done, but %s is not what was sent", h->name, name);
}

void inspect_commit(struct host *h) {
    struct sim *s = h->sim;
    if (!s->watch || !s->begun)
        return;
    watch_judged(s->watch, NEVER_PARTIAL_FILE);
    if (disk_partial(h->disk) > 0)
        watch_broken(s->watch, NEVER_PARTIAL_FILE, s->now_ns,
                     "%s has a file under its name without all of its bytes", h->name);
}

/* ---- what was confirmed ---- */

/* Marks what is in a node's history: messages of the ledger, by serial. */
static void find_messages(struct host *h, uint8_t *found) {
    struct message_info m;
    for (uint64_t after = 0; node_message_next(h->node, after, NULL, &m); after = m.seq) {
        char head[24] = {0};
        if (m.outgoing || m.len < 2 || m.text[0] != '#')
            continue;
        memcpy(head, m.text, m.len < sizeof head - 1 ? m.len : sizeof head - 1);
        const uint64_t serial = strtoull(head + 1, NULL, 10);
        if (serial < h->sim->ledger.message_count && h->sim->ledger.messages[serial].to == h->index)
            found[serial] = 1;
    }
}

static void confirmed_messages(struct sim *s) {
    const struct ledger *l = &s->ledger;
    uint8_t *found = calloc(l->message_count + 1, 1);
    if (!found)
        abort();
    for (uint32_t i = 0; i < s->host_count; i++) {
        struct host *h = s->hosts[i];
        struct arena *before = arena_enter(&h->arena);
        if (h->node)
            find_messages(h, found);
        (void)arena_enter(before);
    }
    for (uint64_t i = 0; i < l->message_count; i++) {
        const struct ledger_message *m = &l->messages[i];
        if (!s->hosts[m->to]->node || s->hosts[m->to]->wiped ||
            !(m->delivered || m->times_received > 0))
            continue;
        watch_judged(s->watch, NEVER_CONFIRMED_LOST);
        if (!found[i])
            watch_broken(s->watch, NEVER_CONFIRMED_LOST, s->now_ns,
                         "message %llu of %s is not at %s, which %s", (unsigned long long)i,
                         sim_host_name(s, m->from), sim_host_name(s, m->to),
                         m->delivered ? "has confirmed it" : "has shown it");
    }
    free(found);
}

static void confirmed_files(struct sim *s) {
    const struct ledger *l = &s->ledger;
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        const struct ledger_transfer *t = &l->transfers[i];
        char path[160];
        struct disk_file_info info;
        if (!t->done || s->hosts[t->to]->wiped)
            continue;
        watch_judged(s->watch, NEVER_CONFIRMED_LOST);
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        if (!disk_file_info(s->hosts[t->to]->disk, path, &info) || !info.complete)
            watch_broken(s->watch, NEVER_CONFIRMED_LOST, s->now_ns,
                         "%s is not at %s, which has confirmed it", t->name,
                         sim_host_name(s, t->to));
    }
}

void inspect_confirmed(struct sim *s) {
    if (!s->watch || !s->begun)
        return;
    confirmed_messages(s);
    confirmed_files(s);
}

void inspect_ended(struct host *h, uint64_t bytes) {
    if (h->sim->watch && h->sim->begun && arena_supported())
        watch_judged(h->sim->watch, NEVER_LEAK);
    if (h->sim->watch && h->sim->begun && bytes > 0)
        watch_broken(h->sim->watch, NEVER_LEAK, h->sim->now_ns, "%s ended and kept %llu bytes",
                     h->name, (unsigned long long)bytes);
}

void inspect_message(struct host *h, uint32_t peer, uint64_t serial) {
    struct sim *s = h->sim;
    if (!s->watch || !s->begun)
        return;
    const struct ledger_message *m =
        serial < s->ledger.message_count ? &s->ledger.messages[serial] : NULL;
    watch_judged(s->watch, NEVER_MISDELIVERED);
    watch_judged(s->watch, NEVER_SEQ_BACKWARDS);
    if (!m)
        watch_broken(s->watch, NEVER_MISDELIVERED, s->now_ns, "%s has a message that nobody sent",
                     h->name);
    else if (m->to != h->index || m->from != peer)
        watch_broken(s->watch, NEVER_MISDELIVERED, s->now_ns,
                     "%s has, as from %s, what %s wrote to %s", h->name, sim_host_name(s, peer),
                     sim_host_name(s, m->from), sim_host_name(s, m->to));
}

static void inspect_tables(struct host *h) {
    struct sim *s = h->sim;
    const uint32_t sessions = node_session_count(h->node), half = node_half_open_count(h->node);
    uint32_t most = h->contact_count;
    for (uint32_t i = 0; i < s->ticket_count; i++)
        most += s->tickets[i].giver == h->index ||
                s->tickets[i].user == h->index; /* up before it is stored who that is */
    watch_judged(s->watch, NEVER_TABLE_CAPS);
    if (arena_supported())
        watch_judged(s->watch, NEVER_MEMORY);
    if (sessions > most || half > WATCH_HALF_OPEN_MAX)
        watch_broken(s->watch, NEVER_TABLE_CAPS, s->now_ns,
                     "%s has %u sessions with %u contacts and %u half-open ones", h->name, sessions,
                     h->contact_count, half);
    if (h->arena.peak_bytes > WATCH_NODE_BYTES)
        watch_broken(s->watch, NEVER_MEMORY, s->now_ns, "%s has used %llu bytes", h->name,
                     (unsigned long long)h->arena.peak_bytes);
}

static void inspect_sessions(struct host *h) {
    struct sim *s = h->sim;
    struct contact_info c;
    for (unsigned i = 0; node_contact_at(h->node, host_now_us(h), i, &c); i++) {
        const uint32_t with = sim_host_find(s, c.name);
        if (!c.online || with == SIM_NO_HOST)
            continue;
        if (!node_id_equal(&c.session.peer, &s->hosts[with]->identity.id))
            watch_broken(s->watch, NEVER_WRONG_PEER, s->now_ns,
                         "%s is with another id than that of %s", h->name, c.name);
        watch_session(s->watch, s->now_ns, h->index, with, c.session.pkts_received);
    }
}

static void inspect_tickets(struct sim *s) {
    for (uint32_t i = 0; i < s->ticket_count; i++) {
        const struct used_ticket *t = &s->tickets[i];
        struct host *giver = s->hosts[t->giver];
        struct contact_info c;
        if (t->thief == SIM_NO_HOST || !giver->node)
            continue;
        watch_judged(s->watch, NEVER_USED_TICKET);
        if (node_contact_by_id(giver->node, host_now_us(giver), &s->hosts[t->thief]->identity.id,
                               &c))
            watch_broken(s->watch, NEVER_USED_TICKET, s->now_ns,
                         "%s has let in %s by a ticket that %s had used", giver->name,
                         sim_host_name(s, t->thief), sim_host_name(s, t->user));
    }
}

static void inspect_all(struct sim *s) {
    inspect_tickets(s);
    for (uint32_t i = 0; i < s->host_count; i++) {
        struct host *h = s->hosts[i];
        if (!h->node)
            continue;
        inspect_tables(h);
        inspect_sessions(h);
    }
    if (s->ledger.messages_doubled + s->ledger.messages_disordered > 0)
        watch_broken(s->watch, NEVER_SEQ_BACKWARDS, s->now_ns,
                     "messages came twice (%llu) or out of order (%llu)",
                     (unsigned long long)s->ledger.messages_doubled,
                     (unsigned long long)s->ledger.messages_disordered);
}

void inspect_seconds(struct sim *s) {
    const uint64_t second = s->now_ns / SIM_S;
    if (!s->watch || !s->begun || second == s->inspected_s)
        return;
    s->inspected_s = second;
    inspect_all(s);
}

void sim_end(struct sim *s) {
    if (s->watch && s->begun)
        inspect_all(s); /* what has happened since the last second began */
    crypto_mode_hook(NULL);
    for (uint32_t i = 0; i < s->host_count; i++)
        host_kill(s->hosts[i]);
    for (uint32_t i = 0; i < s->host_count; i++)
        host_resume(s->hosts[i]);
    world_drop_events(s);
    if (s->watch && s->slab.in_use > 0)
        watch_broken(s->watch, NEVER_LEAK, s->now_ns, "%llu packets were lost track of",
                     (unsigned long long)s->slab.in_use);
}

const struct watch *sim_watch(const struct sim *s) {
    return s->watch;
}
