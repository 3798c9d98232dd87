/* invite.h: tickets given out and not used yet: the one-time secret, the name reserved for whoever
 * shows it, and its expiry. Persisted in the store's table "tickets", so that a restart keeps them:
 *
 *   key   = psk 32 (node/people/ticket.h)
 *   value = version u8 = 1 | expiry u64 LE, wall clock s | petname, or nothing: then whoever comes
 *   is
 *           named after its own id
 *
 * Burned on use, removed when expired; at most TICKETS_OPEN_MAX.
 */
#ifndef MESHD_NODE_PEOPLE_INVITE_H
#define MESHD_NODE_PEOPLE_INVITE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/people/contact.h"

struct invite { /* secret */
    struct psk psk;
    uint64_t expires_s;
    char name[PETNAME_MAX + 1]; /* empty: after the id of whoever comes */
};

struct invites { /* zeroes but for these = empty; wiped by invites_clear */
    struct turn *turn;
    struct keep *keep;
    struct contacts *contacts;
    struct invite *list; /* of TICKETS_OPEN_MAX; NULL while there was none yet */
    unsigned count;
};

int invites_load(struct invites *invites) MUST_USE;
void invites_clear(struct invites *invites);
/* Reserved by a ticket that is open. */
bool invite_name_reserved(const struct invites *invites, const char *name);
/* So, or a contact's. */
bool invite_name_taken(const struct invites *invites, const char *name);
/* A name for this node that is not taken: petname_default's. */
void invite_free_name(const struct invites *invites, const struct node_id *id,
                      char out[static PETNAME_MAX + 1]);
/* ERR_FULL; what the store says. */
int invite_open(struct invites *invites, const struct invite *v) MUST_USE;
/* The invite opened with this secret: false if there is none. */
bool invite_find(const struct invites *invites, const struct psk *psk, struct invite *out);
/* Burning has two halves, so that it can be part of a transaction: first out of the store, ... */
int invite_store_del(struct invites *invites, const struct psk *psk) MUST_USE;
int invite_store_del_name(struct invites *invites, const char *name) MUST_USE;
/* ... then, once that is committed, out of memory and the endpoint; the disk is scrubbed. */
void invite_forget(struct invites *invites, const struct psk *psk);
void invite_forget_name(struct invites *invites, const char *name);
/* The endpoint has burned it, but what it was used for came to nothing: it holds again. */
int invite_reopen(struct invites *invites, const struct psk *psk) MUST_USE;
uint64_t invites_deadline_us(const struct invites *invites);
void invites_timeout(struct invites *invites);

extern const struct part_ops invites_part; /* self: the struct invites */

#endif
