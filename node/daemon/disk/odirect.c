#include "node/daemon/disk/odirect.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { HASH_STEP_BYTES = 64 << 10 };

struct
    direct_thread { /* writes one buffer at a time; what lies before `lock` is its user's alone */
    uv_thread_t id;
    uv_mutex_t lock;
    uv_cond_t changed;
    struct os_file file;
    const uint8_t *bytes; /* to be written, or being written; NULL: nothing */
    size_t len;
    uint64_t offset;
    int err; /* the first one; sticks */
    bool stop;
};

/* A short write may leave an offset that is not aligned, and the next one fails with EINVAL: then
 * the rest goes as usual. */
static int put(struct os_file f, const uint8_t *bytes, size_t len, uint64_t offset) {
    bool refused = false;
    size_t done = 0;
    while (done < len) {
        size_t n;
        const int err = os_file_put_at(f, bytes + done, len - done, offset + done, &n);
        done += n;
        if (err == EINVAL && !refused) {
            refused = true;
            if (os_file_set_direct(f, false) != 0)
                return EINVAL;
        } else if (err) {
            return err;
        }
    }
    return 0;
}

/* ---- the thread ---- */

static void run(void *arg) {
    struct direct_thread *t = arg;
    uv_mutex_lock(&t->lock);
    while (true) {
        while (!t->bytes && !t->stop)
            uv_cond_wait(&t->changed, &t->lock);
        if (!t->bytes)
            break;
        uv_mutex_unlock(&t->lock);
        const int err = put(t->file, t->bytes, t->len, t->offset);
        uv_mutex_lock(&t->lock);
        if (!t->err)
            t->err = err;
        t->bytes = NULL;
        uv_cond_signal(&t->changed);
    }
    uv_mutex_unlock(&t->lock);
}

/* NULL: the caller writes. */
static struct direct_thread *thread_new(struct os_file file) {
    struct direct_thread *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->file = file;
    if (uv_mutex_init(&t->lock) != 0)
        goto no_lock;
    if (uv_cond_init(&t->changed) != 0)
        goto no_cond;
    if (uv_thread_create(&t->id, run, t) == 0)
        return t;
    uv_cond_destroy(&t->changed);
no_cond:
    uv_mutex_destroy(&t->lock);
no_lock:
    free(t);
    return NULL;
}

/* Waits until nothing is being written; gives the first error. */
static int thread_settle(struct direct_thread *t) {
    uv_mutex_lock(&t->lock);
    while (t->bytes)
        uv_cond_wait(&t->changed, &t->lock);
    const int err = t->err;
    uv_mutex_unlock(&t->lock);
    return err;
}

static int thread_put(struct direct_thread *t, const uint8_t *bytes, size_t len, uint64_t offset) {
    const int err = thread_settle(t);
    if (err)
        return err;
    uv_mutex_lock(&t->lock);
    t->len = len;
    t->offset = offset;
    t->bytes = bytes;
    uv_cond_signal(&t->changed);
    uv_mutex_unlock(&t->lock);
    return 0;
}

static void thread_free(struct direct_thread *t) {
    if (!t)
        return;
    uv_mutex_lock(&t->lock);
    t->stop = true;
    uv_cond_signal(&t->changed);
    uv_mutex_unlock(&t->lock);
    uv_thread_join(&t->id);
    uv_cond_destroy(&t->changed);
    uv_mutex_destroy(&t->lock);
    free(t);
}

/* ---- a file ---- */

static atomic_uint in_use; /* of the process: each has two buffers and a thread */

bool direct_begin(struct direct *d, struct os_file file) {
    *d = (struct direct){.file = file};
    if (atomic_fetch_add(&in_use, 1) < DIRECT_FILES_MAX && os_file_set_direct(file, true) == 0)
        d->active = true;
    else
        atomic_fetch_sub(&in_use, 1);
    return d->active;
}

/* At the first byte: a file that is made ahead of its turn costs nothing until then. */
static int begin_buffers(struct direct *d) {
    for (unsigned i = 0; i < 2; i++) {
        void *buffer;
        if (posix_memalign(&buffer, DIRECT_ALIGN_BYTES, DIRECT_BUFFER_BYTES) != 0)
            return ENOMEM;
        d->buffers[i] = buffer;
    }
    d->thread = thread_new(d->file);
    return 0;
}

/* In whole steps, or all there is. */
static void hash_filled(struct direct *d, struct treehash *hash, bool all) {
    const size_t end = all ? d->fill : d->fill - d->fill % HASH_STEP_BYTES;
    if (hash && end > d->hashed)
        treehash_update(hash, d->buffers[d->filling] + d->hashed, end - d->hashed);
    d->hashed = end > d->hashed ? end : d->hashed;
}

/* The full buffer goes; the other one is filled next. */
static int pass(struct direct *d) {
    const int err = d->thread ? thread_put(d->thread, d->buffers[d->filling], d->fill, d->offset)
                              : put(d->file, d->buffers[d->filling], d->fill, d->offset);
    d->offset += d->fill;
    d->filling ^= 1;
    d->fill = d->hashed = 0;
    return err;
}

static int add(struct direct *d, const uint8_t *data, size_t len, struct treehash *hash) {
    int err = len > 0 && !d->buffers[1] ? begin_buffers(d) : 0;
    while (!err && len > 0) {
        const size_t room = DIRECT_BUFFER_BYTES - d->fill, n = len < room ? len : room;
        memcpy(d->buffers[d->filling] + d->fill, data, n);
        d->fill += n;
        data += n;
        len -= n;
        hash_filled(d, hash, d->fill == DIRECT_BUFFER_BYTES);
        if (d->fill == DIRECT_BUFFER_BYTES)
            err = pass(d);
    }
    return err;
}

int direct_write(struct direct *d, const struct os_piece *pieces, unsigned count,
                 struct treehash *hash) {
    int err = 0;
    for (unsigned i = 0; i < count && !err; i++)
        err = add(d, pieces[i].bytes, pieces[i].len, hash);
    if (!err)
        hash_filled(d, hash, true);
    return err;
}

int direct_end(struct direct *d) {
    if (!d->active)
        return 0;
    int err = d->thread ? thread_settle(d->thread) : 0;
    const size_t tail = d->fill % DIRECT_ALIGN_BYTES, whole = d->fill - tail;
    if (!err && whole > 0)
        err = put(d->file, d->buffers[d->filling], whole, d->offset);
    if (!err && tail > 0) { /* the last bytes of a file fill no page */
        err = os_file_set_direct(d->file, false);
        if (!err)
            err = put(d->file, d->buffers[d->filling] + whole, tail, d->offset + whole);
    }
    direct_drop(d);
    return err;
}

void direct_drop(struct direct *d) {
    if (d->active)
        atomic_fetch_sub(&in_use, 1);
    thread_free(d->thread);
    free(d->buffers[0]);
    free(d->buffers[1]);
    *d = (struct direct){0};
}
