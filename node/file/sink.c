#include "node/file/sink.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "net/endpoint.h"

static struct sink *sink_at(struct sinks *w, uint32_t index) {
    return &w->window[index % TRANSFER_WINDOW];
}

static const struct manifest_file *file_of(const struct sinks *w, const struct sink *k) {
    return &w->t->manifest.files[k->index];
}

static enum sink_verdict refused(struct sinks *w, int err, const char *bad) {
    w->err = err;
    w->bad = bad;
    return SINK_REFUSED;
}

static void submit(struct sinks *w, struct sink *k, struct file_op *op) {
    op->slot = k->slot;
    op->item = k->index;
    k->busy = true;
    transfer_submit(w->files, w->t, op);
}

/* ---- one file ---- */
static enum sink_verdict create_next(struct sinks *w) {
    struct sink *k = sink_at(w, w->next);
    *k = (struct sink){.index = w->next, .phase = SINK_CREATING};
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_CREATE);
    k->hash = treehash_new();
    int err = op && k->hash ? work_slot_take(w->files->work, &k->slot) : ERR_NOMEM;
    if (err == ERR_FULL)
        err = turn_met(w->files->turn, LIMIT_OPEN_FILES, FILE_SLOTS_MAX);
    if (err) {
        if (op)
            work_release(w->files->work, op);
        treehash_free(k->hash);
        k->hash = NULL;
        return refused(w, err, NULL);
    }
    const struct manifest_file *f = file_of(w, k);
    w->next++;
    op->path = w->t->info.dir;
    op->name = f->name;
    op->size = f->size;
    op->id = rng_u64(&w->files->turn->env.rng);
    submit(w, k, op);
    return SINK_GOES_ON;
}

static enum sink_verdict create_ahead(struct sinks *w) {
    const struct transfer *t = w->t;
    enum sink_verdict v = SINK_GOES_ON;
    while (v == SINK_GOES_ON && w->next < t->info.files && w->next - w->first < TRANSFER_WINDOW &&
           w->next - w->current < SINK_CREATE_AHEAD && t->ops_out < TRANSFER_OPS_MAX)
        v = create_next(w);
    return v;
}

/* If all is written and the sender's root is here: the file gets its name, or the transfer ends. */
static enum sink_verdict verify(struct sinks *w, struct sink *k) {
    const struct manifest_file *f = file_of(w, k);
    if (k->phase != SINK_WRITING || k->busy || k->root_len < TREEHASH_BYTES || k->written < f->size)
        return SINK_GOES_ON;
    uint8_t root[TREEHASH_BYTES];
    treehash_final(k->hash, root);
    if (sodium_memcmp(root, k->root, sizeof root) != 0)
        return refused(w, ERR_INTEGRITY, f->name);
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_COMMIT);
    if (!op)
        return refused(w, ERR_NOMEM, f->name);
    op->mode = f->mode;
    op->mtime_s = f->mtime_s;
    k->phase = SINK_COMMITTING;
    submit(w, k, op);
    return SINK_GOES_ON;
}

/* ---- from the stream ---- */
static unsigned peek(const struct sinks *w, struct span *spans, unsigned max, bool *fin) {
    *fin = false;
    return stream_peek(w->files->turn->ep, w->t->session, w->t->stream, w->skip, spans, max, fin);
}

/* So many bytes are done with: they make room for others, and show that the sender lives. */
static void consume(struct sinks *w, size_t bytes) {
    const struct turn *turn = w->files->turn;
    stream_consume(turn->ep, turn->now_us, w->t->session, w->t->stream, bytes);
    w->moved_bytes += bytes;
    if (w->moved_bytes < SINK_MOVED_BYTES)
        return;
    w->moved_bytes = 0;
    w->moved_us = turn->now_us;
}

/* Whether so few bytes wait for more, so that a thread is not asked for every packet. Never for so
 * many that the sender would soon be out of credit, nor together with other transfers. */
static bool hold_back(const struct sinks *w, size_t bytes) {
    const struct turn *turn = w->files->turn;
    struct transfer *t = w->t;
    const unsigned running = transfers_running(w->files);
    const uint64_t part = stream_window(turn->ep, t->session, t->stream) / SINK_WINDOW_PARTS /
                          (running ? running : 1);
    if (bytes >= SINK_WRITE_BYTES || bytes >= part || (t->wake_us && t->wake_us <= turn->now_us))
        return false;
    if (!t->wake_us)
        t->wake_us = turn->now_us + SINK_HOLD_US;
    return true;
}

/* The first `count` spans, of so many bytes, are written. */
static enum sink_verdict write_spans(struct sinks *w, struct sink *k, const struct span *spans,
                                     unsigned count, size_t bytes) {
    struct file_op *op = transfer_op(w->files, w->t, FILE_OP_WRITE);
    if (!op)
        return refused(w, ERR_NOMEM, NULL);
    for (op->nspans = 0; op->nspans < count; op->nspans++) {
        op->spans[op->nspans] = spans[op->nspans];
        block_get(spans[op->nspans].block);
    }
    op->offset = k->given;
    op->size = bytes;
    op->hash = k->hash;
    k->given += bytes;
    w->skip += bytes;
    w->t->wake_us = 0;
    submit(w, k, op);
    return SINK_GOES_ON;
}

/* *more: it made a step. */
static enum sink_verdict take_bytes(struct sinks *w, struct sink *k, bool *more) {
    uint64_t left = file_of(w, k)->size - k->given;
    *more = false;
    if (k->busy || k->phase != SINK_WRITING)
        return SINK_GOES_ON;
    struct span spans[FILE_OP_SPANS];
    bool fin;
    const unsigned got = peek(w, spans, FILE_OP_SPANS, &fin);
    size_t bytes = 0;
    unsigned count = 0;
    while (count < got && left > 0) {
        struct span *sp = &spans[count++];
        sp->len = left < sp->len ? (uint32_t)left : sp->len;
        left -= sp->len;
        bytes += sp->len;
    }
    if (bytes == 0)
        return fin ? refused(w, ERR_PROTO, file_of(w, k)->name) : SINK_GOES_ON;
    if (left > 0 && !fin && got < FILE_OP_SPANS && hold_back(w, bytes))
        return SINK_GOES_ON;
    *more = true;
    return write_spans(w, k, spans, count, bytes);
}

static enum sink_verdict take_root(struct sinks *w, struct sink *k, bool *more) {
    struct span sp;
    bool fin;
    *more = false;
    if (peek(w, &sp, 1, &fin) == 0)
        return fin ? refused(w, ERR_PROTO, file_of(w, k)->name) : SINK_GOES_ON;
    *more = true;
    size_t len = TREEHASH_BYTES - k->root_len;
    if (len > sp.len)
        len = sp.len;
    memcpy(k->root + k->root_len, sp.block->data + sp.offset, len);
    k->root_len += len;
    /* Credit counts bytes, whichever they are: `skip` others before these stay to be consumed. */
    consume(w, len);
    if (k->root_len < TREEHASH_BYTES)
        return SINK_GOES_ON;
    w->current++;
    return verify(w, k);
}

/* Not before every file has its name and the sender has ended does it hear that all is well. */
static enum sink_verdict whole_or_not(const struct sinks *w) {
    return w->first == w->t->info.files && w->end_seen ? SINK_WHOLE : SINK_GOES_ON;
}

/* After the last file nothing may come but the end. */
static enum sink_verdict expect_end(struct sinks *w) {
    struct span sp;
    bool fin;
    if (w->end_seen)
        return SINK_GOES_ON;
    if (peek(w, &sp, 1, &fin) > 0)
        return refused(w, ERR_PROTO, NULL);
    w->end_seen = fin;
    return whole_or_not(w);
}

enum sink_verdict sink_pump(struct sinks *w) {
    struct transfer *t = w->t;
    bool more = true;
    while (more) {
        if (w->current == t->info.files)
            return expect_end(w);
        enum sink_verdict v = create_ahead(w);
        if (v != SINK_GOES_ON || w->current == w->next)
            return v;
        struct sink *k = sink_at(w, w->current);
        v = k->given < file_of(w, k)->size ? take_bytes(w, k, &more) : take_root(w, k, &more);
        if (v != SINK_GOES_ON)
            return v;
        if (more && t->info.state == TRANSFER_RUNNING && w->current == t->info.files)
            transfer_enter(w->files, t, TRANSFER_VERIFYING);
    }
    return SINK_GOES_ON;
}

/* ---- what comes back from the disk ---- */
static enum sink_verdict write_done(struct sinks *w, struct sink *k, uint64_t bytes) {
    k->written += bytes;
    w->written_bytes += bytes;
    w->skip -= (size_t)bytes;
    consume(w, (size_t)bytes);
    transfer_progress(w->files, w->t, w->written_bytes);
    return verify(w, k);
}

static enum sink_verdict commit_done(struct sinks *w, struct sink *k) {
    work_slot_give(w->files->work, k->slot);
    k->phase = SINK_DONE;
    treehash_free(k->hash);
    k->hash = NULL;
    w->t->info.files_done++;
    while (w->first < w->current && sink_at(w, w->first)->phase == SINK_DONE)
        w->first++;
    return whole_or_not(w);
}

enum sink_verdict sink_op_done(struct sinks *w, struct file_op *op) {
    struct sink *k = sink_at(w, op->item);
    const enum file_op_kind kind = op->kind;
    const int err = op->err;
    const uint64_t bytes = op->size;
    assert(op->item >= w->first && op->item < w->next && k->slot == op->slot);
    work_release(w->files->work, op);
    k->busy = false;
    if (err) {
        if (kind == FILE_OP_CREATE) {
            work_slot_give(w->files->work, k->slot);
            k->phase = SINK_DONE; /* nothing to close */
        }
        return refused(w, err, file_of(w, k)->name);
    }
    if (kind == FILE_OP_CREATE) {
        k->phase = SINK_WRITING;
        return verify(w, k);
    }
    return kind == FILE_OP_WRITE ? write_done(w, k, bytes) : commit_done(w, k);
}

/* ---- the end ---- */
void sink_clear(struct sinks *w) {
    for (uint32_t i = w->first; i < w->next; i++)
        treehash_free(sink_at(w, i)->hash);
    w->first = w->next;
}

void sink_wind_down(struct sinks *w) {
    for (uint32_t i = w->first; i < w->next; i++) {
        const struct sink *k = sink_at(w, i);
        if (!k->busy && k->phase != SINK_DONE)
            transfer_close_slot(w->files, w->t, k->slot);
    }
}
