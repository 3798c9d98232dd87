/* message.h: messages: history, outbox, and delivery once and in order (wire form: node/letter.h).
 *
 * Store tables (integers big-endian in keys, so that their order is the order of numbers):
 *   "messages"     seq u64 -> version u8 = 1 | flags u8 (1: outgoing, 2: delivered) | id 16 | wall us u64 LE
 *                  | peer id 32 | petname length u8 | petname | text
 *   "message_ids"  peer id 32 | message id 16 -> seq u64: what has come already
 *   "outbox"       peer id 32 | seq u64 -> nothing: what waits to be delivered
 *
 * Each step is ordered so that a crash between two puts neither loses nor doubles a message: an incoming one is
 * registered in "message_ids" before it is stored, and counts as known only if both are there and agree; an
 * outgoing one is put into the outbox before it is stored, and an outbox entry without a message is swept at
 * the next start; a delivered one leaves the outbox last.
 *
 * One message per contact is on its way at a time: order is by waiting, whatever the streams do.
 */
#ifndef MESHD_NODE_MESSAGE_H
#define MESHD_NODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/contact.h"

struct messages { /* zeroes = empty */
    uint64_t last_seq;
    uint8_t *value; /* scratch of MESSAGE_VALUE_MAX, made when first needed */
    uint32_t queued;
};

int messages_load(struct node *n) MUST_USE; /* after the contacts */
void messages_clear(struct node *n);

/* A whole message has come on this stream: stores it, answers. */
void message_come(struct node *n, struct contact *c, struct session_ref s, uint64_t stream,
                  const uint8_t *body, size_t len);
/* Sends the next of the outbox if the contact is online and none is on its way. */
void message_kick(struct node *n, struct contact *c);
void message_peer_down(struct node *n, struct contact *c);
void message_contact_gone(struct node *n, struct contact *c); /* before contact_drop: empties the outbox */
/* True if the stream is that of a message on its way to c. */
bool message_owns(const struct contact *c, uint64_t stream);
void message_stream_event(struct node *n, struct contact *c, const struct ep_event *ev);

#endif
