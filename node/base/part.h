/* part.h: a part of a node as the others see it: what it does when something happens that concerns
 * more than one of them. A row of the table in node/node.c is all that the rest has to know of a
 * part.
 *
 * Whoever notices something tells all parts through here, and never the ones above by name: so what
 * is known of a contact does not import what is sent to it. A hook that a part has no use for is
 * NULL. Starts and arrivals go through the table from its first row to its last, ends the other way
 * round, so that a part finds those below it as they were.
 */
#ifndef MESHD_NODE_BASE_PART_H
#define MESHD_NODE_BASE_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/event.h"

struct addr;
struct contact;
struct file_op;
struct peering;

struct part_ops {
    /* From the store, at the start. An error ends it. */
    int (*load)(void *self);
    void (*clear)(void *self); /* gives back what it holds */
    void (*shutdown)(void *self);
    uint64_t (*deadline_us)(const void *self);
    void (*timeout)(void *self);
    /* Of any peer, a contact or not: a session is up; has ended (p->session still names it); none
     * has come about (ERR_TIMEOUT: it did not answer). */
    void (*session_up)(void *self, struct peering *p);
    void (*session_down)(void *self, struct peering *p, int err);
    void (*not_connected)(void *self, struct peering *p, int err);
    /* A session is up, but nothing comes of it. What has begun at `before` at the latest and was
     * not answered hears that; gives when the first of the others has begun; UINT64_MAX: none. */
    uint64_t (*silent)(void *self, struct peering *p, uint64_t before_us);
    /* Somebody wants a session with it, or something in the one that is up; or it is just called
     * again. True: it may be reached by other ways than the addresses that the endpoint has. */
    bool (*wanted)(void *self, struct peering *p);
    /* Nobody holds it any more: before it goes. */
    void (*peer_gone)(void *self, struct peering *p);
    /* This machine has another address or route. */
    void (*network_changed)(void *self);
    /* The same of a contact. */
    void (*peer_up)(void *self, struct contact *c);
    void (*peer_down)(void *self, struct contact *c, int err);
    void (*connect_failed)(void *self, struct contact *c, int err);
    uint64_t (*peer_silent)(void *self, struct contact *c, uint64_t before_us);
    /* Does something wait for what c has to say? */
    bool (*waits)(const void *self, const struct contact *c);
    /* What waits for c may be tried again now. */
    void (*retry)(void *self, struct contact *c);
    void (*renamed)(void *self, const struct contact *c);
    /* c's relays are others now, or which ways it may be reached by. */
    void (*ways_changed)(void *self, struct contact *c);
    /* c is one now, but not in the store yet: what it needs. After an error those that were asked
     * before hear contact_gone. */
    int (*contact_new)(void *self, struct contact *c);
    /* c is being removed, in this transaction: what waits for it is void; and: it is committed. */
    int (*contact_void)(void *self, const struct contact *c);
    void (*contact_gone)(void *self, struct contact *c);
    /* Of a stream of c's that is this part's (ev->owner, node/base/owner.h), or nobody's. True if
     * the stream still is this part's: then the event is dealt with. */
    bool (*stream_event)(void *self, struct contact *c, const struct ep_event *ev);
    /* A name that somebody asked for has these addresses (node/base/resolve.h); 0: none was
     * found. */
    void (*resolved)(void *self, const char *host, const struct addr *addrs, unsigned count);
    /* A file operation of this part's (op->owner) is back. */
    void (*op_done)(void *self, struct file_op *op);
};

struct part {
    const struct part_ops *ops;
    void *self;
};

enum { PARTS_MAX = 16 };

struct parts { /* zeroes: none */
    struct part list[PARTS_MAX];
    unsigned count;
    /* Those of them that have what is asked for with each turn or packet: deadline_us, wanted,
     * waits. */
    struct parts_with {
        uint8_t at[PARTS_MAX], count;
    } deadline, wanted, waits;
};

/* Gives the part's number, from 1, as node/base/owner.h has it. */
unsigned parts_add(struct parts *parts, const struct part_ops *ops, void *self);
/* Whose the cookie is; NULL: nobody's. */
const struct part *parts_owner(const struct parts *parts, uint64_t owner);
int parts_load(const struct parts *parts) MUST_USE;
void parts_clear(const struct parts *parts);
void parts_shutdown(const struct parts *parts);
uint64_t parts_deadline_us(const struct parts *parts); /* UINT64_MAX: none */
void parts_timeout(const struct parts *parts);
/* c: the contact that p is; NULL: none. */
void parts_peer_up(const struct parts *parts, struct peering *p, struct contact *c);
void parts_peer_down(const struct parts *parts, struct peering *p, struct contact *c, int err);
void parts_connect_failed(const struct parts *parts, struct peering *p, struct contact *c, int err);
uint64_t parts_peer_silent(const struct parts *parts, struct peering *p, struct contact *c,
                           uint64_t before_us);
bool parts_wanted(const struct parts *parts, struct peering *p);
void parts_peer_gone(const struct parts *parts, struct peering *p);
void parts_network_changed(const struct parts *parts);
bool parts_wait(const struct parts *parts, const struct contact *c);
void parts_retry(const struct parts *parts, struct contact *c);
void parts_renamed(const struct parts *parts, const struct contact *c);
void parts_ways_changed(const struct parts *parts, struct contact *c);
void parts_resolved(const struct parts *parts, const char *host, const struct addr *addrs,
                    unsigned count);
int parts_contact_new(const struct parts *parts, struct contact *c) MUST_USE;
int parts_contact_void(const struct parts *parts, const struct contact *c) MUST_USE;
void parts_contact_gone(const struct parts *parts, struct contact *c);
/* Asks the owner, and all if nobody is. */
bool parts_stream_event(const struct parts *parts, struct contact *c, const struct ep_event *ev);
void parts_op_done(const struct parts *parts, struct file_op *op); /* it has an owner */

#endif
