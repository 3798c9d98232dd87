/* offer_in.h: the file channel's row in the table of channels (node/channel/channel.h): what a
 * stream of it begins with is a manifest (node/file/manifest/manifest.h), which is taken apart as
 * it comes. Whole, it is an offer (node/file/file_recv.h); one that makes no sense is answered.
 */
#ifndef MESHD_NODE_FILE_OFFER_IN_H
#define MESHD_NODE_FILE_OFFER_IN_H

#include "node/channel/channel.h"

extern const struct channel_ops offer_in_channel; /* self: the struct receivers (file_recv.h) */

#endif
