/* control_hold.h: what ends with the connection that asked for it: a transfer that it did not let
 * go of (or an offer whose meshctl was killed would wait at the peer for ever, with nobody to hear
 * how it ends), and the rules by which it receives.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_HOLD_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_HOLD_H

#include "node/control/call/control_limits.h"
#include "node/node.h"

struct hold {
    uint64_t id; /* 0: none */
    uint32_t conn;
};

struct recvs { /* standing recv.start of one connection */
    uint64_t ids[CONTROL_RECVS_MAX];
    unsigned count;
};

struct holds {                            /* zeroes: nothing is held */
    struct hold transfers[TRANSFERS_MAX]; /* as many as can be under way */
    struct recvs recvs[CONTROL_CONNS_MAX];
};

/* The connection's transfer ends with it. */
void hold_add(struct holds *h, const struct node *n, uint32_t conn, uint64_t id);
/* A place for one more rule, those that are used up being forgotten. False: it has as many as it
 * may. */
bool hold_recv_room(struct holds *h, const struct node *n, uint32_t conn);
void hold_recv_add(struct holds *h, uint32_t conn, uint64_t id);
/* The rule is not the connection's any more; false: it was not. */
bool hold_recv_drop(struct holds *h, uint32_t conn, uint64_t id);
void hold_drop_conn(struct holds *h, struct node *n, uint64_t now_us, uint32_t conn);

#endif
