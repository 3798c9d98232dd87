/* recovery.h: what a transport knows of one path and how it sends along it: round trip, congestion
 * window, pacer, path MTU, what is late and when to probe (RFC 9002, RFC 8899, net/cc/cc.h). What
 * does not depend on the way is the transport's: the ring of sent packets, acknowledgements,
 * streams, credit. Each packet in the ring has the number of the path it left by (loss.path). A
 * path that was left is kept as long as packets are out on it: their acknowledgement frees data,
 * and tells nothing about another path. Value struct without allocation.
 */
#ifndef MESHD_NET_PATH_RECOVERY_H
#define MESHD_NET_PATH_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/cc/cc.h"
#include "net/recovery/loss.h"
#include "net/recovery/pacer.h"
#include "net/recovery/pmtud.h"
#include "net/recovery/rtt.h"

struct recovery {
    enum cc_kind cc_kind;
    uint16_t mtu_max; /* never probed above */
    struct rtt rtt;
    struct cc cc;
    struct pacer pacer;
    struct pmtud pmtud;
    struct loss loss;
    uint32_t outstanding;    /* packets out on this path */
    unsigned probes;         /* packets that may leave regardless of the window (PTO) */
    bool app_limited;        /* what left last was all there was */
    bool marks;              /* the train being built gets ECT(0) */
    uint64_t pacer_until_us; /* TIME_NEVER: the pacer is not what holds us */
};

/* A path of which nothing is known; its first packet is not below next_pn. */
void recovery_init(struct recovery *r, uint64_t now_us, uint16_t path, uint64_t next_pn);
/* Nothing leaves by it any more: what is out is given up after a PTO. */
void recovery_leave(struct recovery *r, uint64_t now_us);
/* The path's round trip is known from before. */
void recovery_set_rtt(struct recovery *r, const struct rtt *known);
/* The path MTU is this now. */
void recovery_mtu_changed(struct recovery *r);
/* May something that counts leave now? Says why not: the window (app_limited becomes false) or the
 * pacer (pacer_until_us). */
bool recovery_may_send(struct recovery *r, uint64_t now_us);
/* The largest datagram that may leave now: less than the path MTU while probing. */
size_t recovery_datagram_bytes(const struct recovery *r);
/* When something is lost, to be probed for, or may leave. */
uint64_t recovery_deadline_us(const struct recovery *r, const struct sent *s);

#endif
