#include "node/peer/dead_peer.h"

#include "node/node_int.h"

void watch_start(struct node *n) {
    if (n->watch.on)
        return;
    n->watch = (struct watch){true, n->now_us + WATCH_US};
}

uint64_t watch_deadline_us(const struct node *n) {
    return n->watch.on ? n->watch.next_us : UINT64_MAX;
}

static bool waited_for(const struct node *n, const struct contact *c) {
    if (c->posting)
        return true;
    for (unsigned i = 0; i < n->transfers.count; i++)
        if (n->transfers.list[i]->contact == c->serial && n->transfers.list[i]->has_stream)
            return true;
    return false;
}

static void look(struct node *n, struct contact *c) {
    struct session_info info;
    struct watched *w = &c->watched;
    if (!endpoint_session_info(n->ep, n->now_us, c->session, &info))
        return;
    if (!w->on || info.pkts_received != w->pkts) {
        *w = (struct watched){true, n->now_us, info.pkts_received};
    } else if (n->now_us - w->heard_us >= WATCH_GONE_US) {
        w->on = false;
        endpoint_disconnect(n->ep, n->now_us, c->session, ERR_TIMEOUT);
    } else {
        int lost = session_ping(n->ep, n->now_us, c->session, 0);
        (void)lost; /* another one follows */
    }
}

void watch_timeout(struct node *n) {
    if (!n->watch.on || n->now_us < n->watch.next_us)
        return;
    bool any = false;
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        if (c->online && waited_for(n, c)) {
            any = true;
            look(n, c);
        } else {
            c->watched.on = false;
        }
    }
    n->watch = (struct watch){any, n->now_us + WATCH_US};
}
