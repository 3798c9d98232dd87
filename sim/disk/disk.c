/* disk.c: the file operations of a virtual disk, one after the other, and what goes wrong with
 * them. */
#include "sim/disk/disk.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/disk/disk_int.h"

struct disk *disk_new(const struct draw *draw, uint32_t entity) {
    struct disk *d = mem_calloc(1, sizeof *d);
    if (d) {
        d->draw = draw;
        d->entity = entity;
        d->cfg.latency_ns = 100 * 1000; /* an SSD's */
        d->cfg.rate_bytes = 2000000000;
        d->faults.room = d->faults.room_late = UINT64_MAX;
    }
    return d;
}

void disk_configure(struct disk *d, const struct disk_config *c) {
    d->cfg = *c;
}

void disk_get_config(const struct disk *d, struct disk_config *out) {
    *out = d->cfg;
}

void disk_keep_bytes(struct disk *d) {
    assert(d->file_count == 0);
    d->keeps = true;
}

struct disk_faults *disk_faults_of(struct disk *d) {
    return &d->faults;
}

uint64_t disk_submit(struct disk *d, uint64_t now_ns, const struct file_op *op) {
    uint64_t bytes = 0;
    if (op->kind == FILE_OP_READ || op->kind == FILE_OP_WRITE)
        for (unsigned i = 0; i < op->nspans; i++)
            bytes += op->spans[i].len;
    if (d->free_ns < now_ns)
        d->free_ns = now_ns;
    if (d->cfg.rate_bytes > 0)
        d->free_ns += bytes * UINT64_C(1000000000) / d->cfg.rate_bytes;
    d->free_ns += d->cfg.latency_ns;
    return d->free_ns;
}

/* ---- what goes wrong ---- */

static bool is(const char *path, const struct file *f) {
    return path && strcmp(path, f->path) == 0;
}

/* The number n of its kind fails. */
static bool drawn(const struct disk *d, uint32_t ppb, uint64_t n) {
    return ppb > 0 && draw_chance(draw_u64(d->draw, d->entity, DRAW_READ_ERROR, n), ppb);
}

/* One of those that fail whatever they do. */
static bool is_hit(struct disk *d) {
    struct disk_faults *f = &d->faults;
    if (f->fail_after == 0 || --f->fail_after > 0)
        return false;
    if (f->fail_more > 0) {
        f->fail_more--;
        f->fail_after = 1;
    }
    return true;
}

/* It changes when it is opened for the second time: to be sent, after it was looked at. */
static void change(const struct disk *d, struct file *f) {
    if (++f->opened != 2)
        return;
    if (is(d->faults.grow, f))
        f->size++;
    if (is(d->faults.shrink, f))
        f->size--;
    if (is(d->faults.touch, f))
        f->mtime_s++;
}

/* ---- the operations ---- */

static void look(const struct disk *d, const struct file *f, struct file_op *op) {
    op->size = is(d->faults.unsized, f) ? 0 : f->size;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = 0;
}

static int run_open(struct disk *d, struct file_op *op) {
    struct file *f = disk_find(d, op->path);
    if (!f || f->final_path)
        return ERR_NOT_FOUND;
    assert(!d->slots[op->slot]);
    d->slots[op->slot] = f;
    op->mode = f->mode;
    look(d, f, op);
    change(d, f);
    return 0;
}

static int run_read(struct disk *d, const struct file *f, struct file_op *op) {
    if (drawn(d, d->cfg.read_error_ppb, d->reads++) || is(d->faults.read_error, f))
        return ERR_IO;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *s = &op->spans[i];
        uint8_t *out = s->block->data + s->offset;
        const size_t len = disk_get(f, op->offset + op->bytes, out, s->len);
        if (op->hash)
            treehash_update(op->hash, out, len);
        if (len > 0 && is(d->faults.flip, f))
            out[len / 2] ^= 1;
        op->bytes += len;
    }
    d->read_bytes += op->bytes;
    return 0;
}

static int run_prepare(const struct disk *d, struct file_op *op) {
    op->limit = d->faults.limit;
    return disk_has_room(d, op->size) && op->size <= d->faults.room ? d->faults.prepare : ERR_DISK;
}

static int run_check(const struct disk *d, const struct file_op *op) {
    char path[DISK_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", op->path, op->name);
    return disk_find(d, path) ? ERR_EXISTS : 0;
}

static int run_create(struct disk *d, struct file_op *op) {
    char temporary[DISK_PATH_BYTES], final_path[DISK_PATH_BYTES];
    (void)snprintf(temporary, sizeof temporary, "%s/.meshd-%016llx.part", op->path,
                   (unsigned long long)op->id);
    (void)snprintf(final_path, sizeof final_path, "%s/%s", op->path, op->name);
    if (disk_find(d, final_path) || disk_find(d, temporary))
        return ERR_EXISTS;
    struct file *f = disk_add(d, temporary, final_path);
    if (!f)
        return ERR_NOMEM;
    f->size = d->keeps ? 0 : op->size;
    assert(!d->slots[op->slot]);
    d->slots[op->slot] = f;
    return 0;
}

static int run_write(struct disk *d, struct file *f, uint64_t now_ns, struct file_op *op) {
    uint64_t len = 0;
    for (unsigned i = 0; i < op->nspans; i++)
        len += op->spans[i].len;
    if (!disk_has_room(d, len) || d->written_bytes + len > d->faults.room_late)
        return ERR_DISK;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *s = &op->spans[i];
        const uint8_t *bytes = s->block->data + s->offset;
        if (!disk_put(d, f, op->offset + op->bytes, bytes, s->len))
            return ERR_DISK;
        if (op->hash)
            treehash_update(op->hash, bytes, s->len);
        op->bytes += s->len;
    }
    if (f->written_bytes > 0 && now_ns - f->last_write_ns > f->longest_gap_ns)
        f->longest_gap_ns = now_ns - f->last_write_ns;
    f->last_write_ns = now_ns;
    f->written_bytes += len;
    d->used_bytes += len;
    d->written_bytes += len;
    return 0;
}

static int run_commit(struct disk *d, struct file *f, const struct file_op *op) {
    if (!f->final_path || disk_find(d, f->final_path))
        return f->final_path ? ERR_EXISTS : ERR_IO;
    mem_free(f->path);
    f->path = f->final_path;
    f->final_path = NULL;
    f->committed = true;
    f->mode = op->mode;
    f->mtime_s = op->mtime_s;
    d->slots[op->slot] = NULL;
    return 0;
}

/* Its errors are drawn apart from those of reads. */
static int run_sync_dir(struct disk *d, const struct file_op *op) {
    if (drawn(d, d->cfg.sync_error_ppb, UINT64_C(1) << 63 | d->syncs++) || d->faults.sync_error)
        return ERR_IO;
    disk_sync_names(d, op->path);
    return 0;
}

static int run_close(struct disk *d, struct file_op *op) {
    struct file *f = d->slots[op->slot];
    d->slots[op->slot] = NULL;
    if (f && f->final_path)
        disk_forget(d, f);
    else if (f)
        look(d, f, op);
    return 0;
}

static int run(struct disk *d, uint64_t now_ns, struct file_op *op) {
    struct file *f = d->slots[op->slot];
    switch (op->kind) {
    case FILE_OP_OPEN:
        return run_open(d, op);
    case FILE_OP_READ:
        return f ? run_read(d, f, op) : ERR_IO;
    case FILE_OP_PREPARE:
        return run_prepare(d, op);
    case FILE_OP_CHECK:
        return run_check(d, op);
    case FILE_OP_CREATE:
        return run_create(d, op);
    case FILE_OP_WRITE:
        return f ? run_write(d, f, now_ns, op) : ERR_IO;
    case FILE_OP_COMMIT:
        return f ? run_commit(d, f, op) : ERR_IO;
    case FILE_OP_CLOSE:
        return run_close(d, op);
    case FILE_OP_SYNC_DIR:
        return run_sync_dir(d, op);
    case FILE_OP_STORE_SYNC: /* the host's store does it (sim/world/host.c) */
        break;
    }
    return 0;
}

void disk_run(struct disk *d, uint64_t now_ns, struct file_op *op) {
    assert(op->slot < FILE_SLOTS_MAX);
    const bool may_fail = op->kind != FILE_OP_CLOSE && op->kind != FILE_OP_STORE_SYNC;
    op->bytes = 0;
    op->err = may_fail && is_hit(d) ? ERR_IO : run(d, now_ns, op);
}
