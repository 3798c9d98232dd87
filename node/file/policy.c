/* policy.c: what the user may change while the node runs; the contract is in node.h. */
#include <stdio.h>

#include "net/base/limits.h"
#include "node/node_int.h"

void node_set_policy(struct node *n, const struct node_policy *p) {
    n->accept = p->accept;
    n->accept_max_bytes = p->accept_max_bytes;
    snprintf(n->download_dir, sizeof n->download_dir, "%s", p->download_dir ? p->download_dir : "");
    n->messages.quota_bytes = p->message_quota_bytes ? p->message_quota_bytes : MESSAGES_BYTES_MAX;
    n->messages.quota_contact_bytes = p->message_quota_contact_bytes
                                          ? p->message_quota_contact_bytes
                                          : MESSAGES_CONTACT_BYTES_MAX;
}

void node_get_policy(const struct node *n, struct node_policy *out) {
    *out = (struct node_policy){
        .accept = n->accept,
        .download_dir = n->download_dir,
        .accept_max_bytes = n->accept_max_bytes,
        .message_quota_bytes = n->messages.quota_bytes,
        .message_quota_contact_bytes = n->messages.quota_contact_bytes,
    };
}
