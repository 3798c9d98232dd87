#include "sim/world/hostile_client.h"

#include "node/node_int.h"

bool hostile_client_open(struct host *h, const struct host *relay, const struct node_id *to) {
    const struct relay_book *book = h->node ? &h->node->mesh.links.book : NULL;
    bool asked = false;
    for (unsigned i = 0; book && i < book->count && !asked; i++) {
        const struct relay *r = book->list[i];
        uint32_t request;
        if (!r->peering || !node_id_equal(&r->at.id, &relay->identity.id))
            continue;
        struct arena *before = arena_enter(&h->arena);
        asked = relay_open(h->node->turn.ep, host_now_us(h), r->peering->ref, to, &request) == 0;
        (void)arena_enter(before);
    }
    return asked;
}
