#include "node/base/keep.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "node/base/owner.h"

static void forget(struct keep *keep, struct owed **list) {
    while (*list) {
        struct owed *o = *list;
        *list = o->next;
        keep->owed--;
        mem_free(o);
    }
}

void keep_clear(struct keep *keep) {
    forget(keep, &keep->head);
    forget(keep, &keep->draft);
    *keep = (struct keep){.turn = keep->turn, .work = keep->work, .part = keep->part};
}

/* ---- the store ---- */
int keep_put(struct keep *keep, const char *table, const void *key, size_t key_len,
             const void *value, size_t value_len) {
    int err =
        keep->turn->env.store.put(keep->turn->env.store.ctx, table, key, key_len, value, value_len);
    if (!err && !keep->open)
        keep->commits++;
    return err;
}

int keep_get(struct keep *keep, const char *table, const void *key, size_t key_len, void *value,
             size_t cap, size_t *len) {
    return keep->turn->env.store.get(keep->turn->env.store.ctx, table, key, key_len, value, cap,
                                     len);
}

int keep_del(struct keep *keep, const char *table, const void *key, size_t key_len) {
    int err = keep->turn->env.store.del(keep->turn->env.store.ctx, table, key, key_len);
    if (!err && !keep->open)
        keep->commits++;
    return err;
}

int keep_next(struct keep *keep, const char *table, void *key, size_t *key_len, void *value,
              size_t cap, size_t *len) {
    return keep->turn->env.store.next(keep->turn->env.store.ctx, table, key, key_len, value, cap,
                                      len);
}

int keep_prev(struct keep *keep, const char *table, void *key, size_t *key_len, void *value,
              size_t cap, size_t *len) {
    return keep->turn->env.store.prev(keep->turn->env.store.ctx, table, key, key_len, value, cap,
                                      len);
}

int keep_last(struct keep *keep, const char *table, uint8_t key[static STORE_KEY_MAX],
              size_t *key_len, void *value, size_t cap, size_t *len) {
    uint8_t prefix[STORE_KEY_MAX];
    const size_t prefix_len = *key_len;
    memcpy(prefix, key, prefix_len);
    /* The first key that is behind all with this prefix; without one, the table's end. */
    while (*key_len > 0 && key[*key_len - 1] == 0xff)
        --*key_len;
    if (*key_len > 0)
        key[*key_len - 1]++;
    const int err = keep_prev(keep, table, key, key_len, value, cap, len);
    if (err && err != ERR_FULL)
        return err;
    const bool its = *key_len >= prefix_len && memcmp(key, prefix, prefix_len) == 0;
    return its ? err : ERR_NOT_FOUND;
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

int keep_begin(struct keep *keep) {
    assert(!keep->open);
    int err = keep->turn->env.store.begin(keep->turn->env.store.ctx);
    keep->open = err == 0;
    return err;
}

int keep_end(struct keep *keep, int err) {
    assert(keep->open);
    keep->open = false;
    if (err)
        keep->turn->env.store.rollback(keep->turn->env.store.ctx);
    else
        err = keep->turn->env.store.commit(keep->turn->env.store.ctx);
    if (err) {
        forget(keep, &keep->draft);
        keep->draft_tail = NULL;
        return err;
    }
    keep->commits++;
    while (keep->draft) {
        struct owed *o = keep->draft;
        keep->draft = o->next;
        append(&keep->head, &keep->tail, o, keep->commits);
    }
    keep->draft_tail = NULL;
    return 0;
}

/* ---- debts ---- */
int keep_owe(struct keep *keep, const struct owed *o) {
    if (keep->owed >= KEEP_OWED_MAX)
        return turn_met(keep->turn, LIMIT_UNSYNCED, KEEP_OWED_MAX);
    struct owed *copy = mem_alloc(sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    *copy = *o;
    keep->owed++;
    if (keep->open)
        append(&keep->draft, &keep->draft_tail, copy, 0);
    else
        append(&keep->head, &keep->tail, copy, keep->commits);
    keep->turn->unheard = true; /* it may be due already: whoever is asked next pays it */
    return 0;
}

void keep_scrub(struct keep *keep) {
    keep->scrub = true;
}

static bool is_due(const struct keep *k) {
    return k->head && k->head->after <= k->durable;
}

bool keep_pay(struct keep *keep) {
    bool any = false;
    while (is_due(keep) && keep->paid < KEEP_PAY_STEP) {
        keep->paid++;
        struct owed *o = keep->head;
        keep->head = o->next;
        if (!keep->head)
            keep->tail = NULL;
        keep->owed--;
        o->next = NULL;
        o->run(o);
        mem_free(o);
        any = true;
    }
    return any;
}

/* ---- barriers ---- */
static void again_later(struct keep *keep) {
    keep->backoff_us = keep->backoff_us == 0 ? KEEP_RETRY_US : keep->backoff_us * 2;
    if (keep->backoff_us > KEEP_RETRY_MAX_US)
        keep->backoff_us = KEEP_RETRY_MAX_US;
    keep->retry_us = keep->turn->now_us + keep->backoff_us;
}

void keep_pump(struct keep *keep) {
    bool wanted = keep->scrub || (keep->tail && keep->tail->after > keep->durable);
    if (!wanted || keep->out || keep->retry_us)
        return;
    struct file_op *op = work_new(keep->work, FILE_OP_STORE_SYNC, owner_pack(keep->part, 0));
    if (!op) { /* no memory, which says nothing about the disk */
        keep->retry_us = keep->turn->now_us + KEEP_RETRY_US;
        return;
    }
    op->id = keep->scrub ? STORE_SYNC_SCRUB : 0;
    keep->scrub_out = keep->scrub;
    keep->scrub = false;
    keep->out = true;
    keep->covers = keep->commits;
    work_submit(keep->work, op);
}

void keep_op_done(struct keep *keep, struct file_op *op) {
    int err = op->err;
    work_release(keep->work, op);
    keep->out = false;
    if (err) {
        if (keep->backoff_us == 0)
            turn_log(keep->turn, LOG_ERROR, "what was stored is not safe on the disk yet: %s",
                     err_text(err));
        keep->scrub |= keep->scrub_out;
        again_later(keep);
        return;
    }
    keep->backoff_us = 0;
    keep->durable = keep->covers;
    keep_pay(keep);
}

uint64_t keep_deadline_us(const struct keep *keep) {
    if (is_due(keep))
        return keep->turn->now_us;
    return keep->retry_us ? keep->retry_us : UINT64_MAX;
}

void keep_timeout(struct keep *keep) {
    keep->paid = 0;
    if (keep->retry_us <= keep->turn->now_us)
        keep->retry_us = 0; /* the next call of keep_pump repeats it */
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    keep_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return keep_deadline_us(self);
}

static void part_timeout(void *self) {
    keep_timeout(self);
}

static void part_op_done(void *self, struct file_op *op) {
    keep_op_done(self, op);
}

const struct part_ops keep_part = {.clear = part_clear,
                                   .deadline_us = part_deadline_us,
                                   .timeout = part_timeout,
                                   .op_done = part_op_done};
