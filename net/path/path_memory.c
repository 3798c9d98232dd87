#include "net/path/path_memory.h"

#include "crypto/base/mem.h"

void path_memory_leave(struct path_memory **m, const struct path_state *p) {
    if (!*m)
        *m = mem_calloc(1, sizeof **m);
    if (!*m)
        return;
    unsigned i = 0;
    while (i < PATH_MEMORY_PATHS && !hop_equal(&(*m)->paths[i].hop, &p->hop))
        i++;
    if (i == PATH_MEMORY_PATHS) {
        i = (*m)->next;
        (*m)->next = (i + 1) % PATH_MEMORY_PATHS;
    }
    (*m)->paths[i] = *p;
}

const struct path_state *path_memory_find(const struct path_memory *m, const struct hop *at,
                                          uint64_t now_us) {
    for (unsigned i = 0; m && i < PATH_MEMORY_PATHS; i++)
        if (hop_equal(&m->paths[i].hop, at))
            return now_us - m->paths[i].left_us <= PATH_MEMORY_US ? &m->paths[i] : NULL;
    return NULL;
}

bool path_damper_allows(struct path_damper *d, uint64_t now_us) {
    const uint64_t earned = (now_us - d->since_us) / PATH_SWITCH_US;
    if (earned > 0) {
        d->used -= earned < d->used ? (unsigned)earned : d->used;
        d->since_us = now_us;
    }
    if (d->used == PATH_SWITCHES_MAX)
        return false;
    d->used++;
    return true;
}
