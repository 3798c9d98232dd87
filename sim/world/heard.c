#include "sim/world/heard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "sim/world/duty.h"
#include "sim/world/inspect.h"

/* Whose id that is, of those it knows. */
static uint32_t by_id(const struct host *h, const struct node_id *id) {
    for (uint32_t i = 0; i < h->contact_count; i++)
        if (node_id_equal(&h->world->hosts[h->contacts[i]]->identity.id, id))
            return h->contacts[i];
    return SIM_NO_HOST;
}

/* Messages carry "#<serial> " (orders.c). The event names a contact, the history an id: both have
 * to be of who wrote it. */
static void got_message(struct host *h, uint32_t peer, uint64_t seq) {
    struct duties *ds = h->world->duties;
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
    inspect_message(h->world->inspection, h, known ? by_id(h, &m.node) : SIM_NO_HOST, serial);
    ledger_got_message(&ds->ledger, world_run_ns(h->world), h->index, peer, serial, seq);
    if (serial < ds->ledger.message_count && ds->ledger.messages[serial].to == h->index)
        duty_done(ds, &(struct duty){DEMAND_MESSAGE, peer, h->index, serial}, 0);
}

/* The ledger believes a "done" only if the bytes are on the other disk. */
static void check_done(const struct host *h, uint64_t id) {
    struct world *w = h->world;
    struct ledger *l = &w->duties->ledger;
    for (uint64_t i = l->transfer_count; i-- > 0;) {
        struct ledger_transfer *t = &l->transfers[i];
        if (t->from != h->index || t->id != id || !t->done)
            continue;
        char path[160];
        struct disk_file_info info;
        (void)snprintf(path, sizeof path, WORLD_DOWNLOADS "/%s", t->name);
        t->verified = disk_file_info(w->hosts[t->to]->disk, path, &info) && info.complete &&
                      info.size == t->size;
        inspect_transfer(w->inspection, w->hosts[t->to], t->name, t->verified);
        return;
    }
}

void heard_event(struct host *h, const struct node_event *e) {
    struct world *w = h->world;
    if (!w->begun)
        return;
    const uint32_t peer = e->contact[0] ? world_find(w, e->contact) : SIM_NO_HOST;
    const struct trace_record line = {.source = h->index,
                                      .target = peer,
                                      .length = (uint32_t)-e->err,
                                      .kind = (uint16_t)(TRACE_NODE_EVENT + e->kind),
                                      .detail = e->bytes};
    world_record(w, &line);
    if (w->tap.node_event)
        w->tap.node_event(w->tap.ctx, world_run_ns(w), h->name, e);
    ledger_event(&w->duties->ledger, world_run_ns(w), h->index, peer, e);
    if (e->kind == NODE_PEER_UP && peer != SIM_NO_HOST)
        host_add_contact(h, peer);
    if (e->kind == NODE_PEER_UP)
        inspect_up(w->inspection, h, peer);
    if (e->kind == NODE_MESSAGE)
        got_message(h, peer, e->id);
    if (e->kind == NODE_TRANSFER_DONE)
        check_done(h, e->id);
    duty_event(w->duties, h, peer, e);
}

void heard_datagram(struct host *h, const uint8_t *data, uint32_t len) {
    struct world *w = h->world;
    if (len >= FLOW_HEAD_BYTES)
        ledger_flow(&w->duties->ledger, world_run_ns(w), h->index, load_le64(data + 8));
}
