#include "node/file/sink.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/disk/file_queue.h"
#include "node/file/file_recv.h"
#include "node/file/offers.h"
#include "node/file/transfer.h"

static struct sink *sink_at(struct file_recv *r, uint32_t index) {
    return &r->window[index % TRANSFER_WINDOW];
}

static struct sink *sink_by_slot(struct file_recv *r, uint32_t slot) {
    for (uint32_t i = r->first; i < r->next; i++)
        if (sink_at(r, i)->slot == slot && sink_at(r, i)->phase != SINK_DONE)
            return sink_at(r, i);
    return NULL;
}

static const char *name_of(const struct transfer *t, const struct sink *k) {
    return t->manifest.files[k->index].name;
}

/* ---- one file ---- */
static bool create_next(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->recv;
    struct sink *k = sink_at(r, r->next);
    *k = (struct sink){.index = r->next, .phase = SINK_CREATING};
    struct file_op *op = transfer_op(files, t, FILE_OP_CREATE);
    k->hash = treehash_new();
    int err = op && k->hash ? work_slot_take(files->work, &k->slot) : ERR_NOMEM;
    if (err == ERR_FULL)
        err = turn_met(files->turn, LIMIT_OPEN_FILES, FILE_SLOTS_MAX);
    if (err) {
        if (op)
            work_release(files->work, op);
        treehash_free(k->hash);
        k->hash = NULL;
        file_recv_refuse(files, t, err, NULL);
        return false;
    }
    const struct manifest_file *f = &t->manifest.files[r->next++];
    op->slot = k->slot;
    op->path = t->info.dir;
    op->name = f->name;
    op->size = f->size;
    op->id = rng_u64(&files->turn->env.rng);
    k->busy = true;
    transfer_submit(files, t, op);
    return true;
}

/* False if the transfer ended in it. */
static bool create_ahead(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->recv;
    while (r->next < t->info.files && r->next - r->first < TRANSFER_WINDOW &&
           r->next - r->current < RECV_CREATE_AHEAD && t->ops_out < TRANSFER_OPS_MAX)
        if (!create_next(files, t))
            return false;
    return true;
}

/* All is written and the sender's root is here: the file gets its name, or the transfer ends. */
static void verify(struct transfers *files, struct transfer *t, struct sink *k) {
    const struct manifest_file *f = &t->manifest.files[k->index];
    if (k->phase != SINK_WRITING || k->busy || k->root_len < TREEHASH_BYTES || k->written < f->size)
        return;
    uint8_t root[TREEHASH_BYTES];
    treehash_final(k->hash, root);
    if (sodium_memcmp(root, k->root, sizeof root) != 0) {
        file_recv_refuse(files, t, ERR_INTEGRITY, f->name);
        return;
    }
    struct file_op *op = transfer_op(files, t, FILE_OP_COMMIT);
    if (!op) {
        file_recv_refuse(files, t, ERR_NOMEM, f->name);
        return;
    }
    op->slot = k->slot;
    op->mode = f->mode;
    op->mtime_s = f->mtime_s;
    k->phase = SINK_COMMITTING;
    k->busy = true;
    transfer_submit(files, t, op);
}

/* ---- from the stream ---- */
/* So many bytes are done with: they make room for others, and show that the sender lives. */
static void consume(struct transfers *files, struct transfer *t, size_t bytes) {
    struct file_recv *r = t->recv;
    stream_consume(files->turn->ep, files->turn->now_us, t->session, t->stream, bytes);
    r->moved_bytes += bytes;
    if (r->moved_bytes < TRANSFER_STALL_BYTES)
        return;
    r->moved_bytes = 0;
    r->moved_us = files->turn->now_us;
}

/* Whether so few bytes wait for more, so that a thread is not asked for every packet. Never for so many that the sender
 * would soon be out of credit, nor together with other transfers. */
static bool hold_back(const struct transfers *files, const struct transfer *t, size_t bytes) {
    struct file_recv *r = t->recv;
    const unsigned running = transfers_running(files);
    const uint64_t part = stream_window(files->turn->ep, t->session, t->stream) /
                          RECV_WINDOW_PARTS / (running ? running : 1);
    if (bytes >= RECV_WRITE_BYTES || bytes >= part ||
        (r->held_us && r->held_us <= files->turn->now_us))
        return false;
    if (!r->held_us)
        r->held_us = files->turn->now_us + RECV_HOLD_US;
    return true;
}

/* True if it made a step. */
static bool take_bytes(struct transfers *files, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    uint64_t left = t->manifest.files[k->index].size - k->given;
    if (k->busy || k->phase != SINK_WRITING)
        return false;
    struct span spans[FILE_OP_SPANS];
    bool fin = false;
    const unsigned got =
        stream_peek(files->turn->ep, t->session, t->stream, r->skip, spans, FILE_OP_SPANS, &fin);
    size_t bytes = 0;
    unsigned count = 0;
    while (count < got && left > 0) {
        struct span *sp = &spans[count++];
        sp->len = left < sp->len ? (uint32_t)left : sp->len;
        left -= sp->len;
        bytes += sp->len;
    }
    if (bytes == 0 && fin)
        file_recv_refuse(files, t, ERR_PROTO, name_of(t, k));
    if (bytes == 0 || (left > 0 && !fin && got < FILE_OP_SPANS && hold_back(files, t, bytes)))
        return false;
    struct file_op *op = transfer_op(files, t, FILE_OP_WRITE);
    if (!op) {
        file_recv_refuse(files, t, ERR_NOMEM, NULL);
        return false;
    }
    for (op->nspans = 0; op->nspans < count; op->nspans++) {
        op->spans[op->nspans] = spans[op->nspans];
        block_get(spans[op->nspans].block);
    }
    op->slot = k->slot;
    op->offset = k->given;
    op->size = bytes;
    op->hash = k->hash;
    k->given += bytes;
    k->busy = true;
    r->skip += bytes;
    r->held_us = 0;
    transfer_submit(files, t, op);
    return true;
}

static bool take_root(struct transfers *files, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    struct span sp;
    bool fin = false;
    if (stream_peek(files->turn->ep, t->session, t->stream, r->skip, &sp, 1, &fin) == 0) {
        if (fin)
            file_recv_refuse(files, t, ERR_PROTO, name_of(t, k));
        return false;
    }
    size_t len = TREEHASH_BYTES - k->root_len;
    if (len > sp.len)
        len = sp.len;
    memcpy(k->root + k->root_len, sp.block->data + sp.offset, len);
    k->root_len += len;
    /* Credit counts bytes, whichever they are: `skip` others before these stay to be consumed. */
    consume(files, t, len);
    if (k->root_len == TREEHASH_BYTES) {
        r->current++;
        verify(files, t, k);
    }
    return !transfer_ended(t);
}

/* Every file has its name and the sender has ended: not before both does it hear so. */
static void finish(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->recv;
    if (r->first == t->info.files && r->end_seen)
        file_recv_finished(files, t);
}

/* After the last file nothing may come but the end. */
static void expect_end(struct transfers *files, struct transfer *t) {
    struct span sp;
    bool fin = false;
    if (t->recv->end_seen)
        return;
    if (stream_peek(files->turn->ep, t->session, t->stream, t->recv->skip, &sp, 1, &fin) > 0) {
        file_recv_refuse(files, t, ERR_PROTO, NULL);
    } else if (fin) {
        t->recv->end_seen = true;
        finish(files, t);
    }
}

void sink_pump(struct transfers *files, struct transfer *t) {
    bool more = true;
    while (more) {
        struct file_recv *r = t->recv;
        if (transfer_ended(t) || !t->has_stream || r->stage != RECV_FLOWING)
            return;
        if (r->current == t->info.files) {
            expect_end(files, t);
            return;
        }
        if (!create_ahead(files, t) || r->current == r->next)
            return;
        struct sink *k = sink_at(r, r->current);
        if (k->given < t->manifest.files[k->index].size)
            more = take_bytes(files, t, k);
        else
            more = take_root(files, t, k);
        if (more && t->info.state == TRANSFER_RUNNING && r->current == t->info.files)
            transfer_enter(files, t, TRANSFER_VERIFYING);
    }
}

void sink_timeout(struct transfers *files, struct transfer *t) {
    sink_pump(files, t);
    /* It may have ended in it, and without memory for its last operations be gone. */
    if (t->recv && t->recv->held_us <= files->turn->now_us)
        t->recv->held_us = 0;
}

/* ---- what comes back from the disk ---- */
static void write_done(struct transfers *files, struct transfer *t, struct sink *k,
                       uint64_t bytes) {
    struct file_recv *r = t->recv;
    k->written += bytes;
    r->written_bytes += bytes;
    r->skip -= (size_t)bytes;
    consume(files, t, (size_t)bytes);
    transfer_progress(files, t, r->written_bytes);
    verify(files, t, k);
}

static void commit_done(struct transfers *files, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    work_slot_give(files->work, k->slot);
    k->phase = SINK_DONE;
    treehash_free(k->hash);
    k->hash = NULL;
    t->info.files_done++;
    while (r->first < r->current && sink_at(r, r->first)->phase == SINK_DONE)
        r->first++;
    finish(files, t);
}

void sink_op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct sink *k = sink_by_slot(t->recv, op->slot);
    enum file_op_kind kind = op->kind;
    int err = op->err;
    uint64_t bytes = op->size;
    work_release(files->work, op);
    assert(k);
    k->busy = false;
    if (err) {
        if (kind == FILE_OP_CREATE) {
            work_slot_give(files->work, k->slot);
            k->phase = SINK_DONE; /* nothing to close */
        }
        file_recv_refuse(files, t, err, name_of(t, k));
    } else if (kind == FILE_OP_CREATE) {
        k->phase = SINK_WRITING;
        verify(files, t, k);
    } else if (kind == FILE_OP_WRITE) {
        write_done(files, t, k, bytes);
    } else {
        commit_done(files, t, k);
    }
}

/* ---- the end ---- */
void sink_free_all(struct transfer *t) {
    for (uint32_t i = t->recv->first; i < t->recv->next; i++)
        treehash_free(sink_at(t->recv, i)->hash);
}

void sink_wind_down(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->recv;
    for (uint32_t i = r->first; i < r->next; i++) {
        struct sink *k = sink_at(r, i);
        if (!k->busy && k->phase != SINK_DONE)
            transfer_close_slot(files, t, k->slot);
    }
}
