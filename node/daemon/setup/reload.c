#include "node/daemon/setup/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node_policy reload_policy(const struct settings *s) {
    const struct config *c = &s->config;
    return (struct node_policy){.accept = c->accept,
                                .download_dir = c->download_dir,
                                .accept_max_bytes = c->accept_max_bytes,
                                .message_quota_contact_bytes = c->quota_bytes,
                                .message_quota_bytes = c->quota_all_bytes,
                                .relay = &c->relay,
                                .path = c->path};
}

struct names { /* "a, b, c" */
    char text[256];
};

static void add(struct names *n, bool differs, const char *name) {
    size_t len = strlen(n->text);
    if (differs)
        snprintf(n->text + len, sizeof n->text - len, "%s%s", len > 0 ? ", " : "", name);
}

static bool same_listen(const struct config *a, const struct config *b) {
    bool same = a->listen_count == b->listen_count;
    for (unsigned i = 0; same && i < a->listen_count; i++)
        same = addr_equal(&a->listen[i], &b->listen[i]);
    return same;
}

static void compare_relays(const struct relay_config *a, const struct relay_config *b,
                           struct names *now) {
    add(now, !config_relay_same_use(a, b), "use");
    add(now, a->serve != b->serve, "serve");
    add(now, a->capacity_bps != b->capacity_bps, "capacity");
    add(now, a->flows_per_node != b->flows_per_node, "flows_per_node");
    add(now, a->reservations_per_prefix != b->reservations_per_prefix, "reservations_per_prefix");
    add(now, a->rate_per_node_bps != b->rate_per_node_bps, "rate_per_node");
    add(now, a->quota_day_bytes != b->quota_day_bytes, "quota_per_day");
    add(now, !config_relay_same_ids(&a->allow, &b->allow), "allow");
    add(now, !config_relay_same_ids(&a->block, &b->block), "block");
}

static void compare(const struct config *a, const struct config *b, struct names *now,
                    struct names *later) {
    add(now, a->log != b->log, "log");
    add(now, strcmp(a->download_dir, b->download_dir) != 0, "download_dir");
    add(now, a->accept != b->accept, "accept");
    add(now, a->accept_max_bytes != b->accept_max_bytes, "accept_max");
    add(now, a->quota_bytes != b->quota_bytes, "quota");
    add(now, a->quota_all_bytes != b->quota_all_bytes, "quota_all");
    compare_relays(&a->relay, &b->relay, now);
    add(now, a->path != b->path, "policy");
    add(later, !same_listen(a, b), "listen");
    add(later, strcmp(a->network, b->network) != 0, "network");
    add(later, a->cc != b->cc, "congestion");
    add(later, a->aead != b->aead, "aead");
    add(later, a->udp_portable != b->udp_portable, "udp");
    add(later, strcmp(a->socket, b->socket) != 0, "socket");
}

static void take(struct settings *s, const struct settings *next) {
    struct config *c = &s->config;
    const struct config *from = &next->config;
    c->log = from->log;
    memcpy(c->download_dir, from->download_dir, sizeof c->download_dir);
    c->accept = from->accept;
    c->accept_max_bytes = from->accept_max_bytes;
    c->quota_bytes = from->quota_bytes;
    c->quota_all_bytes = from->quota_all_bytes;
    c->relay = from->relay;
    c->path = from->path;
    memcpy(s->config_path, next->config_path, sizeof s->config_path);
}

void reload_settings(struct settings *s, const struct args *a, struct node *n, struct log *log) {
    struct names now = {""}, later = {""};
    char wrong[SETTINGS_WRONG_MAX];
    struct settings *next = malloc(sizeof *next);
    if (!next || settings_load(next, a, wrong) != 0) {
        log_put(log, LOG_ERROR, "the settings stay as they were: %s",
                next ? wrong : err_text(ERR_NOMEM));
        goto out;
    }
    compare(&s->config, &next->config, &now, &later);
    take(s, next);
    log->level = s->config.log;
    const struct node_policy policy = reload_policy(s);
    node_set_policy(n, &policy);
    log_put(log, LOG_INFO, "read the settings again from %s: %s%s",
            s->config_path[0] ? s->config_path : "no file", now.text[0] ? "changed: " : "no change",
            now.text);
    if (later.text[0])
        log_put(log, LOG_WARN, "changed settings that need a restart of meshd: %s", later.text);
    if (next->secret_exposed)
        log_put(log, LOG_WARN, "others can read the network secret in %s; chmod 600 it",
                s->config_path);
out:
    if (next)
        settings_clear(next);
    free(next);
}
