/* The room of files set up, and sides that keep note of what they are asked. */
#include "support_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(void *ctx, void *buf, size_t len) {
    struct room *r = ctx;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++) {
        r->seed = r->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        b[i] = (uint8_t)(r->seed >> 56);
    }
}

struct room *room_new(uint64_t seed) {
    struct room *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->seed = seed;
    r->store = store_mem_new();
    assert_non_null(r->store);
    r->turn.env.rng = (struct rng){fill, r};
    r->turn.env.store = store_mem_face(r->store);
    r->turn.now_us = 1000000;
    r->turn.wall_us = UINT64_C(1790000000000000);
    r->turn.wall_at_us = r->turn.now_us;
    r->keep = (struct keep){.turn = &r->turn, .work = &r->work, .part = 1};
    r->contacts = (struct contacts){.turn = &r->turn, .keep = &r->keep};
    r->files = (struct transfers){.turn = &r->turn,
                                  .keep = &r->keep,
                                  .work = &r->work,
                                  .contacts = &r->contacts,
                                  .part = ROOM_PART};
    for (unsigned i = 0; i < ROOM_CONTACTS; i++) {
        struct contact *c = &r->contact[i];
        snprintf(c->name, sizeof c->name, "contact%u", i);
        memset(&c->id, (int)(i + 1), sizeof c->id);
        c->serial = i + 1;
    }
    return r;
}

void room_free(struct room *r) {
    transfers_clear(&r->files);
    keep_clear(&r->keep);
    work_clear(&r->work);
    news_clear(&r->turn.news);
    store_mem_free(r->store);
    free(r);
}

static void on_event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    (void)files;
    (void)ev;
    ((struct noted *)t->side)->events++;
}

static void tell(struct transfers *files, struct transfer *t, int err, const struct cause *why,
                 const char *file) {
    struct noted *n = t->side;
    (void)files;
    (void)why;
    (void)file;
    n->told++;
    n->told_err = err;
    t->has_stream = false;
}

static void op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    ((struct noted *)t->side)->done++;
    work_release(files->work, op);
}

static void late_op(struct transfers *files, struct transfer *t, struct file_op *op) {
    ((struct noted *)t->side)->late++;
    work_release(files->work, op);
}

static void wind_down(struct transfers *files, struct transfer *t) {
    (void)files;
    ((struct noted *)t->side)->wound_down++;
}

static void free_side(struct transfers *files, void *side) {
    (void)files;
    ((struct noted *)side)->freed++;
}

static const struct transfer_ops ops = {.event = on_event,
                                        .tell = tell,
                                        .op_done = op_done,
                                        .late_op = late_op,
                                        .wind_down = wind_down,
                                        .free = free_side};

struct transfer *room_transfer(struct room *r, unsigned i, bool outgoing, struct noted *noted) {
    struct transfer *t = NULL;
    const enum transfer_state first = outgoing ? TRANSFER_OPENING : TRANSFER_OFFERED;
    assert_int_equal(transfer_new(&r->files, &r->contact[i], outgoing, first, &t), 0);
    t->ops = &ops;
    t->side = noted;
    transfer_report(&r->files, t);
    return t;
}

bool room_event(struct room *r, enum node_event_kind kind, struct node_event *out) {
    while (news_take(&r->turn.news, out))
        if (out->kind == kind)
            return true;
    return false;
}
