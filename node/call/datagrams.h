/* datagrams.h: datagrams that came inside sessions and wait to be read, NODE_DATAGRAMS_MAX of them.
 * When it is full, the contact with most of them loses its oldest, since a late datagram is worth
 * least: so no contact pushes out what others have said. Memory from the first one on.
 */
#ifndef MESHD_NODE_CALL_DATAGRAMS_H
#define MESHD_NODE_CALL_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "node/node.h"

struct contact;

struct mailbox { /* zeroes = empty */
    struct node_datagram *all;
    uint8_t
        order[NODE_DATAGRAMS_MAX]; /* places in `all`: those used, oldest first; then those free */
    uint32_t count;
    uint64_t dropped;
};

void mailbox_clear(struct mailbox *m);
/* Copies it; without memory it is dropped and counted. */
void mailbox_add(struct mailbox *m, const struct contact *from, const uint8_t *data, size_t len);

#endif
