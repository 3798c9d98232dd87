#include "sim/world/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/engine/crypto_mode.h"

void inspection_init(struct inspection *in, struct world *w, const struct ledger *l, bool watched) {
    *in = (struct inspection){.world = w, .ledger = l, .watch = watched ? watch_new() : NULL};
}

void inspection_clear(struct inspection *in) {
    if (in->watch)
        crypto_mode_hook(NULL);
    watch_free(in->watch);
    used_tickets_clear(&in->tickets);
}

void inspect_addresses(struct inspection *in, const struct host *h) {
    struct addr own[4 * HOST_NICS_MAX];
    unsigned n = 0;
    for (uint32_t i = 0; i < h->nic_count; i++) {
        const struct nic *nic = host_nic_of(h, i);
        for (unsigned k = 0; k < nic->addr_count; k++)
            own[n++] = nic->addrs[k];
        if (nic->outer.kind != ADDR_NONE)
            own[n++] = nic->outer;
        if (nic->mapped.kind != ADDR_NONE)
            own[n++] = nic->mapped;
    }
    if (in->watch)
        watch_addresses(in->watch, h->index, own, n);
}

void inspect_policy(struct inspection *in, const struct host *h) {
    static const enum watch_policy policies[] = {
        [PATH_AUTO] = WATCH_ANY_PATH,
        [PATH_RELAY_ONLY] = WATCH_RELAY_ONLY,
        [PATH_DIRECT_ONLY] = WATCH_DIRECT_ONLY,
    };
    if (in->watch)
        watch_policy(in->watch, h->index, policies[h->options.path], h->options.serves);
}

void inspect_resumed(struct inspection *in, const struct host *h) {
    if (in->watch)
        watch_resumed(in->watch, in->world->now_ns, h->index);
}

void inspect_started(struct inspection *in, const struct host *h) {
    struct key_cert cert;
    if (!in->watch || !in->world->begun)
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
    watch_host(in->watch, h->index, h->name);
    watch_started(in->watch, in->world->now_ns, h->index, &c);
    for (uint32_t i = 0; i < h->contact_count; i++)
        watch_contact(in->watch, h->index, h->contacts[i]);
    inspect_addresses(in, h);
    inspect_policy(in, h);
}

static void on_sealed(void *ctx, const uint8_t *key, uint64_t counter) {
    struct inspection *in = ctx;
    if (!in->world->begun)
        return;
    struct arena *before = arena_enter(NULL); /* what the watch remembers is not the node's */
    watch_sealed(in->watch, in->world->now_ns, in->acting, key, counter);
    (void)arena_enter(before);
}

static void on_opened(void *ctx, const uint8_t *key, uint64_t counter) {
    struct inspection *in = ctx;
    if (!in->world->begun)
        return;
    struct arena *before = arena_enter(NULL); /* what the watch remembers is not the node's */
    watch_opened(in->watch, in->world->now_ns, in->acting, key, counter);
    (void)arena_enter(before);
}

void inspect_begin(struct inspection *in) {
    const struct crypto_hooks hooks = {.ctx = in, .sealed = on_sealed, .opened = on_opened};
    crypto_mode_hook(in->watch ? &hooks : NULL);
}

void inspect_sent(struct inspection *in, const struct host *h, const struct packet *p) {
    if (!in->watch || !in->world->begun)
        return;
    const struct watch_packet w = {.from = h->index,
                                   .at = h->index,
                                   .src = p->from.kind != ADDR_NONE ? &p->from : &h->first.addrs[0],
                                   .dst = &p->to,
                                   .data = p->data,
                                   .len = p->len};
    if (h->options.path == PATH_RELAY_ONLY)
        inspect_addresses(in, h); /* as others see it by now */
    watch_sent(in->watch, in->world->now_ns, &w);
}

void inspect_received(struct inspection *in, const struct host *h, const struct packet *p,
                      uint64_t accepted_before) {
    if (!in->watch || !in->world->begun)
        return;
    const struct watch_packet w = {.from = p->source,
                                   .at = h->index,
                                   .src = &p->from,
                                   .dst = &p->to,
                                   .data = p->data,
                                   .len = p->len,
                                   .liar = in->world->hosts[p->source]->hostile != NULL};
    watch_received(in->watch, in->world->now_ns, &w, inspect_accepted(h) > accepted_before);
}

uint64_t inspect_accepted(const struct host *h) {
    return node_counters(h->node)->data_accepted;
}

void inspect_contact(struct inspection *in, const struct host *h, uint32_t other) {
    if (in->watch)
        watch_contact(in->watch, h->index, other);
}

void inspect_acting(struct inspection *in, const struct host *h) {
    in->acting = h->index;
}

void inspect_up(struct inspection *in, const struct host *h, uint32_t peer) {
    if (in->watch && in->world->begun && peer != SIM_NO_HOST)
        watch_accepted(in->watch, in->world->now_ns, h->index, peer);
}

void inspect_turn(struct inspection *in, const struct host *h) {
    if (!in->watch)
        return;
    watch_turn(in->watch, in->world->now_ns, h->index);
    if (watch_verdict(in->watch, NEVER_LIVELOCK)->count > 0)
        world_fail(in->world, h, "the node is in a livelock");
}

void inspect_transfer(struct inspection *in, const struct host *h, const char *name, bool right) {
    if (in->watch)
        watch_judged(in->watch, NEVER_WRONG_BYTES);
    if (in->watch && !right)
        watch_broken(in->watch, NEVER_WRONG_BYTES, in->world->now_ns,
                     "%s: done, but %s is not what was sent", h->name, name);
}

void inspect_commit(struct inspection *in, const struct host *h) {
    if (!in->watch || !in->world->begun)
        return;
    watch_judged(in->watch, NEVER_PARTIAL_FILE);
    if (disk_partial(h->disk) > 0)
        watch_broken(in->watch, NEVER_PARTIAL_FILE, in->world->now_ns,
                     "%s has a file under its name without all of its bytes", h->name);
}

/* ---- what was confirmed ---- */

/* Marks what is in a node's history: messages of the ledger, by serial. */
static void find_messages(const struct inspection *in, const struct host *h, uint8_t *found) {
    struct message_info m;
    for (uint64_t after = 0; node_message_next(h->node, after, NULL, &m); after = m.seq) {
        char head[24] = {0};
        if (m.outgoing || m.len < 2 || m.text[0] != '#')
            continue;
        memcpy(head, m.text, m.len < sizeof head - 1 ? m.len : sizeof head - 1);
        const uint64_t serial = strtoull(head + 1, NULL, 10);
        if (serial < in->ledger->message_count && in->ledger->messages[serial].to == h->index)
            found[serial] = 1;
    }
}

static void confirmed_messages(struct inspection *in) {
    const struct ledger *l = in->ledger;
    uint8_t *found = mem_calloc(l->message_count + 1, 1);
    if (!found)
        abort();
    for (uint32_t i = 0; i < in->world->host_count; i++) {
        struct host *h = in->world->hosts[i];
        struct arena *before = arena_enter(&h->arena);
        if (h->node)
            find_messages(in, h, found);
        (void)arena_enter(before);
    }
    for (uint64_t i = 0; i < l->message_count; i++) {
        const struct ledger_message *m = &l->messages[i];
        if (!in->world->hosts[m->to]->node || in->world->hosts[m->to]->wiped ||
            !(m->delivered || m->times_received > 0))
            continue;
        watch_judged(in->watch, NEVER_CONFIRMED_LOST);
        if (!found[i])
            watch_broken(in->watch, NEVER_CONFIRMED_LOST, in->world->now_ns,
                         "message %llu of %s is not at %s, which %s", (unsigned long long)i,
                         world_name(in->world, m->from), world_name(in->world, m->to),
                         m->delivered ? "has confirmed it" : "has shown it");
    }
    mem_free(found);
}

static void confirmed_files(struct inspection *in) {
    const struct ledger *l = in->ledger;
    for (uint64_t i = 0; i < l->transfer_count; i++) {
        const struct ledger_transfer *t = &l->transfers[i];
        char path[160];
        struct disk_file_info info;
        if (!t->done || in->world->hosts[t->to]->wiped)
            continue;
        watch_judged(in->watch, NEVER_CONFIRMED_LOST);
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        if (!disk_file_info(in->world->hosts[t->to]->disk, path, &info) || !info.complete)
            watch_broken(in->watch, NEVER_CONFIRMED_LOST, in->world->now_ns,
                         "%s is not at %s, which has confirmed it", t->name,
                         world_name(in->world, t->to));
    }
}

void inspect_confirmed(struct inspection *in) {
    if (!in->watch || !in->world->begun)
        return;
    confirmed_messages(in);
    confirmed_files(in);
}

void inspect_ended(struct inspection *in, const struct host *h, uint64_t bytes) {
    if (in->watch && in->world->begun)
        watch_judged(in->watch, NEVER_LEAK);
    if (in->watch && in->world->begun && bytes > 0)
        watch_broken(in->watch, NEVER_LEAK, in->world->now_ns, "%s ended and kept %llu bytes",
                     h->name, (unsigned long long)bytes);
}

void inspect_message(struct inspection *in, const struct host *h, uint32_t peer, uint64_t serial) {
    if (!in->watch || !in->world->begun)
        return;
    const struct ledger_message *m =
        serial < in->ledger->message_count ? &in->ledger->messages[serial] : NULL;
    watch_judged(in->watch, NEVER_MISDELIVERED);
    watch_judged(in->watch, NEVER_SEQ_BACKWARDS);
    if (!m)
        watch_broken(in->watch, NEVER_MISDELIVERED, in->world->now_ns,
                     "%s has a message that nobody sent", h->name);
    else if (m->to != h->index || m->from != peer)
        watch_broken(in->watch, NEVER_MISDELIVERED, in->world->now_ns,
                     "%s has, as from %s, what %s wrote to %s", h->name,
                     world_name(in->world, peer), world_name(in->world, m->from),
                     world_name(in->world, m->to));
}

/* Sessions that it has with others than contacts: its relays', and at a relay anybody's. */
static uint32_t for_relays(const struct inspection *in, const struct host *h) {
    struct relay_info r;
    uint32_t known = 0;
    while (node_relay_at(h->node, known, &r))
        known++;
    return known + (h->options.serves ? in->world->host_count : 0);
}

static void inspect_tables(struct inspection *in, const struct host *h) {
    const uint32_t sessions = node_session_count(h->node), half = node_half_open_count(h->node);
    uint32_t most = h->contact_count + for_relays(in, h);
    most += used_tickets_of(&in->tickets, h->index); /* up before it is stored who that is */
    watch_judged(in->watch, NEVER_TABLE_CAPS);
    watch_judged(in->watch, NEVER_MEMORY);
    if (sessions > most || half > WATCH_HALF_OPEN_MAX)
        watch_broken(in->watch, NEVER_TABLE_CAPS, in->world->now_ns,
                     "%s has %u sessions with %u contacts and %u half-open ones", h->name, sessions,
                     h->contact_count, half);
    if (h->arena.peak_bytes > WATCH_NODE_BYTES)
        watch_broken(in->watch, NEVER_MEMORY, in->world->now_ns, "%s has used %llu bytes", h->name,
                     (unsigned long long)h->arena.peak_bytes);
}

static void inspect_sessions(struct inspection *in, const struct host *h) {
    struct contact_info c;
    for (unsigned i = 0; node_contact_at(h->node, host_now_us(h), i, &c); i++) {
        const uint32_t with = world_find(in->world, c.name);
        if (!c.online || with == SIM_NO_HOST)
            continue;
        if (!node_id_equal(&c.session.peer, &in->world->hosts[with]->identity.id))
            watch_broken(in->watch, NEVER_WRONG_PEER, in->world->now_ns,
                         "%s is with another id than that of %s", h->name, c.name);
        watch_session(in->watch, in->world->now_ns, h->index, with, c.session.pkts_received);
    }
}

static void inspect_tickets(struct inspection *in) {
    for (uint32_t i = 0; i < in->tickets.count; i++) {
        const struct used_ticket *t = &in->tickets.list[i];
        struct host *giver = in->world->hosts[t->giver];
        struct contact_info c;
        if (t->thief == SIM_NO_HOST || !giver->node)
            continue;
        watch_judged(in->watch, NEVER_USED_TICKET);
        if (node_contact_by_id(giver->node, host_now_us(giver),
                               &in->world->hosts[t->thief]->identity.id, &c))
            watch_broken(in->watch, NEVER_USED_TICKET, in->world->now_ns,
                         "%s has let in %s by a ticket that %s had used", giver->name,
                         world_name(in->world, t->thief), world_name(in->world, t->user));
    }
}

static void inspect_all(struct inspection *in) {
    inspect_tickets(in);
    for (uint32_t i = 0; i < in->world->host_count; i++) {
        struct host *h = in->world->hosts[i];
        if (!h->node)
            continue;
        inspect_tables(in, h);
        inspect_sessions(in, h);
    }
    if (in->ledger->messages_doubled + in->ledger->messages_disordered > 0)
        watch_broken(in->watch, NEVER_SEQ_BACKWARDS, in->world->now_ns,
                     "messages came twice (%llu) or out of order (%llu)",
                     (unsigned long long)in->ledger->messages_doubled,
                     (unsigned long long)in->ledger->messages_disordered);
}

void inspect_seconds(struct inspection *in) {
    const uint64_t second = in->world->now_ns / SIM_S;
    if (!in->watch || !in->world->begun || second == in->inspected_s)
        return;
    in->inspected_s = second;
    inspect_all(in);
}

void inspect_end(struct inspection *in) {
    if (in->watch && in->world->begun)
        inspect_all(in);
    crypto_mode_hook(NULL);
}

void inspect_packets(struct inspection *in) {
    if (in->watch && in->world->slab.in_use > 0)
        watch_broken(in->watch, NEVER_LEAK, in->world->now_ns, "%llu packets were lost track of",
                     (unsigned long long)in->world->slab.in_use);
}
