#include "node/base/keep.h"

#include <assert.h>
#include <stdlib.h>

#include "node/node_int.h"

static void forget(struct node *n, struct owed **list) {
    while (*list) {
        struct owed *o = *list;
        *list = o->next;
        n->keep.owed--;
        free(o);
    }
}

void keep_clear(struct node *n) {
    forget(n, &n->keep.head);
    forget(n, &n->keep.draft);
    n->keep = (struct keep){0};
}

/* ---- the store ---- */
int keep_put(struct node *n, const char *table, const void *key, size_t key_len, const void *value,
             size_t value_len) {
    int err = n->env.store.put(n->env.store.ctx, table, key, key_len, value, value_len);
    if (!err && !n->keep.open)
        n->keep.commits++;
    return err;
}

int keep_get(struct node *n, const char *table, const void *key, size_t key_len, void *value,
             size_t cap, size_t *len) {
    return n->env.store.get(n->env.store.ctx, table, key, key_len, value, cap, len);
}

int keep_del(struct node *n, const char *table, const void *key, size_t key_len) {
    int err = n->env.store.del(n->env.store.ctx, table, key, key_len);
    if (!err && !n->keep.open)
        n->keep.commits++;
    return err;
}

int keep_next(struct node *n, const char *table, void *key, size_t *key_len, void *value,
              size_t cap, size_t *len) {
    return n->env.store.next(n->env.store.ctx, table, key, key_len, value, cap, len);
}

static void append(struct owed **head, struct owed **tail, struct owed *o, uint64_t after) {
    o->after = after;
    o->next = NULL;
    if (*tail)
        (*tail)->next = o;
    else
        *head = o;
    *tail = o;
}

int keep_begin(struct node *n) {
    assert(!n->keep.open);
    int err = n->env.store.begin(n->env.store.ctx);
    n->keep.open = err == 0;
    return err;
}

int keep_end(struct node *n, int err) {
    struct keep *k = &n->keep;
    assert(k->open);
    k->open = false;
    if (err)
        n->env.store.rollback(n->env.store.ctx);
    else
        err = n->env.store.commit(n->env.store.ctx);
    if (err) {
        forget(n, &k->draft);
        k->draft_tail = NULL;
        return err;
    }
    k->commits++;
    while (k->draft) {
        struct owed *o = k->draft;
        k->draft = o->next;
        append(&k->head, &k->tail, o, k->commits);
    }
    k->draft_tail = NULL;
    return 0;
}

/* ---- debts ---- */
int keep_owe(struct node *n, const struct owed *o) {
    struct keep *k = &n->keep;
    if (k->owed >= KEEP_OWED_MAX)
        return node_met(n, LIMIT_UNSYNCED, KEEP_OWED_MAX);
    struct owed *copy = malloc(sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    *copy = *o;
    k->owed++;
    if (k->open)
        append(&k->draft, &k->draft_tail, copy, 0);
    else
        append(&k->head, &k->tail, copy, k->commits);
    n->unheard = true; /* it may be due already: whoever is asked next pays it */
    return 0;
}

void keep_scrub(struct node *n) {
    n->keep.scrub = true;
}

static bool is_due(const struct keep *k) {
    return k->head && k->head->after <= k->durable;
}

bool keep_pay(struct node *n) {
    struct keep *k = &n->keep;
    bool any = false;
    while (is_due(k) && k->paid < KEEP_PAY_STEP) {
        k->paid++;
        struct owed *o = k->head;
        k->head = o->next;
        if (!k->head)
            k->tail = NULL;
        k->owed--;
        o->next = NULL;
        o->run(n, o);
        free(o);
        any = true;
    }
    return any;
}

/* ---- barriers ---- */
static void again_later(struct node *n) {
    struct keep *k = &n->keep;
    k->backoff_us = k->backoff_us == 0 ? KEEP_RETRY_US : k->backoff_us * 2;
    if (k->backoff_us > KEEP_RETRY_MAX_US)
        k->backoff_us = KEEP_RETRY_MAX_US;
    k->retry_us = n->now_us + k->backoff_us;
}

void keep_pump(struct node *n) {
    struct keep *k = &n->keep;
    bool wanted = k->scrub || (k->tail && k->tail->after > k->durable);
    if (!wanted || k->out || k->retry_us)
        return;
    struct file_op *op = work_new(&n->work, FILE_OP_STORE_SYNC, 0);
    if (!op) { /* no memory, which says nothing about the disk */
        k->retry_us = n->now_us + KEEP_RETRY_US;
        return;
    }
    op->id = k->scrub ? STORE_SYNC_SCRUB : 0;
    k->scrub_out = k->scrub;
    k->scrub = false;
    k->out = true;
    k->covers = k->commits;
    work_submit(&n->work, op);
}

void keep_op_done(struct node *n, struct file_op *op) {
    struct keep *k = &n->keep;
    int err = op->err;
    work_release(&n->work, op);
    k->out = false;
    if (err) {
        if (k->backoff_us == 0)
            node_log(n, LOG_ERROR, "what was stored is not safe on the disk yet: %s",
                     err_text(err));
        k->scrub |= k->scrub_out;
        again_later(n);
        return;
    }
    k->backoff_us = 0;
    k->durable = k->covers;
    keep_pay(n);
}

uint64_t keep_deadline_us(const struct node *n) {
    if (is_due(&n->keep))
        return n->now_us;
    return n->keep.retry_us ? n->keep.retry_us : UINT64_MAX;
}

void keep_timeout(struct node *n) {
    n->keep.paid = 0;
    if (n->keep.retry_us <= n->now_us)
        n->keep.retry_us = 0; /* the next call of keep_pump repeats it */
}
