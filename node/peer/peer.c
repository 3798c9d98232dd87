#include "node/peer/peer.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"

void peerings_clear(struct peerings *peers) {
    for (uint32_t i = 0; i < peers->cap; i++)
        mem_free(peers->by_index[i]);
    mem_free(peers->by_index);
    peers->by_index = NULL;
    peers->cap = 0;
}

static bool room_for(struct peerings *peers, uint32_t index) {
    if (index < peers->cap)
        return true;
    uint32_t cap = peers->cap ? peers->cap : 8;
    while (cap <= index)
        cap *= 2;
    struct peering **grown = mem_realloc(peers->by_index, cap * sizeof(struct peering *));
    if (!grown)
        return false;
    memset(grown + peers->cap, 0, (cap - peers->cap) * sizeof(struct peering *));
    peers->by_index = grown;
    peers->cap = cap;
    return true;
}

int peering_new(struct peerings *peers, const struct peer_setup *s, struct peering **out) {
    struct peering *p = mem_calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    int err = endpoint_peer_add(peers->turn->ep, s, &p->ref);
    if (!err && !room_for(peers, p->ref.index)) {
        endpoint_peer_remove(peers->turn->ep, peers->turn->now_us, p->ref);
        err = ERR_NOMEM;
    }
    if (err) {
        mem_free(p);
        return err;
    }
    struct peering *known = peers->by_index[p->ref.index];
    if (known) {
        mem_free(p);
        peering_share(known);
        *out = known;
        return 0;
    }
    p->id = s->id;
    p->holders = 1;
    peers->by_index[p->ref.index] = *out = p;
    return 0;
}

int peering_tell(struct peerings *peers, const struct peering *p, const struct peer_setup *s) {
    struct peer_ref ref;
    assert(node_id_equal(&p->id, &s->id));
    const int err = endpoint_peer_add(peers->turn->ep, s, &ref);
    assert(err || (ref.index == p->ref.index && ref.generation == p->ref.generation));
    return err;
}

void peering_share(struct peering *p) {
    p->holders++;
}

void peering_end(struct peerings *peers, struct peering *p) {
    assert(peering_at(peers, p->ref.index) == p);
    if (--p->holders > 0)
        return;
    peers->by_index[p->ref.index] = NULL;
    endpoint_peer_remove(peers->turn->ep, peers->turn->now_us, p->ref);
    mem_free(p);
}

struct peering *peering_at(const struct peerings *peers, uint32_t index) {
    return index < peers->cap ? peers->by_index[index] : NULL;
}

struct peering *peering_by_ref(const struct peerings *peers, struct peer_ref ref) {
    struct peering *p = peering_at(peers, ref.index);
    return p && p->ref.generation == ref.generation ? p : NULL;
}

struct peering *peering_by_session(const struct peerings *peers, struct session_ref s) {
    struct peer_ref ref;
    struct peering *p =
        endpoint_session_peer(peers->turn->ep, s, &ref) ? peering_by_ref(peers, ref) : NULL;
    return p && p->online && session_ref_equal(p->session, s) ? p : NULL;
}

struct node_event *peering_tell_event(const struct peerings *peers, enum node_event_kind kind,
                                      const struct peering *p) {
    struct node_event *e = turn_tell(peers->turn, kind, p->name);
    if (p->name)
        e->node = p->id;
    return e;
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    peerings_clear(self);
}

const struct part_ops peerings_part = {.clear = part_clear};
