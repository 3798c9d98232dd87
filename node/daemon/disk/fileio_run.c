#include "node/daemon/disk/fileio_run.h"

#include <errno.h>
#include <string.h>

#include "net/os/names.h"
#include "net/os/oserr.h"
#include "node/daemon/disk/statedir.h"

_Static_assert((int)FILE_OP_SPANS <= (int)OS_PIECES_MAX, "an operation is one read or write");

enum {
    PUSH_BYTES = 8 << 20, /* written bytes between two starts of write-out: so that the final fsync
                           * finds most of the file on the disk already */
    READ_SPANS = 4,
    TEMP_TRIES = 16, /* other tags tried when a temporary's name is taken */
};

void file_slot_init(struct file_slot *s) {
    memset(s, 0, sizeof *s);
    s->file = OS_FILE_NONE;
    s->dir = OS_DIR_NONE;
}

void file_slot_drop(struct file_slot *s, uint32_t number, const struct file_env *env) {
    direct_drop(&s->direct);
    (void)os_file_close(&s->file);
    if (s->temp[0]) {
        int gone = os_dir_remove(s->dir, s->temp);
        (void)gone;
        partials_remove(env->partials, number);
    }
    os_dir_close(&s->dir);
    file_slot_init(s);
}

/* The error, and the limit of the system's that errno is about. */
static int failed(struct file_op *op, int e) {
    if (e == EMFILE || e == ENFILE)
        op->limit = LIMIT_DESCRIPTORS;
    else if (e == EDQUOT)
        op->limit = LIMIT_DISK_QUOTA;
    else if (e == EFBIG)
        op->limit = LIMIT_FILE_SIZE;
    return oserr(e);
}

/* ---- sources ---- */

static void note_info(struct file_op *op, const struct os_info *info) {
    op->size = info->size;
    op->mtime_s = info->mtime_s;
    op->mtime_ns = info->mtime_ns;
}

static int run_open(struct file_op *op, struct file_slot *s) {
    struct os_info info;
    /* Looked at first: opening a device can do something. */
    int err = os_path_info(op->path, true, &info);
    if (err)
        return failed(op, err);
    if (info.kind != OS_REGULAR)
        return ERR_UNSUPPORTED;
    err = os_file_open(&s->file, op->path, OS_READ | OS_NOWAIT);
    if (!err)
        err = os_file_info(s->file, &info);
    if (err)
        return failed(op, err);
    if (info.kind != OS_REGULAR)
        return ERR_UNSUPPORTED;
    /* Size 0, and yet there is something to read: made while it is read (/proc), so that what it
     * holds is known to nobody before. */
    if (info.size == 0 && os_file_has_byte(s->file, 0))
        return ERR_UNSIZED;
    os_file_will_read(s->file);
    note_info(op, &info);
    op->mode = info.mode & 0777;
    return 0;
}

/* Looks once more at a source before it is closed: the core compares. */
static void run_close(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    struct os_info info;
    if (os_file_is_open(s->file) && !os_dir_is_open(s->dir) && os_file_info(s->file, &info) == 0)
        note_info(op, &info);
    file_slot_drop(s, op->slot, env);
}

static size_t fill_pieces(const struct file_op *op, struct os_piece pieces[static FILE_OP_SPANS]) {
    size_t total = 0;
    for (unsigned i = 0; i < op->nspans; i++) {
        const struct span *p = &op->spans[i];
        pieces[i] = (struct os_piece){p->block->data + p->offset, p->len};
        total += p->len;
    }
    return total;
}

static void hash_spans(const struct file_op *op, const struct span *p, size_t bytes) {
    for (; op->hash && bytes > 0; p++) {
        size_t n = p->len < bytes ? p->len : bytes;
        treehash_update(op->hash, p->block->data + p->offset, n);
        bytes -= n;
    }
}

/* Some spans at a time, so that they are hashed while they are in the cache. */
static int run_read(struct file_op *op, const struct file_slot *s) {
    struct os_piece pieces[FILE_OP_SPANS] = {{0}};
    (void)fill_pieces(op, pieces);
    op->bytes = 0;
    for (unsigned at = 0; at < op->nspans; at += READ_SPANS) {
        const unsigned count = op->nspans - at < READ_SPANS ? op->nspans - at : READ_SPANS;
        size_t done, wanted = 0;
        for (unsigned i = at; i < at + count; i++)
            wanted += op->spans[i].len;
        const int err = os_file_read_at(s->file, pieces + at, count, op->offset + op->bytes, &done);
        if (err)
            return oserr(err);
        hash_spans(op, op->spans + at, done);
        op->bytes += done;
        if (done < wanted)
            break;
    }
    return 0;
}

/* ---- destinations ---- */

/* Whether `bytes` surely do not fit. None at all free says nothing: a ramfs, and some file systems
 * of the network or of FUSE, do not know and say 0. There the first write that fails is the
 * answer. */
static bool too_small(const char *dir, uint64_t bytes) {
    const uint64_t free_bytes = os_dir_free_bytes(dir);
    return free_bytes > 0 && bytes > free_bytes;
}

static int run_prepare(const struct file_op *op) {
    int r = statedir_make(op->path);
    if (r != 0)
        return r;
    const int err = os_dir_may_write(op->path);
    if (err)
        return oserr(err);
    return too_small(op->path, op->size) ? ERR_DISK : 0;
}

/* The core has checked it for what is impossible everywhere; what protects the file system is
 * checked twice, and what this one cannot hold is known here alone. */
static bool name_is_possible(const char *name) {
    const size_t n = strlen(name);
    return n <= FILE_NAME_MAX_BYTES && os_name_ok(name, n);
}

/* Is the name free in this directory? A dangling link counts as taken. */
static int check_free(struct os_dir dir, const char *name) {
    struct os_info info;
    const int err = os_dir_look(dir, name, &info);
    if (err == 0)
        return ERR_EXISTS;
    if (err == ENOENT)
        return 0;
    return err == ENAMETOOLONG ? ERR_USAGE : oserr(err);
}

static int run_check(const struct file_op *op) {
    struct os_dir dir;
    if (!name_is_possible(op->name))
        return ERR_USAGE;
    const int err = os_dir_open(&dir, op->path);
    if (err)
        return oserr(err);
    int r = check_free(dir, op->name);
    os_dir_close(&dir);
    return r;
}

/* Nothing of that name, no link, a single component: there is nothing left that could lead out of
 * the directory. The temporary is noted before it is made: killed in between, we leave a note
 * without a file. */
static int make_temporary(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    int err = 0;
    for (unsigned i = 0; i < TEMP_TRIES; i++) {
        partials_name(s->temp, op->id + i);
        partials_add(env->partials, op->slot, op->path, s->temp);
        err = os_dir_file(s->dir, s->temp, OS_READ | OS_WRITE | OS_NEW | OS_NOFOLLOW, &s->file);
        if (err == 0)
            return 0;
        if (err != EEXIST)
            break;
    }
    s->temp[0] = '\0';
    partials_remove(env->partials, op->slot);
    return err == EEXIST ? ERR_IO : failed(op, err);
}

/* A file that has no name until it is whole: killed in between, nothing is left. Not for large
 * ones, which are to be found again. False: the system or the file system cannot do it. */
static bool make_unnamed(const struct file_op *op, struct file_slot *s,
                         const struct file_env *env) {
    return env->can_link && op->size < DIRECT_MIN_BYTES && os_dir_unnamed(s->dir, &s->file) == 0;
}

static int run_create(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    if (!name_is_possible(op->name))
        return ERR_USAGE;
    const int err = os_dir_open(&s->dir, op->path);
    if (err)
        return failed(op, err);
    int r = check_free(s->dir, op->name);
    if (r != 0)
        return r;
    strcpy(s->name, op->name);
    if (make_unnamed(op, s, env))
        return 0;
    r = make_temporary(op, s, env);
    if (r == 0 && op->size >= DIRECT_MIN_BYTES)
        (void)direct_begin(&s->direct, s->file); /* else as usual */
    return r;
}

static int run_write_direct(struct file_op *op, struct file_slot *s) {
    struct os_piece pieces[FILE_OP_SPANS] = {{0}};
    op->bytes = 0;
    const size_t total = fill_pieces(op, pieces);
    const int err = direct_write(&s->direct, pieces, op->nspans, op->hash);
    if (err)
        return failed(op, err);
    op->bytes = total;
    return 0;
}

static int run_write(struct file_op *op, struct file_slot *s) {
    struct os_piece pieces[FILE_OP_SPANS] = {{0}};
    const size_t total = fill_pieces(op, pieces);
    const int err = os_file_write_at(s->file, pieces, op->nspans, op->offset);
    if (err)
        return failed(op, err);
    hash_spans(op, op->spans, total);
    op->bytes = total;
    const uint64_t end = op->offset + total;
    if (end >= s->pushed + PUSH_BYTES) {
        os_file_push(s->file, s->pushed, end - s->pushed);
        s->pushed = end;
    }
    return 0;
}

/* Neither of the ways below: an empty file made with O_EXCL takes the name, noted, and is then
 * replaced. Killed in between, the next start removes it. */
static int rename_over_place(struct file_slot *s, uint32_t number, const struct file_env *env) {
    struct os_file place;
    const int taken = check_free(s->dir, s->name); /* nobody else's is to be noted */
    if (taken)
        return taken;
    partials_add_place(env->partials, number, s->name);
    int err = os_dir_file(s->dir, s->name, OS_WRITE | OS_NEW | OS_NOFOLLOW, &place);
    if (err)
        return oserr(err);
    (void)os_file_close(&place);
    err = os_dir_rename(s->dir, s->temp, s->name);
    if (err == 0) {
        s->temp[0] = '\0';
        return 0;
    }
    const int left = os_dir_remove(s->dir, s->name);
    (void)left;
    return oserr(err);
}

/* temp -> name, replacing nothing. A temporary that is still there is dropped with the slot. */
static int rename_new(struct file_slot *s, uint32_t number, const struct file_env *env) {
    int err = os_dir_rename_new(s->dir, s->temp, s->name);
    if (err == 0)
        s->temp[0] = '\0';
    if (err != EINVAL && err != ENOSYS)
        return oserr(err);
    /* A file system without it (NFS, FUSE), or a system: a second name for the whole file. */
    err = os_dir_link(s->dir, s->temp, s->name);
    /* And without that (FAT of old, some FUSE). */
    if (err == EPERM || err == EOPNOTSUPP || err == ENOSYS || err == EMLINK)
        return rename_over_place(s, number, env);
    return oserr(err);
}

static int run_commit(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    if (!os_dir_is_open(s->dir))
        return ERR_USAGE;
    int err = direct_end(&s->direct);
    if (err)
        return failed(op, err);
    /* A file system without modes or times (FAT) still gets the file. */
    (void)os_file_set_mode(s->file, op->mode & 0777 & ~env->umask);
    if (op->mtime_ns < 1000000000)
        (void)os_file_set_mtime(s->file, op->mtime_s, op->mtime_ns);
    err = os_file_sync(s->file);
    if (err)
        return failed(op, err);
    if (!s->temp[0])
        return oserr(os_dir_name(s->dir, s->file, s->name));
    int r = rename_new(s, op->slot, env);
    if (!s->temp[0])
        partials_remove(env->partials, op->slot);
    return r;
}

static int run_sync_dir(const struct file_op *op) {
    struct os_dir dir;
    int err = os_dir_open(&dir, op->path);
    if (err)
        return oserr(err);
    err = os_dir_sync(dir);
    os_dir_close(&dir);
    return err == EINVAL ? 0 : oserr(err);
}

void file_op_run(struct file_op *op, struct file_slot *s, const struct file_env *env) {
    bool needs_open =
        op->kind == FILE_OP_READ || op->kind == FILE_OP_WRITE || op->kind == FILE_OP_COMMIT;
    op->bytes = 0;
    op->limit = LIMIT_NONE;
    if (needs_open && !os_file_is_open(s->file)) {
        op->err = ERR_IO;
        return;
    }
    switch (op->kind) {
    case FILE_OP_OPEN:
        op->err = run_open(op, s);
        break;
    case FILE_OP_READ:
        op->err = run_read(op, s);
        return;
    case FILE_OP_PREPARE:
        op->err = run_prepare(op);
        return;
    case FILE_OP_CHECK:
        op->err = run_check(op);
        return;
    case FILE_OP_CREATE:
        op->err = run_create(op, s, env);
        break;
    case FILE_OP_WRITE:
        op->err = s->direct.active ? run_write_direct(op, s) : run_write(op, s);
        return;
    case FILE_OP_COMMIT:
        op->err = run_commit(op, s, env);
        file_slot_drop(s, op->slot, env);
        return;
    case FILE_OP_CLOSE:
        op->err = 0;
        run_close(op, s, env);
        return;
    case FILE_OP_SYNC_DIR:
        op->err = run_sync_dir(op);
        return;
    case FILE_OP_STORE_SYNC: /* node/daemon/disk/store_sync does it */
        op->err = ERR_UNSUPPORTED;
        return;
    }
    if (op->err != 0)
        file_slot_drop(s, op->slot, env);
}
