/* pairing.h: how two nodes become each other's contacts: one gives out a ticket (node_ticket_new),
 * the other adds it (node_contact_add), the first session is made with the ticket's one-time
 * secret, and both keep the pairing secret that comes out of it. The commands of node.h about
 * contacts are here.
 */
#ifndef MESHD_NODE_PAIRING_H
#define MESHD_NODE_PAIRING_H

#include "net/endpoint.h"

struct contact;
struct node;

/* EP_PAIRED: a known contact gets its pairing secret; a ticket's holder becomes a contact under the
 * reserved name and the ticket is burned. */
void pairing_done(struct node *n, const struct ep_event *ev);
/* A session is up. If it was made with the pairing secret, the other side has it too, and the
 * ticket's is wiped: not earlier, since the inviter may have died before it had stored the pairing.
 */
void pairing_session_up(struct node *n, struct contact *c);

#endif
