#include "node/file/manifest/manifest.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "node/api/utf8.h"
#include "node/disk/file_op.h"

enum {
    TABLE_FIRST = 32,
    NAMES_FIRST_BYTES = 512, /* a chunk; holds the longest name */
    NAMES_BYTES = 64 << 10,  /* they double up to this */
};

struct manifest_names { /* a chunk of names, each with its NUL */
    struct manifest_names *next;
    size_t cap, used;
    char text[];
};

struct manifest_slot {   /* open addressing */
    uint32_t hash, file; /* the file's index + 1: zeroes are free */
};

_Static_assert((int)NAMES_FIRST_BYTES > (int)FILE_NAME_MAX_BYTES, "a name lies in one chunk");
_Static_assert(MANIFEST_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash-2-4's");

bool manifest_name_ok(const char *name, size_t len) {
    if (len == 0 || len > FILE_NAME_MAX_BYTES || !utf8_all_plain(name, len))
        return false;
    if (memchr(name, '/', len) || memchr(name, '\\', len))
        return false;
    if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
        return false;
    return !(len >= 7 && memcmp(name, ".meshd-", 7) == 0);
}

void manifest_init(struct manifest *m, const uint8_t key[static MANIFEST_KEY_BYTES]) {
    *m = (struct manifest){0};
    memcpy(m->key, key, sizeof m->key);
}

static void drop_table(struct manifest *m) {
    m->held_bytes -= m->table_cap * sizeof *m->table;
    mem_free(m->table);
    m->table = NULL;
    m->table_cap = 0;
}

void manifest_clear(struct manifest *m) {
    drop_table(m);
    mem_free(m->files);
    while (m->names) {
        struct manifest_names *next = m->names->next;
        mem_free(m->names);
        m->names = next;
    }
    sodium_memzero(m, sizeof *m);
}

void manifest_complete(struct manifest *m) {
    drop_table(m);
}

void manifest_trim(struct manifest *m, uint32_t keep) {
    struct manifest few;
    if (m->count <= keep)
        return;
    manifest_init(&few, m->key);
    few.total_bytes = m->total_bytes;
    for (uint32_t i = 0; i < keep; i++) {
        const struct manifest_file *f = &m->files[i];
        if (manifest_add(&few, f->name, strlen(f->name)) != 0) {
            manifest_clear(&few);
            break;
        }
        few.files[i].size = f->size;
        few.files[i].mtime_s = f->mtime_s;
        few.files[i].mode = f->mode;
    }
    manifest_complete(&few);
    manifest_clear(m);
    *m = few;
}

/* ---- adding ---- */
static uint32_t hash_of(const struct manifest *m, const char *name, size_t len) {
    uint8_t out[crypto_shorthash_BYTES];
    (void)crypto_shorthash(out, (const uint8_t *)name, len, m->key);
    return load_le32(out);
}

/* Doubles the table. At most TRANSFER_FILES_MAX entries move, none of them is hashed again. */
static bool grow_table(struct manifest *m) {
    const uint32_t cap = m->table_cap ? m->table_cap * 2 : TABLE_FIRST, mask = cap - 1;
    struct manifest_slot *table = mem_calloc(cap, sizeof *table);
    if (!table)
        return false;
    for (uint32_t i = 0; i < m->table_cap; i++) {
        uint32_t at = m->table[i].hash & mask;
        if (m->table[i].file == 0)
            continue;
        while (table[at].file != 0)
            at = (at + 1) & mask;
        table[at] = m->table[i];
    }
    drop_table(m);
    m->table = table;
    m->table_cap = cap;
    m->held_bytes += cap * sizeof *table;
    return true;
}

/* Where this name is, or where it belongs. The table is at most half full, so there is an end. */
static struct manifest_slot *find(const struct manifest *m, const char *name, size_t len,
                                  uint32_t hash) {
    const uint32_t mask = m->table_cap - 1;
    uint32_t at = hash & mask;
    for (; m->table[at].file != 0; at = (at + 1) & mask) {
        const struct manifest_slot *s = &m->table[at];
        const char *other = m->files[s->file - 1].name;
        if (s->hash == hash && strncmp(other, name, len) == 0 && other[len] == '\0')
            break;
    }
    return &m->table[at];
}

static bool grow_files(struct manifest *m) {
    const uint32_t before = m->cap;
    if (!mem_grow(&m->files, &m->cap, (size_t)m->count + 1, sizeof *m->files, TRANSFER_FILES_MAX))
        return false;
    m->held_bytes += (m->cap - before) * sizeof *m->files;
    return true;
}

static const char *keep_name(struct manifest *m, const char *name, size_t len) {
    struct manifest_names *c = m->names;
    if (!c || c->cap - c->used <= len) {
        size_t cap = c ? c->cap * 2 : NAMES_FIRST_BYTES;
        if (cap > NAMES_BYTES)
            cap = NAMES_BYTES;
        c = mem_alloc(sizeof *c + cap);
        if (!c)
            return NULL;
        *c = (struct manifest_names){.next = m->names, .cap = cap};
        m->names = c;
        m->held_bytes += sizeof *c + cap;
    }
    char *at = c->text + c->used;
    memcpy(at, name, len);
    at[len] = '\0';
    c->used += len + 1;
    return at;
}

int manifest_add(struct manifest *m, const char *name, size_t len) {
    assert(len <= FILE_NAME_MAX_BYTES);
    if (m->count == TRANSFER_FILES_MAX)
        return ERR_FULL;
    if (m->count >= m->table_cap / 2 && !grow_table(m))
        return ERR_NOMEM;
    const uint32_t hash = hash_of(m, name, len);
    struct manifest_slot *s = find(m, name, len, hash);
    if (s->file != 0)
        return ERR_EXISTS;
    if (!grow_files(m))
        return ERR_NOMEM;
    const char *kept = keep_name(m, name, len);
    if (!kept)
        return ERR_NOMEM;
    m->files[m->count++] = (struct manifest_file){.name = kept};
    *s = (struct manifest_slot){hash, m->count};
    return 0;
}
