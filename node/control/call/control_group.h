/* control_group.h: what a part of the node brings to the control API, in one table: its methods and
 * its events. Waits need no table: a method that answers later names their kind (control_wait.h).
 * Each group is a file control_methods_*.c; control.c lists them, and is the only one who does.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_GROUP_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_GROUP_H

#include "node/control/call/control_call.h"

enum event_flag {
    EVENT_DROPS = 1, /* who is behind with its reading does not get it, and no wait looks at it */
    EVENT_SHORTENS = 2, /* who is behind gets it without what it can ask for */
};

struct telling {            /* an event on its way to a subscriber */
    struct proto_writer *w; /* in its map */
    struct node *node;
    const struct node_event *e;
    bool brief; /* of EVENT_SHORTENS */
};

struct event_row {
    enum node_event_kind kind;
    unsigned flags;
    /* What this kind says beside `event`, `at_us` and who it is about. NULL: nothing. */
    void (*show)(const struct telling *t);
};

struct group {
    const struct method *methods; /* until a name is NULL; or NULL */
    const struct event_row *events;
    unsigned event_count;
    /* What it remembers of connections: zeroes at first, call->state of its methods. */
    size_t state_bytes;
    void (*closed)(void *state, struct node *n, uint64_t now_us, uint32_t conn); /* or NULL */
};

/* The method of that name, and whose it is (its place in `groups`, which ends with NULL). */
const struct method *group_method(const struct group *const *groups, const char *name,
                                  unsigned *group);
/* i = 0.. of all methods, group after group; NULL at the end. */
const struct method *group_method_at(const struct group *const *groups, unsigned i);
/* The event's row; NULL: none. */
const struct event_row *group_event(const struct group *const *groups, enum node_event_kind kind);

#endif
