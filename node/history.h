/* history.h: messages in the store: what was said, what waits to be delivered, what has come
 * already.
 *
 * Store tables (integers big-endian in keys, so that their order is the order of numbers):
 *   "messages"     seq u64 -> version u8 = 1 | flags u8 (1: outgoing, 2: delivered) | id 16
 *                  | wall us u64 LE | peer id 32 | petname length u8 | petname | text
 *   "message_ids"  peer id 32 | message id 16 -> seq u64: what has come already
 *   "outbox"       peer id 32 | seq u64 -> nothing: what waits to be delivered
 *
 * Each step is ordered so that a crash between two puts neither loses nor doubles a message: an
 * incoming one is registered in "message_ids" before it is stored, and counts as known only if both
 * are there and agree; an outgoing one is put into the outbox before it is stored, and an outbox
 * entry without a message is swept at the next start; a delivered one leaves the outbox last.
 */
#ifndef MESHD_NODE_HISTORY_H
#define MESHD_NODE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/contact.h"
#include "node/letter.h"

struct entry { /* a message as it is stored */
    bool outgoing, delivered;
    uint8_t id[LETTER_ID_BYTES];
    uint64_t wall_us;
    struct node_id peer;
    char name[PETNAME_MAX + 1];
    const char *text;
    size_t len;
};

/* Finds the last seq. What the store says. */
int history_load(struct node *n) MUST_USE;
/* Text and len point into the node's scratch: valid until the next call of this module.
 * ERR_NOT_FOUND, ERR_FORMAT, ERR_NOMEM, what the store says. */
int history_get(struct node *n, uint64_t seq, struct entry *e) MUST_USE;
/* The one with the smallest seq greater than `after`. */
int history_next(struct node *n, uint64_t after, uint64_t *seq, struct entry *e) MUST_USE;
int history_put(struct node *n, uint64_t seq, const struct entry *e) MUST_USE;
/* Stores a message that has come from c, once: *seq = 0 if it was known. */
int history_keep(struct node *n, const struct contact *c, const struct letter *l,
                 uint64_t *seq) MUST_USE;
/* Stores a new outgoing one and puts it into the outbox. */
int history_queue(struct node *n, const struct entry *e, uint64_t *seq) MUST_USE;

/* The first of this peer's outbox with a greater seq. ERR_NOT_FOUND. */
int outbox_next(struct node *n, const struct node_id *peer, uint64_t after, uint64_t *seq) MUST_USE;
int outbox_del(struct node *n, const struct node_id *peer, uint64_t seq) MUST_USE;

#endif
