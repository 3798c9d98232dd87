/* transfer_list.c: what node/node.h says of transfers from outside: looking at them, and ending them. */
#include "node/node_int.h"

int node_cancel(struct node *n, uint64_t now_us, uint64_t id) {
    n->now_us = now_us;
    struct transfer *t = transfer_by_id(n, id);
    if (!t || !t->reported)
        return ERR_NOT_FOUND;
    if (transfer_ended(t))
        return ERR_USAGE;
    transfer_abort(n, t, ERR_CANCELLED, NULL);
    return 0;
}

void node_transfer_abandon(struct node *n, uint64_t now_us, uint64_t id) {
    n->now_us = now_us;
    struct transfer *t = transfer_by_id(n, id);
    if (t)
        transfer_abort(n, t, ERR_CANCELLED, "what sent it was ended");
}

bool node_transfer_at(const struct node *n, unsigned i, struct transfer_info *out) {
    for (unsigned at = 0; at < n->transfers.count; at++) {
        if (!n->transfers.list[at]->reported || i-- > 0)
            continue;
        *out = n->transfers.list[at]->info;
        return true;
    }
    return false;
}

bool node_transfer_get(const struct node *n, uint64_t id, struct transfer_info *out) {
    const struct transfer *t = transfer_by_id(n, id);
    if (!t || !t->reported)
        return false;
    *out = t->info;
    return true;
}

const char *node_transfer_file(const struct node *n, uint64_t id, uint32_t i, uint64_t *size) {
    const struct transfer *t = transfer_by_id(n, id);
    if (!t || i >= t->manifest.count)
        return NULL;
    *size = t->manifest.files[i].size;
    return t->manifest.files[i].name;
}
