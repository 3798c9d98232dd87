/* intake.h: which channel a stream opened by a peer is. A stream begins with a varint: its channel.
 * Then comes one blob (node/channel/delimited.h): the manifest or the message. It is taken in here, the manifest
 * apart as it comes; once whole, the stream is handed to its channel. An unknown channel is reset
 * with ERR_UNSUPPORTED, a broken beginning with ERR_PROTO.
 *
 * What is taken in is a peer's word that more will follow. So that no peer keeps the others out:
 *   - a beginning gets INTAKE_PROGRESS_BYTES in each INTAKE_PROGRESS_US or is whole by then, else
 *     it is reset with ERR_TIMEOUT;
 *   - each session has a share, beyond which its newest is reset with ERR_FULL;
 *   - when all together reach their bound, the session that holds the most gives way, if that is
 *     not the one that asks: ERR_FULL.
 * And so that none stops the loop: INTAKE_STEP_BYTES are taken in between two node_timeouts; what
 * is left waits in its stream, and node_deadline_us says "now". Few bytes may make much work: a
 * beginning that is whole counts INTAKE_WHOLE_BYTES more, since a message is then put into the store.
 */
#ifndef MESHD_NODE_CHANNEL_INTAKE_H
#define MESHD_NODE_CHANNEL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/endpoint.h"

enum chan_kind { CHAN_FILE = 1, CHAN_MESSAGE = 2 };

enum {
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
struct messages;
struct transfers;
struct turn;
struct intake_share { /* what one session holds; there is none without */
    struct intake_share *next;
    struct session_ref session;
    unsigned count;
    size_t bytes;
};
struct intakes { /* zeroes but for these = empty */
    struct turn *turn;
    struct contacts *contacts;
    struct messages *messages;
    struct transfers *transfers;
    struct intake *head, *tail;
    struct intake_share *shares;
    unsigned count;
    size_t bytes;
    size_t step_bytes, step_most; /* taken in since the last node_timeout; the most of a step */
    uint64_t taken_bytes;         /* since the start */
    bool more;                    /* some wait for the next step */
    uint64_t timeouts, evictions, refusals;
};

void chan_opened(struct intakes *intakes, struct session_ref s, uint64_t stream);
/* True if the stream is still being gathered here. */
bool chan_readable(struct intakes *intakes, struct session_ref s, uint64_t stream);
bool chan_reset(struct intakes *intakes, struct session_ref s, uint64_t stream);
void chan_session_down(struct intakes *intakes, struct session_ref s);
uint64_t chan_deadline_us(const struct intakes *intakes);
void chan_timeout(struct intakes *intakes);
void chan_clear(struct intakes *intakes);

extern const struct part_ops intakes_part; /* self: the struct intakes */

#endif
