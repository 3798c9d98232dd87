/* keep.h: how the core's modules use the store (node/base/store.h): transactions, and what is owed
 * to somebody until what was committed cannot be lost any more.
 *
 * A peer or a client is told "stored" or "paired" only by a debt: the module commits, then hands
 * keep_owe a function of its own, which is run in a later turn, once a barrier has made everything
 * committed before durable. Debts are paid in the order in which they were made. One barrier is out
 * at a time, and covers all that waited when it left, so that many messages cost one fsync. A
 * barrier that fails is repeated, later and later; debts wait meanwhile, and are never paid with an
 * error. KEEP_PAY_STEP are paid between two node_timeouts, so that thousands that one barrier
 * covers do not hold the loop; while some are due, node_deadline_us says "now".
 * The process may die first, or the session that an answer would go to: a debt is only ever
 * a repetition's answer away.
 */
#ifndef MESHD_NODE_BASE_KEEP_H
#define MESHD_NODE_BASE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/event.h"
#include "node/base/turn.h"
#include "node/disk/file_queue.h"

enum {
    KEEP_OWED_MAX = 4096,       /* debts at once; further ones are refused with ERR_FULL */
    KEEP_OWED_MANY = 3072,      /* from here on a contact with an unanswered message gets no more */
    KEEP_PAY_STEP = 16,         /* each may be a message of 64 KiB to every subscriber */
    KEEP_RETRY_US = 500 * 1000, /* after a failed barrier; doubled with every further one */
    KEEP_RETRY_MAX_US = 60 * 1000000,
};

struct owed { /* what the module needs to pay it; all but `run` and `after` are its own to use */
    void (*run)(const struct owed *o);
    void *self;
    uint64_t after; /* filled in by keep_owe */
    struct session_ref session;
    uint64_t stream;
    uint64_t ref;
    uint32_t contact; /* serial */
    struct owed *next;
};

struct keep { /* zeroes but for these three = nothing kept yet */
    struct turn *turn;
    struct work *work;
    unsigned part;         /* its number (node/base/part.h) */
    uint64_t commits;      /* made by this process */
    uint64_t durable;      /* of them survive a power cut */
    bool open;             /* in a transaction */
    bool out;              /* a barrier is under way */
    bool scrub, scrub_out; /* one that scrubs is wanted; is under way */
    uint64_t covers;       /* commits of the one under way */
    uint64_t retry_us;     /* 0: not waiting to repeat one */
    uint64_t backoff_us;
    struct owed *head, *tail;
    struct owed *draft, *draft_tail; /* of the open transaction */
    unsigned owed;                   /* both */
    unsigned paid;                   /* since the last node_timeout */
};

void keep_clear(struct keep *keep); /* debts are forgotten */

/* As in node/base/store.h. Outside a transaction each change is one of its own. */
int keep_put(struct keep *keep, const char *table, const void *key, size_t key_len,
             const void *value, size_t value_len) MUST_USE;
int keep_get(struct keep *keep, const char *table, const void *key, size_t key_len, void *value,
             size_t cap, size_t *len) MUST_USE;
int keep_del(struct keep *keep, const char *table, const void *key, size_t key_len) MUST_USE;
int keep_next(struct keep *keep, const char *table, void *key, size_t *key_len, void *value,
              size_t cap, size_t *len) MUST_USE;
int keep_prev(struct keep *keep, const char *table, void *key, size_t *key_len, void *value,
              size_t cap, size_t *len) MUST_USE;
/* The last entry whose key begins with key[0..*key_len): key and value are replaced. As
 * keep_prev. */
int keep_last(struct keep *keep, const char *table, uint8_t key[static STORE_KEY_MAX],
              size_t *key_len, void *value, size_t cap, size_t *len) MUST_USE;
int keep_begin(struct keep *keep) MUST_USE;
/* Ends the transaction: commits if err is 0, else rolls back. Gives err, or the commit's: then
 * nothing has happened. */
int keep_end(struct keep *keep, int err) MUST_USE;

/* Copies *o; o->run is called with it once all that has been committed so far is durable: at the
 * end of this turn at the earliest, never from within this call. In a transaction: once that one
 * is, and not at all if it is rolled back. ERR_FULL, ERR_NOMEM. */
int keep_owe(struct keep *keep, const struct owed *o) MUST_USE;
/* What has been deleted so far was a secret: soon it is to be in no file any more. */
void keep_scrub(struct keep *keep);

/* ---- for node/node.c ---- */
/* Pays what is due, within the step. True if anything was paid. */
bool keep_pay(struct keep *keep);
/* Puts a barrier into the queue of file operations if one is needed and none is out. */
void keep_pump(struct keep *keep);
void keep_op_done(struct keep *keep, struct file_op *op);
uint64_t keep_deadline_us(const struct keep *keep);
void keep_timeout(struct keep *keep);

extern const struct part_ops keep_part; /* self: the struct keep */

#endif
