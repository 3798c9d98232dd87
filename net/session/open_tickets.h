/* open_tickets.h: the one-time secrets that wait for whoever shows them, at most TICKETS_OPEN_MAX.
 * Their order does not matter, the oldest one gives way. Holds secrets; it takes memory while there
 * is one. All zeroes is empty.
 */
#ifndef MESHD_NET_SESSION_OPEN_TICKETS_H
#define MESHD_NET_SESSION_OPEN_TICKETS_H

#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"
#include "net/base/limits.h"

struct open_ticket {
    struct psk secret;
    uint64_t id;         /* psk_id of the secret */
    uint64_t expires_us; /* monotonic */
    uint64_t opened;     /* counts up: the least is the oldest */
};

struct open_tickets {
    /* TICKETS_OPEN_MAX places; NULL until there was one. Then it stays: a ticket is burned before
     * the pairing is stored, and opened again if that fails, mostly for want of memory. */
    struct open_ticket *list;
    unsigned count;
    uint64_t opened; /* so far, ever */
};

void open_tickets_clear(struct open_tickets *t); /* wipes */
/* ERR_USAGE: the secret is none (its id is 0). ERR_NOMEM. */
int open_tickets_add(struct open_tickets *t, const struct psk *secret,
                     uint64_t expires_us) MUST_USE;
/* The one with this id that has not expired, until the table is changed; NULL: there is none. */
const struct open_ticket *open_tickets_find(const struct open_tickets *t, uint64_t now_us,
                                            uint64_t id);
/* Used up, or closed; legal if it is not in there. */
void open_tickets_burn(struct open_tickets *t, const struct psk *secret);

#endif
