/* control_reach.h: waiting until a contact's node is reached, or is found not to let this one in:
 * shared by the methods that want something of a peer.
 */
#ifndef MESHD_NODE_CONTROL_METHODS_CONTROL_REACH_H
#define MESHD_NODE_CONTROL_METHODS_CONTROL_REACH_H

#include "node/control/call/control_wait.h"

/* Until the contact is online: dialled again and again. Its `ref` is the ping that asks it (0:
 * none). The answer is a {peer}. */
extern const struct wait_kind reach_peer;
/* The same once, for a contact just added: at the deadline the answer is that it is there. The
 * answer is a {contact}. */
extern const struct wait_kind reach_added;

/* It is online, and not just not known to be gone. */
bool reach_answers(const struct contact_info *info);
/* It is dialled, or asked in its session; the outcome comes as an event. What node_connect says. */
int reach_try(struct waits *ws, uint64_t now_us, struct wait *w);

/* An attempt has come to its end, or a session: the contact's node does not let this one in. */
bool reach_denied(const struct node_event *e);
/* Ends the wait with the sentence that says why. */
void reach_answer_denied(struct waits *ws, uint64_t now_us, struct wait *w, int err);
void reach_answer_removed(struct waits *ws, uint64_t now_us, struct wait *w);
/* Ends it with the contact under `key`; or says that it is gone. */
void reach_answer(struct waits *ws, uint64_t now_us, struct wait *w, bool as_contact);

#endif
