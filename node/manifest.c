#include "node/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/bytes.h"
#include "crypto/treehash.h"
#include "node/blob.h"
#include "node/chan.h"
#include "node/pack.h"
#include "node/utf8.h"

enum {
    MANIFEST_DEPTH = 4,       /* map, array, map, and one more for later versions */
    FILE_OBJECTS = 1 + 2 * 8, /* a file's map with up to 8 pairs */
};

bool manifest_name_ok(const char *name, size_t len) {
    if (len == 0 || len > FILE_NAME_MAX_BYTES || !utf8_all_plain(name, len))
        return false;
    if (memchr(name, '/', len) || memchr(name, '\\', len))
        return false;
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
        return false;
    return !(len >= 7 && memcmp(name, ".meshd-", 7) == 0);
}

int manifest_init(struct manifest *m, uint32_t count, size_t names_bytes) {
    *m = (struct manifest){.count = count};
    m->files = calloc(count ? count : 1, sizeof *m->files);
    m->names = malloc(names_bytes ? names_bytes : 1);
    if (m->files && m->names)
        return 0;
    manifest_clear(m);
    return ERR_NOMEM;
}

void manifest_clear(struct manifest *m) {
    free(m->files);
    free(m->names);
    *m = (struct manifest){0};
}

static int by_name(const void *a, const void *b) {
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

int manifest_find_double(const struct manifest *m, bool *found) {
    *found = false;
    const char **sorted = malloc((m->count ? m->count : 1) * sizeof *sorted);
    if (!sorted)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < m->count; i++)
        sorted[i] = m->files[i].name;
    qsort(sorted, m->count, sizeof *sorted, by_name);
    for (uint32_t i = 1; i < m->count && !*found; i++)
        *found = strcmp(sorted[i - 1], sorted[i]) == 0;
    free(sorted);
    return 0;
}

int manifest_encode(const struct manifest *m, uint8_t **out, size_t *len) {
    static const uint8_t channel[1] = {CHAN_FILE};
    struct packer p;
    packer_init(&p);
    packer_map(&p, 3);
    packer_key(&p, "v");
    packer_uint(&p, 1);
    packer_key(&p, "alg");
    packer_uint(&p, TREEHASH_ALG);
    packer_key(&p, "files");
    packer_array(&p, m->count);
    for (uint32_t i = 0; i < m->count && !p.failed; i++) {
        const struct manifest_file *f = &m->files[i];
        packer_map(&p, 4);
        packer_key(&p, "n");
        packer_str(&p, f->name, strlen(f->name));
        packer_key(&p, "s");
        packer_uint(&p, f->size);
        packer_key(&p, "m");
        packer_uint(&p, f->mode);
        packer_key(&p, "t");
        packer_int(&p, f->mtime_s);
    }
    int err = p.failed ? ERR_NOMEM : p.buf.size > MANIFEST_MAX_BYTES ? ERR_FULL : 0;
    if (!err) {
        *out = blob_out(channel, sizeof channel, p.buf.data, p.buf.size, len);
        err = *out ? 0 : ERR_NOMEM;
    }
    packer_clear(&p);
    return err;
}

/* Checks one file's map; its name is left where it is in the input. */
static bool file_from_map(const msgpack_object *map, struct manifest_file *f, const char **name,
                          size_t *name_len) {
    static const char *const keys[] = {"n", "s", "m", "t"};
    const msgpack_object *o[4];
    uint64_t mode = 0644;
    f->mtime_s = 0;
    if (!pack_fields(map, keys, 4, o) || !pack_str(o[0], name, name_len) ||
        !manifest_name_ok(*name, *name_len) || !pack_uint(o[1], VARINT_MAX, &f->size))
        return false;
    if ((o[2] && !pack_uint(o[2], UINT32_MAX, &mode)) || (o[3] && !pack_int(o[3], &f->mtime_s)))
        return false;
    f->mode = (uint32_t)mode & 0777;
    return true;
}

/* The bytes all names take with their NULs, or false if a file is not in order. */
static bool check_files(const msgpack_object *files, size_t *names_bytes) {
    uint64_t total = 0;
    *names_bytes = 0;
    for (uint32_t i = 0; i < files->via.array.size; i++) {
        struct manifest_file f;
        const char *name;
        size_t len;
        if (!file_from_map(&files->via.array.ptr[i], &f, &name, &len))
            return false;
        total += f.size; /* cannot wrap: checked against 2^62 at every step */
        if (total > VARINT_MAX)
            return false;
        *names_bytes += len + 1;
    }
    return true;
}

static int from_root(struct manifest *m, const msgpack_object *root) {
    static const char *const keys[] = {"v", "alg", "files"};
    const msgpack_object *o[3];
    uint64_t version, alg;
    if (!pack_fields(root, keys, 3, o) || !pack_uint(o[0], UINT64_MAX, &version))
        return ERR_PROTO;
    if (version != 1)
        return ERR_UNSUPPORTED;
    size_t names_bytes;
    if (!pack_uint(o[1], 255, &alg) || !o[2] || o[2]->type != MSGPACK_OBJECT_ARRAY ||
        o[2]->via.array.size == 0 || o[2]->via.array.size > TRANSFER_FILES_MAX ||
        !check_files(o[2], &names_bytes))
        return ERR_PROTO;
    if (alg != TREEHASH_ALG)
        return ERR_UNSUPPORTED;
    int err = manifest_init(m, o[2]->via.array.size, names_bytes);
    if (err)
        return err;
    char *at = m->names;
    for (uint32_t i = 0; i < m->count; i++) {
        const char *name = "";
        size_t len = 0;
        if (!file_from_map(&o[2]->via.array.ptr[i], &m->files[i], &name, &len))
            return ERR_PROTO;
        memcpy(at, name, len);
        at[len] = '\0';
        m->files[i].name = at;
        at += len + 1;
        m->total_bytes += m->files[i].size;
    }
    bool twice = false;
    err = manifest_find_double(m, &twice);
    return err ? err : twice ? ERR_PROTO : 0;
}

int manifest_decode(struct manifest *m, const uint8_t *in, size_t len) {
    *m = (struct manifest){0};
    if (len > MANIFEST_MAX_BYTES)
        return ERR_PROTO;
    struct pack p;
    int err =
        pack_open(&p, in, len, MANIFEST_DEPTH, 16 + (size_t)TRANSFER_FILES_MAX * FILE_OBJECTS);
    if (err)
        return err;
    err = from_root(m, &p.root);
    pack_close(&p);
    if (err)
        manifest_clear(m);
    return err;
}
