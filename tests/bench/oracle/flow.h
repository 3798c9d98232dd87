/* flow.h: one bulk transfer from side A to side B over some transport, seen from outside: datagrams
 * and time go in, datagrams and deadlines come out. Our endpoints (flow_ours.c) and ngtcp2's
 * connections (flow_ngtcp2.c) stand behind the same table, so that a dumbbell cannot tell them
 * apart. Times are virtual nanoseconds. What a transport itself treats as fatal aborts the run with
 * a message: a comparison with half a connection means nothing.
 */
#ifndef MESHD_TESTS_ORACLE_FLOW_H
#define MESHD_TESTS_ORACLE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/train.h"
#include "net/cc/cc.h"
#include "sim/engine/draw.h"

enum side { SIDE_A, SIDE_B, SIDES }; /* A sends the data; B reads and acknowledges it */

enum {
    FLOW_UDP_PAYLOAD_BYTES = 1452, /* both stacks: Ethernet over IPv6 */
    FLOW_OVERHEAD_BYTES = 28,      /* IP and UDP headers, as the links count */
};

struct flow_config {
    enum cc_kind cc; /* of ours; ngtcp2 always runs its CUBIC */
    const struct draw *draw;
    uint32_t entity; /* keys the flow's randomness */
};

struct flow_state { /* of the sender, for traces */
    uint64_t cwnd_bytes, ssthresh_bytes, in_flight_bytes, srtt_us;
};

struct flow;
struct flow_ops {
    const char *name;
    struct flow *(*open)(const struct flow_config *cfg, uint64_t now_ns); /* begins the handshake */
    void (*free)(struct flow *f);
    bool (*connected)(const struct flow *f);           /* on both sides */
    void (*start)(struct flow *f, uint64_t now_ns);    /* from now on A always has data to send */
    uint64_t (*delivered_bytes)(const struct flow *f); /* in order, to B's application */
    struct flow_state (*state)(const struct flow *f);
    /* As net/endpoint.h has them. `data` is scratch afterwards. */
    void (*input)(struct flow *f, enum side to, uint64_t now_ns, uint8_t *data, size_t len);
    bool (*output)(struct flow *f, enum side from, uint64_t now_ns, struct train *t);
    uint64_t (*deadline_ns)(const struct flow *f, enum side side); /* UINT64_MAX: none */
    void (*timeout)(struct flow *f, enum side side, uint64_t now_ns);
};

struct flow { /* the first member of each kind's own struct */
    const struct flow_ops *ops;
};

extern const struct flow_ops flow_ours_ops, flow_ngtcp2_ops;

#endif
