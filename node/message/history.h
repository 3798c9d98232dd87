/* history.h: messages in the store: what was said, what waits to be delivered, what has come
 * already.
 *
 *   "messages"       seq u64 BE -> version u8 = 1 | flags u8 (1: outgoing) | id 16 | wall us u64 LE
 *                    | peer id 32 | petname length u8 | petname as it was | text
 *   "message_ids"    peer id 32 | message id 16 -> seq u64 BE: what has come already
 *   "message_state"  "last" -> the last seq given u64 BE; "told" -> the last one that the user was
 *                    told of
 *
 * and the books of each conversation (node/message/dialog.h). Whatever happens to a message happens
 * in one transaction; what somebody is told of it is a debt (node/base/keep.h). A seq is given
 * once: it is counted on even if the transaction fails, and the count is stored with each message.
 *
 * Ids of what has come are kept as long as the messages, and after their deletion as long as they
 * are among the last MESSAGES_KNOWN_KEPT of their conversation: so they are bounded as the messages
 * are, by the quota, and a sender that has not heard "ok" yet is still known by what it repeats.
 */
#ifndef MESHD_NODE_MESSAGE_HISTORY_H
#define MESHD_NODE_MESSAGE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/keep.h"
#include "node/message/dialog.h"
#include "node/message/letter.h"

struct contact;

struct history { /* zeroes but for the first four and the quotas = empty */
    struct turn *turn;
    struct keep *keep;
    struct contacts *contacts;
    struct dialogs dialogs;
    uint64_t last_seq;     /* given last */
    uint64_t shown_seq;    /* up to here they survive a power cut */
    uint64_t told_seq;     /* up to here their coming was told to the user */
    bool told_new;         /* that has changed since it was stored */
    uint8_t *value;        /* scratch for one stored message, made when first needed */
    uint64_t count, bytes; /* of incoming ones in the store */
    uint64_t quota_contact_bytes, quota_bytes;
};

struct entry { /* a message as it is stored */
    bool outgoing;
    uint8_t id[LETTER_ID_BYTES];
    uint64_t wall_us;
    struct node_id peer;
    char name[PETNAME_MAX + 1];
    const char *text;
    size_t len;
    struct mark mark; /* filled in by history_get and history_next */
};

void history_setup(struct history *h, struct turn *turn, struct keep *keep,
                   struct contacts *contacts);
/* Afterwards it may be used again as it was set up. */
void history_clear(struct history *h);
/* Finds the last seq and the sums, after the contacts; brings an older form of the tables to this
 * one. What the store says; ERR_FORMAT; ERR_NOMEM. */
int history_load(struct history *h) MUST_USE;
/* Text and len point into the node's scratch: valid until the next call of this module.
 * ERR_NOT_FOUND (also if it was deleted), ERR_FORMAT, ERR_NOMEM, what the store says. */
int history_get(struct history *h, uint64_t seq, struct entry *e) MUST_USE;
enum { HISTORY_SKIPS = 1000 };
/* The one with the smallest seq greater than `after`; of `peer`, or of all if NULL. Unreadable ones
 * are passed over, HISTORY_SKIPS of them at once; more: ERR_FORMAT. However long the history is, a
 * page of one peer's costs what is in it: each message a row of that peer's books, which are found
 * by (peer, seq), and its own row; and MESSAGES_KNOWN_KEPT rows of deleted ones at most. */
int history_next(struct history *h, const struct node_id *peer, uint64_t after, uint64_t *seq,
                 struct entry *e) MUST_USE;

/* Stores a message that has come from c, once: *seq = 0 if it was known. ERR_FULL: a quota is used
 * up. The debt's ref becomes *seq. */
int history_keep(struct history *h, const struct contact *c, const struct letter *l,
                 const struct owed *debt, uint64_t *seq) MUST_USE;
/* Stores a new outgoing one and puts it into the outbox. The debt's ref becomes *seq. */
int history_queue(struct history *h, const struct entry *e, const struct owed *debt,
                  uint64_t *seq) MUST_USE;
/* The user has been told of what has come up to seq. */
int history_told(struct history *h, uint64_t seq) MUST_USE;
/* It has left the outbox: delivered (err 0), or refused for good. */
int history_settle(struct history *h, const struct node_id *peer, uint64_t seq, int err) MUST_USE;

struct history_cut { /* what history_delete has done */
    uint64_t deleted;
    uint64_t last; /* where to go on */
    bool more;
};
/* Deletes messages of a conversation with after < seq <= upto, at most MESSAGES_DELETE_STEP of them
 * at a time; those that wait to be delivered stay. */
int history_delete(struct history *h, const struct node_id *peer, uint64_t after, uint64_t upto,
                   struct history_cut *cut) MUST_USE;

#endif
