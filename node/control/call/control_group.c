#include "node/control/call/control_group.h"

#include <string.h>

const struct method *group_method(const struct group *const *groups, const char *name,
                                  unsigned *group) {
    for (unsigned g = 0; groups[g]; g++)
        for (const struct method *m = groups[g]->methods; m && m->name; m++)
            if (strcmp(m->name, name) == 0) {
                *group = g;
                return m;
            }
    return NULL;
}

const struct method *group_method_at(const struct group *const *groups, unsigned i) {
    for (unsigned g = 0; groups[g]; g++)
        for (const struct method *m = groups[g]->methods; m && m->name; m++)
            if (i-- == 0)
                return m;
    return NULL;
}

const struct event_row *group_event(const struct group *const *groups, enum node_event_kind kind) {
    for (unsigned g = 0; groups[g]; g++)
        for (unsigned i = 0; i < groups[g]->event_count; i++)
            if (groups[g]->events[i].kind == kind)
                return &groups[g]->events[i];
    return NULL;
}
