#include "node/daemon/network.h"

#include <string.h>

#include "node/daemon/own_addrs.h"

bool network_look(struct network *w) {
    struct addr addrs[PEER_ADDRS_MAX];
    const unsigned n = own_addrs(addrs, PEER_ADDRS_MAX, w->sockets->bound, w->sockets->count);
    bool changed = n != w->own_count;
    for (unsigned i = 0; i < n && !changed; i++)
        changed = !addr_equal(&addrs[i], &w->own[i]);
    memcpy(w->own, addrs, n * sizeof *addrs);
    w->own_count = n;
    return changed;
}

static bool listens_everywhere(const struct network *w) {
    bool any = false;
    for (unsigned i = 0; i < w->sockets->count; i++)
        any |= addr_is_unspecified(&w->sockets->bound[i]);
    return any;
}

static void on_news(void *ctx, unsigned news) {
    struct network *w = ctx;
    const bool slept = news & NETWATCH_SLEPT;
    const bool moved = network_look(w), rerouted = news & NETWATCH_ROUTE && listens_everywhere(w);
    if (moved || rerouted || slept)
        w->changed(w->ctx, slept);
}

int network_open(struct network *w, uv_loop_t *loop, void (*changed)(void *ctx, bool slept),
                 void *ctx) {
    w->changed = changed;
    w->ctx = ctx;
    return netwatch_open(&w->watch, loop, on_news, w);
}

void network_close(struct network *w) {
    netwatch_close(w->watch);
    w->watch = NULL;
}
