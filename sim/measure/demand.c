#include "sim/measure/demand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/err.h"
#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

static const char *const names[DEMAND_KINDS] = {"connect", "ping", "message", "transfer", "pair"};

const char *demand_kind_name(enum demand_kind k) {
    return names[k];
}

void demand_clear(struct demands *w) {
    mem_free(w->items);
    mem_free(w->heads);
    *w = (struct demands){0};
}

static uint32_t *head_of(struct demands *w, uint32_t host) {
    if (host >= w->head_count) {
        w->heads = mem_realloc(w->heads, (host + 1) * sizeof *w->heads);
        if (!w->heads)
            abort();
        memset(w->heads + w->head_count, 0, (host + 1 - w->head_count) * sizeof *w->heads);
        w->head_count = host + 1;
    }
    return &w->heads[host];
}

static uint32_t take(struct demands *w) {
    if (w->free > 0) {
        const uint32_t at = w->free - 1;
        w->free = w->items[at].next;
        return at;
    }
    grow(&w->items, &w->cap, w->count + 1, sizeof *w->items);
    return w->count++;
}

void demand_ask(struct demands *w, const struct demand_item *item) {
    const uint32_t at = take(w);
    uint32_t *head = head_of(w, item->from);
    w->items[at] = *item;
    w->items[at].by = w->asker;
    w->items[at].next = *head;
    *head = at + 1;
    w->counts[item->kind].asked++;
}

struct demand_item *demand_next(struct demands *w, uint32_t from, uint32_t *at) {
    /* *at: 1 + the one that comes next, with the top bit set once there has been one. */
    static const uint32_t begun = UINT32_C(1) << 31;
    const uint32_t now = *at & begun ? *at & ~begun : *head_of(w, from);
    if (now == 0)
        return NULL;
    *at = begun | w->items[now - 1].next;
    return &w->items[now - 1];
}

static void unlink_item(struct demands *w, struct demand_item *item) {
    uint32_t *link = head_of(w, item->from);
    const uint32_t number = (uint32_t)(item - w->items) + 1;
    while (*link != number)
        link = &w->items[*link - 1].next;
    *link = item->next;
    item->next = w->free;
    w->free = number;
}

static void judge(struct demands *w, const struct demand_item *item, const struct demand_end *e) {
    struct demand_count *c = &w->counts[item->kind];
    if (e->err == 0 && !e->what) {
        c->done++;
        return;
    }
    if (item->by.may) {
        c->allowed++;
        return;
    }
    if (e->excuse) {
        c->excused++;
        return;
    }
    c->failed++;
    if (w->failed < DEMAND_NOTES) {
        struct demand_failure *f = &w->failures[w->failed];
        f->line = item->by.line;
        (void)snprintf(f->text, sizeof f->text, "%s: %s %s of %.3f s: %s", e->from,
                       demand_kind_name(item->kind), e->to, (double)item->asked_ns / 1e9,
                       e->what ? e->what : err_text(e->err));
    }
    w->failed++;
}

void demand_end(struct demands *w, struct demand_item *item, const struct demand_end *e) {
    judge(w, item, e);
    unlink_item(w, item);
}

void demand_refuse(struct demands *w, const struct demand_item *item, const struct demand_end *e) {
    struct demand_item refused = *item;
    refused.by = w->asker;
    w->counts[item->kind].asked++;
    judge(w, &refused, e);
}
