/* conversation.h: what a node keeps of its talk with one contact while it runs: the message on its
 * way, what the contact has said of the last ones, what is owed to its own. There is one for each
 * contact, as long as that is one (contact->talk); how many messages wait for it is the peer's
 * (peering->queued), since that is dialled for them.
 */
#ifndef MESHD_NODE_MESSAGE_CONVERSATION_H
#define MESHD_NODE_MESSAGE_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "node/api/cause.h"
#include "node/message/dialog.h"

struct posting;

struct conversation {        /* zeroes: nothing was said */
    struct posting *posting; /* the message on its way, owned (node/message/message_out.c) */
    uint64_t hold_us;        /* the peer said "not now": no message before this */
    uint64_t hold_step_us;
    int refused; /* what it said; 0: nothing */
    struct cause refused_why;
    unsigned answers; /* owed to its messages until they survive a power cut */
    bool full;        /* the user was told that its messages find no room */
    bool dialog_known;
    struct dialog dialog; /* as in the store */
};

#endif
