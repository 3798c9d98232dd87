/* denial.h: a contact whose node has answered and does not let this one in: why, remembered over
 * restarts until a session comes up or the user adds a new ticket. Only what a handshake or a
 * session has authenticated counts (net/endpoint.h): nobody on the way can bring it about. Such a
 * contact is dialled rarely, but whenever the user asks for it.
 *
 * Who lets this node in and throws it out again and again is told of, and stored, DENIAL_BURST
 * times and then once in DENIAL_EVERY_US. What is not told is known all the same, until the next
 * start, which asks anew.
 */
#ifndef MESHD_NODE_PEOPLE_DENIAL_H
#define MESHD_NODE_PEOPLE_DENIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "node/people/contact.h"

enum { DENIAL_BURST = 8, DENIAL_EVERY_US = 30 * 1000000 };

/* After a failed attempt or a lost session: if `err` says so, the contact is marked, and
 * NODE_CONTACT_DENIED told if that is news and not too much of it. by_ticket: the ticket's secret
 * was tried last. Gives what to tell of it: `err`, or ERR_TICKET where it was the ticket that has
 * let nobody in. */
int denial_heard(struct contacts *people, struct contact *c, int err, bool by_ticket);
/* A session is up. */
void denial_over(struct contacts *people, struct contact *c);

/* As node_denied. */
bool denial_is(int err);

#endif
