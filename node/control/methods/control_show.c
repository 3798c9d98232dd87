#include "node/control/methods/control_show.h"

#include "crypto/aead/aead.h"
#include "crypto/identity/identity.h"
#include "node/base/path_words.h"
#include "node/base/relay_addr.h"

void show_addr(struct proto_writer *w, const char *key, const struct addr *a) {
    char text[ADDR_TEXT_MAX];
    if (a->kind == ADDR_NONE) {
        proto_nil(w, key);
        return;
    }
    addr_text(a, text);
    proto_str(w, key, text);
}

void show_id(struct proto_writer *w, const char *key, const struct node_id *id) {
    char text[NODE_ID_TEXT_CHARS + 1];
    if (id == NULL) {
        proto_nil(w, key);
        return;
    }
    node_id_text(id, text);
    proto_str(w, key, text);
}

void show_error(struct proto_writer *w, const char *key, int err, const struct cause *c,
                const char *detail) {
    const struct failure f = {err ? err : ERR_FAILED, *c, NULL, detail};
    proto_failure(w, key, &f);
}

void show_event_error(struct proto_writer *w, const struct node_event *e) {
    if (e->err)
        show_error(w, "error", e->err, &e->cause, e->detail);
    else
        proto_nil(w, "error");
}

static void show_who(struct proto_writer *w, const struct contact_info *i) {
    proto_str(w, "name", i->name);
    show_id(w, "id", &i->id);
    proto_bool(w, "online", i->online);
    if (i->denied)
        show_error(w, "denied", i->denied, &(struct cause){.side = SIDE_BETWEEN}, NULL);
    else
        proto_nil(w, "denied");
    proto_str(w, "state", contact_state_name(i->state));
    if (i->quiet_us == UINT64_MAX)
        proto_nil(w, "quiet_us");
    else
        proto_uint(w, "quiet_us", i->quiet_us);
}

static void show_ways(struct proto_writer *w, const struct contact_info *i) {
    char text[RELAY_ADDR_TEXT_MAX + 1];
    proto_str(w, "path", path_policy_word(i->path));
    if (i->path_own == CONTACT_PATH_NODE)
        proto_nil(w, "path_own");
    else
        proto_str(w, "path_own", path_policy_word(i->path));
    proto_array(w, "addrs");
    for (unsigned a = 0; a < i->addr_count && a < PEER_ADDRS_MAX; a++)
        show_addr(w, NULL, &i->addrs[a]);
    proto_end(w);
    proto_array(w, "relays");
    for (unsigned r = 0; i->relays && r < i->relays->count; r++) {
        relay_addr_text(&i->relays->list[r], text);
        proto_str(w, NULL, text);
    }
    proto_end(w);
}

void show_contact(struct proto_writer *w, const char *key, const struct contact_info *i) {
    proto_map(w, key);
    show_who(w, i);
    proto_bool(w, "paired", i->paired);
    proto_uint(w, "queued", i->queued);
    if (i->refused)
        show_error(w, "refused", i->refused, &i->refused_why, NULL);
    else
        proto_nil(w, "refused");
    proto_uint(w, "message_bytes", i->message_bytes);
    proto_bool(w, "full", i->full);
    show_ways(w, i);
    proto_end(w);
}

static void show_session(struct proto_writer *w, const char *key, const struct session_info *s) {
    proto_map(w, key);
    show_addr(w, "path", &s->path);
    proto_str(w, "suite", aead_suite_name(s->suite));
    proto_bool(w, "initiator", s->initiator);
    proto_bool(w, "has_transport", s->has_transport);
    proto_uint(w, "key_epoch", s->key_epoch);
    proto_uint(w, "age_us", s->age_us);
    proto_uint(w, "idle_us", s->idle_us);
    proto_uint(w, "srtt_us", s->srtt_us);
    proto_uint(w, "min_rtt_us", s->min_rtt_us);
    proto_uint(w, "cwnd_bytes", s->cwnd_bytes);
    proto_uint(w, "mtu_bytes", s->mtu_bytes);
    proto_uint(w, "bytes_sent", s->bytes_sent);
    proto_uint(w, "bytes_received", s->bytes_received);
    proto_uint(w, "pkts_sent", s->pkts_sent);
    proto_uint(w, "pkts_received", s->pkts_received);
    proto_uint(w, "pkts_lost", s->pkts_lost);
    proto_end(w);
}

static bool is_somebody(const struct node_id *id) {
    static const struct node_id nobody;
    return !node_id_equal(id, &nobody);
}

static const char *via_name(enum contact_via v) {
    switch (v) {
    case VIA_NONE:
        return "";
    case VIA_DIRECT:
        return "direct";
    case VIA_RELAY:
        return "relay";
    case VIA_PIPE:
        return "stdio";
    }
    return "";
}

static void show_path(struct proto_writer *w, const struct contact_path_shown *p) {
    proto_map(w, NULL);
    proto_str(w, "kind", via_name(p->via));
    show_addr(w, "address", &p->addr);
    show_id(w, "relay", is_somebody(&p->relay) ? &p->relay : NULL);
    proto_str(w, "state", p->state);
    proto_bool(w, "active", p->active);
    proto_uint(w, "srtt_us", p->srtt_us);
    proto_uint(w, "loss_permille", p->loss_permille);
    proto_uint(w, "mtu_bytes", p->mtu_bytes);
    proto_str(w, "why", p->why);
    proto_end(w);
}

void show_via(struct proto_writer *w, const struct contact_reach *r) {
    if (r->via == VIA_NONE)
        proto_nil(w, "via");
    else
        proto_str(w, "via", via_name(r->via));
    if (r->why[0])
        proto_str(w, "why", r->why);
    else
        proto_nil(w, "why");
}

void show_paths(struct proto_writer *w, const struct contact_reach *r) {
    proto_array(w, "paths");
    for (unsigned i = 0; i < r->path_count; i++)
        show_path(w, &r->paths[i]);
    proto_end(w);
}

void show_peer(struct proto_writer *w, const char *key, const struct contact_info *i) {
    proto_map(w, key);
    show_who(w, i);
    show_via(w, &i->reach);
    show_paths(w, &i->reach);
    if (i->online)
        show_session(w, "session", &i->session);
    else
        proto_nil(w, "session");
    proto_end(w);
}
