#include "node/file/source.h"

#include <assert.h>

#include "net/endpoint.h"

static struct source *source_at(struct sources *w, uint32_t index) {
    return &w->window[index % TRANSFER_WINDOW];
}

static const struct manifest_file *file_of(const struct sources *w, const struct source *src) {
    return &w->t->manifest.files[src->index];
}

static enum source_verdict failed(struct sources *w, int err, const char *bad) {
    w->err = err;
    w->bad = bad;
    return SOURCE_FAILED;
}

static void drop_reads(struct sources *w, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        src->head = op->next;
        work_release(w->files->work, op);
    }
}

static void drop_source(struct sources *w, struct source *src) {
    treehash_free(src->hash);
    src->hash = NULL;
    drop_reads(w, src);
}

void source_clear(struct sources *w) {
    for (uint32_t i = w->first; i < w->next; i++)
        drop_source(w, source_at(w, i));
    w->first = w->next;
}

void source_wind_down(struct sources *w) {
    for (uint32_t i = w->first; i < w->next; i++) {
        struct source *src = source_at(w, i);
        if (!src->busy && src->phase == SOURCE_READING)
            transfer_close_slot(w->files, w->t, src->slot);
        drop_reads(w, src);
    }
}

/* ---- reading ahead ---- */
/* Senders together leave a quarter of the pool to what comes in, and share the rest. */
static uint32_t blocks_allowed(const struct source_pool *pool) {
    uint32_t allowed = pool->blocks_max / 4 * 3;
    return allowed ? allowed : 1;
}

static uint64_t ahead_limit(const struct sources *w) {
    const unsigned running = transfers_sending(w->files);
    uint64_t share =
        (uint64_t)blocks_allowed(w->pool) * STREAM_BLOCK_BYTES / (running ? running : 1);
    if (share < STREAM_BLOCK_BYTES)
        share = STREAM_BLOCK_BYTES;
    return share < SOURCE_AHEAD_BYTES ? share : SOURCE_AHEAD_BYTES;
}

/* Puts blocks for `bytes` into op, as many as there are; returns the bytes they hold. */
static uint64_t take_blocks(const struct sources *w, struct file_op *op, uint64_t bytes) {
    uint64_t got = 0;
    while (got < bytes && op->nspans < FILE_OP_SPANS) {
        uint64_t len = bytes - got < STREAM_BLOCK_BYTES ? bytes - got : STREAM_BLOCK_BYTES;
        struct block *b = stream_block(w->files->turn->ep, w->t->session, (size_t)len);
        if (!b)
            break;
        len = len < b->cap ? len : b->cap;
        op->spans[op->nspans++] = (struct span){b, 0, (uint32_t)len};
        got += len;
    }
    return got;
}

static void submit(struct sources *w, struct source *src, struct file_op *op) {
    op->slot = src->slot;
    op->item = src->index;
    src->busy = true;
    transfer_submit(w->files, w->t, op);
}

static void read_more(struct sources *w, struct source *src) {
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_READ);
    const uint64_t left = file_of(w, src)->size - src->read_bytes;
    src->asked = op ? take_blocks(w, op, left + 1) : 0;
    if (src->asked == 0) {
        if (op)
            work_release(w->files->work, op);
        w->pool->blocks_short = true;
        return;
    }
    op->offset = src->read_bytes;
    op->hash = src->hash;
    w->ahead_bytes += src->asked;
    submit(w, src, op);
}

static bool open_next(struct sources *w) {
    struct source *src = source_at(w, w->next);
    *src = (struct source){.index = w->next, .phase = SOURCE_OPENING};
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_OPEN);
    src->hash = treehash_new();
    if (!op || !src->hash || work_slot_take(w->files->work, &src->slot) != 0) {
        if (op)
            work_release(w->files->work, op);
        treehash_free(src->hash);
        src->hash = NULL;
        w->pool->blocks_short = true; /* tried again like a missing block */
        return false;
    }
    op->path = w->paths[w->next++];
    submit(w, src, op);
    return true;
}

void source_read_ahead(struct sources *w) {
    const struct transfer *t = w->t;
    const uint64_t limit = ahead_limit(w);
    uint64_t unread = 0;
    for (uint32_t i = w->first; i < w->next; i++) {
        struct source *src = source_at(w, i);
        if (src->phase == SOURCE_READING && !src->busy && w->ahead_bytes < limit &&
            t->ops_out < TRANSFER_OPS_MAX)
            read_more(w, src);
        if (src->phase == SOURCE_OPENING || src->phase == SOURCE_READING)
            unread += file_of(w, src)->size - src->read_bytes;
    }
    while (w->next < t->info.files && w->next - w->first < TRANSFER_WINDOW &&
           t->ops_out < TRANSFER_OPS_MAX && (unread < limit || w->next == w->first)) {
        unread += t->manifest.files[w->next].size;
        if (!open_next(w))
            break;
    }
}

/* ---- into the stream ---- */
static int give_bytes(struct sources *w, const void *bytes, size_t len, size_t *taken) {
    return stream_write(w->files->turn->ep, w->t->session, w->t->stream, bytes, len, taken);
}

static int give_span(struct sources *w, struct span *sp) {
    int err = 0;
    const size_t before = sp->len;
    if (sp->len > SOURCE_COPY_BYTES) {
        err = stream_write_span(w->files->turn->ep, w->t->session, w->t->stream, *sp);
        if (!err)
            sp->len = 0;
    }
    while (!err && sp->len > 0) {
        size_t taken = 0;
        err = give_bytes(w, sp->block->data + sp->offset, sp->len, &taken);
        sp->offset += (uint32_t)taken;
        sp->len -= (uint32_t)taken;
    }
    w->ahead_bytes -= before - sp->len;
    w->given_bytes += before - sp->len;
    return err;
}

static int give_root(struct sources *w, struct source *src) {
    int err = 0;
    while (!err && src->root_at < TREEHASH_BYTES) {
        size_t taken = 0;
        err = give_bytes(w, src->root + src->root_at, TREEHASH_BYTES - src->root_at, &taken);
        src->root_at += taken;
    }
    return err;
}

/* What is there of one file; 0 when the stream has all of it, ERR_AGAIN if something must be waited
 * for. */
static int give_source(struct sources *w, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        while (src->span_at < op->nspans) {
            int err = give_span(w, &op->spans[src->span_at]);
            if (err)
                return err;
            src->span_at++;
        }
        src->head = op->next;
        src->span_at = 0;
        work_release(w->files->work, op);
    }
    return src->phase == SOURCE_READY ? give_root(w, src) : ERR_AGAIN;
}

void source_progress(struct sources *w) {
    const struct transfer *t = w->t;
    const uint64_t unsent =
        t->has_stream ? stream_unsent(w->files->turn->ep, t->session, t->stream) : 0;
    transfer_progress(w->files, w->t, unsent < w->given_bytes ? w->given_bytes - unsent : 0);
}

enum source_verdict source_give(struct sources *w) {
    struct transfer *t = w->t;
    int err = 0;
    while (w->first < w->next && (err = give_source(w, source_at(w, w->first))) == 0) {
        drop_source(w, source_at(w, w->first));
        w->first++;
        t->info.files_done = w->first;
    }
    const bool all = err == 0 && w->first == t->info.files;
    if (all)
        err = stream_finish(w->files->turn->ep, t->session, t->stream);
    if (err && err != ERR_AGAIN)
        return failed(w, err, NULL);
    return all && err == 0 ? SOURCE_GIVEN : SOURCE_GOES_ON;
}

/* ---- what comes back from the disk ---- */
static bool as_before(const struct sources *w, const struct source *src, const struct file_op *op) {
    const struct manifest_file *f = file_of(w, src);
    return op->size == f->size && op->mtime_s == f->mtime_s &&
           op->mtime_ns == w->mtime_ns[src->index];
}

static enum source_verdict close_source(struct sources *w, struct source *src) {
    const struct manifest_file *f = file_of(w, src);
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_CLOSE);
    if (!op)
        return failed(w, ERR_NOMEM, NULL);
    treehash_final(src->hash, src->root);
    src->phase = SOURCE_CLOSING;
    op->size = f->size;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = w->mtime_ns[src->index];
    submit(w, src, op);
    return SOURCE_GOES_ON;
}

static void append(struct source *src, struct file_op *op) {
    op->next = NULL;
    if (src->head)
        src->tail->next = op;
    else
        src->head = op;
    src->tail = op;
}

static enum source_verdict read_done(struct sources *w, struct source *src, struct file_op *op) {
    const uint64_t left = file_of(w, src)->size - src->read_bytes;
    const uint64_t due = src->asked < left ? src->asked : left;
    const uint64_t got = op->bytes;
    const int err = op->err;
    w->ahead_bytes -= src->asked;
    if (err || got != due) {
        work_release(w->files->work, op);
        src->odd = !err;
        return err ? failed(w, err, file_of(w, src)->name) : close_source(w, src);
    }
    uint64_t fill = due;
    for (unsigned i = 0; i < op->nspans; i++) {
        struct span *sp = &op->spans[i];
        sp->len = fill < sp->len ? (uint32_t)fill : sp->len;
        fill -= sp->len;
    }
    src->read_bytes += due;
    w->ahead_bytes += due;
    append(src, op);
    return src->asked > left ? close_source(w, src) : SOURCE_GOES_ON;
}

static enum source_verdict open_done(struct sources *w, struct source *src, struct file_op *op) {
    const int err = op->err;
    const bool same = err || as_before(w, src, op);
    if (err) {
        src->phase = SOURCE_READY; /* nothing to close */
        work_slot_give(w->files->work, op->slot);
    } else {
        src->phase = SOURCE_READING;
    }
    work_release(w->files->work, op);
    if (err || !same)
        return failed(w, err ? err : ERR_CHANGED, file_of(w, src)->name);
    return SOURCE_GOES_ON;
}

static enum source_verdict close_done(struct sources *w, struct source *src, struct file_op *op) {
    const bool same = as_before(w, src, op);
    src->phase = SOURCE_READY;
    work_slot_give(w->files->work, op->slot);
    work_release(w->files->work, op);
    if (!same || src->odd)
        return failed(w, same ? ERR_UNSIZED : ERR_CHANGED, file_of(w, src)->name);
    return SOURCE_GOES_ON;
}

enum source_verdict source_op_done(struct sources *w, struct file_op *op) {
    struct source *src = source_at(w, op->item);
    assert(op->item >= w->first && op->item < w->next && src->slot == op->slot);
    src->busy = false;
    if (op->kind == FILE_OP_READ)
        return read_done(w, src, op);
    return op->kind == FILE_OP_CLOSE ? close_done(w, src, op) : open_done(w, src, op);
}
