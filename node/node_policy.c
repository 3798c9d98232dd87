/* node_policy.c: what the user has set, and may set again while the node runs. */
#include <stdio.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/node_int.h"

/* ---- what is set about relays: mostly nothing, and it is large ---- */
static const struct relay_config nothing_set = {.capacity_bps = RELAY_CAPACITY_DEFAULT_BPS,
                                                .flows_per_node = RELAY_FLOWS_DEFAULT,
                                                .reservations_per_prefix = RELAY_PREFIX_DEFAULT};

const struct relay_config *node_relays_set(const struct node *n) {
    return n->relay ? n->relay : &nothing_set;
}

/* Limits mean nothing to who does not serve. */
static bool is_plain(const struct relay_config *c) {
    return c->use_count == 0 && !c->serve;
}

/* Without memory what was set before holds. */
static void take_relay(struct node *n, const struct relay_config *c) {
    if (c && !is_plain(c)) {
        if (!n->relay)
            n->relay = mem_alloc(sizeof *n->relay);
        if (n->relay)
            *n->relay = *c;
        return;
    }
    mem_free(n->relay);
    n->relay = NULL;
}

bool node_relays_taken(const struct node *n, const struct relay_config *c) {
    return !c || is_plain(c) || n->relay;
}

void node_policy_told(struct node *n) {
    endpoint_strangers_path(n->turn.ep, n->contacts.path);
    mesh_config(&n->mesh, node_relays_set(n));
}

void node_set_policy(struct node *n, const struct node_policy *p) {
    struct recv_rules *r = &n->files.recv.rules;
    r->accept = p->accept;
    snprintf(r->download_dir, sizeof r->download_dir, "%s", p->download_dir ? p->download_dir : "");
    n->files.recv.accept_max_bytes = p->accept_max_bytes;
    n->messages.history.quota_bytes =
        p->message_quota_bytes ? p->message_quota_bytes : MESSAGES_BYTES_MAX;
    n->messages.history.quota_contact_bytes = p->message_quota_contact_bytes
                                                  ? p->message_quota_contact_bytes
                                                  : MESSAGES_CONTACT_BYTES_MAX;
    take_relay(n, p->relay);
    contacts_set_path(&n->contacts, p->path);
    if (n->turn.ep) /* else node_new does, when it is there */
        node_policy_told(n);
}

void node_get_policy(const struct node *n, struct node_policy *out) {
    *out = (struct node_policy){
        .accept = n->files.recv.rules.accept,
        .download_dir = n->files.recv.rules.download_dir,
        .accept_max_bytes = n->files.recv.accept_max_bytes,
        .message_quota_bytes = n->messages.history.quota_bytes,
        .message_quota_contact_bytes = n->messages.history.quota_contact_bytes,
        .relay = node_relays_set(n),
        .path = n->contacts.path,
    };
}
