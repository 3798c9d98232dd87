/* intake.h: which channel a stream opened by a peer is (node/channel/channel.h), and its beginning:
 * a channel's number, then one body. It is gathered here, by the channel's own functions; once
 * whole, the stream is handed to its channel. An unknown channel is reset with ERR_UNSUPPORTED, a
 * broken beginning with ERR_PROTO.
 *
 * What is taken in is a peer's word that more will follow. So that no peer keeps the others out:
 *   - a beginning gets INTAKE_PROGRESS_BYTES in each INTAKE_PROGRESS_US or is whole by then, else
 *     it is reset with ERR_TIMEOUT;
 *   - each session has a share, beyond which its newest is reset with ERR_FULL;
 *   - when all together reach their bound, the session that holds the most gives way, if that is
 *     not the one that asks: ERR_FULL.
 * And so that none stops the loop: INTAKE_STEP_BYTES are taken in between two node_timeouts; what
 * is left waits in its stream, and node_deadline_us says "now". Few bytes may make much work: a
 * beginning that is whole counts INTAKE_WHOLE_BYTES more, since a message is then put into the
 * store.
 */
#ifndef MESHD_NODE_CHANNEL_INTAKE_H
#define MESHD_NODE_CHANNEL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"
#include "node/base/handles.h"
#include "node/base/part.h"
#include "node/channel/channel.h"

enum {
    CHANNELS_MAX = 8,  /* rows of the table */
    INTAKES_MAX = 256, /* streams not handed over yet */
    INTAKES_MAX_PER_CONTACT = 96,
    INTAKE_BYTES_MAX = 48 << 20,             /* their memory, all together */
    INTAKE_BYTES_MAX_PER_CONTACT = 24 << 20, /* the largest manifest takes 20 MiB */
    INTAKE_PROGRESS_US = 30 * 1000000,
    INTAKE_PROGRESS_BYTES = 4096, /* in 30 s: a link of 1.1 kbit/s passes */
    INTAKE_STEP_BYTES = 64 << 10, /* at most 1 ms of work */
    INTAKE_WHOLE_BYTES = 4096,    /* 16 messages in a step: five rows of the store each, 45 us */
};

struct contacts;
struct intake;
struct turn;
struct intake_share { /* what one session holds; there is none without */
    struct intake_share *next;
    struct session_ref session;
    unsigned count;
    size_t bytes;
};
struct intakes { /* zeroes but for these three and the table = empty */
    struct turn *turn;
    struct contacts *contacts;
    unsigned part; /* its number (node/base/part.h) */
    struct channel channels[CHANNELS_MAX];
    unsigned channel_count;
    struct intake *head, *tail;
    struct handles handles; /* which one a stream's cookie means */
    struct intake_share *shares;
    unsigned count;
    size_t bytes;
    size_t step_bytes, step_most; /* taken in since the last node_timeout; the most of a step */
    uint64_t taken_bytes;         /* since the start */
    bool more;                    /* some wait for the next step */
    uint64_t timeouts, evictions, refusals;
};

/* What comes on this channel is dealt with there. For node/node.c, before anything comes. */
void intakes_serve(struct intakes *intakes, const struct channel_ops *ops, void *self);

/* A peer has opened a stream. From here on its events come to the part, until it is handed over. */
void intake_opened(struct intakes *intakes, struct session_ref s, uint64_t stream);

extern const struct part_ops intakes_part; /* self: the struct intakes */

#endif
