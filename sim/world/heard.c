/* heard.c: what a node tells, and what the world makes of it: the trace, the ledger, and what was asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/sim_int.h"

/* Whose id that is, of those it knows. */
static uint32_t by_id(const struct host *h, const struct node_id *id) {
    for (uint32_t i = 0; i < h->contact_count; i++)
        if (node_id_equal(&h->world->hosts[h->contacts[i]]->identity.id, id))
            return h->contacts[i];
    return SIM_NO_HOST;
}

/* Messages carry "#<serial> " (act.c). The event names a contact, the history an id: both have to be of who wrote it. */
static void got_message(struct host *h, uint32_t peer, uint64_t seq) {
    struct message_info m;
    uint64_t serial = UINT64_MAX;
    char head[24] = {0};
    struct arena *before = arena_enter(&h->arena);
    const bool known = node_message_next(h->node, seq - 1, NULL, &m) && m.seq == seq;
    if (known && m.len > 1) {
        memcpy(head, m.text, m.len < sizeof head - 1 ? m.len : sizeof head - 1);
        if (head[0] == '#')
            serial = strtoull(head + 1, NULL, 10);
    }
    (void)arena_enter(before);
    inspect_message(h, known ? by_id(h, &m.node) : SIM_NO_HOST, serial);
    ledger_got_message(&h->sim->ledger, world_run_ns(h->world), h->index, peer, serial, seq);
    if (serial < h->sim->ledger.message_count && h->sim->ledger.messages[serial].to == h->index)
        duty_done(h->sim, &(struct duty){DEMAND_MESSAGE, peer, h->index, serial}, 0);
}

/* The ledger believes a "done" only if the bytes are on the other disk. */
static void check_done(struct sim *s, const struct host *h, uint64_t id) {
    struct ledger *l = &s->ledger;
    for (uint64_t i = l->transfer_count; i-- > 0;) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->from != h->index || t->id != id || !t->done)
            continue;
        char path[160];
        struct disk_file_info info;
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        t->verified = disk_file_info(s->world.hosts[t->to]->disk, path, &info) && info.complete &&
                      info.size == t->size;
        inspect_transfer(s->world.hosts[t->to], t->name, t->verified);
        return;
    }
}

void heard_event(struct host *h, const struct node_event *e) {
    struct sim *s = h->sim;
    if (!s->world.begun)
        return;
    const uint32_t peer = e->contact[0] ? world_find(&s->world, e->contact) : SIM_NO_HOST;
    const struct trace_record line = {.source = h->index,
                                      .target = peer,
                                      .length = (uint32_t)-e->err,
                                      .kind = (uint16_t)(TRACE_NODE_EVENT + e->kind),
                                      .detail = e->bytes};
    world_record(&s->world, &line);
    if (s->world.tap.node_event)
        s->world.tap.node_event(s->world.tap.ctx, world_run_ns(&s->world), h->name, e);
    ledger_event(&s->ledger, world_run_ns(&s->world), h->index, peer, e);
    if (e->kind == NODE_PEER_UP && peer != SIM_NO_HOST)
        host_add_contact(h, peer);
    if (e->kind == NODE_PEER_UP)
        inspect_up(h, peer);
    if (e->kind == NODE_MESSAGE)
        got_message(h, peer, e->id);
    if (e->kind == NODE_TRANSFER_DONE)
        check_done(s, h, e->id);
    duty_event(h, peer, e);
}
