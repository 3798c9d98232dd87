#include "node/file/transfer/recv_rule.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"

static bool fits(const struct recv_rule *r, const struct node_id *from) {
    return r->any || node_id_equal(&r->from, from);
}

static void drop(struct recv_rules *rules, unsigned i) {
    memmove(&rules->list[i], &rules->list[i + 1], (rules->count - i - 1) * sizeof *rules->list);
    rules->count--;
}

const char *recv_dir(const struct recv_rules *rules, const char *dir) {
    if (!dir)
        dir = rules->download_dir;
    return dir[0] == '\0' || strlen(dir) >= RECV_DIR_MAX ? NULL : dir;
}

int recv_rule_add(struct recv_rules *rules, const char *dir, const struct node_id *from, bool once,
                  uint64_t *id) {
    if (rules->count >= RECV_RULES_MAX)
        return ERR_FULL;
    if (!mem_grow(&rules->list, &rules->cap, (size_t)rules->count + 1, sizeof *rules->list,
                  RECV_RULES_MAX))
        return ERR_NOMEM;
    struct recv_rule *r = &rules->list[rules->count++];
    *r = (struct recv_rule){.id = ++rules->last_id, .once = once, .any = !from};
    if (from)
        r->from = *from;
    snprintf(r->dir, sizeof r->dir, "%s", dir);
    *id = r->id;
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
    rules->count = rules->cap = 0;
}

bool recv_rule_stands(const struct recv_rules *rules, uint64_t id) {
    for (unsigned i = 0; i < rules->count; i++)
        if (rules->list[i].id == id)
            return true;
    return false;
}

bool recv_rule_apply(struct recv_rules *rules, const struct node_id *from,
                     char dir[static RECV_DIR_MAX], uint64_t *rule) {
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
