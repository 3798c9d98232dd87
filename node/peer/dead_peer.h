/* dead_peer.h: is the peer still there? The endpoint notices a dead peer by what it does not
 * answer, and asks for itself when a stream falls silent (net/endpoint_silent.c). A transfer can
 * wait for long with nothing unacknowledged: for the user's yes, for the last file's fsync, for
 * credit that was lost with the peer. So while a transfer or a message waits for a contact,
 * silence of WATCH_US is answered with an echo request, and silence of WATCH_GONE_US ends the
 * session.
 */
#ifndef MESHD_NODE_PEER_DEAD_PEER_H
#define MESHD_NODE_PEER_DEAD_PEER_H

#include <stdbool.h>
#include <stdint.h>

enum { WATCH_US = 5 * 1000000, WATCH_GONE_US = 20 * 1000000 };

#include "node/peer/peer.h"

struct watch { /* of a node; zeroes but for these two = nobody waits */
    struct turn *turn;
    struct peerings *peers;
    bool on;
    uint64_t next_us;
};

/* Somebody begins to wait. */
void watch_start(struct watch *watch);
uint64_t watch_deadline_us(const struct watch *watch);
void watch_timeout(struct watch *watch);

extern const struct part_ops watch_part; /* self: the struct watch */

#endif
