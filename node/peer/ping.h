/* ping.h: echoes asked for by node_ping that have not come back yet. */
#ifndef MESHD_NODE_PEER_PING_H
#define MESHD_NODE_PEER_PING_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/turn.h"
#include "node/people/contact.h"

enum {
    PINGS_MAX = 256, /* further ones are refused with ERR_FULL */
    PING_US = 5 * 1000000,
};

struct ping {
    uint64_t id, deadline_us, sent_us;
    uint32_t contact;
    bool sent;
    bool patient; /* the user has said how long it is waited for */
};
struct pings { /* zeroes but for these = empty */
    struct turn *turn;
    struct contacts *contacts;
    struct dials *dials;
    struct ping *list;
    unsigned count, cap;
    uint64_t last_id;
};

/* As node_ping and node_ping_stop. */
int ping_start(struct pings *pings, const char *name, uint64_t timeout_us, uint64_t *id) MUST_USE;
void ping_stop(struct pings *pings, uint64_t id);
void pings_clear(struct pings *pings);
void ping_peer_up(struct pings *pings, struct contact *c);
void ping_peer_lost(struct pings *pings, struct contact *c,
                    int err); /* session down, connect failed, removed */
/* As transfers_peer_silent. */
uint64_t ping_peer_silent(struct pings *pings, struct contact *c, uint64_t before_us);
void ping_answered(struct pings *pings, struct contact *c, uint64_t id);
uint64_t pings_deadline_us(const struct pings *pings);
void pings_timeout(struct pings *pings);

extern const struct part_ops pings_part; /* self: the struct pings */

#endif
