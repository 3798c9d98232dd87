#include "net/relay/relay_list.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/relay/relay_limits.h"

static int order(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct node_id));
}

int relay_list_init(struct relay_list *l, const struct node_id *ids, size_t count) {
    struct relay_list made = {NULL, count};
    if (count > RELAY_LIST_MAX)
        return ERR_FULL;
    if (count > 0) {
        made.ids = mem_calloc(count, sizeof *ids);
        if (!made.ids)
            return ERR_NOMEM;
        memcpy(made.ids, ids, count * sizeof *ids);
        qsort(made.ids, count, sizeof *ids, order);
    }
    *l = made;
    return 0;
}

void relay_list_clear(struct relay_list *l) {
    mem_free(l->ids);
    *l = (struct relay_list){0};
}

bool relay_list_has(const struct relay_list *l, const struct node_id *id) {
    return l->count > 0 && bsearch(id, l->ids, l->count, sizeof *id, order) != NULL;
}
