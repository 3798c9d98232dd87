/* guests.h: how many guests there are, and of which source (hop_source): those whom only serving as
 * a relay lets in, so that whoever has one address, or a network of them, has few
 * of their places. All zeroes is empty.
 */
#ifndef MESHD_NET_SESSION_GUESTS_H
#define MESHD_NET_SESSION_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct guests {
    uint64_t *sources; /* of each guest, in no order */
    uint32_t count, cap;
};

/* Is there a place for one more of this source? */
bool guests_room(const struct guests *g, uint64_t source);
/* False: no room, or no memory. */
bool guests_add(struct guests *g, uint64_t source) MUST_USE;
/* One of this source has gone. Legal if there is none. */
void guests_remove(struct guests *g, uint64_t source);
void guests_clear(struct guests *g);

#endif
