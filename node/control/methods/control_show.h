/* control_show.h: what several groups show, as maps: addresses, ids, errors, contacts and peers.
 * The keys are a contract: docs/CONTROL.md.
 */
#ifndef MESHD_NODE_CONTROL_METHODS_CONTROL_SHOW_H
#define MESHD_NODE_CONTROL_METHODS_CONTROL_SHOW_H

#include "node/api/rpc/control_proto.h"
#include "node/node.h"

void show_addr(struct proto_writer *w, const char *key, const struct addr *a);
/* NULL: nil. */
void show_id(struct proto_writer *w, const char *key, const struct node_id *id);
/* An error that an event or a state is about. */
void show_error(struct proto_writer *w, const char *key, int err, const struct cause *c,
                const char *detail);
/* The event's, with its detail; nil if there is none. */
void show_event_error(struct proto_writer *w, const struct node_event *e);
void show_contact(struct proto_writer *w, const char *key, const struct contact_info *i);
/* `via` and `why`; and `paths`. */
void show_via(struct proto_writer *w, const struct contact_reach *r);
void show_paths(struct proto_writer *w, const struct contact_reach *r);
void show_peer(struct proto_writer *w, const char *key, const struct contact_info *i);

#endif
