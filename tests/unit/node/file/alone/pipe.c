/* A source and a sink on endpoints of their own, and what passes between them. */
#include "pipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000, BLOCKS = 640, LOOK_SLOT = FILE_SLOTS_MAX - 1 };

/* ---- the sides: what comes back goes to the window ---- */
static struct pipe *of_sources(void *side) {
    return (struct pipe *)(void *)((char *)side - offsetof(struct pipe, sources));
}

static struct pipe *of_sinks(void *side) {
    return (struct pipe *)(void *)((char *)side - offsetof(struct pipe, sinks));
}

static void found(struct pipe *p, enum sink_verdict v) {
    p->wholes += v == SINK_WHOLE;
    if (p->taken == SINK_GOES_ON)
        p->taken = v;
}

static void read_back(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct pipe *p = of_sources(t->side);
    (void)files;
    const enum source_verdict v = source_op_done(&p->sources, op);
    if (p->given == SOURCE_GOES_ON)
        p->given = v;
}

static void written(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct pipe *p = of_sinks(t->side);
    (void)files;
    found(p, sink_op_done(&p->sinks, op));
}

static void late(struct transfers *files, struct transfer *t, struct file_op *op) {
    (void)t;
    if (op->kind == FILE_OP_CLOSE)
        work_slot_give(files->work, op->slot);
    work_release(files->work, op);
}

static void tell(struct transfers *files, struct transfer *t, int err, const struct cause *why,
                 const char *file) {
    (void)files;
    (void)err;
    (void)why;
    (void)file;
    t->has_stream = false;
}

static void end_sources(struct transfers *files, struct transfer *t) {
    (void)files;
    source_wind_down(t->side);
}

static void end_sinks(struct transfers *files, struct transfer *t) {
    (void)files;
    sink_wind_down(t->side);
}

static void free_sources(struct transfers *files, void *side) {
    (void)files;
    source_clear(side);
}

static void free_sinks(struct transfers *files, void *side) {
    (void)files;
    sink_clear(side);
}

static const struct transfer_ops sends = {.op_done = read_back,
                                          .late_op = late,
                                          .tell = tell,
                                          .wind_down = end_sources,
                                          .free = free_sources};
static const struct transfer_ops receives = {
    .op_done = written, .late_op = late, .tell = tell, .wind_down = end_sinks, .free = free_sinks};

/* ---- beginning and end ---- */
static void begin_end(struct pipe *p, struct pipe_end *e, int side, const struct transfer_ops *ops,
                      void *window) {
    struct noted nobody = {0};
    e->room = room_new((uint64_t)side + 1);
    e->room->turn.ep = p->net->ep[side];
    e->room->turn.now_us = p->net->now_us;
    e->disk = disk_new(&p->draw, (uint32_t)side);
    assert_non_null(e->disk);
    e->t = room_transfer(e->room, 0, side == 0, &nobody);
    e->t->ops = ops;
    e->t->side = window;
    const uint8_t key[MANIFEST_KEY_BYTES] = {1};
    manifest_init(&e->t->manifest, key);
    snprintf(e->t->info.dir, sizeof e->t->info.dir, "in");
}

/* As the first pass finds it. */
static struct manifest_file look(struct pipe *p, unsigned i) {
    struct file_op op = {.kind = FILE_OP_OPEN, .slot = LOOK_SLOT, .path = p->paths[i]};
    disk_run(p->from.disk, 0, &op);
    assert_int_equal(op.err, 0);
    const struct manifest_file f = {.size = op.size, .mode = op.mode & 0777, .mtime_s = op.mtime_s};
    p->mtime_ns[i] = op.mtime_ns;
    op.kind = FILE_OP_CLOSE;
    disk_run(p->from.disk, 0, &op);
    return f;
}

static void add_file(struct pipe *p, unsigned i, uint64_t bytes) {
    snprintf(p->names[i], sizeof p->names[i], "f%u", i);
    snprintf(p->path_text[i], sizeof p->path_text[i], "/f%u", i);
    p->paths[i] = p->path_text[i];
    assert_int_equal(disk_make_file(p->from.disk, p->paths[i], bytes), 0);
    const struct manifest_file f = look(p, i);
    struct transfer *const both[] = {p->from.t, p->to.t};
    for (unsigned k = 0; k < 2; k++) {
        struct manifest *m = &both[k]->manifest;
        assert_int_equal(manifest_add(m, p->names[i], strlen(p->names[i])), 0);
        m->files[i].size = f.size;
        m->files[i].mode = f.mode;
        m->files[i].mtime_s = f.mtime_s;
        m->total_bytes += f.size;
        both[k]->info.files++;
        both[k]->info.bytes_total += f.size;
    }
}

struct pipe *pipe_new(unsigned count, uint64_t bytes) {
    struct pipe *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->net = pair_new(1);
    pair_start(p->net, 0);
    pair_know(p->net, 0, NULL, false);
    pair_know(p->net, 1, NULL, false);
    pair_connect(p->net, p->session);
    draw_init(&p->draw, 1);
    begin_end(p, &p->from, 0, &sends, &p->sources);
    begin_end(p, &p->to, 1, &receives, &p->sinks);
    p->pool.blocks_max = BLOCKS;
    p->sources.files = &p->from.room->files;
    p->sources.t = p->from.t;
    p->sources.pool = &p->pool;
    p->sources.paths = p->paths;
    p->sources.mtime_ns = p->mtime_ns;
    p->sinks.files = &p->to.room->files;
    p->sinks.t = p->to.t;
    for (unsigned i = 0; i < count; i++)
        add_file(p, i, bytes);
    uint64_t stream;
    assert_int_equal(stream_open(p->net->ep[0], p->session[0], &stream), 0);
    transfer_take_stream(&p->from.room->files, p->from.t, p->session[0], stream);
    transfer_take_stream(&p->to.room->files, p->to.t, p->session[1], stream);
    transfer_enter(&p->from.room->files, p->from.t, TRANSFER_CONNECTING);
    transfer_enter(&p->from.room->files, p->from.t, TRANSFER_OFFERED);
    transfer_enter(&p->from.room->files, p->from.t, TRANSFER_RUNNING);
    transfer_enter(&p->to.room->files, p->to.t, TRANSFER_RUNNING);
    return p;
}

void pipe_free(struct pipe *p) {
    room_free(p->from.room);
    room_free(p->to.room);
    disk_free(p->from.disk);
    disk_free(p->to.disk);
    pair_free(p->net);
    free(p);
}

/* ---- running ---- */
static void run_disk(struct pipe_end *e) {
    struct file_op *op;
    while ((op = work_take(&e->room->work)) != NULL) {
        disk_run(e->disk, e->room->turn.now_us * 1000, op);
        e->room->work.out--;
        transfer_op_done(&e->room->files, op);
    }
}

void pipe_disks(struct pipe *p) {
    run_disk(&p->from);
    run_disk(&p->to);
}

static bool ends(const struct pipe *p) {
    return p->given == SOURCE_FAILED || p->taken != SINK_GOES_ON;
}

void pipe_run(struct pipe *p, uint64_t us) {
    const uint64_t until_us = p->net->now_us + us;
    while (!ends(p) && p->net->now_us < until_us) {
        p->from.room->turn.now_us = p->to.room->turn.now_us = p->net->now_us;
        if (p->given == SOURCE_GOES_ON && p->from.t->has_stream)
            p->given = source_give(&p->sources);
        if (p->given == SOURCE_GOES_ON && p->from.t->has_stream)
            source_read_ahead(&p->sources);
        found(p, sink_pump(&p->sinks));
        pipe_disks(p);
        pair_run(p->net, MS, -1, -1);
    }
}

void pipe_write(struct pipe *p, const void *bytes, size_t len, bool fin) {
    size_t taken = 0;
    struct endpoint *ep = p->net->ep[0];
    p->from.t->has_stream = false; /* the sources keep out of it */
    if (len > 0)
        assert_int_equal(stream_write(ep, p->session[0], p->from.t->stream, bytes, len, &taken), 0);
    assert_int_equal(taken, len);
    if (fin)
        assert_int_equal(stream_finish(ep, p->session[0], p->from.t->stream), 0);
}

unsigned pipe_whole_files(const struct pipe *p) {
    unsigned whole = 0;
    for (unsigned i = 0; i < p->to.t->info.files; i++) {
        struct disk_file_info info;
        char path[32];
        snprintf(path, sizeof path, "in/%s", p->names[i]);
        whole += disk_file_info(p->to.disk, path, &info) && info.complete && info.wrong_bytes == 0;
    }
    return whole;
}
