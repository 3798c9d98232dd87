/* control_show.c: what the node knows, as maps. The keys are a contract: docs/CONTROL.md. */
#include <string.h>

#include "crypto/aead/aead.h"
#include "crypto/identity/identity.h"
#include "node/control/control_internal.h"

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
    node_id_text(id, text);
    proto_str(w, key, text);
}

/* An error that an event or a state is about. */
static void show_error(struct proto_writer *w, const char *key, int err, const struct cause *c,
                       const char *detail) {
    const struct failure f = {err ? err : ERR_FAILED, *c, NULL, detail};
    proto_failure(w, key, &f);
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
    proto_array(w, "addrs");
    for (unsigned a = 0; a < i->addr_count && a < PEER_ADDRS_MAX; a++)
        show_addr(w, NULL, &i->addrs[a]);
    proto_end(w);
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

void show_peer(struct proto_writer *w, const char *key, const struct contact_info *i) {
    proto_map(w, key);
    show_who(w, i);
    if (i->online)
        show_session(w, "session", &i->session);
    else
        proto_nil(w, "session");
    proto_end(w);
}

void show_file(struct proto_writer *w, const char *name, uint64_t size) {
    proto_map(w, NULL);
    proto_str(w, "name", name);
    proto_uint(w, "bytes", size);
    proto_end(w);
}

/* However many there are: an offer of a peer's costs a subscriber no more than the first ones. */
static void show_first_files(struct proto_writer *w, const struct node *n, uint64_t id) {
    uint64_t size = 0;
    const char *name;
    proto_array(w, "first");
    for (uint32_t i = 0; i < TRANSFER_FIRST_FILES && (name = node_transfer_file(n, id, i, &size));
         i++)
        show_file(w, name, size);
    proto_end(w);
}

void show_transfer(struct proto_writer *w, const char *key, const struct node *n,
                   const struct transfer_info *i, uint64_t now_us) {
    bool ended = i->state == TRANSFER_DONE || i->state == TRANSFER_FAILED;
    uint64_t until_us = ended ? i->ended_us : now_us;
    proto_map(w, key);
    proto_uint(w, "id", i->id);
    proto_bool(w, "outgoing", i->outgoing);
    proto_str(w, "contact", i->contact);
    show_id(w, "node", &i->node);
    proto_str(w, "state", transfer_state_name(i->state));
    proto_uint(w, "files", i->files);
    show_first_files(w, n, i->id);
    proto_uint(w, "files_done", i->files_done);
    proto_uint(w, "bytes_total", i->bytes_total);
    proto_uint(w, "bytes_done", i->bytes_done);
    proto_uint(w, "wall_us", i->wall_us);
    proto_uint(w, "elapsed_us",
               i->started_us && until_us > i->started_us ? until_us - i->started_us : 0);
    proto_uint(w, "running_us",
               i->accepted_us && until_us > i->accepted_us ? until_us - i->accepted_us : 0);
    proto_str(w, "dir", i->dir);
    if (i->rule)
        proto_uint(w, "recv", i->rule);
    else
        proto_nil(w, "recv");
    if (i->state == TRANSFER_FAILED)
        show_error(w, "error", i->err, &i->cause, i->detail);
    else
        proto_nil(w, "error");
    proto_end(w);
}

void show_message(struct proto_writer *w, const char *key, const struct message_info *i) {
    char hex[2 * sizeof i->id + 1];
    for (size_t b = 0; b < sizeof i->id; b++) {
        hex[2 * b] = "0123456789abcdef"[i->id[b] >> 4];
        hex[2 * b + 1] = "0123456789abcdef"[i->id[b] & 15];
    }
    proto_map(w, key);
    proto_uint(w, "seq", i->seq);
    proto_strn(w, "id", hex, sizeof hex - 1);
    proto_str(w, "contact", i->contact);
    show_id(w, "node", &i->node);
    proto_bool(w, "outgoing", i->outgoing);
    proto_bool(w, "delivered", i->delivered);
    proto_str(w, "state", message_state_name(i->state));
    if (i->err)
        show_error(w, "error", i->err, &i->cause, NULL);
    else
        proto_nil(w, "error");
    proto_uint(w, "wall_us", i->wall_us);
    proto_strn(w, "text", i->text, i->len);
    proto_end(w);
}

static void show_event_transfer(struct proto_writer *w, struct node *n,
                                const struct node_event *e) {
    struct transfer_info info;
    proto_uint(w, "id", e->id);
    if (node_transfer_get(n, e->id, &info))
        show_transfer(w, "transfer", n, &info, e->now_us);
    else
        proto_nil(w, "transfer");
}

/* With the file that is under way: the first one that is not done. */
static void show_event_progress(struct proto_writer *w, struct node *n,
                                const struct node_event *e) {
    struct transfer_info info;
    const char *name = NULL;
    uint64_t bytes;
    proto_uint(w, "id", e->id);
    proto_uint(w, "bytes_done", e->bytes);
    proto_uint(w, "bytes_total", e->total);
    bool known = node_transfer_get(n, e->id, &info) && info.files > 0;
    if (known) {
        uint32_t last = info.files - 1;
        name =
            node_transfer_file(n, e->id, info.files_done < last ? info.files_done : last, &bytes);
    }
    proto_uint(w, "files", known ? info.files : 0);
    proto_uint(w, "files_done", known ? info.files_done : 0);
    if (name)
        proto_str(w, "file", name);
    else
        proto_nil(w, "file");
}

static void show_event_message(struct proto_writer *w, struct node *n, const struct node_event *e,
                               bool brief) {
    struct message_info info;
    proto_uint(w, "seq", e->id);
    if (!brief && e->id > 0 && node_message_next(n, e->id - 1, NULL, &info) && info.seq == e->id)
        show_message(w, "message", &info);
    else
        proto_nil(w, "message");
}

void show_event(struct proto_writer *w, struct node *n, const struct node_event *e, bool brief) {
    proto_map(w, NULL);
    proto_str(w, "event", node_event_name(e->kind));
    proto_uint(w, "at_us", e->now_us);
    if (e->contact[0]) {
        proto_str(w, "contact", e->contact);
        show_id(w, "node", &e->node);
    }
    switch (e->kind) {
    case NODE_PEER_UP:
    case NODE_PATH_CHANGED:
        show_addr(w, "path", &e->addr);
        break;
    case NODE_PEER_DOWN:
    case NODE_CONNECT_FAILED:
    case NODE_PAIRING_FAILED:
    case NODE_CONTACT_DENIED:
    case NODE_PEER_SILENT:
        if (e->err)
            show_error(w, "error", e->err, &e->cause, e->detail);
        else
            proto_nil(w, "error");
        break;
    case NODE_CONTACT_ADDED:
    case NODE_CONTACT_REMOVED:
    case NODE_TICKET_STORED:
        break;
    case NODE_CONTACT_RENAMED:
        proto_str(w, "was", e->detail);
        break;
    case NODE_TRANSFER_PROGRESS:
        show_event_progress(w, n, e);
        break;
    case NODE_TRANSFER_OFFERED:
    case NODE_TRANSFER_STARTED:
    case NODE_TRANSFER_DONE:
    case NODE_TRANSFER_FAILED:
        show_event_transfer(w, n, e);
        break;
    case NODE_MESSAGE:
        show_event_message(w, n, e, brief);
        break;
    case NODE_MESSAGE_QUEUED:
    case NODE_MESSAGE_DELIVERED:
        proto_uint(w, "seq", e->id);
        break;
    case NODE_MESSAGE_REFUSED:
    case NODE_MESSAGE_FAILED:
        proto_uint(w, "seq", e->id);
        show_error(w, "error", e->err, &e->cause, NULL);
        break;
    case NODE_MESSAGE_FULL:
        proto_uint(w, "quota_contact_bytes", e->total);
        break;
    case NODE_PONG:
        proto_uint(w, "id", e->id);
        proto_uint(w, "rtt_us", e->rtt_us);
        show_addr(w, "path", &e->addr);
        break;
    case NODE_PING_FAILED:
        proto_uint(w, "id", e->id);
        show_error(w, "error", e->err, &e->cause, e->detail);
        break;
    }
    proto_end(w);
}

static void show_counters(struct proto_writer *w, const char *key,
                          const struct endpoint_counters *k) {
    proto_map(w, key);
    if (k) {
#define X(name) proto_uint(w, #name, k->name);
        ENDPOINT_COUNTERS(X)
#undef X
    }
    proto_end(w);
}

void show_status(struct control *c, struct proto_writer *w, uint64_t now_us) {
    struct node_status s;
    struct node_policy policy;
    node_status(c->node, now_us, &s);
    node_get_policy(c->node, &policy);
    proto_map(w, NULL);
    show_id(w, "id", node_self(c->node));
    proto_str(w, "version", c->version);
    proto_uint(w, "api", PROTO_API_VERSION);
    proto_uint(w, "uptime_us", s.uptime_us);
    proto_uint(w, "longest_turn_us", c->longest_turn_us);
    proto_str(w, "state_dir", c->state_dir);
    proto_str(w, "socket", c->socket_path);
    proto_str(w, "config", c->config_path);
    proto_bool(w, "private", c->private_network);
    proto_str(w, "accept", policy.accept == ACCEPT_CONTACTS ? "contacts" : "ask");
    proto_uint(w, "accept_max_bytes", policy.accept_max_bytes);
    proto_str(w, "download_dir", policy.download_dir);
    proto_array(w, "listen");
    for (unsigned i = 0; i < c->listen_count; i++)
        show_addr(w, NULL, &c->listen[i]);
    proto_end(w);
    proto_bool(w, "udp_gso", c->udp_gso > 0);
    proto_bool(w, "udp_gro", c->udp_gro > 0);
    proto_uint(w, "contacts", s.contacts);
    proto_uint(w, "sessions", s.sessions);
    proto_uint(w, "half_open", s.half_open);
    proto_uint(w, "transfers", s.transfers);
    proto_uint(w, "messages_queued", s.messages_queued);
    proto_uint(w, "message_bytes", s.message_bytes);
    proto_uint(w, "message_quota_bytes", s.message_quota_bytes);
    proto_uint(w, "message_quota_contact_bytes", s.message_quota_contact_bytes);
    show_counters(w, "counters", s.counters);
    proto_end(w);
}
