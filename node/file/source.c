#include "node/file/source.h"

#include <assert.h>

#include "node/file/file_send.h"
#include "node/node_int.h"

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

static void drop_reads(struct node *n, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        src->head = op->next;
        work_release(&n->work, op);
    }
}

static void drop_source(struct node *n, struct source *src) {
    treehash_free(src->hash);
    src->hash = NULL;
    drop_reads(n, src);
}

void source_free_all(struct node *n, struct transfer *t) {
    for (uint32_t i = t->send->first; i < t->send->next; i++)
        drop_source(n, source_at(t->send, i));
}

void source_wind_down(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (!src->busy && src->phase == SOURCE_READING)
            transfer_close_slot(n, t, src->slot);
        drop_reads(n, src);
    }
}

/* ---- reading ahead ---- */
/* Senders together leave a quarter of the pool to what comes in, and share the rest. */
static uint32_t blocks_allowed(const struct node *n) {
    uint32_t allowed = n->blocks_max / 4 * 3;
    return allowed ? allowed : 1;
}

static uint64_t ahead_limit(const struct node *n) {
    unsigned running = transfers_sending(n);
    uint64_t share = (uint64_t)blocks_allowed(n) * STREAM_BLOCK_BYTES / (running ? running : 1);
    if (share < STREAM_BLOCK_BYTES)
        share = STREAM_BLOCK_BYTES;
    return share < SEND_AHEAD_BYTES ? share : SEND_AHEAD_BYTES;
}

/* Puts blocks for `bytes` into op, as many as there are; returns the bytes they hold. */
static uint64_t take_blocks(struct node *n, const struct transfer *t, struct file_op *op,
                            uint64_t bytes) {
    uint64_t got = 0;
    while (got < bytes && op->nspans < FILE_OP_SPANS) {
        uint64_t len = bytes - got < STREAM_BLOCK_BYTES ? bytes - got : STREAM_BLOCK_BYTES;
        struct block *b = stream_block(n->ep, t->session, (size_t)len);
        if (!b)
            break;
        len = len < b->cap ? len : b->cap;
        op->spans[op->nspans++] = (struct span){b, 0, (uint32_t)len};
        got += len;
    }
    return got;
}

static void read_more(struct node *n, struct transfer *t, struct source *src) {
    struct file_op *op = transfer_op(n, t, FILE_OP_READ);
    uint64_t left = t->manifest.files[src->index].size - src->read_bytes;
    src->asked = op ? take_blocks(n, t, op, left + 1) : 0;
    if (src->asked == 0) {
        if (op)
            work_release(&n->work, op);
        n->blocks_short = true;
        return;
    }
    op->slot = src->slot;
    op->offset = src->read_bytes;
    op->hash = src->hash;
    src->busy = true;
    t->send->ahead_bytes += src->asked;
    transfer_submit(n, t, op);
}

static bool open_next(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    struct source *src = source_at(s, s->next);
    *src = (struct source){.index = s->next, .phase = SOURCE_OPENING};
    struct file_op *op = transfer_op(n, t, FILE_OP_OPEN);
    src->hash = treehash_new();
    if (!op || !src->hash || work_slot_take(&n->work, &src->slot) != 0) {
        if (op)
            work_release(&n->work, op);
        treehash_free(src->hash);
        src->hash = NULL;
        n->blocks_short = true; /* tried again like a missing block */
        return false;
    }
    op->slot = src->slot;
    op->path = s->paths[s->next++];
    src->busy = true;
    transfer_submit(n, t, op);
    return true;
}

static void read_ahead(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    uint64_t limit = ahead_limit(n), unread = 0;
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (src->phase == SOURCE_READING && !src->busy && s->ahead_bytes < limit &&
            t->ops_out < TRANSFER_OPS_MAX)
            read_more(n, t, src);
        if (src->phase == SOURCE_OPENING || src->phase == SOURCE_READING)
            unread += t->manifest.files[src->index].size - src->read_bytes;
    }
    while (s->next < t->info.files && s->next - s->first < TRANSFER_WINDOW &&
           t->ops_out < TRANSFER_OPS_MAX && (unread < limit || s->next == s->first)) {
        unread += t->manifest.files[s->next].size;
        if (!open_next(n, t))
            break;
    }
}

/* ---- into the stream ---- */
static int give_span(struct node *n, struct transfer *t, struct span *sp) {
    int err = 0;
    size_t before = sp->len;
    if (sp->len > SEND_COPY_BYTES) {
        err = stream_write_span(n->ep, t->session, t->stream, *sp);
        if (!err)
            sp->len = 0;
    }
    while (!err && sp->len > 0) {
        size_t taken = 0;
        err = stream_write(n->ep, t->session, t->stream, sp->block->data + sp->offset, sp->len,
                           &taken);
        sp->offset += (uint32_t)taken;
        sp->len -= (uint32_t)taken;
    }
    t->send->ahead_bytes -= before - sp->len;
    t->send->given_bytes += before - sp->len;
    return err;
}

static int give_root(struct node *n, struct transfer *t, struct source *src) {
    int err = 0;
    while (!err && src->root_at < TREEHASH_BYTES) {
        size_t taken = 0;
        err = stream_write(n->ep, t->session, t->stream, src->root + src->root_at,
                           TREEHASH_BYTES - src->root_at, &taken);
        src->root_at += taken;
    }
    return err;
}

/* What is there of one file; 0 when the stream has all of it, ERR_AGAIN if something must be waited
 * for. */
static int give_source(struct node *n, struct transfer *t, struct source *src) {
    while (src->head) {
        struct file_op *op = src->head;
        while (src->span_at < op->nspans) {
            int err = give_span(n, t, &op->spans[src->span_at]);
            if (err)
                return err;
            src->span_at++;
        }
        src->head = op->next;
        src->span_at = 0;
        work_release(&n->work, op);
    }
    return src->phase == SOURCE_READY ? give_root(n, t, src) : ERR_AGAIN;
}

void source_progress(struct node *n, struct transfer *t) {
    const uint64_t given = t->send->given_bytes;
    const uint64_t unsent = t->has_stream ? stream_unsent(n->ep, t->session, t->stream) : 0;
    transfer_progress(n, t, unsent < given ? given - unsent : 0);
}

/* False if the transfer ended in it. */
static bool give(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    int err = 0;
    while (s->first < s->next && (err = give_source(n, t, source_at(s, s->first))) == 0) {
        drop_source(n, source_at(s, s->first));
        s->first++;
        t->info.files_done = s->first;
    }
    if (err == 0 && s->first == t->info.files) {
        err = stream_finish(n->ep, t->session, t->stream);
        if (err == 0)
            transfer_enter(n, t, TRANSFER_VERIFYING);
    }
    if (err && err != ERR_AGAIN) {
        transfer_abort(n, t, err, NULL);
        return false;
    }
    source_progress(n, t);
    return true;
}

void source_pump(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    if (t->info.state != TRANSFER_RUNNING || s->stopped || !t->has_stream)
        return;
    if (give(n, t) && t->info.state == TRANSFER_RUNNING)
        read_ahead(n, t);
}

/* ---- what comes back from the disk ---- */
static void changed(struct node *n, struct transfer *t, const struct source *src) {
    transfer_abort(n, t, ERR_CHANGED, t->manifest.files[src->index].name);
}

static bool as_before(const struct transfer *t, uint32_t i, const struct file_op *op) {
    const struct manifest_file *f = &t->manifest.files[i];
    return op->size == f->size && op->mtime_s == f->mtime_s && op->mtime_ns == t->send->mtime_ns[i];
}

static void close_source(struct node *n, struct transfer *t, struct source *src) {
    const struct manifest_file *f = &t->manifest.files[src->index];
    struct file_op *op = transfer_op(n, t, FILE_OP_CLOSE);
    if (!op) {
        transfer_abort(n, t, ERR_NOMEM, NULL);
        return;
    }
    treehash_final(src->hash, src->root);
    src->phase = SOURCE_CLOSING;
    src->busy = true;
    op->slot = src->slot;
    op->size = f->size;
    op->mtime_s = f->mtime_s;
    op->mtime_ns = t->send->mtime_ns[src->index];
    transfer_submit(n, t, op);
}

static void read_done(struct node *n, struct transfer *t, struct source *src, struct file_op *op) {
    struct file_send *s = t->send;
    uint64_t left = t->manifest.files[src->index].size - src->read_bytes;
    uint64_t due = src->asked < left ? src->asked : left;
    const uint64_t got = op->bytes;
    int err = op->err;
    s->ahead_bytes -= src->asked;
    if (err || got != due) {
        work_release(&n->work, op);
        src->odd = !err;
        if (err)
            transfer_abort(n, t, err, t->manifest.files[src->index].name);
        else
            close_source(n, t, src);
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
        close_source(n, t, src);
}

void source_op_done(struct node *n, struct transfer *t, struct file_op *op) {
    struct source *src = source_by_slot(t->send, op->slot);
    int err = op->err;
    assert(src);
    src->busy = false;
    if (op->kind == FILE_OP_READ) {
        read_done(n, t, src, op);
    } else if (op->kind == FILE_OP_CLOSE) {
        bool same = as_before(t, src->index, op);
        src->phase = SOURCE_READY;
        work_slot_give(&n->work, op->slot);
        work_release(&n->work, op);
        if (!same)
            changed(n, t, src);
        else if (src->odd)
            transfer_abort(n, t, ERR_UNSIZED, t->manifest.files[src->index].name);
    } else {
        bool same = err || as_before(t, src->index, op);
        if (err) {
            src->phase = SOURCE_READY; /* nothing to close */
            work_slot_give(&n->work, op->slot);
        } else {
            src->phase = SOURCE_READING;
        }
        work_release(&n->work, op);
        if (err)
            transfer_abort(n, t, err, t->manifest.files[src->index].name);
        else if (!same)
            changed(n, t, src);
    }
}
