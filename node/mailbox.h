/* mailbox.h: datagrams that came inside sessions and wait to be read: a ring of NODE_DATAGRAMS_MAX;
 * when it is full the oldest gives way, since a late datagram is worth least. Memory from the
 * first one on.
 */
#ifndef MESHD_NODE_MAILBOX_H
#define MESHD_NODE_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "node/node.h"

struct contact;

struct mailbox { /* zeroes = empty */
    struct node_datagram *ring;
    uint32_t first, count;
    uint64_t dropped;
};

void mailbox_clear(struct mailbox *m);
/* Copies it; without memory it is dropped and counted. */
void mailbox_add(struct mailbox *m, const struct contact *from, const uint8_t *data, size_t len);

#endif
