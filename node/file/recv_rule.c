#include "node/file/recv_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/file/file_recv.h"
#include "node/node_int.h"

static bool fits(const struct recv_rule *r, const struct node_id *from) {
    return r->any || node_id_equal(&r->from, from);
}

static void drop(struct node *n, unsigned i) {
    struct recv_rules *t = &n->rules;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i - 1) * sizeof *t->list);
    t->count--;
}

int node_recv_start(struct node *n, uint64_t now_us, const char *dir, const char *contact,
                    bool once, uint64_t *id) {
    n->now_us = now_us;
    if (!dir)
        dir = n->download_dir;
    struct recv_rules *t = &n->rules;
    const struct contact *from = contact ? contact_by_name(n, contact) : NULL;
    struct recv_rule r = {.once = once, .any = !contact};
    if (dir[0] == '\0' || strlen(dir) >= sizeof r.dir)
        return ERR_USAGE;
    if (contact && !from)
        return ERR_NOT_FOUND;
    if (!t->list)
        t->list = calloc(RECV_RULES_MAX, sizeof *t->list);
    if (!t->list)
        return ERR_NOMEM;
    if (t->count >= RECV_RULES_MAX)
        return node_met(n, LIMIT_RECVS, RECV_RULES_MAX);
    snprintf(r.dir, sizeof r.dir, "%s", dir);
    if (from)
        r.from = from->id;
    r.id = ++t->last_id;
    t->list[t->count++] = r;
    *id = r.id;
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *w = n->transfers.list[i];
        char into[1024];
        if (file_recv_waits(w) && recv_rule_apply(n, &w->info.node, into, &w->info.rule))
            file_recv_accept(n, w, into);
    }
    return 0;
}

void node_recv_stop(struct node *n, uint64_t id) {
    for (unsigned i = 0; i < n->rules.count; i++)
        if (n->rules.list[i].id == id) {
            drop(n, i);
            return;
        }
}

void recv_rules_clear(struct node *n) {
    free(n->rules.list);
    n->rules = (struct recv_rules){0};
}

bool node_recv_stands(const struct node *n, uint64_t id) {
    for (unsigned i = 0; i < n->rules.count; i++)
        if (n->rules.list[i].id == id)
            return true;
    return false;
}

bool recv_rule_apply(struct node *n, const struct node_id *from, char dir[static 1024],
                     uint64_t *rule) {
    *rule = 0;
    for (unsigned i = 0; i < n->rules.count; i++) {
        struct recv_rule *r = &n->rules.list[i];
        if (!fits(r, from))
            continue;
        memcpy(dir, r->dir, sizeof r->dir);
        *rule = r->id;
        if (r->once)
            drop(n, i);
        return true;
    }
    if (n->accept != ACCEPT_CONTACTS || n->download_dir[0] == '\0')
        return false;
    memcpy(dir, n->download_dir, sizeof n->download_dir);
    return true;
}
