#include "node/disk/file_queue.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"

static void put_spans(struct file_op *op) {
    for (unsigned i = 0; i < op->nspans; i++)
        block_put(op->spans[i].block);
    op->nspans = 0;
}

static void free_list(struct file_op *op) {
    while (op) {
        struct file_op *next = op->next;
        put_spans(op);
        mem_free(op);
        op = next;
    }
}

void work_clear(struct work *w) {
    free_list(w->head);
    free_list(w->spare);
    memset(w, 0, sizeof *w);
}

struct file_op *work_new(struct work *w, enum file_op_kind kind, uint64_t owner) {
    struct file_op *op = w->spare;
    if (op) {
        w->spare = op->next;
        w->spare_count--;
    } else {
        op = mem_alloc(sizeof *op);
        if (!op)
            return NULL;
    }
    memset(op, 0, sizeof *op);
    op->kind = kind;
    op->owner = owner;
    return op;
}

void work_submit(struct work *w, struct file_op *op) {
    op->next = NULL;
    if (w->tail)
        w->tail->next = op;
    else
        w->head = op;
    w->tail = op;
}

struct file_op *work_take(struct work *w) {
    struct file_op *op = w->head;
    if (!op)
        return NULL;
    w->head = op->next;
    if (!w->head)
        w->tail = NULL;
    op->next = NULL;
    w->out++;
    return op;
}

void work_release(struct work *w, struct file_op *op) {
    put_spans(op);
    if (w->spare_count >= WORK_KEEP) {
        mem_free(op);
        return;
    }
    op->next = w->spare;
    w->spare = op;
    w->spare_count++;
}

int work_slot_take(struct work *w, uint32_t *slot) {
    for (uint32_t i = 0; i < FILE_SLOTS_MAX / 64; i++) {
        if (w->slots[i] == UINT64_MAX)
            continue;
        uint32_t bit = 0;
        while (w->slots[i] >> bit & 1)
            bit++;
        w->slots[i] |= UINT64_C(1) << bit;
        *slot = i * 64 + bit;
        return 0;
    }
    return ERR_FULL;
}

void work_slot_give(struct work *w, uint32_t slot) {
    assert(slot < FILE_SLOTS_MAX && (w->slots[slot / 64] >> slot % 64 & 1));
    w->slots[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}
