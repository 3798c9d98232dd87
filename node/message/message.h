/* message.h: messages: history, outbox, and delivery once and in order (wire form:
 * node/message/letter.h).
 *
 * What is kept, and how it survives a crash, is node/message/history's business. Nothing of a
 * message is seen or told before it survives a power cut: an incoming one is answered and shown
 * then, an outgoing one leaves then (history.shown_seq).
 *
 * One message per contact is on its way at a time: order is by waiting, whatever the streams do. An
 * answer that says no is for good (the message is marked as failed, the next one goes) or for now
 * (node/message/message_out.c says which): then it is sent again, later and later, also when the
 * session is a new one.
 */
#ifndef MESHD_NODE_MESSAGE_MESSAGE_H
#define MESHD_NODE_MESSAGE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/message/history.h"
#include "node/message/message_info.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/people/contact.h"

enum {
    MESSAGE_PRIORITY = 1,          /* words go before files (net/endpoint.h) */
    MESSAGE_HOLD_US = 5 * 1000000, /* after "not now"; doubled each time */
    MESSAGE_HOLD_MAX_US = 300 * 1000000,
    MESSAGE_TOLD_STEP = 256,
    MESSAGE_SKIPS = 64, /* entries of the outbox that are none, dropped in one go */
};

struct messages { /* zeroes but for these and history's own = empty */
    struct turn *turn;
    struct keep *keep;
    struct contacts *contacts;
    struct dials *dials;
    struct watch *watch;
    unsigned part; /* its number (node/base/part.h) */
    struct history history;
    uint32_t queued; /* in the outbox, of all contacts */
};

/* At the end of a turn, before its events are taken: notes what they tell. */
void messages_turn(struct messages *talk);

/* A whole message has come on this stream: stores it, answers. */
void message_come(struct messages *talk, struct contact *c, struct session_ref s, uint64_t stream,
                  const uint8_t *body, size_t len);
/* Sends the next of the outbox if the contact is online and none is on its way. */
void message_kick(struct messages *talk, struct contact *c);
void message_peer_down(struct messages *talk, struct contact *c);
/* So many of what waits for it are delivered, or none any more. */
void message_count_down(struct messages *talk, struct contact *c, uint32_t by);
/* True if the stream is that of the message on its way to c. */
bool message_stream_event(struct messages *talk, struct contact *c, const struct ep_event *ev);

/* As node_message_send, node_message_next, node_message_with and node_message_delete. */
int message_send(struct messages *talk, const char *contact, const char *text, size_t len,
                 uint64_t *seq) MUST_USE;
bool message_next(struct messages *talk, uint64_t after, const char *contact,
                  struct message_info *out);
bool message_with(struct messages *talk, const char *contact);
int message_delete(struct messages *talk, const char *contact, uint64_t after, uint64_t upto,
                   struct message_cut *out) MUST_USE;
/* Fills in what is known here of a contact. */
void message_contact_info(const struct contact *c, struct contact_info *out);

extern const struct part_ops messages_part; /* self: the struct messages */

#endif
