/* dial.h: contacts are dialled again. Whoever comes back, on whatever address, is the one that
 * knows where the others are: so a node dials its contacts when it starts, when its network has
 * changed, and when a session with one of them was lost, ever later while nobody answers. Of both
 * sides that may have moved the last one finds the other.
 *
 * All of it is spread: one contact after another at a rate for all of them (DIAL_EVERY_US), so that
 * neither a start with CONTACTS_MAX contacts nor thousands that are away cost more than that. Half
 * of it is for those who are there or were until a moment ago: they do not wait behind the
 * thousands. A contact whose session ended for want of use is left alone: it costs nothing until
 * somebody wants it.
 *
 * And whoever waits for a contact hears in time that it does not answer (DIAL_PATIENCE_US), whether
 * there is a session or not. That is told to what has just begun, and ends neither the attempt nor
 * the session: those go on for as long as the endpoint says, so a slow path connects all the same,
 * and what runs survives an outage.
 */
#ifndef MESHD_NODE_PEER_DIAL_H
#define MESHD_NODE_PEER_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/limits.h"
#include "net/base/timer.h"
#include "node/peer/peer.h"

enum {
    DIAL_EVERY_US = 50 * 1000,   /* one contact in so long is looked at, */
    DIAL_BURST = 16,             /* after so many at once */
    DIAL_SPREAD_US = 250 * 1000, /* those that are due together: the jitter at a start */
    DIAL_FIRST_US = 2 * 1000000, /* after a loss or a failure; then twice as long each time, give */
    DIAL_MAX_US = 300 * 1000000, /* or take a quarter, up to this */
    DIAL_HELD_US = 60 * 1000000, /* a session that ends sooner is no success: ever later it is */
    DIAL_REFUSED_S = 3600,       /* it has answered that it does not let us in */
    DIAL_CHANGE_US = 1000000,    /* changes of the network count once in so long */
    DIAL_MEMORY_US = 100 * 1000, /* a plan found no memory */
    DIAL_PATIENCE_US = PEER_SILENT_US, /* no answer for so long, or for so many round trips: */
    DIAL_PATIENCE_RTTS = 6,     /* offline; a path is in doubt after three; then by a relay, there
                             * and back */
    DIAL_CALL_US = 2500 * 1000, /* who is called and has no session: on a bad path it takes more */
    DIAL_PATIENCE_MAX_US = PEER_SILENT_MAX_US,
};

struct dials { /* of a node; zeroes but for these two are empty */
    struct turn *turn;
    struct peerings *peers;
    /* By the peer's index: who has a session or has just lost it, who is away, and who
     * is waited for. */
    struct timer_heap soon, away, verdicts;
    bool soon_had;    /* the last turn */
    uint64_t full_us; /* until then the rate is used up in full, if no less is taken */
    uint64_t changed_us, change_us; /* the network: told of last; to be told of, 0: not */
    uint64_t memory_us;             /* plans wait for memory until then; 0: none does */
};

void dials_clear(struct dials *dials);
/* At the start: it is due soon. */
void dial_soon(struct dials *dials, struct peering *p);
/* The network has changed: it is called or asked soon. */
void dial_recheck(struct dials *dials, struct peering *p);
/* A session is wanted now, and how that ends is told (NODE_CONNECT_FAILED) in DIAL_PATIENCE_US at
 * the latest. One that is up is asked whether it answers. As endpoint_connect. */
int dial_now(struct dials *dials, struct peering *p) MUST_USE;
/* Something was sent in the contact's session that it has to answer. */
void dial_expect(struct dials *dials, struct peering *p);
/* The peer has answered: if nothing has begun since, there is nothing to find out any more, and
 * nothing to wake up for. */
void dial_answered(struct dials *dials, struct peering *p);
/* Its session is up: asked whether it answers, if nothing else is on the way to it. */
void dial_probe(struct dials *dials, struct peering *p);
/* It is looked at then, if not earlier: dialled, or its messages are sent on. */
void dial_at(struct dials *dials, struct peering *p, uint64_t at_us);
/* The endpoint says that what it has to answer is not answered; and that it is heard again. */
void dial_silent(struct dials *dials, struct peering *p);
void dial_heard(struct dials *dials, struct peering *p);
/* What became of it. */
void dial_up(struct dials *dials, struct peering *p);
void dial_down(struct dials *dials, struct peering *p,
               int err); /* the session; 0: for want of use */
void dial_failed(struct dials *dials, struct peering *p, int err); /* the attempt */
/* Before the peer goes. */
void dial_forget(struct dials *dials, struct peering *p);

enum peer_state {
    PEER_OFFLINE,    /* it did not answer when it was dialled last, or has said goodbye */
    PEER_CONNECTING, /* it is being dialled */
    PEER_IDLE,       /* nobody has needed it for so long that the session has ended */
    PEER_SILENT,     /* a session is up, but the peer does not answer */
    PEER_ONLINE,     /* a session is up */
};
enum peer_state dial_state(const struct dials *dials, const struct peering *p);
/* As node_network_changed. */
void dials_network_changed(struct dials *dials);
uint64_t dials_deadline_us(const struct dials *dials);
void dials_timeout(struct dials *dials);

extern const struct part_ops dials_part; /* self: the struct dials */

#endif
