/* denial.h: a contact whose node has answered and does not let this one in: why, remembered over
 * restarts until a session comes up or the user adds a new ticket. Only what a handshake or a session
 * has authenticated counts (net/endpoint.h): nobody on the way can bring it about. Such a contact is
 * dialled rarely, but whenever the user asks for it.
 */
#ifndef MESHD_NODE_DENIAL_H
#define MESHD_NODE_DENIAL_H

#include <stdbool.h>
#include <stdint.h>

struct contact;
struct node;

/* After a failed attempt or a lost session: if `err` says so, the contact is marked, and
 * NODE_CONTACT_DENIED told if that is news. by_ticket: the ticket's secret was tried last. Gives what
 * to tell of it: `err`, or ERR_TICKET where it was the ticket that has let nobody in. */
int denial_heard(struct node *n, struct contact *c, int err, bool by_ticket);
/* A session is up. */
void denial_over(struct node *n, struct contact *c);

/* For the stored form: 0 to DENIAL_CODE_MAX. What is not known is none. */
enum { DENIAL_CODE_MAX = 7 };
unsigned denial_code(int err);
int denial_of_code(unsigned code);

#endif
