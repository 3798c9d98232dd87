#include "node/control/call/control_hold.h"

#include <assert.h>

static bool is_over(const struct node *n, uint64_t id) {
    struct transfer_info info;
    return id == 0 || !node_transfer_get(n, id, &info) || info.state == TRANSFER_DONE ||
           info.state == TRANSFER_FAILED;
}

void hold_add(struct holds *h, const struct node *n, uint32_t conn, uint64_t id) {
    for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
        if (!is_over(n, h->transfers[i].id))
            continue; /* at least one is: no more than TRANSFERS_MAX are under way */
        h->transfers[i] = (struct hold){id, conn};
        return;
    }
}

bool hold_recv_room(struct holds *h, const struct node *n, uint32_t conn) {
    struct recvs *r = &h->recvs[conn];
    unsigned kept = 0;
    /* A rule that held once is gone when its transfer has come. */
    for (unsigned i = 0; i < r->count; i++)
        if (node_recv_stands(n, r->ids[i]))
            r->ids[kept++] = r->ids[i];
    r->count = kept;
    return r->count < CONTROL_RECVS_MAX;
}

void hold_recv_add(struct holds *h, uint32_t conn, uint64_t id) {
    struct recvs *r = &h->recvs[conn];
    assert(r->count < CONTROL_RECVS_MAX);
    r->ids[r->count++] = id;
}

bool hold_recv_drop(struct holds *h, uint32_t conn, uint64_t id) {
    struct recvs *r = &h->recvs[conn];
    for (unsigned i = 0; i < r->count; i++) {
        if (r->ids[i] != id)
            continue;
        r->ids[i] = r->ids[--r->count];
        return true;
    }
    return false;
}

void hold_drop_conn(struct holds *h, struct node *n, uint64_t now_us, uint32_t conn) {
    struct recvs *r = &h->recvs[conn];
    for (unsigned i = 0; i < r->count; i++)
        node_recv_stop(n, r->ids[i]);
    r->count = 0;
    for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
        struct hold *t = &h->transfers[i];
        if (t->id == 0 || t->conn != conn)
            continue;
        node_transfer_abandon(n, now_us, t->id);
        *t = (struct hold){0};
    }
}
