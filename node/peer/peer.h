/* peer.h: peers as the node sees them: the nodes that it may have a session with, whatever for, and
 * the session that is up. A peer is not a contact: node/people holds one for each of its contacts;
 * relays and neighbours are held in the same way, and are dialled, asked and found dead alike.
 *
 * A peering is there for as long as it has a holder (peering_new to peering_end). Whoever has a
 * session with the endpoint and is nobody's peering here is disconnected (node/node.c).
 */
#ifndef MESHD_NODE_PEER_PEER_H
#define MESHD_NODE_PEER_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/event.h"
#include "net/session/peer_setup.h"
#include "node/base/turn.h"

struct contact;

struct dialling {        /* node/peer/dial.h; zeroes: nothing is planned */
    uint64_t next_us;    /* when it is looked at; 0: not planned */
    uint64_t step_us;    /* the last pause, before jitter */
    uint64_t up_us;      /* when the session came up */
    uint64_t since_us;   /* somebody waits for an answer since then, and */
    uint64_t verdict_us; /* hears at this time that there was none; 0: nobody waits */
    bool wanted;         /* somebody waits for a session, and hears how that ends */
    bool check;          /* when it is looked at, a session that is up is asked */
    bool lost;           /* it was there until a moment ago, and has not been dialled since */
    bool idle;           /* the last session ended because nobody used it */
    uint64_t silent_us;  /* the session is up, but what had just begun was not answered: when the
                          * peer was last heard then, and 1; 0: it was */
    uint64_t told_us;    /* and when that was told */
    int err;             /* why the last attempt failed; 0: it did not, or there was none */
};

struct watched { /* node/peer/dead_peer.h; zeroes: not watched */
    bool on;
    uint64_t heard_us, pkts;
};

struct peering {
    struct peer_ref ref; /* the endpoint's, as long as this lives */
    struct node_id id;
    unsigned holders;        /* it goes with the last of them */
    struct contact *contact; /* whose it is; NULL: no contact's */
    const char *name;        /* what that is called, for events; NULL */
    bool online;             /* a session is up */
    struct session_ref session;
    struct hop at;   /* where its packets go, as the user was told last */
    bool as_relay;   /* the user's relay, too: reached at its address whatever the policy */
    bool refused;    /* it has said that it does not let us in */
    uint32_t queued; /* so much waits for a session with it, kept up by whoever has it */
    struct dialling dial;
    struct watched watched;
};

struct peerings { /* zeroes but for `turn` = none */
    struct turn *turn;
    struct peering **by_index; /* by the endpoint's index; may be NULL */
    uint32_t cap;
};

void peerings_clear(struct peerings *peers);
/* Lets it in and out. One that somebody holds already is held once more, and told this setup. As
 * endpoint_peer_add. */
int peering_new(struct peerings *peers, const struct peer_setup *s, struct peering **out) MUST_USE;
/* The endpoint is told what is known of it now. */
int peering_tell(struct peerings *peers, const struct peering *p,
                 const struct peer_setup *s) MUST_USE;
/* One more holder of the same. */
void peering_share(struct peering *p);
/* A holder less. With the last one its session ends, too: what is planned for it must be forgotten
 * before (dial_forget). */
void peering_end(struct peerings *peers, struct peering *p);
struct peering *peering_at(const struct peerings *peers, uint32_t index); /* NULL: none */
struct peering *peering_by_ref(const struct peerings *peers, struct peer_ref ref);
struct peering *peering_by_session(const struct peerings *peers, struct session_ref s);
/* An event about it. */
struct node_event *peering_tell_event(const struct peerings *peers, enum node_event_kind kind,
                                      const struct peering *p);

extern const struct part_ops peerings_part; /* self: the struct peerings */

#endif
