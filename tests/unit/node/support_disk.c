#include "support_disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mem_file {
    struct mem_file *next;
    char path[1400];
    char final[1300]; /* of a temporary */
    uint8_t *data;
    size_t len, cap;
    int64_t mtime_s;
    uint32_t mode;
    unsigned opened;
    bool unsynced; /* its name: made, and its directory not synced since */
};

struct mem_disk {
    struct mem_file *files;
    struct mem_file *slots[FILE_SLOTS_MAX];
    struct disk_faults faults;
    uint64_t written;
};

static struct mem_file *find(struct mem_disk *d, const char *path) {
    for (struct mem_file *f = d->files; f; f = f->next)
        if (strcmp(f->path, path) == 0)
            return f;
    return NULL;
}

static struct mem_file *make(struct mem_disk *d, const char *path) {
    struct mem_file *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "%s", path);
    f->mode = 0644;
    f->next = d->files;
    d->files = f;
    return f;
}

static void resize(struct mem_file *f, size_t len) {
    if (len > f->cap) {
        f->cap = len > 2 * f->cap ? len : 2 * f->cap;
        f->data = realloc(f->data, f->cap);
        assert(f->data);
    }
    if (len > f->len)
        memset(f->data + f->len, 0, len - f->len);
    f->len = len;
}

static void unlink_file(struct mem_disk *d, struct mem_file *f) {
    struct mem_file **at = &d->files;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    free(f->data);
    free(f);
}

static bool is(const char *fault, const struct mem_file *f) {
    return fault && strcmp(fault, f->path) == 0;
}

static int run_open(struct mem_disk *d, struct file_op *op) {
    struct mem_file *f = find(d, op->path);
    if (!f)
        return ERR_NOT_FOUND;
    assert(!d->slots[op->slot]);
    d->slots[op->slot] = f;
    op->size = is(d->faults.unsized, f) ? 0 : f->len;
    op->mode = f->mode;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = 0;
    if (++f->opened == 2) {
        if (is(d->faults.grow, f))
            resize(f, f->len + 1);
        if (is(d->faults.shrink, f))
            resize(f, f->len - 1);
        if (is(d->faults.touch, f))
            f->mtime_s++;
    }
    return 0;
}

static int run_read(struct mem_disk *d, struct file_op *op) {
    struct mem_file *f = d->slots[op->slot];
    assert(f);
    if (is(d->faults.read_error, f))
        return ERR_IO;
    op->bytes = 0;
    for (unsigned i = 0; i < op->nspans; i++) {
        struct span *sp = &op->spans[i];
        size_t at = op->offset + op->bytes, n = at < f->len ? f->len - at : 0;
        if (n > sp->len)
            n = sp->len;
        if (n > 0)
            memcpy(sp->block->data + sp->offset, f->data + at, n);
        if (op->hash)
            treehash_update(op->hash, sp->block->data + sp->offset, n);
        if (n > 0 && is(d->faults.flip, f))
            sp->block->data[sp->offset + n / 2] ^= 1;
        op->bytes += n;
    }
    return 0;
}

static int run_create(struct mem_disk *d, struct file_op *op) {
    char path[1300], temp[1400];
    snprintf(path, sizeof path, "%s/%s", op->path, op->name);
    snprintf(temp, sizeof temp, "%s/.meshd-%016llx.part", op->path, (unsigned long long)op->id);
    if (find(d, path))
        return ERR_EXISTS;
    assert(!d->slots[op->slot] && !find(d, temp));
    struct mem_file *f = make(d, temp);
    snprintf(f->final, sizeof f->final, "%s", path);
    d->slots[op->slot] = f;
    return 0;
}

static int run_write(struct mem_disk *d, struct file_op *op) {
    struct mem_file *f = d->slots[op->slot];
    assert(f && f->final[0]);
    uint64_t at = op->offset;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *sp = &op->spans[i];
        if (d->written + sp->len > d->faults.room_late)
            return ERR_DISK;
        d->written += sp->len;
        if (at + sp->len > f->len)
            resize(f, at + sp->len);
        memcpy(f->data + at, sp->block->data + sp->offset, sp->len);
        if (op->hash)
            treehash_update(op->hash, sp->block->data + sp->offset, sp->len);
        at += sp->len;
    }
    op->bytes = at - op->offset;
    return 0;
}

static int run_commit(struct mem_disk *d, struct file_op *op) {
    struct mem_file *f = d->slots[op->slot];
    assert(f && f->final[0]);
    if (find(d, f->final))
        return ERR_EXISTS;
    snprintf(f->path, sizeof f->path, "%s", f->final);
    f->final[0] = '\0';
    f->unsynced = true;
    f->mode = op->mode;
    f->mtime_s = op->mtime_s;
    d->slots[op->slot] = NULL;
    return 0;
}

static int run_check(struct mem_disk *d, const struct file_op *op) {
    char path[1400];
    snprintf(path, sizeof path, "%s/%s", op->path, op->name);
    return find(d, path) ? ERR_EXISTS : 0;
}

static int run_sync_dir(struct mem_disk *d, const struct file_op *op) {
    const size_t n = strlen(op->path);
    if (d->faults.sync_error)
        return ERR_IO;
    for (struct mem_file *f = d->files; f; f = f->next)
        if (strncmp(f->path, op->path, n) == 0 && f->path[n] == '/')
            f->unsynced = false;
    return 0;
}

static int run_close(struct mem_disk *d, struct file_op *op) {
    struct mem_file *f = d->slots[op->slot];
    d->slots[op->slot] = NULL;
    if (!f)
        return 0;
    if (f->final[0]) {
        unlink_file(d, f);
        return 0;
    }
    op->size = is(d->faults.unsized, f) ? 0 : f->len;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = 0;
    return 0;
}

void mem_disk_run(struct mem_disk *d, struct file_op *op) {
    switch (op->kind) {
    case FILE_OP_OPEN:
        op->err = run_open(d, op);
        break;
    case FILE_OP_READ:
        op->err = run_read(d, op);
        break;
    case FILE_OP_PREPARE:
        op->err = op->size > d->faults.room ? ERR_DISK : d->faults.prepare;
        op->limit = d->faults.limit;
        break;
    case FILE_OP_CHECK:
        op->err = run_check(d, op);
        break;
    case FILE_OP_CREATE:
        op->err = run_create(d, op);
        break;
    case FILE_OP_WRITE:
        op->err = run_write(d, op);
        break;
    case FILE_OP_COMMIT:
        op->err = run_commit(d, op);
        break;
    case FILE_OP_CLOSE:
        op->err = run_close(d, op);
        break;
    case FILE_OP_SYNC_DIR:
        op->err = run_sync_dir(d, op);
        break;
    case FILE_OP_STORE_SYNC: /* the world does it */
        op->err = 0;
        break;
    }
}

struct mem_disk *mem_disk_new(void) {
    struct mem_disk *d = calloc(1, sizeof *d);
    d->faults.room = d->faults.room_late = UINT64_MAX;
    return d;
}

void mem_disk_forget(struct mem_disk *d) {
    for (unsigned i = 0; i < FILE_SLOTS_MAX; i++) {
        struct file_op close = {.kind = FILE_OP_CLOSE, .slot = i};
        mem_disk_run(d, &close);
    }
}

void mem_disk_power_cut(struct mem_disk *d) {
    mem_disk_forget(d);
    for (struct mem_file *f = d->files, *next; f; f = next) {
        next = f->next;
        if (f->unsynced)
            unlink_file(d, f);
    }
}

void mem_disk_free(struct mem_disk *d) {
    while (d->files)
        unlink_file(d, d->files);
    free(d);
}

struct disk_faults *mem_disk_faults(struct mem_disk *d) {
    return &d->faults;
}

void mem_disk_fill(struct mem_disk *d, const char *path, size_t len, unsigned salt) {
    struct mem_file *f = find(d, path);
    if (!f)
        f = make(d, path);
    resize(f, len);
    uint64_t x = salt + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        f->data[i] = (uint8_t)(x >> 56);
    }
    f->mtime_s = 1700000000;
}

const uint8_t *mem_disk_file(struct mem_disk *d, const char *path, size_t *len) {
    static const uint8_t empty[1];
    struct mem_file *f = find(d, path);
    if (!f)
        return NULL;
    *len = f->len;
    return f->data ? f->data : empty;
}

unsigned mem_disk_count(const struct mem_disk *d) {
    unsigned n = 0;
    for (const struct mem_file *f = d->files; f; f = f->next)
        n++;
    return n;
}

unsigned mem_disk_open(const struct mem_disk *d) {
    unsigned n = 0;
    for (unsigned i = 0; i < FILE_SLOTS_MAX; i++)
        n += d->slots[i] != NULL;
    return n;
}
