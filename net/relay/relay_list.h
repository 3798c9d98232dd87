/* relay_list.h: a list of ids, sorted. Value struct; all zeroes is empty. */
#ifndef MESHD_NET_RELAY_RELAY_LIST_H
#define MESHD_NET_RELAY_RELAY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"

struct relay_list {
    struct node_id *ids;
    size_t count;
};

/* A sorted copy. ERR_FULL (more than RELAY_LIST_MAX), ERR_NOMEM: `l` is not touched. */
int relay_list_init(struct relay_list *l, const struct node_id *ids, size_t count) MUST_USE;
void relay_list_clear(struct relay_list *l);
bool relay_list_has(const struct relay_list *l, const struct node_id *id);

#endif
