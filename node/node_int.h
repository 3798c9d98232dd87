/* node_int.h: what a node is made of, for node/node*.c: they hold the parts together. No part knows
 * it. */
#ifndef MESHD_NODE_NODE_INT_H
#define MESHD_NODE_NODE_INT_H

#include "node/base/keep.h"
#include "node/base/relay_config.h"
#include "node/base/resolve.h"
#include "node/base/turn.h"
#include "node/call/datagrams.h"
#include "node/channel/intake.h"
#include "node/disk/file_queue.h"
#include "node/file/file_channel.h"
#include "node/mesh/mesh.h"
#include "node/message/message.h"
#include "node/node.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/peer/ping.h"
#include "node/people/contact.h"
#include "node/people/invite.h"
#include "node/people/pairing.h"

struct node {
    struct turn turn;
    uint64_t started_us;

    struct work work;
    struct keep keep;
    struct resolves resolves;
    struct relay_config *relay; /* NULL: nothing is set about relays */
    struct peerings peers;
    struct contacts contacts;
    struct invites invites;
    struct pairing pairing;
    struct mesh mesh;
    struct dials dials;
    struct pings pings;
    struct watch watch;
    struct messages messages;
    struct transfers transfers;
    struct file_channel files;
    struct intakes intakes;
    struct mailbox mailbox;
};

/* ---- node_policy.c ---- */
const struct relay_config *node_relays_set(const struct node *n); /* never NULL */
void node_policy_told(struct node *n); /* to the endpoint, and what is above it */
/* False: there was no memory for these. */
bool node_relays_taken(const struct node *n, const struct relay_config *c);

#endif
