/* control_methods_peer.c: peer.*: sessions with contacts, and whether they answer. */
#include <string.h>

#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_page.h"
#include "node/control/methods/control_reach.h"
#include "node/control/methods/control_show.h"
#include "node/peer/ping.h"

static int failed(struct call *call, int err, const char *name) {
    return err == ERR_NOT_FOUND ? call_no_contact(call, name) : call_fail(call, err, name, NULL);
}

static int do_peer_connect(struct call *call) {
    char name[PETNAME_MAX + 1];
    arg_str(call, "name", name, sizeof name);
    int err = node_connect(call->node, call->now_us, name);
    return err ? failed(call, err, name) : call_empty(call);
}

static int do_peer_list(struct call *call) {
    struct contact_info info;
    struct page p = page_open(call, "peers");
    while (page_room(&p) && node_contact_at(call->node, call->now_us, p.at, &info)) {
        show_peer(call->w, NULL, &info);
        page_step(&p);
    }
    return page_close(&p, node_contact_at(call->node, call->now_us, p.at, &info));
}

/* ---- pings ---- */

static void answer_pong(struct waits *ws, uint64_t now_us, struct wait *w,
                        const struct node_event *e) {
    struct proto_writer *out = wait_open(ws, w);
    proto_str(out, "name", e->contact);
    show_id(out, "node", &e->node);
    proto_uint(out, "rtt_us", e->rtt_us);
    show_addr(out, "path", &e->addr);
    struct contact_info info;
    if (!node_contact_get(ws->node, now_us, e->contact, &info))
        info.reach = (struct contact_reach){.via = VIA_NONE};
    show_via(out, &info.reach);
    show_paths(out, &info.reach);
    wait_close(ws, now_us, w);
}

static void ping_event(struct waits *ws, uint64_t now_us, struct wait *w,
                       const struct node_event *e) {
    if (e->id != w->ref || (e->kind != NODE_PONG && e->kind != NODE_PING_FAILED))
        return;
    if (e->kind == NODE_PONG)
        answer_pong(ws, now_us, w, e);
    else if (node_denied(e->err))
        reach_answer_denied(ws, now_us, w, e->err);
    else
        wait_told(ws, now_us, w, e);
}

static void ping_dropped(struct waits *ws, uint64_t now_us, struct wait *w) {
    (void)now_us;
    node_ping_stop(ws->node, w->ref);
}

static const struct wait_kind until_pong = {
    .event = ping_event, .dropped = ping_dropped, .late = "no answer came in time"};

static int do_peer_ping(struct call *call) {
    char name[PETNAME_MAX + 1];
    uint64_t id, timeout_us = arg_uint(call, "timeout_us", 0);
    arg_str(call, "name", name, sizeof name);
    if (timeout_us == 0 && arg_given(call, "timeout_us"))
        return call_fail(call, ERR_USAGE, "timeout_us", "\"timeout_us\" must be 1 or more");
    if (wait_count(call->waits, call->conn, &until_pong) >= CONTROL_PINGS_MAX)
        return call_limit(call, LIMIT_PINGS_CONNECTION, CONTROL_PINGS_MAX, name);
    /* The node gives up at timeout_us by itself; the second is there in case that it does not. */
    struct wait *w =
        wait_new(call, &until_pong, call->now_us + (timeout_us ? timeout_us : PING_US) + 1000000);
    if (!w)
        return ERR_FULL;
    int err = node_ping(call->node, call->now_us, name, timeout_us, &id);
    if (err) {
        wait_forget(call->waits, w);
        return failed(call, err, name);
    }
    w->ref = id;
    memcpy(w->contact, name, sizeof w->contact);
    return CALL_LATER;
}

static const struct method methods[] = {
    {"peer.connect", do_peer_connect, {ARG_NAME}},
    {"peer.list", do_peer_list, {ARGS_PAGE}},
    {"peer.ping", do_peer_ping, {ARG_NAME, ARG_TIMEOUT}},
    {NULL, NULL, {{0}}},
};

/* ---- events ---- */

static void show_path(const struct telling *t) {
    show_addr(t->w, "path", &t->e->addr);
}

static void show_up(const struct telling *t) {
    show_path(t);
    proto_str(t->w, "to", t->e->to);
}

static void show_changed(const struct telling *t) {
    show_path(t);
    proto_str(t->w, "from", t->e->from);
    proto_str(t->w, "to", t->e->to);
    proto_str(t->w, "why", t->e->detail);
}

static void show_why(const struct telling *t) {
    show_event_error(t->w, t->e);
}

static void show_pong(const struct telling *t) {
    proto_uint(t->w, "id", t->e->id);
    proto_uint(t->w, "rtt_us", t->e->rtt_us);
    show_addr(t->w, "path", &t->e->addr);
}

static void show_ping_failed(const struct telling *t) {
    proto_uint(t->w, "id", t->e->id);
    show_error(t->w, "error", t->e->err, &t->e->cause, t->e->detail);
}

static const struct event_row events[] = {
    {.kind = NODE_PEER_UP, .show = show_up},
    {.kind = NODE_PATH_CHANGED, .show = show_changed},
    {.kind = NODE_PEER_DOWN, .show = show_why},
    {.kind = NODE_CONNECT_FAILED, .show = show_why},
    {.kind = NODE_PEER_SILENT, .show = show_why},
    {.kind = NODE_PEER_ANSWERS},
    {.kind = NODE_PONG, .show = show_pong},
    {.kind = NODE_PING_FAILED, .show = show_ping_failed},
};

const struct group control_group_peer = {
    .methods = methods, .events = events, .event_count = sizeof events / sizeof *events};
