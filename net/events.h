/* events.h: what the protocol wants to tell, waiting to be polled: a bounded ring. Readiness of one
 * stream is merged by a flag in the stream, so the ring holds at most one such event per stream and
 * kind.
 */
#ifndef MESHD_NET_EVENTS_H
#define MESHD_NET_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/err.h"
#include "net/endpoint.h"

struct events { /* private to events.c; all zeroes is empty */
    struct ep_event *ring;
    uint32_t cap, head, count;
    uint64_t dropped;
    uint8_t *lent; /* bytes of the event popped last */
};

void events_clear(struct events *q); /* wipes */
/* At EVENTS_MAX, or without memory, the event is lost and counted; false. */
bool events_push(struct events *q, const struct ep_event *e);
/* The same for an event with bytes, up to a quarter of EVENTS_MAX: a peer can send as many as it likes. They are copied; they live until the next pop. */
bool events_push_data(struct events *q, const struct ep_event *e);
bool events_pop(struct events *q, struct ep_event *out);

#endif
