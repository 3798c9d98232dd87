/* pairing.h: how two nodes become each other's contacts: one gives out a ticket (node_ticket_new),
 * the other adds it (node_contact_add), the first session is made with the ticket's one-time
 * secret, and both keep the pairing secret that comes out of it. The commands of node.h about
 * contacts are here.
 *
 * Either side may die, or lose power, or have a full disk, at any write, and neither may rely on
 * what the other has lost. So both keep the ticket's secret beside the pairing secret, the giver as
 * bound to this contact, until a handshake with the pairing secret has succeeded; and the endpoint
 * gets the pairing secret only once it is kept, that is, once a barrier has made it safe: a
 * handshake with it proves that both sides have it where nothing can take it away. Until then a
 * handshake with the ticket's makes another pairing secret, which replaces the one before.
 */
#ifndef MESHD_NODE_PEOPLE_PAIRING_H
#define MESHD_NODE_PEOPLE_PAIRING_H

#include "net/endpoint.h"
#include "node/people/contact.h"
#include "node/people/invite.h"

struct pairing {
    struct turn *turn;
    struct keep *keep;
    struct contacts *contacts;
    struct invites *invites;
    struct addr tell[PEER_ADDRS_MAX]; /* our own addresses, for tickets */
    unsigned tell_count;
};

/* As node_ticket_new, node_ticket_end, node_contact_add, node_contact_remove and
 * node_contact_rename (node/node.h). */
/* homes: the relays that this node is reached by. What a ticket names depends on the node's policy:
 * under relay_only only those, and without one that would be none at all: ERR_UNSUPPORTED; under
 * direct_only only addresses. */
int pairing_ticket(struct pairing *pair, const struct relay_set *homes, const char *name,
                   uint64_t ttl_s, char out[static TICKET_TEXT_MAX + 1]) MUST_USE;
int pairing_ticket_end(struct pairing *pair, const char *ticket) MUST_USE;
uint64_t pairing_ticket_id(const char *ticket);
int pairing_take(struct pairing *pair, const char *name, const char *ticket) MUST_USE;
int pairing_remove(struct pairing *pair, const char *name) MUST_USE;
int pairing_rename(struct pairing *pair, const char *name, const char *to) MUST_USE;

/* EP_PAIRED: a known contact gets its pairing secret; a ticket's holder becomes a contact under the
 * reserved name and the ticket is burned. If that cannot be stored, all is as before: the ticket
 * holds, the session ends with the error. */
void pairing_done(struct pairing *pair, const struct ep_event *ev);
/* EP_TICKET_DONE: the other side has the pairing secret, too: the ticket's is wiped. */
void pairing_proved(struct pairing *pair, struct contact *c);

#endif
