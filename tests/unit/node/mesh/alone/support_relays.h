/* support_relays.h: relays that are the test's own, over the endpoint of support_peers.h: they say
 * what they were asked for, and answer what the test tells them to. Sets up the sessions with
 * relays and the ways through them as node/mesh/mesh.c does, without the rest of the node.
 */
#ifndef MESHD_TESTS_SUPPORT_RELAYS_H
#define MESHD_TESTS_SUPPORT_RELAYS_H

#include "node/base/resolve.h"
#include "node/mesh/ways.h"
#include "support_peers.h"

enum { FAKE_RELAYS = 16, FAKE_OPENS = 4096, RELAY_FIRST = 200 /* its number among the peers */ };

struct fake_open { /* a flow that was asked for */
    struct peer_ref relay;
    struct node_id peer;
    uint32_t request;
};

struct fake_relays { /* what they have heard */
    struct fake_open opens[FAKE_OPENS];
    unsigned open_count;
    unsigned accepts, refusals, reserves, key_asks;
    unsigned places_added, places_removed;
    uint64_t keep_us; /* the last endpoint_keepalive */
    /* Of every session: how old its keys are, at 180 s they are made anew if there is need. */
    uint64_t keys_us[FAKE_PEERS];
    unsigned renewed;
    bool no_place; /* endpoint_peer_place_add fails */
};
extern struct fake_relays heard;

struct room {
    struct scene s;
    struct resolves resolves;
    struct links links;
    struct ways ways;
    bool waits; /* data does, for everybody */
};

/* With so many relays that the user has named, from 0 on. */
void room_begin(struct room *r, unsigned named);
void room_end(struct room *r);
struct relay_addr relay_addr_of(unsigned n);
struct relay *relay_n(struct room *r, unsigned n); /* NULL: not known */
/* Its key is told if it is asked for, and a session comes up, if it is dialled. */
void relay_lives(struct room *r, unsigned n);
void relay_dies(struct room *r, unsigned n); /* the session is lost */
/* A contact with these relays, by their numbers. */
struct contact *room_contact(struct room *r, unsigned n, const unsigned *relays, unsigned count);
/* How many flows to it were asked for, at relay n, or at any (n < 0). */
unsigned asked(const struct contact *c, struct room *r, int n);
/* The relay gives what it was asked for last for c, or does not. */
void relay_gives(struct room *r, unsigned n, const struct contact *c);
void relay_refuses(struct room *r, unsigned n, const struct contact *c, unsigned reason);
/* Who comes through it. */
void relay_brings(struct room *r, unsigned n, const struct node_id *who, uint32_t flow);
unsigned ways_in(const struct room *r, enum way_state state);

#endif
