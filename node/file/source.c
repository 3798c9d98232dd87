#include "node/file/source.h"

#include <assert.h>

#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/disk/file_queue.h"
#include "node/file/file_send.h"
#include "node/file/transfer.h"

static struct source *source_at(struct file_send *s, uint32_t index) {
    return &s->window[index % TRANSFER_WINDOW];
}

static struct source *source_by_slot(struct file_send *s, uint32_t slot) {
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (src->slot == slot && src->phase != SOURCE_READY)
            return src;
    }
    return NULL;
}

static void drop_reads(struct transfers *files, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        src->head = op->next;
        work_release(files->work, op);
    }
}

static void drop_source(struct transfers *files, struct source *src) {
    treehash_free(src->hash);
    src->hash = NULL;
    drop_reads(files, src);
}

void source_free_all(struct transfers *files, struct transfer *t) {
    for (uint32_t i = t->send->first; i < t->send->next; i++)
        drop_source(files, source_at(t->send, i));
}

void source_wind_down(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (!src->busy && src->phase == SOURCE_READING)
            transfer_close_slot(files, t, src->slot);
        drop_reads(files, src);
    }
}

/* ---- reading ahead ---- */
/* Senders together leave a quarter of the pool to what comes in, and share the rest. */
static uint32_t blocks_allowed(const struct transfers *files) {
    uint32_t allowed = files->blocks_max / 4 * 3;
    return allowed ? allowed : 1;
}

static uint64_t ahead_limit(const struct transfers *files) {
    unsigned running = transfers_sending(files);
    uint64_t share = (uint64_t)blocks_allowed(files) * STREAM_BLOCK_BYTES / (running ? running : 1);
    if (share < STREAM_BLOCK_BYTES)
        share = STREAM_BLOCK_BYTES;
    return share < SEND_AHEAD_BYTES ? share : SEND_AHEAD_BYTES;
}

/* Puts blocks for `bytes` into op, as many as there are; returns the bytes they hold. */
static uint64_t take_blocks(struct transfers *files, const struct transfer *t, struct file_op *op,
                            uint64_t bytes) {
    uint64_t got = 0;
    while (got < bytes && op->nspans < FILE_OP_SPANS) {
        uint64_t len = bytes - got < STREAM_BLOCK_BYTES ? bytes - got : STREAM_BLOCK_BYTES;
        struct block *b = stream_block(files->turn->ep, t->session, (size_t)len);
        if (!b)
            break;
        len = len < b->cap ? len : b->cap;
        op->spans[op->nspans++] = (struct span){b, 0, (uint32_t)len};
        got += len;
    }
    return got;
}

static void read_more(struct transfers *files, struct transfer *t, struct source *src) {
    struct file_op *op = transfer_op(files, t, FILE_OP_READ);
    uint64_t left = t->manifest.files[src->index].size - src->read_bytes;
    src->asked = op ? take_blocks(files, t, op, left + 1) : 0;
    if (src->asked == 0) {
        if (op)
            work_release(files->work, op);
        files->blocks_short = true;
        return;
    }
    op->slot = src->slot;
    op->offset = src->read_bytes;
    op->hash = src->hash;
    src->busy = true;
    t->send->ahead_bytes += src->asked;
    transfer_submit(files, t, op);
}

static bool open_next(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    struct source *src = source_at(s, s->next);
    *src = (struct source){.index = s->next, .phase = SOURCE_OPENING};
    struct file_op *op = transfer_op(files, t, FILE_OP_OPEN);
    src->hash = treehash_new();
    if (!op || !src->hash || work_slot_take(files->work, &src->slot) != 0) {
        if (op)
            work_release(files->work, op);
        treehash_free(src->hash);
        src->hash = NULL;
        files->blocks_short = true; /* tried again like a missing block */
        return false;
    }
    op->slot = src->slot;
    op->path = s->paths[s->next++];
    src->busy = true;
    transfer_submit(files, t, op);
    return true;
}

static void read_ahead(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    uint64_t limit = ahead_limit(files), unread = 0;
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (src->phase == SOURCE_READING && !src->busy && s->ahead_bytes < limit &&
            t->ops_out < TRANSFER_OPS_MAX)
            read_more(files, t, src);
        if (src->phase == SOURCE_OPENING || src->phase == SOURCE_READING)
            unread += t->manifest.files[src->index].size - src->read_bytes;
    }
    while (s->next < t->info.files && s->next - s->first < TRANSFER_WINDOW &&
           t->ops_out < TRANSFER_OPS_MAX && (unread < limit || s->next == s->first)) {
        unread += t->manifest.files[s->next].size;
        if (!open_next(files, t))
            break;
    }
}

/* ---- into the stream ---- */
static int give_span(struct transfers *files, struct transfer *t, struct span *sp) {
    int err = 0;
    size_t before = sp->len;
    if (sp->len > SEND_COPY_BYTES) {
        err = stream_write_span(files->turn->ep, t->session, t->stream, *sp);
        if (!err)
            sp->len = 0;
    }
    while (!err && sp->len > 0) {
        size_t taken = 0;
        err = stream_write(files->turn->ep, t->session, t->stream, sp->block->data + sp->offset,
                           sp->len, &taken);
        sp->offset += (uint32_t)taken;
        sp->len -= (uint32_t)taken;
    }
    t->send->ahead_bytes -= before - sp->len;
    t->send->given_bytes += before - sp->len;
    return err;
}

static int give_root(struct transfers *files, struct transfer *t, struct source *src) {
    int err = 0;
    while (!err && src->root_at < TREEHASH_BYTES) {
        size_t taken = 0;
        err = stream_write(files->turn->ep, t->session, t->stream, src->root + src->root_at,
                           TREEHASH_BYTES - src->root_at, &taken);
        src->root_at += taken;
    }
    return err;
}

/* What is there of one file; 0 when the stream has all of it, ERR_AGAIN if something must be waited
 * for. */
static int give_source(struct transfers *files, struct transfer *t, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        while (src->span_at < op->nspans) {
            int err = give_span(files, t, &op->spans[src->span_at]);
            if (err)
                return err;
            src->span_at++;
        }
        src->head = op->next;
        src->span_at = 0;
        work_release(files->work, op);
    }
    return src->phase == SOURCE_READY ? give_root(files, t, src) : ERR_AGAIN;
}

void source_progress(struct transfers *files, struct transfer *t) {
    const uint64_t given = t->send->given_bytes;
    const uint64_t unsent =
        t->has_stream ? stream_unsent(files->turn->ep, t->session, t->stream) : 0;
    transfer_progress(files, t, unsent < given ? given - unsent : 0);
}

/* False if the transfer ended in it. */
static bool give(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    int err = 0;
    while (s->first < s->next && (err = give_source(files, t, source_at(s, s->first))) == 0) {
        drop_source(files, source_at(s, s->first));
        s->first++;
        t->info.files_done = s->first;
    }
    if (err == 0 && s->first == t->info.files) {
        err = stream_finish(files->turn->ep, t->session, t->stream);
        if (err == 0)
            transfer_enter(files, t, TRANSFER_VERIFYING);
    }
    if (err && err != ERR_AGAIN) {
        transfer_abort(files, t, err, NULL);
        return false;
    }
    source_progress(files, t);
    return true;
}

void source_pump(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    if (t->info.state != TRANSFER_RUNNING || s->stopped || !t->has_stream)
        return;
    if (give(files, t) && t->info.state == TRANSFER_RUNNING)
        read_ahead(files, t);
}

/* ---- what comes back from the disk ---- */
static void changed(struct transfers *files, struct transfer *t, const struct source *src) {
    transfer_abort(files, t, ERR_CHANGED, t->manifest.files[src->index].name);
}

static bool as_before(const struct transfer *t, uint32_t i, const struct file_op *op) {
    const struct manifest_file *f = &t->manifest.files[i];
    return op->size == f->size && op->mtime_s == f->mtime_s && op->mtime_ns == t->send->mtime_ns[i];
}

static void close_source(struct transfers *files, struct transfer *t, struct source *src) {
    const struct manifest_file *f = &t->manifest.files[src->index];
    struct file_op *op = transfer_op(files, t, FILE_OP_CLOSE);
    if (!op) {
        transfer_abort(files, t, ERR_NOMEM, NULL);
        return;
    }
    treehash_final(src->hash, src->root);
    src->phase = SOURCE_CLOSING;
    src->busy = true;
    op->slot = src->slot;
    op->size = f->size;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = t->send->mtime_ns[src->index];
    transfer_submit(files, t, op);
}

static void read_done(struct transfers *files, struct transfer *t, struct source *src,
                      struct file_op *op) {
    struct file_send *s = t->send;
    uint64_t left = t->manifest.files[src->index].size - src->read_bytes;
    uint64_t due = src->asked < left ? src->asked : left;
    const uint64_t got = op->bytes;
    int err = op->err;
    s->ahead_bytes -= src->asked;
    if (err || got != due) {
        work_release(files->work, op);
        src->odd = !err;
        if (err)
            transfer_abort(files, t, err, t->manifest.files[src->index].name);
        else
            close_source(files, t, src);
        return;
    }
    uint64_t fill = due;
    for (unsigned i = 0; i < op->nspans; i++) {
        struct span *sp = &op->spans[i];
        sp->len = fill < sp->len ? (uint32_t)fill : sp->len;
        fill -= sp->len;
    }
    src->read_bytes += due;
    s->ahead_bytes += due;
    op->next = NULL;
    if (src->head)
        src->tail->next = op;
    else
        src->head = op;
    src->tail = op;
    if (src->asked > left)
        close_source(files, t, src);
}

void source_op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct source *src = source_by_slot(t->send, op->slot);
    int err = op->err;
    assert(src);
    src->busy = false;
    if (op->kind == FILE_OP_READ) {
        read_done(files, t, src, op);
    } else if (op->kind == FILE_OP_CLOSE) {
        bool same = as_before(t, src->index, op);
        src->phase = SOURCE_READY;
        work_slot_give(files->work, op->slot);
        work_release(files->work, op);
        if (!same)
            changed(files, t, src);
        else if (src->odd)
            transfer_abort(files, t, ERR_UNSIZED, t->manifest.files[src->index].name);
    } else {
        bool same = err || as_before(t, src->index, op);
        if (err) {
            src->phase = SOURCE_READY; /* nothing to close */
            work_slot_give(files->work, op->slot);
        } else {
            src->phase = SOURCE_READING;
        }
        work_release(files->work, op);
        if (err)
            transfer_abort(files, t, err, t->manifest.files[src->index].name);
        else if (!same)
            changed(files, t, src);
    }
}
