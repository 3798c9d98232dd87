/* control_methods_node.c: version, id, status, shutdown: the daemon's own. */
#include "crypto/identity/identity.h"
#include "node/control/call/control_group.h"
#include "node/control/methods/control_facts.h"
#include "node/control/methods/control_show.h"

static int do_version(struct call *call) {
    struct proto_writer *w = call->w;
    proto_map(w, NULL);
    proto_str(w, "version", call->facts->version);
    proto_uint(w, "api", PROTO_API_VERSION);
    proto_array(w, "methods");
    const struct method *m;
    for (unsigned i = 0; (m = group_method_at(call->groups, i)) != NULL; i++)
        proto_str(w, NULL, m->name);
    proto_end(w);
    proto_end(w);
    return 0;
}

static int do_shutdown(struct call *call) {
    call->facts->shutdown = true;
    return call_empty(call);
}

static int do_id(struct call *call) {
    proto_map(call->w, NULL);
    show_id(call->w, "id", node_self(call->node));
    proto_end(call->w);
    return 0;
}

static void show_relay_counters(struct proto_writer *w, const struct relay_use *u) {
    proto_uint(w, "relay_known", u->known);
    proto_uint(w, "relay_homes", u->homes);
    proto_uint(w, "relay_sessions", u->up);
    proto_uint(w, "relay_ways", u->ways);
    proto_uint(w, "relay_ways_opened", u->ways_opened);
    proto_uint(w, "relay_ways_failed", u->ways_failed);
    proto_uint(w, "relay_ways_in", u->ways_in);
    if (!u->serves)
        return;
    proto_uint(w, "relay_serving_clients", u->served.clients);
    proto_uint(w, "relay_serving_reservations", u->served.reservations);
    proto_uint(w, "relay_serving_flows", u->served.flows);
    proto_uint(w, "relay_serving_queued_bytes", u->served.queued_bytes);
    proto_uint(w, "relay_serving_memory_bytes", u->served.memory_bytes);
    proto_uint(w, "relay_serving_load", u->served.load);
#define X(name) proto_uint(w, "relay_serving_" #name, u->served.counters.name);
    RELAY_COUNTERS(X)
#undef X
}

static void show_counters(struct proto_writer *w, const char *key,
                          const struct endpoint_counters *k, const struct relay_use *relay) {
    proto_map(w, key);
    if (k) {
#define X(name) proto_uint(w, #name, k->name);
        ENDPOINT_COUNTERS(X)
#undef X
    }
    show_relay_counters(w, relay);
    proto_end(w);
}

static void show_settings(struct proto_writer *w, const struct facts *f, const struct node *n) {
    struct node_policy policy;
    node_get_policy(n, &policy);
    proto_str(w, "state_dir", f->state_dir);
    proto_str(w, "socket", f->socket_path);
    proto_str(w, "config", f->config_path);
    proto_bool(w, "private", f->private_network);
    proto_str(w, "accept", policy.accept == ACCEPT_CONTACTS ? "contacts" : "ask");
    proto_uint(w, "accept_max_bytes", policy.accept_max_bytes);
    proto_str(w, "download_dir", policy.download_dir);
    proto_array(w, "listen");
    for (unsigned i = 0; i < f->listen_count; i++)
        show_addr(w, NULL, &f->listen[i]);
    proto_end(w);
    proto_bool(w, "udp_gso", f->udp_gso > 0);
    proto_bool(w, "udp_gro", f->udp_gro > 0);
}

static int do_status(struct call *call) {
    struct proto_writer *w = call->w;
    struct node_status s;
    node_status(call->node, call->now_us, &s);
    proto_map(w, NULL);
    show_id(w, "id", node_self(call->node));
    proto_str(w, "version", call->facts->version);
    proto_uint(w, "api", PROTO_API_VERSION);
    proto_uint(w, "uptime_us", s.uptime_us);
    proto_uint(w, "longest_turn_us", call->facts->longest_turn_us);
    show_settings(w, call->facts, call->node);
    proto_uint(w, "contacts", s.contacts);
    proto_uint(w, "online", s.online);
    proto_uint(w, "sessions", s.sessions);
    proto_uint(w, "half_open", s.half_open);
    proto_uint(w, "transfers", s.transfers);
    proto_uint(w, "messages_queued", s.messages_queued);
    proto_uint(w, "message_bytes", s.message_bytes);
    proto_uint(w, "message_quota_bytes", s.message_quota_bytes);
    proto_uint(w, "message_quota_contact_bytes", s.message_quota_contact_bytes);
    proto_bool(w, "serves_relay", s.relay.serves);
    show_counters(w, "counters", s.counters, &s.relay);
    proto_end(w);
    return 0;
}

static const struct method methods[] = {
    {"version", do_version, {{0}}},   {"id", do_id, {{0}}}, {"status", do_status, {{0}}},
    {"shutdown", do_shutdown, {{0}}}, {NULL, NULL, {{0}}},
};

const struct group control_group_node = {.methods = methods};
