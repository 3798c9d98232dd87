/* ways.h: flows through relays that lead to peers: asked for where somebody wants a peer, answered
 * where a peer wants us.
 *
 * Somebody waits for a contact that is offline: flows are asked for at all relays that both may
 * have in common (way_options.h), at the same time as its addresses are dialled, and those relays
 * to which there is no session are dialled. What a relay gives is a place of the peer like an
 * address (endpoint_peer_place_add); whatever answers first carries data. A contact that is only
 * called, since it may have come back, is called through the best relay, and through the next one
 * if that does not answer in WAY_LATE_US, or nobody comes through it in WAY_MUTE_US. While data
 * waits for it a second way is kept, through another relay: so a relay that dies is no more than a
 * path that dies.
 *
 * Flows that nobody sends by end at the relay, by themselves, so an idle peer costs nothing.
 * Bounds: WAYS_PER_PEER of a contact; of strangers, who come with a ticket while one is open,
 * WAYS_STRANGERS_MAX in all: the oldest gives way.
 */
#ifndef MESHD_NODE_MESH_WAYS_H
#define MESHD_NODE_MESH_WAYS_H

#include "net/base/hop.h"
#include "node/mesh/way_options.h"
#include "node/people/invite.h"

enum {
    WAYS_PER_PEER = 4, /* 2 of ours and 2 of theirs: all that one dial goes through */
    WAYS_OWN_MAX = 2,
    WAYS_STRANGERS_MAX = 16,
    WAYS_MAX = 1024,                /* in all; further ones are not opened, or refused */
    WAY_WAIT_US = 8 * 1000000,      /* a relay must be up, and have answered, after so long */
    WAY_AGAIN_US = 5 * 1000000,     /* a relay that said no for this peer is asked again */
    WAY_WANTED_US = 60 * 1000000,   /* a peer that is offline is wanted for so long, */
    WAY_CALLED_US = 10 * 1000000,   /* or is only called, since nobody waits for it */
    WAY_STRANGER_US = 30 * 1000000, /* whoever came with a ticket has paired by then */
    WAY_STUCK_US = 300 * 1000,      /* what was sent has not been answered: is it stuck? */
    WAY_LOOK_US = 1000000,          /* is there data for it still? */
    WAY_MUTE_US = 2 * 1000000,      /* nobody has come through it: another relay is asked, too */
};

enum way_state {
    WAY_WAITS,  /* for a session with the relay */
    WAY_ASKED,  /* for a flow */
    WAY_OPEN,   /* it is a place of the peer's */
    WAY_FAILED, /* until `until_us` this relay is not asked again */
};

struct way {
    struct node_id peer;
    struct relay *relay; /* of whose users it is one */
    enum way_state state;
    bool theirs; /* they have asked for it */
    uint32_t request;
    uint64_t asked_us; /* WAY_WAITS and WAY_ASKED since then */
    uint64_t until_us; /* what holds until then; 0: nothing of the kind */
    uint64_t opened_us;
    struct hop at;
    const char *why; /* WAY_FAILED: static */
};

struct wanted {       /* a contact that somebody wants */
    uint32_t contact; /* serial */
    uint64_t until_us, look_us;
};

struct ways { /* zeroes but for the first five */
    struct turn *turn;
    struct peerings *peers;
    struct contacts *contacts;
    struct invites *invites;
    struct links *links;
    struct way **list;
    unsigned count, cap;
    struct wanted *wanted;
    unsigned wanted_count, wanted_cap;
    uint64_t failed, opened, came; /* counters */
};

void ways_clear(struct ways *ways);
/* Somebody wants it, or something of it. True: a way may come of it. */
bool ways_want(struct ways *ways, struct peering *p);
/* Its relays, or its policy, have changed, or it has told of its relays: what failed is asked again
 * with the next look. */
void ways_changed(struct ways *ways, struct contact *c);
void ways_contact_new(struct ways *ways, struct contact *c);
void ways_contact_gone(struct ways *ways, const struct contact *c);
/* ---- what happens ---- */
void ways_relay_up(struct ways *ways, struct relay *r);
void ways_relay_down(struct ways *ways, struct relay *r);
void ways_opened(struct ways *ways, struct relay *r, uint32_t request, const struct hop *at);
void ways_refused(struct ways *ways, struct relay *r, uint32_t request, unsigned reason);
void ways_incoming(struct ways *ways, struct relay *r, const struct node_id *from,
                   const struct hop *at);
void ways_ended(struct ways *ways, struct relay *r, const struct hop *at, unsigned reason);
uint64_t ways_deadline_us(const struct ways *ways);
void ways_timeout(struct ways *ways);
/* Why there is none to it, as half a sentence; NULL: nothing is known. */
const char *ways_why(const struct ways *ways, const struct node_id *peer);
unsigned ways_open(const struct ways *ways);

#endif
