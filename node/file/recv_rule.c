#include "node/file/recv_rule.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/disk/file_queue.h"
#include "node/file/file_recv.h"
#include "node/file/transfer.h"

static bool fits(const struct recv_rule *r, const struct node_id *from) {
    return r->any || node_id_equal(&r->from, from);
}

static void drop(struct recv_rules *rules, unsigned i) {
    memmove(&rules->list[i], &rules->list[i + 1], (rules->count - i - 1) * sizeof *rules->list);
    rules->count--;
}

int recv_rule_start(struct transfers *files, const char *dir, const char *contact, bool once,
                    uint64_t *id) {
    if (!dir)
        dir = files->rules.download_dir;
    struct recv_rules *t = &files->rules;
    const struct contact *from = contact ? contact_by_name(files->contacts, contact) : NULL;
    struct recv_rule r = {.once = once, .any = !contact};
    if (dir[0] == '\0' || strlen(dir) >= sizeof r.dir)
        return ERR_USAGE;
    if (contact && !from)
        return ERR_NOT_FOUND;
    if (!t->list)
        t->list = mem_calloc(RECV_RULES_MAX, sizeof *t->list);
    if (!t->list)
        return ERR_NOMEM;
    if (t->count >= RECV_RULES_MAX)
        return turn_met(files->turn, LIMIT_RECVS, RECV_RULES_MAX);
    snprintf(r.dir, sizeof r.dir, "%s", dir);
    if (from)
        r.from = from->id;
    r.id = ++t->last_id;
    t->list[t->count++] = r;
    *id = r.id;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *w = files->list[i];
        char into[1024];
        if (file_recv_waits(w) &&
            recv_rule_apply(&files->rules, &w->info.node, into, &w->info.rule))
            file_recv_accept(files, w, into);
    }
    return 0;
}

void recv_rule_stop(struct recv_rules *rules, uint64_t id) {
    for (unsigned i = 0; i < rules->count; i++)
        if (rules->list[i].id == id) {
            drop(rules, i);
            return;
        }
}

void recv_rules_clear(struct recv_rules *rules) {
    mem_free(rules->list);
    rules->list = NULL;
    rules->count = 0;
}

bool recv_rule_stands(const struct recv_rules *rules, uint64_t id) {
    for (unsigned i = 0; i < rules->count; i++)
        if (rules->list[i].id == id)
            return true;
    return false;
}

bool recv_rule_apply(struct recv_rules *rules, const struct node_id *from, char dir[static 1024],
                     uint64_t *rule) {
    *rule = 0;
    for (unsigned i = 0; i < rules->count; i++) {
        struct recv_rule *r = &rules->list[i];
        if (!fits(r, from))
            continue;
        memcpy(dir, r->dir, sizeof r->dir);
        *rule = r->id;
        if (r->once)
            drop(rules, i);
        return true;
    }
    if (rules->accept != ACCEPT_CONTACTS || rules->download_dir[0] == '\0')
        return false;
    memcpy(dir, rules->download_dir, sizeof rules->download_dir);
    return true;
}
