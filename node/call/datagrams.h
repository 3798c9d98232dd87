/* datagrams.h: datagrams inside sessions. The first byte of each is a tag, the number of its
 * channel:
 *
 *   +-----------+------------------+
 *   | tag 1     | bytes, 1 to 1099 |
 *   +-----------+------------------+
 *
 * One whose tag is not known here, or that has nothing behind it, is dropped and counted. Those of
 * calls, the only channel so far, wait here to be read, NODE_DATAGRAMS_MAX of them.
 * When it is full, the contact with most of them loses its oldest, since a late datagram is worth
 * least: so no contact pushes out what others have said. Memory from the first one on.
 */
#ifndef MESHD_NODE_CALL_DATAGRAMS_H
#define MESHD_NODE_CALL_DATAGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "node/base/turn.h"
#include "node/call/datagram.h"

struct contact;
struct contacts;

enum datagram_tag { DATAGRAM_CALL = 1 }; /* docs/PROTOCOL.md */

struct mailbox { /* zeroes but for these two = empty */
    struct turn *turn;
    const struct contacts *contacts;
    struct node_datagram *all;
    uint8_t
        order[NODE_DATAGRAMS_MAX]; /* places in `all`: those used, oldest first; then those free */
    uint32_t count;
    uint64_t dropped;
    uint64_t unknown; /* came with a tag that is none of ours, or without anything */
};

void mailbox_clear(struct mailbox *m);
/* One has come: to its channel. */
void mailbox_come(struct mailbox *m, const struct contact *from, const uint8_t *bytes, size_t len);
/* One of a call, without its tag. Copies it; without memory it is dropped and counted. */
void mailbox_add(struct mailbox *m, const struct contact *from, const uint8_t *data, size_t len);
/* The oldest unread one; false: none. */
bool mailbox_next(struct mailbox *m, struct node_datagram *out);
/* As node_datagram_send. */
int mailbox_send(struct mailbox *m, const char *contact, const void *data, size_t len,
                 uint64_t deadline_us) MUST_USE;

extern const struct part_ops mailbox_part; /* self: the struct mailbox */

#endif
