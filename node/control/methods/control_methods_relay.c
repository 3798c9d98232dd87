/* control_methods_relay.c: relay.*: the relays that this node knows, and what happens to them. */
#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_page.h"
#include "node/control/methods/control_show.h"

static void show_relay(struct proto_writer *w, const char *key, const struct relay_info *r,
                       uint64_t now_us) {
    char text[RELAY_ADDR_TEXT_MAX + 1];
    relay_addr_text(&r->at, text);
    proto_map(w, key);
    proto_str(w, "relay", text);
    show_id(w, "id", &r->at.id);
    show_addr(w, "address", &r->place);
    proto_str(w, "state", r->state);
    proto_str(w, "why", r->why);
    show_id(w, "wrong_id", r->is_wrong ? &r->wrong : NULL);
    proto_bool(w, "named", r->named);
    proto_bool(w, "home", r->home);
    proto_bool(w, "reserved", r->reserved);
    proto_bool(w, "contact", r->contact);
    proto_uint(w, "rtt_us", r->rtt_us);
    proto_uint(w, "load_percent", r->load_percent);
    proto_uint(w, "lost_percent", r->lost_percent);
    proto_uint(w, "keepalive_us", r->keepalive_us);
    proto_uint(w, "for_us", now_us > r->since_us ? now_us - r->since_us : 0);
    proto_uint(w, "ways", r->ways);
    proto_end(w);
}

static int do_relay_list(struct call *call) {
    struct relay_info info;
    struct page p = page_open(call, "relays");
    while (page_room(&p) && node_relay_at(call->node, p.at, &info)) {
        show_relay(call->w, NULL, &info, call->now_us);
        page_step(&p);
    }
    return page_close(&p, node_relay_at(call->node, p.at, &info));
}

static const struct method methods[] = {
    {"relay.list", do_relay_list, {ARGS_PAGE}},
    {NULL, NULL, {{0}}},
};

/* ---- events ---- */

static void show_news(const struct telling *t) {
    struct relay_info info;
    proto_str(t->w, "what", relay_news_name(t->e->relay));
    proto_str(t->w, "why", t->e->detail);
    if (node_relay_get(t->node, t->e->id, &info))
        show_relay(t->w, "relay", &info, t->e->now_us);
    else
        proto_nil(t->w, "relay");
}

static const struct event_row events[] = {{.kind = NODE_RELAY, .show = show_news}};

const struct group control_group_relay = {
    .methods = methods, .events = events, .event_count = sizeof events / sizeof *events};
