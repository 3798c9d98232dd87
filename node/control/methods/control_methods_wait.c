/* control_methods_wait.c: wait: until something is so. */
#include <string.h>

#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/methods/control_reach.h"
#include "node/control/methods/control_show.h"

static void named(struct waits *ws, uint64_t now_us, struct wait *w, const struct node_event *e) {
    if ((e->kind == NODE_CONTACT_ADDED || e->kind == NODE_CONTACT_RENAMED) &&
        strcmp(w->contact, e->contact) == 0)
        reach_answer(ws, now_us, w, false);
}

static const struct wait_kind until_named = {
    .event = named, .late = "no contact of that name appeared in time", .for_name = true};

static int answer_peer(struct call *call, const struct contact_info *info) {
    proto_map(call->w, NULL);
    show_peer(call->w, "peer", info);
    proto_end(call->w);
    return 0;
}

static int wait_for_peer(struct call *call, const char *name, const struct contact_info *info) {
    if (reach_answers(info))
        return answer_peer(call, info);
    struct wait *w = wait_new(call, &reach_peer, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, name, PETNAME_MAX + 1);
    (void)reach_try(call->waits, call->now_us, w);
    return CALL_LATER;
}

static int wait_for_contact(struct call *call, const char *name) {
    struct wait *w = wait_new(call, &until_named, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, name, PETNAME_MAX + 1);
    return CALL_LATER;
}

static int do_wait(struct call *call) {
    char what[17], name[PETNAME_MAX + 1] = "";
    arg_str(call, "for", what, sizeof what);
    bool given = arg_str(call, "name", name, sizeof name);
    if (strcmp(what, "ready") == 0) {
        proto_map(call->w, NULL);
        proto_bool(call->w, "ready", true);
        proto_end(call->w);
        return 0;
    }
    bool peer = strcmp(what, "peer") == 0;
    if (!peer && strcmp(what, "contact") != 0)
        return call_fail(call, ERR_USAGE, "for",
                         "\"for\" must be \"ready\", \"peer\" or \"contact\"");
    if (!given)
        return call_fail(call, ERR_USAGE, "name", "waiting for a %s needs the argument \"name\"",
                         what);
    struct contact_info info;
    bool known = node_contact_get(call->node, call->now_us, name, &info);
    if (peer)
        return known ? wait_for_peer(call, name, &info) : call_no_contact(call, name);
    return known ? answer_peer(call, &info) : wait_for_contact(call, name);
}

static const struct method methods[] = {
    {"wait",
     do_wait,
     {{"for", ARG_STR, true, 16}, {"name", ARG_STR, false, PETNAME_MAX}, ARG_TIMEOUT}},
    {NULL, NULL, {{0}}},
};

const struct group control_group_wait = {.methods = methods};
