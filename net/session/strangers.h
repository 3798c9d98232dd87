/* strangers.h: the answered handshakes of ticket holders that nobody has confirmed, the oldest
 * first. Who pays when there are too many: whoever has most of them. A ticket's holder can make as
 * many identities as it likes, but not tickets, and addresses not as easily; so first the ticket
 * with the most is looked for, then among those the source (hop_source).
 */
#ifndef MESHD_NET_SESSION_STRANGERS_H
#define MESHD_NET_SESSION_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct session;

struct half_open {
    struct session *session;
    uint64_t ticket_id, source;
    unsigned by_ticket, by_source; /* how many have this ticket, and of these this source */
};

struct strangers {          /* all zeroes is empty */
    struct half_open *list; /* HALF_OPEN_MAX at most; most nodes never have one */
    uint32_t count, cap;
};

/* The one that has to end before another is added; NULL: there is room. */
struct session *strangers_crowded(const struct strangers *t);
/* False: there is no memory, and it has not been added. */
bool strangers_add(struct strangers *t, struct session *s) MUST_USE;
/* Legal if it is not in there. */
void strangers_remove(struct strangers *t, const struct session *s);
void strangers_clear(struct strangers *t);

#endif
