/* disk_files.c: the files of a virtual disk: their names, and what they hold. */
#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/disk/disk_int.h"

static void free_file(struct file *f) {
    mem_free(f->path);
    mem_free(f->final_path);
    mem_free(f->bytes);
    mem_free(f);
}

static void free_files(struct disk *d) {
    for (size_t i = 0; i < d->file_count; i++)
        free_file(d->files[i]);
    d->file_count = 0;
}

void disk_free(struct disk *d) {
    if (!d)
        return;
    free_files(d);
    mem_free(d->files);
    mem_free(d);
}

struct file *disk_find(const struct disk *d, const char *path) {
    for (size_t i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i]->path, path) == 0)
            return d->files[i];
    return NULL;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

struct file *disk_add(struct disk *d, const char *path, const char *final_path) {
    if (!mem_grow(&d->files, &d->file_cap, d->file_count + 1, sizeof(struct file *), UINT32_MAX))
        return NULL;
    struct file *f = mem_calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->path = mem_strdup(path);
    f->final_path = final_path ? mem_strdup(final_path) : NULL;
    if (!f->path || (final_path && !f->final_path)) {
        free_file(f);
        return NULL;
    }
    f->key = disk_content_key(d->draw, base_name(final_path ? final_path : path));
    f->mode = 0644;
    d->files[d->file_count++] = f;
    return f;
}

void disk_forget(struct disk *d, struct file *f) {
    size_t i = 0;
    while (i < d->file_count && d->files[i] != f)
        i++;
    assert(i < d->file_count);
    memmove(d->files + i, d->files + i + 1, (d->file_count - i - 1) * sizeof(struct file *));
    d->file_count--;
    d->used_bytes -= f->written_bytes;
    free_file(f);
}

bool disk_has_room(const struct disk *d, uint64_t bytes) {
    return d->cfg.capacity_bytes == 0 || (d->used_bytes <= d->cfg.capacity_bytes &&
                                          d->cfg.capacity_bytes - d->used_bytes >= bytes);
}

int disk_make_file(struct disk *d, const char *path, uint64_t size) {
    if (disk_find(d, path))
        return ERR_EXISTS;
    if (!disk_has_room(d, size))
        return ERR_DISK;
    return disk_make_again(d, path, size, 0);
}

int disk_make_again(struct disk *d, const char *path, uint64_t size, uint64_t salt) {
    struct file *f = disk_find(d, path);
    if (!f && !(f = disk_add(d, path, NULL)))
        return ERR_NOMEM;
    mem_free(f->bytes);
    f->bytes = NULL;
    f->bytes_cap = 0;
    f->key = disk_content_key(d->draw, base_name(path)) ^ salt;
    d->used_bytes += size - f->written_bytes;
    f->size = f->written_bytes = size;
    f->made = f->safe = true;
    return 0;
}

/* ---- bytes ---- */

size_t disk_get(const struct file *f, uint64_t at, uint8_t *out, size_t len) {
    if (at >= f->size)
        return 0;
    if (len > f->size - at)
        len = (size_t)(f->size - at);
    if (f->bytes)
        memcpy(out, f->bytes + at, len);
    else
        disk_generate(f->key, at, out, len);
    return len;
}

/* What was not written is zeroes. */
static bool keep(struct file *f, uint64_t at, const uint8_t *in, size_t len) {
    const uint64_t end = at + len;
    if (!mem_grow(&f->bytes, &f->bytes_cap, end, 1, UINT32_MAX))
        return false;
    if (at > f->size)
        memset(f->bytes + f->size, 0, (size_t)(at - f->size));
    memcpy(f->bytes + at, in, len);
    if (f->size < end)
        f->size = end;
    return true;
}

bool disk_put(struct disk *d, struct file *f, uint64_t at, const uint8_t *in, size_t len) {
    if (d->keeps)
        return keep(f, at, in, len);
    const uint64_t wrong = disk_wrong_bytes(f->key, at, in, len);
    f->wrong_bytes += wrong;
    d->wrong_bytes += wrong;
    return true;
}

bool disk_same(const struct disk *a, const char *a_path, const struct disk *b, const char *b_path) {
    const struct file *x = disk_find(a, a_path), *y = disk_find(b, b_path);
    uint8_t x_bytes[4096], y_bytes[4096];
    if (!x || !y || x->size != y->size)
        return false;
    for (uint64_t at = 0; at < x->size;) {
        const size_t n = disk_get(x, at, x_bytes, sizeof x_bytes);
        if (disk_get(y, at, y_bytes, n) != n || memcmp(x_bytes, y_bytes, n) != 0)
            return false;
        at += n;
    }
    return true;
}

/* ---- what happens to them ---- */

void disk_sync_names(struct disk *d, const char *dir) {
    const size_t len = strlen(dir);
    for (size_t i = 0; i < d->file_count; i++) {
        struct file *f = d->files[i];
        if (strncmp(f->path, dir, len) == 0 && f->path[len] == '/')
            f->safe |= f->committed;
    }
}

void disk_crash(struct disk *d) {
    memset(d->slots, 0, sizeof d->slots);
    d->free_ns = 0;
}

void disk_wipe(struct disk *d) {
    disk_crash(d);
    free_files(d);
    d->used_bytes = 0;
}

void disk_sweep(struct disk *d) {
    for (size_t i = d->file_count; i-- > 0;)
        if (d->files[i]->final_path)
            disk_forget(d, d->files[i]);
}

void disk_power_cut(struct disk *d, uint64_t drawn) {
    disk_crash(d);
    for (size_t i = d->file_count; i-- > 0;) {
        struct file *f = d->files[i];
        /* What was written to a temporary, and that it is there, nobody has made safe; a name may
         * be on the disk or not. */
        if (f->final_path || (!f->safe && (drawn >> i % 64 & 1) == 0))
            disk_forget(d, f);
        else
            f->safe = true;
    }
}

/* ---- what there is ---- */

uint64_t disk_partial(const struct disk *d) {
    uint64_t n = 0;
    for (size_t i = 0; i < d->file_count; i++) {
        const struct file *f = d->files[i];
        n += f->committed && (f->written_bytes != f->size || f->wrong_bytes > 0);
    }
    return n;
}

bool disk_file_info(const struct disk *d, const char *path, struct disk_file_info *out) {
    const struct file *f = disk_find(d, path);
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
