/* invite.h: tickets given out and not used yet: the one-time secret, the name reserved for whoever
 * shows it, and its expiry. Persisted in the store's table "tickets", so that a restart keeps them:
 *
 *   key   = psk 32 (node/ticket.h)
 *   value = version u8 = 1 | expiry u64 LE, wall clock s | petname, or nothing: then whoever comes is
 *           named after its own id
 *
 * Burned on use, removed when expired; at most TICKETS_OPEN_MAX.
 */
#ifndef MESHD_NODE_INVITE_H
#define MESHD_NODE_INVITE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/err.h"
#include "node/node.h"

struct invite { /* secret */
    struct psk psk;
    uint64_t expires_s;
    char name[PETNAME_MAX + 1]; /* empty: after the id of whoever comes */
};

struct invites {         /* zeroes = empty; wiped by invites_clear */
    struct invite *list; /* of TICKETS_OPEN_MAX; NULL while there was none yet */
    unsigned count;
};

int invites_load(struct node *n) MUST_USE;
void invites_clear(struct node *n);
bool invite_name_taken(const struct node *n, const char *name);
/* ERR_FULL; what the store says. */
int invite_open(struct node *n, const struct invite *v) MUST_USE;
/* The invite opened with this secret: false if there is none. */
bool invite_find(const struct node *n, const struct psk *psk, struct invite *out);
void invite_burn(struct node *n, const struct psk *psk);
void invite_burn_name(struct node *n, const char *name);
uint64_t invites_deadline_us(const struct node *n);
void invites_timeout(struct node *n);

#endif
