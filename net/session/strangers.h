/* strangers.h: the answered handshakes of ticket holders that nobody has confirmed, the oldest
 * first. Who pays when there are too many: whoever has most of them. A ticket's holder can make as
 * many identities as it likes, but not tickets, and addresses not as easily; so first the ticket
 * with the most is looked for, then among those the source (hop_source).
 */
#ifndef MESHD_NET_SESSION_STRANGERS_H
#define MESHD_NET_SESSION_STRANGERS_H

#include <stdint.h>

#include "net/base/limits.h"

struct session;

struct half_open {
    struct session *session;
    uint64_t ticket_id, source;
    unsigned by_ticket, by_source; /* how many have this ticket, and of these this source */
};

struct strangers { /* all zeroes is empty */
    struct half_open list[HALF_OPEN_MAX];
    unsigned count;
};

/* The one that has to end before another is added; NULL: there is room. */
struct session *strangers_crowded(const struct strangers *t);
void strangers_add(struct strangers *t, struct session *s);
void strangers_remove(struct strangers *t,
                      const struct session *s); /* legal if it is not in there */

#endif
