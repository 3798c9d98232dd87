/* dialog.h: a conversation: all messages exchanged with one node, whatever it is called, and
 * whether it is a contact or was one. Its books in the store (integers big-endian in keys, so that
 * their order is the order of numbers; little-endian in values):
 *
 *   "dialogs"          peer id 32 -> version u8 = 1 | incoming messages u64 | their bytes u64
 *                    | rows of "conversations" u64 | void u64: entries of the outbox up to this seq
 *                    are none any more (the contact was removed)
 *   "conversations"  peer id 32 | seq u64 -> flags u8 (1: incoming, 2: delivered, 4: failed,
 *                    8: deleted) | error number u8 | bytes u32 | message id 16
 *   "outbox"         peer id 32 | seq u64 -> nothing: waits to be delivered
 *
 * What a message counts for a quota is its text and MESSAGE_OVERHEAD_BYTES.
 */
#ifndef MESHD_NODE_MESSAGE_DIALOG_H
#define MESHD_NODE_MESSAGE_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"

struct contacts;
struct keep;

enum { DIALOG_ID_BYTES = 16, SEQ_BYTES = 8 };

struct dialogs { /* the books of all conversations */
    struct keep *keep;
    struct contacts *contacts;
};
struct dialog {
    uint64_t count, bytes; /* of incoming messages */
    uint64_t rows;
    uint64_t void_seq;
};

struct mark { /* what is known of a message without its text */
    bool incoming, delivered, failed, deleted;
    int err; /* failed: why */
    uint32_t bytes;
    uint8_t id[DIALOG_ID_BYTES];
};

/* Zeroes if there is none. What the store says; ERR_FORMAT. A contact's is kept in memory. */
int dialog_get(const struct dialogs *books, const struct node_id *peer, struct dialog *t) MUST_USE;
/* Into the store; an empty one is deleted. The copy in memory follows with dialog_note, once the
 * transaction is committed. */
int dialog_put(const struct dialogs *books, const struct node_id *peer,
               const struct dialog *t) MUST_USE;
void dialog_note(const struct dialogs *books, const struct node_id *peer, const struct dialog *t);
int dialogs_clear(const struct dialogs *books) MUST_USE; /* out of the store */
/* The sums over all conversations. */
int dialogs_count(const struct dialogs *books, uint64_t *count, uint64_t *bytes) MUST_USE;

int mark_put(const struct dialogs *books, const struct node_id *peer, uint64_t seq,
             const struct mark *m) MUST_USE;
/* ERR_NOT_FOUND, ERR_FORMAT, what the store says. */
int mark_get(const struct dialogs *books, const struct node_id *peer, uint64_t seq,
             struct mark *m) MUST_USE;
/* The one with the smallest seq greater than `after`. */
int mark_next(const struct dialogs *books, const struct node_id *peer, uint64_t after,
              uint64_t *seq, struct mark *m) MUST_USE;
int mark_del(const struct dialogs *books, const struct node_id *peer, uint64_t seq) MUST_USE;

int outbox_put(const struct dialogs *books, const struct node_id *peer, uint64_t seq) MUST_USE;
int outbox_del(const struct dialogs *books, const struct node_id *peer, uint64_t seq) MUST_USE;
/* The first of this peer's with a greater seq. ERR_NOT_FOUND. */
int outbox_next(const struct dialogs *books, const struct node_id *peer, uint64_t after,
                uint64_t *seq) MUST_USE;
/* Of all: the first after (peer, seq), which are replaced; *seq 0 begins. ERR_NOT_FOUND. */
int outbox_walk(const struct dialogs *books, struct node_id *peer, uint64_t *seq) MUST_USE;

#endif
