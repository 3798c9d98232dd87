/* way_options.h: which relays may lead to a contact, the best first: by our round trip to the relay
 * and the one that the contact has told of its own; its homes, then ours, at which it may be, too.
 * One that does not come up when it is dialled, or is known to be down, comes behind all that are
 * well.
 */
#ifndef MESHD_NODE_MESH_WAY_OPTIONS_H
#define MESHD_NODE_MESH_WAY_OPTIONS_H

#include "node/mesh/relay_links.h"

enum {
    WAY_OPTIONS_MAX = RELAY_SET_MAX + HOMES_MAX,
    WAY_UNKNOWN_US = 100 * 1000, /* what a round trip counts that nobody has measured, and */
    WAY_OWN_US = 1000 * 1000,    /* one of our homes that the peer has not named; and as one that */
    WAY_DOWN_TIMES = 10,         /* so many times does one that is down, or is late in coming up, */
    WAY_WRONG_TIMES = 100,       /* and one at whose address another node answers */
    WAY_LATE_US = 1000 * 1000,   /* a relay that is dialled should be up, and one that is asked have
                                  * answered, after so long: then it is not waited for alone */
};

/* Gives how many; the first *free of them are not overloaded, the others are for when none of those
 * leads anywhere. */
unsigned way_options(const struct links *links, const struct contact *c,
                     struct relay_addr out[static WAY_OPTIONS_MAX], unsigned *free);
/* Why a relay gives no flow, or has ended one (enum relay_reason): half a sentence. */
const char *way_refusal_text(unsigned reason);

#endif
