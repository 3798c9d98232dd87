/* control_methods_events.c: events.*: which kinds a connection is told of. */
#include <string.h>

#include "crypto/base/mem.h"
#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"

static bool add_named(struct kinds *out, const char *name) {
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        if (strcmp(node_event_name((enum node_event_kind)k), name) == 0) {
            kinds_add(out, k);
            return true;
        }
    return false;
}

static int do_events_subscribe(struct call *call) {
    struct kinds all = kinds_all();
    if (arg_given(call, "kinds")) {
        unsigned count = 0;
        char **kinds = arg_strs(call, "kinds", &count);
        if (!kinds)
            return ERR_NOMEM;
        all = (struct kinds){{0}};
        for (unsigned i = 0; i < count; i++) {
            if (add_named(&all, kinds[i]))
                continue;
            call_fail(call, ERR_USAGE, kinds[i], "there is no event of that name");
            mem_free(kinds);
            return ERR_USAGE;
        }
        mem_free(kinds);
    }
    call->conn->events = all;
    return call_empty(call);
}

static int do_events_unsubscribe(struct call *call) {
    call->conn->events = (struct kinds){{0}};
    return call_empty(call);
}

static const struct method methods[] = {
    {"events.subscribe", do_events_subscribe, {{"kinds", ARG_FEW, false, 32}}},
    {"events.unsubscribe", do_events_unsubscribe, {{0}}},
    {NULL, NULL, {{0}}},
};

const struct group control_group_events = {.methods = methods};
