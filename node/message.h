/* message.h: messages: history, outbox, and delivery once and in order (wire form: node/letter.h).
 *
 * What is kept, and how it survives a crash, is node/history's business.
 *
 * One message per contact is on its way at a time: order is by waiting, whatever the streams do.
 */
#ifndef MESHD_NODE_MESSAGE_H
#define MESHD_NODE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/contact.h"

enum { MESSAGE_PRIORITY = 1 }; /* words go before files (net/endpoint.h) */

struct messages { /* zeroes = empty */
    uint64_t last_seq;
    uint8_t *value; /* scratch for one stored message, made when first needed */
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
void message_contact_gone(struct node *n,
                          struct contact *c); /* before contact_drop: empties the outbox */
/* True if the stream is that of a message on its way to c. */
bool message_owns(const struct contact *c, uint64_t stream);
void message_stream_event(struct node *n, struct contact *c, const struct ep_event *ev);

#endif
