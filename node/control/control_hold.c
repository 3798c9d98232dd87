/* control_hold.c: a transfer that somebody asked for and did not let go of ends with the connection
 * that asked: or an offer whose meshctl was killed would wait at the peer for ever, with nobody to
 * hear how it ends.
 */
#include "node/control/control_internal.h"

static bool is_over(const struct control *c, uint64_t id) {
    struct transfer_info info;
    return id == 0 || !node_transfer_get(c->node, id, &info) || info.state == TRANSFER_DONE ||
           info.state == TRANSFER_FAILED;
}

void hold_add(struct control *c, const struct conn *conn, uint64_t id) {
    for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
        if (!is_over(c, c->holds[i].id))
            continue; /* at least one is: no more than TRANSFERS_MAX are under way */
        c->holds[i] = (struct hold){id, (uint32_t)(conn - c->conns)};
        return;
    }
}

void hold_drop_conn(struct control *c, uint64_t now_us, const struct conn *conn) {
    for (unsigned i = 0; i < TRANSFERS_MAX; i++) {
        struct hold *h = &c->holds[i];
        if (h->id == 0 || h->conn != (uint32_t)(conn - c->conns))
            continue;
        node_transfer_abandon(c->node, now_us, h->id);
        *h = (struct hold){0};
    }
}
