/* control_show_transfer.h: transfers, their files and their events as maps. The keys are a
 * contract: docs/CONTROL.md.
 */
#ifndef MESHD_NODE_CONTROL_METHODS_CONTROL_SHOW_TRANSFER_H
#define MESHD_NODE_CONTROL_METHODS_CONTROL_SHOW_TRANSFER_H

#include "node/api/rpc/control_proto.h"
#include "node/node.h"

void show_file(struct proto_writer *w, const char *name, uint64_t size);
void show_transfer(struct proto_writer *w, const char *key, const struct node *n,
                   const struct transfer_info *i, uint64_t now_us);

#endif
