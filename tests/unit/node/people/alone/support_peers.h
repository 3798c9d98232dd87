/* support_peers.h: an endpoint that is the test's own: it says who was called, asked and hung up
 * on, and holds as many sessions as the test gives it. Sets up a turn, a store and the rooms of
 * peers and people on it, and nothing above them.
 */
#ifndef MESHD_TESTS_SUPPORT_PEERS_H
#define MESHD_TESTS_SUPPORT_PEERS_H

#include "node/base/keep.h"
#include "node/base/turn.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/peer/ping.h"
#include "node/people/contact.h"
#include "node/people/denial.h"
#include "node/people/invite.h"
#include "node/people/pairing.h"
#include "sim/disk/store_mem.h"

enum { FAKE_PEERS = 320, S = 1000000 };

struct fake_peer { /* what the endpoint knows of one */
    bool there;
    struct peer_setup setup;
    bool up;
    uint32_t serial;
    uint64_t heard_us, pkts;
    unsigned connects, calls, pings, disconnects;
    uint64_t last_ping;
    int closed; /* with what it was hung up on last */
};

struct scene {
    struct turn turn;
    struct work work;
    struct store_mem *memory;
    struct keep keep;
    struct peerings peers;
    struct dials dials;
    struct pings pings;
    struct watch watch;
    struct contacts people;
    struct invites invites;
    struct pairing pairing;
    char said[4096]; /* the log */
};

extern struct fake_peer fake[FAKE_PEERS];
extern unsigned fake_tickets; /* open at the endpoint */

void scene_begin(struct scene *s);
void scene_end(struct scene *s);
/* Made anew on the same store. */
void scene_restart(struct scene *s);
struct node_id id_of(unsigned n);
/* A contact that is the n-th peer. */
struct contact *scene_contact(struct scene *s, const char *name, unsigned n);
/* A session with it comes up, and ends. */
void scene_up(struct scene *s, struct peering *p);
void scene_down(struct scene *s, struct peering *p, int err);
/* Time passes: what is due is done. */
void scene_wait(struct scene *s, uint64_t us);
/* Barriers come back. */
void scene_sync(struct scene *s);
/* The next event of this kind; false: there is none. */
bool scene_heard(struct scene *s, enum node_event_kind kind, struct node_event *e);

#endif
