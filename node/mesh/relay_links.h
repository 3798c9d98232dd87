/* relay_links.h: sessions with relays: which are looked up, asked for their key, dialled, kept, and
 * found dead; and which two of them are home.
 *
 * A relay is needed while it is home or a way to a peer leads through it. Then its name is looked
 * up, its key asked for if it is not known, a session made, and at a home a reservation held
 * (link_reach.h, link_warm.h). What fails is tried again, ever later; it is looked up and asked for
 * its key anew then, since it may have moved, or have another.
 *
 * Homes are chosen (homes.h) from those that the user has named, or, if there are none, from those
 * of the contacts: at a start, when one of them fails, and every HOMES_REMEASURE_US. For that those
 * that nobody needs are asked for their key: one datagram each way, which tells the round trip.
 *
 * A session with a relay is asked for an echo as rarely as the NATs allow (keepalive.h). One that
 * does not answer LINK_ECHOES in a row is dead, and dialled anew at once; the next that ends within
 * LINK_STEADY_US later, and ever later.
 */
#ifndef MESHD_NODE_MESH_RELAY_LINKS_H
#define MESHD_NODE_MESH_RELAY_LINKS_H

#include "node/base/relay_config.h"
#include "node/mesh/homes.h"
#include "node/mesh/link_base.h"

enum {
    LINK_OFFERED_MAX = 8, /* relays of contacts among which homes are chosen; beyond, one that none
                           * of them names any more gives way, or one that does not answer */
    LINK_DOUBT_US = 5 * 1000000,  /* so long without a word is no reason to ask */
    LINK_SETTLE_US = 1500 * 1000, /* what has answered so long after a start is chosen from */
};

/* The user's relays, and who they were before. */
void links_named(struct links *links, const struct relay_config *c);
/* Contacts are known now. */
void links_start(struct links *links);
/* A contact is reached by this one: it may become a home if the user has named none. */
void links_offer(struct links *links, const struct relay_addr *at);
void links_clear(struct links *links);
/* A way needs it, and needs it no more. As relay_book_take. */
int links_need(struct links *links, const struct relay_addr *at, struct relay **out) MUST_USE;
void links_release(struct links *links, struct relay *r);
/* It is needed still, and is tried at once: somebody waits. */
void links_again(struct links *links, struct relay *r);
/* Somebody waits for what is asked of it now: one that has not said a word lately is asked for an
 * echo, too, so that one that is dead is found out in LINK_ECHOES echoes. */
void links_doubt(struct links *links, struct relay *r);
/* Somebody has come through this one. Whoever comes through another home that is dead comes in
 * vain, and nothing else is sent there for long. */
void links_came_by(struct links *links, const struct relay *r);
/* The homes that are reserved, then those that will be; before they are chosen HOMES_MAX that the
 * user has named. */
void links_homes(const struct links *links, struct relay_set *out);

/* ---- what happens ---- */
void links_session_up(struct links *links, struct peering *p);
void links_session_down(struct links *links, struct peering *p, int err);
void links_connect_failed(struct links *links, const struct peering *p, int err);
void links_contact_gone(struct links *links, const struct contact *c);
void links_resolved(struct links *links, const char *host, const struct addr *addrs,
                    unsigned count);
void links_network_changed(struct links *links);
void links_pong(struct links *links, const struct peering *p, uint64_t id);
void links_key_told(struct links *links, const struct ep_event *ev);
/* EP_RELAY_RESERVED, _LOAD, _RESTARTING, and _REFUSED of a reservation. */
void links_said(struct links *links, struct relay *r, const struct ep_event *ev);
uint64_t links_deadline_us(const struct links *links);
void links_timeout(struct links *links);

#endif
