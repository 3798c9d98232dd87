/* relay_watch.h: what relays may do with others' packets, looked at from outside. It reads the
 * headers of docs/PROTOCOL.md for itself:
 *
 *   FORWARD    5 | 0 0 0 | flow 4, little-endian: the sender's end | inner datagram
 *   FORWARDED  6 | 0 0 0 | flow 4: the receiver's end | inner datagram
 *
 * and remembers by their bytes what has come to each relay and who has sealed it. What leaves a
 * relay must have come to it, from the host that has used this flow first, by the flow's other end,
 * not more often, and not long ago. A datagram in a datagram (two relays in a row) is looked into.
 * It remembers a packet for at least RELAY_WATCH_KEEP_S.
 */
#ifndef MESHD_SIM_INVARIANTS_RELAY_WATCH_H
#define MESHD_SIM_INVARIANTS_RELAY_WATCH_H

#include "sim/invariants/watch_set.h"

enum {
    RELAY_WATCH_KEEP_S = 20,
    RELAY_WATCH_QUEUE_MS = 50, /* docs/PROTOCOL.md: what waits longer is dropped */
    RELAY_WATCH_TURN_MS = 5,   /* and a turn */
};

struct relay_watch {          /* all zeroes is empty */
    struct watch_map came[2]; /* (relay and life, bytes): [0] is the newer one */
    struct watch_map made[2]; /* (bytes, -): who has sealed them */
    struct watch_map ends;    /* (relay and life, flow): the other end, and who uses it */
    uint64_t turned_ns;       /* when the older ones were last forgotten */
};

struct relay_packet {
    uint64_t now_ns;
    uint64_t relay; /* the host that looks at it, and which of its lives */
    uint32_t from;  /* the host that has really sent it */
    bool liar;      /* which is hostile: a flow is not its own only because it names it first */
    const uint8_t *data;
    uint32_t len;
};

/* What a relay has sent, judged: texts say what is wrong. */
struct relay_judgement {
    bool judged;         /* it was a packet of others */
    const char *crossed; /* not of this pair */
    const char *grown;   /* more than what came */
    uint64_t waited_ns;  /* since it came; 0: it has not */
    uint32_t from;       /* who has sealed it; UINT32_MAX: nobody knows */
};

void relay_watch_clear(struct relay_watch *r);
/* It has come to a host: what that is asked to forward is remembered. */
void relay_watch_received(struct relay_watch *r, const struct relay_packet *p);
/* It leaves a host (p->from is that). */
struct relay_judgement relay_watch_sent(struct relay_watch *r, const struct relay_packet *p);
/* Who has sealed a datagram that has come from `from`: not a relay that has only forwarded it. */
uint32_t relay_watch_maker(const struct relay_watch *r, const struct relay_packet *p);

#endif
