/* letter_in.h: the message channel's row in the table of channels (node/channel/channel.h): what a
 * stream of it begins with, and all that it carries, is one message (node/message/letter.h) of
 * LETTER_MAX_BYTES at most.
 */
#ifndef MESHD_NODE_MESSAGE_LETTER_IN_H
#define MESHD_NODE_MESSAGE_LETTER_IN_H

#include "node/channel/channel.h"

extern const struct channel_ops letter_in_channel; /* self: the struct messages */

#endif
