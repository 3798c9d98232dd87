/* events.h: what the protocol wants to tell, waiting to be polled: a bounded ring. Readiness of one
 * stream is merged by a flag in the stream, so the ring holds at most one such event per stream and
 * kind.
 */
#ifndef MESHD_NET_BASE_EVENTS_H
#define MESHD_NET_BASE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/event.h"

struct events { /* private to events.c; all zeroes is empty */
    struct ep_event *ring;
    uint32_t cap, head, count;
    uint32_t records; /* of them EP_RECORD */
    uint64_t dropped;
    uint8_t *lent; /* bytes of the event popped last */
};

/* What of the queue is of one session; kept by events.c, all zeroes at first. */
struct told {
    uint32_t streams; /* about its streams */
    uint32_t noise;   /* datagrams and echoes: as many as the peer likes */
    uint32_t records; /* the same for records: a flood of the one takes nothing of the other */
};

enum { EVENTS_SPARE = 8 }; /* places that what comes from peers leaves free */

bool events_init(struct events *q);  /* the first places; false: no memory */
void events_clear(struct events *q); /* wipes */
/* At EVENTS_MAX, or when even the spare places are used up without memory for more, the event is
 * lost and counted; false. */
bool events_push(struct events *q, const struct ep_event *e);
/* The same for an event of a session. EP_PONG only up to EVENTS_NOISE_SESSION_MAX of a session and
 * a quarter of EVENTS_MAX in all. */
bool events_push_of(struct events *q, struct told *of, const struct ep_event *e);
/* The same for an event with bytes: EP_DATAGRAM, bounded like EP_PONG, or EP_RECORD, up to
 * EVENTS_RECORDS_SESSION_MAX of a session and EVENTS_RECORDS_MAX in all. The bytes are copied; they
 * live until the next pop. */
bool events_push_data(struct events *q, struct told *of, const struct ep_event *e);
/* Is there room for what a peer's frame may cause? None: the frame has to count as lost, so that
 * what is told only once is never lost. A session may have EVENTS_SESSION_MAX, all together three
 * quarters; who has few, fifteen sixteenths. */
bool events_room(struct events *q, const struct told *of);
bool events_pop(struct events *q, struct ep_event *out);
/* One of this session was popped. */
void events_heard(struct told *of, enum ep_event_kind kind);

#endif
