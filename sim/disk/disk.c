#include "sim/disk/disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1400 };

struct file {
    char *path;       /* where it is now */
    char *final_path; /* a temporary's name to be; else NULL */
    uint64_t key, size, written_bytes, wrong_bytes;
    uint64_t last_write_ns, longest_gap_ns;
    bool made, committed;
    bool safe; /* its name survives a power cut */
    uint32_t mode;
    int64_t mtime_s;
};

struct disk {
    struct disk_config cfg;
    const struct draw *draw;
    uint32_t entity;
    uint64_t reads, free_ns, used_bytes;
    uint64_t read_bytes, written_bytes, wrong_bytes;
    struct file **files;
    size_t file_count, file_cap;
    struct file *slots[FILE_SLOTS_MAX];
};

struct disk *disk_new(const struct draw *draw, uint32_t entity) {
    struct disk *d = calloc(1, sizeof *d);
    if (d) {
        d->draw = draw;
        d->entity = entity;
        d->cfg.latency_ns = 100 * 1000; /* an SSD's */
        d->cfg.rate_bytes = 2000000000;
    }
    return d;
}

static void free_file(struct file *f) {
    if (!f)
        return;
    free(f->path);
    free(f->final_path);
    free(f);
}

void disk_free(struct disk *d) {
    if (!d)
        return;
    for (size_t i = 0; i < d->file_count; i++)
        free_file(d->files[i]);
    free(d->files);
    free(d);
}

void disk_configure(struct disk *d, const struct disk_config *c) {
    d->cfg = *c;
}

void disk_get_config(const struct disk *d, struct disk_config *out) {
    *out = d->cfg;
}

static struct file *find(const struct disk *d, const char *path) {
    for (size_t i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i]->path, path) == 0)
            return d->files[i];
    return NULL;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* `final_path` NULL: not a temporary. */
static struct file *add(struct disk *d, const char *path, const char *final_path) {
    if (d->file_count == d->file_cap) {
        const size_t cap = d->file_cap ? d->file_cap * 2 : 8;
        struct file **grown = realloc(d->files, cap * sizeof *grown);
        if (!grown)
            return NULL;
        d->files = grown;
        d->file_cap = cap;
    }
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->path = strdup(path);
    f->final_path = final_path ? strdup(final_path) : NULL;
    if (!f->path || (final_path && !f->final_path)) {
        free_file(f);
        return NULL;
    }
    f->key = disk_content_key(d->draw, base_name(final_path ? final_path : path));
    d->files[d->file_count++] = f;
    return f;
}

static void forget(struct disk *d, struct file *f) {
    size_t i = 0;
    while (i < d->file_count && d->files[i] != f)
        i++;
    assert(i < d->file_count);
    memmove(d->files + i, d->files + i + 1, (d->file_count - i - 1) * sizeof(struct file *));
    d->file_count--;
    d->used_bytes -= f->written_bytes;
    free_file(f);
}

static bool has_room(const struct disk *d, uint64_t bytes) {
    return d->cfg.capacity_bytes == 0 || (d->used_bytes <= d->cfg.capacity_bytes &&
                                          d->cfg.capacity_bytes - d->used_bytes >= bytes);
}

int disk_make_file(struct disk *d, const char *path, uint64_t size) {
    if (find(d, path))
        return ERR_EXISTS;
    if (!has_room(d, size))
        return ERR_DISK;
    struct file *f = add(d, path, NULL);
    if (!f)
        return ERR_NOMEM;
    f->size = f->written_bytes = size;
    f->made = f->safe = true;
    d->used_bytes += size;
    return 0;
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

static int run_open(struct disk *d, struct file_op *op) {
    struct file *f = find(d, op->path);
    if (!f || f->final_path)
        return ERR_NOT_FOUND;
    d->slots[op->slot] = f;
    op->size = f->size;
    op->mode = 0644;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = 0;
    return 0;
}

static int run_read(struct disk *d, const struct file *f, struct file_op *op) {
    const uint64_t n = d->reads++;
    if (d->cfg.read_error_ppb > 0 &&
        draw_chance(draw_u64(d->draw, d->entity, DRAW_READ_ERROR, n), d->cfg.read_error_ppb))
        return ERR_IO;
    uint64_t at = op->offset;
    for (unsigned i = 0; i < op->nspans && at < f->size; i++) {
        const struct span *s = &op->spans[i];
        const size_t len = f->size - at < s->len ? (size_t)(f->size - at) : s->len;
        disk_generate(f->key, at, s->block->data + s->offset, len);
        if (op->hash)
            treehash_update(op->hash, s->block->data + s->offset, len);
        at += len;
        op->bytes += len;
    }
    d->read_bytes += op->bytes;
    return 0;
}

static int run_prepare(const struct disk *d, const struct file_op *op) {
    return has_room(d, op->size) ? 0 : ERR_DISK;
}

static int run_check(const struct disk *d, const struct file_op *op) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", op->path, op->name);
    return find(d, path) ? ERR_EXISTS : 0;
}

static int run_create(struct disk *d, struct file_op *op) {
    char temporary[PATH_BYTES], final_path[PATH_BYTES];
    (void)snprintf(temporary, sizeof temporary, "%s/.meshd-%016llx.part", op->path,
                   (unsigned long long)op->id);
    (void)snprintf(final_path, sizeof final_path, "%s/%s", op->path, op->name);
    if (find(d, final_path) || find(d, temporary))
        return ERR_EXISTS;
    struct file *f = add(d, temporary, final_path);
    if (!f)
        return ERR_NOMEM;
    f->size = op->size;
    d->slots[op->slot] = f;
    return 0;
}

static int run_write(struct disk *d, struct file *f, uint64_t now_ns, struct file_op *op) {
    uint64_t len = 0, at = op->offset;
    for (unsigned i = 0; i < op->nspans; i++)
        len += op->spans[i].len;
    if (!has_room(d, len))
        return ERR_DISK;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *s = &op->spans[i];
        const uint8_t *bytes = s->block->data + s->offset;
        const uint64_t wrong = disk_wrong_bytes(f->key, at, bytes, s->len);
        f->wrong_bytes += wrong;
        d->wrong_bytes += wrong;
        if (op->hash)
            treehash_update(op->hash, bytes, s->len);
        at += s->len;
    }
    if (f->written_bytes > 0 && now_ns - f->last_write_ns > f->longest_gap_ns)
        f->longest_gap_ns = now_ns - f->last_write_ns;
    f->last_write_ns = now_ns;
    f->written_bytes += len;
    d->used_bytes += len;
    d->written_bytes += len;
    op->bytes = len;
    return 0;
}

static int run_commit(struct disk *d, struct file *f, const struct file_op *op) {
    if (!f->final_path || find(d, f->final_path))
        return f->final_path ? ERR_EXISTS : ERR_IO;
    free(f->path);
    f->path = f->final_path;
    f->final_path = NULL;
    f->committed = true;
    f->mode = op->mode;
    f->mtime_s = op->mtime_s;
    d->slots[op->slot] = NULL;
    return 0;
}

static void sync_names(struct disk *d, const char *dir) {
    const size_t len = strlen(dir);
    for (size_t i = 0; i < d->file_count; i++) {
        struct file *f = d->files[i];
        if (strncmp(f->path, dir, len) == 0 && f->path[len] == '/')
            f->safe |= f->committed;
    }
}

static int run_close(struct disk *d, struct file_op *op) {
    struct file *f = d->slots[op->slot];
    d->slots[op->slot] = NULL;
    if (f && f->final_path) {
        forget(d, f);
    } else if (f) {
        op->size = f->size;
        op->mtime_s = f->mtime_s;
        op->mtime_ns = 0;
    }
    return 0;
}

void disk_run(struct disk *d, uint64_t now_ns, struct file_op *op) {
    assert(op->slot < FILE_SLOTS_MAX);
    struct file *f = d->slots[op->slot];
    op->bytes = 0;
    op->err = ERR_IO;
    switch (op->kind) {
    case FILE_OP_OPEN:
        op->err = run_open(d, op);
        break;
    case FILE_OP_READ:
        if (f)
            op->err = run_read(d, f, op);
        break;
    case FILE_OP_PREPARE:
        op->err = run_prepare(d, op);
        break;
    case FILE_OP_CHECK:
        op->err = run_check(d, op);
        break;
    case FILE_OP_CREATE:
        op->err = run_create(d, op);
        break;
    case FILE_OP_WRITE:
        if (f && f->final_path)
            op->err = run_write(d, f, now_ns, op);
        break;
    case FILE_OP_COMMIT:
        if (f)
            op->err = run_commit(d, f, op);
        break;
    case FILE_OP_CLOSE:
        op->err = run_close(d, op);
        break;
    case FILE_OP_SYNC_DIR:
        sync_names(d, op->path);
        op->err = 0;
        break;
    case FILE_OP_STORE_SYNC: /* the host's store does it (sim/world/host.c) */
        op->err = 0;
        break;
    }
}

void disk_wipe(struct disk *d) {
    disk_crash(d);
    for (size_t i = 0; i < d->file_count; i++)
        free_file(d->files[i]);
    d->file_count = 0;
    d->used_bytes = 0;
}

void disk_crash(struct disk *d) {
    memset(d->slots, 0, sizeof d->slots);
    d->free_ns = 0;
}

void disk_power_cut(struct disk *d, uint64_t drawn) {
    disk_crash(d);
    for (size_t i = d->file_count; i-- > 0;) {
        struct file *f = d->files[i];
        /* What was written to a temporary, and that it is there, nobody has made safe; a name may be on the disk or not. */
        if (f->final_path || (!f->safe && (drawn >> i % 64 & 1) == 0))
            forget(d, f);
        else
            f->safe = true;
    }
}

uint64_t disk_partial(const struct disk *d) {
    uint64_t n = 0;
    for (size_t i = 0; i < d->file_count; i++) {
        const struct file *f = d->files[i];
        n += f->committed && (f->written_bytes != f->size || f->wrong_bytes > 0);
    }
    return n;
}

bool disk_file_info(const struct disk *d, const char *path, struct disk_file_info *out) {
    const struct file *f = find(d, path);
    if (!f)
        return false;
    *out = (struct disk_file_info){
        .size = f->size,
        .written_bytes = f->written_bytes,
        .wrong_bytes = f->wrong_bytes,
        .complete = f->made || (f->committed && f->written_bytes == f->size && f->wrong_bytes == 0),
        .temporary = f->final_path != NULL,
        .longest_gap_ns = f->longest_gap_ns,
    };
    return true;
}

void disk_totals(const struct disk *d, struct disk_totals *out) {
    *out = (struct disk_totals){.files = d->file_count,
                                .used_bytes = d->used_bytes,
                                .read_bytes = d->read_bytes,
                                .written_bytes = d->written_bytes,
                                .wrong_bytes = d->wrong_bytes};
    for (size_t i = 0; i < d->file_count; i++)
        out->temporaries += d->files[i]->final_path != NULL;
    for (size_t i = 0; i < FILE_SLOTS_MAX; i++)
        out->open_slots += d->slots[i] != NULL;
}
