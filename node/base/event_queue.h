/* event_queue.h: what the node has to tell, in order, until node_poll takes it.
 *
 * A ring that grows by doubling up to EVENTS_MAX (net/base/limits.h); beyond it the oldest event is
 * dropped, which a reader that polls once a turn never sees. Progress is not queued: a transfer
 * keeps one flag, so that any number of progress reports is one event
 * (node/file/transfer/transfer).
 */
#ifndef MESHD_NODE_BASE_EVENT_QUEUE_H
#define MESHD_NODE_BASE_EVENT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/event.h"

struct news { /* zeroes = empty */
    struct node_event *ring;
    uint32_t cap, first, count;
    uint64_t dropped;
    struct node_event spare; /* filled and forgotten when there is no memory */
};

void news_clear(struct news *q);
/* A new event at the end, zeroed but for kind, now_us and contact (NULL: empty); the caller fills
 * in the rest. Never NULL; valid until the next call. */
struct node_event *news_add(struct news *q, enum node_event_kind kind, uint64_t now_us,
                            const char *contact);
bool news_take(struct news *q, struct node_event *out);

#endif
