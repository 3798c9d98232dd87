/* chan.h: which channel a stream opened by a peer is. A stream begins with a varint: its channel.
 * Then comes one blob (node/blob.h): the manifest or the message. It is gathered here; once whole,
 * the stream is handed to its channel. An unknown channel is reset with ERR_UNSUPPORTED, a broken
 * beginning with ERR_PROTO.
 */
#ifndef MESHD_NODE_CHAN_H
#define MESHD_NODE_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"

enum chan_kind { CHAN_FILE = 1, CHAN_MESSAGE = 2 };

enum {
    INTAKES_MAX = 256, /* streams not handed over yet; beyond: reset with ERR_FULL */
    INTAKES_MAX_PER_CONTACT = 96,
    INTAKE_BYTES_MAX = 48 << 20, /* their memory, all together; beyond: reset with ERR_FULL */
};

struct node;
struct intake;
struct intakes { /* zeroes = empty */
    struct intake *head;
    unsigned count;
    size_t bytes;
};

void chan_opened(struct node *n, struct session_ref s, uint64_t stream);
/* True if the stream is still being gathered here. */
bool chan_readable(struct node *n, struct session_ref s, uint64_t stream);
bool chan_reset(struct node *n, struct session_ref s, uint64_t stream);
void chan_session_down(struct node *n, struct session_ref s);
void chan_clear(struct node *n);

#endif
