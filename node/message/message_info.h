/* message_info.h: what a node says of a message to whoever asks. */
#ifndef MESHD_NODE_MESSAGE_MESSAGE_INFO_H
#define MESHD_NODE_MESSAGE_MESSAGE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/identity/identity.h"
#include "node/api/cause.h"
#include "node/base/limits.h"

enum message_state {
    MESSAGE_RECEIVED,
    MESSAGE_QUEUED,
    MESSAGE_REFUSED, /* queued; the peer does not take it now (err) */
    MESSAGE_DELIVERED,
    MESSAGE_FAILED,    /* the peer will never take it (err) */
    MESSAGE_CANCELLED, /* the contact was removed before it was delivered */
};
const char *message_state_name(enum message_state s);

struct message_info {
    uint64_t seq;                  /* this node's own order, from 1 */
    uint8_t id[16];                /* the sender's, random: delivery is once per id */
    char contact[PETNAME_MAX + 1]; /* what it is called now, or was when this was stored */
    struct node_id node;           /* who that is */
    bool outgoing, delivered;
    enum message_state state;
    int err;
    struct cause cause; /* of err */
    uint64_t wall_us;
    const char *text; /* valid until the next node call; peer-supplied */
    size_t len;
};
struct message_cut { /* what a step of deleting has done */
    uint64_t deleted;
    uint64_t last; /* the next step's `after` */
    bool more;
};

#endif
