/* channel.h: a channel as the streams that peers open see it: a number, and what becomes of what a
 * stream begins with. A stream begins with a varint, its channel's number; then comes one blob
 * (node/channel/delimited.h), the body, which node/channel/intake gathers within its limits. Each
 * channel is one row of the table that the node gives to the intakes; nothing else there knows what
 * a channel is for.
 *
 * A row's functions are called with the row's own `self`. A body is the intakes' until it is handed
 * over.
 */
#ifndef MESHD_NODE_CHANNEL_CHANNEL_H
#define MESHD_NODE_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/event.h"

enum channel_number { CHANNEL_FILE = 1, CHANNEL_MESSAGE = 2 }; /* docs/PROTOCOL.md; 0 is none */

struct contact;

struct channel_fed { /* what became of some bytes */
    size_t used;     /* so many were the body's */
    bool whole;      /* it is complete */
    bool answer;     /* an error is one of what it says: it is answered; else the stream is reset */
};

struct channel_ops {
    uint64_t number;
    /* One has begun. NULL: no memory. */
    void *(*begin)(void *self);
    /* Its next bytes, the blob's length among them, in any pieces; `out` is zeroes before. Errors
     * are the peer's to know: ERR_PROTO, ERR_NOMEM and whatever the channel has to say. */
    int (*feed)(void *body, const uint8_t *p, size_t len, struct channel_fed *out);
    size_t (*held_bytes)(const void *body); /* memory that counts for the peer's share */
    /* It is whole: body and stream are the channel's from now on. It may end the session. */
    void (*take)(void *self, struct contact *c, struct session_ref s, uint64_t stream, void *body);
    /* Says no on the stream, in words that its peers know. NULL if `answer` is never set. */
    void (*refuse)(void *self, struct session_ref s, uint64_t stream, int err);
    void (*free)(void *body);
};

struct channel {
    const struct channel_ops *ops;
    void *self;
};

#endif
