#include "node/file_recv.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/core.h"
#include "node/reply.h"

enum recv_stage {
    RECV_WAITS,     /* for accept */
    RECV_PREPARING, /* the directory and its free space */
    RECV_CHECKING,  /* that no name is taken */
    RECV_FLOWING,   /* the peer has heard yes */
};

enum sink_phase {
    SINK_CREATING,
    SINK_WRITING,
    SINK_COMMITTING,
    SINK_DONE,
};

struct sink { /* a file of the window */
    uint32_t index, slot;
    enum sink_phase phase;
    bool busy; /* an operation is out */
    struct treehash *hash;
    uint64_t given, written; /* bytes handed to a WRITE; bytes on disk */
    uint8_t root[TREEHASH_BYTES];
    size_t root_len; /* of the sender's root, what has come */
};

struct file_recv {
    enum recv_stage stage;
    uint32_t check_next, checked;
    struct sink window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, current, next; /* done before first; bytes go to current; created before next */
    size_t skip;                   /* bytes of the stream handed out and not consumed yet */
    uint64_t written_bytes;
};

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

/* ---- answers ---- */
/* All of it or a reset: an answer is far smaller than a fresh stream's credit. */
static bool say(struct node *n, struct session_ref s, uint64_t stream, const struct reply *r) {
    uint8_t buf[REPLY_MAX_BYTES];
    size_t len, taken = 0;
    int err = reply_encode(r, buf, &len);
    if (!err)
        err = stream_write(n->ep, s, stream, buf, len, &taken);
    if (!err && taken < len)
        err = ERR_AGAIN;
    if (err)
        err = stream_reset(n->ep, s, stream, r->err ? r->err : err);
    return !err && taken == len;
}

/* The last word: err, FIN, and nothing more is read. */
static void say_no(struct node *n, struct session_ref s, uint64_t stream, int err, const char *file) {
    struct reply r = {.err = err};
    if (file)
        snprintf(r.file, sizeof r.file, "%s", file);
    int gone = 0;
    if (say(n, s, stream, &r))
        gone = stream_finish(n->ep, s, stream);
    gone = stream_stop(n->ep, s, stream, err);
    (void)gone; /* a stream that is gone needs no word */
}

void file_recv_refuse(struct node *n, struct transfer *t, int err, const char *file) {
    if (t->has_stream)
        say_no(n, t->session, t->stream, err, file);
    t->has_stream = false;
    transfer_fail(n, t, err, file);
}

/* ---- the offer ---- */
void file_recv_offer(struct node *n, struct contact *c, struct session_ref s, uint64_t stream,
                     const uint8_t *body, size_t len) {
    struct transfer *t = NULL;
    struct manifest m;
    int err = manifest_decode(&m, body, len);
    if (!err)
        err = transfer_new(n, c, false, TRANSFER_OFFERED, &t);
    if (err) {
        manifest_clear(&m);
        say_no(n, s, stream, err, NULL);
        return;
    }
    t->manifest = m;
    t->session = s;
    t->stream = stream;
    t->has_stream = true;
    t->reported = true;
    t->info.files = m.count;
    t->info.bytes_total = m.total_bytes;
    t->recv = calloc(1, sizeof *t->recv);
    char dir[1024];
    if (!t->recv) {
        file_recv_refuse(n, t, ERR_NOMEM, NULL);
    } else if (n->accept_max_bytes && m.total_bytes > n->accept_max_bytes) {
        file_recv_refuse(n, t, ERR_REFUSED, NULL);
    } else if (recv_rule_apply(n, c->name, dir)) {
        file_recv_accept(n, t, dir);
    } else {
        struct node_event *e = node_tell(n, NODE_TRANSFER_OFFERED, c->name);
        e->id = t->info.id;
        e->total = t->info.bytes_total;
    }
}

bool file_recv_waits(const struct transfer *t) {
    return t->recv && t->info.state == TRANSFER_OFFERED && t->recv->stage == RECV_WAITS;
}

void file_recv_accept(struct node *n, struct transfer *t, const char *dir) {
    snprintf(t->info.dir, sizeof t->info.dir, "%s", dir);
    struct file_op *op = transfer_op(n, t, FILE_PREPARE);
    if (!op) {
        file_recv_refuse(n, t, ERR_NOMEM, NULL);
        return;
    }
    t->recv->stage = RECV_PREPARING;
    op->path = t->info.dir;
    op->size = t->info.bytes_total;
    transfer_submit(n, t, op);
}

static void check_names(struct node *n, struct transfer *t) {
    struct file_recv *r = t->recv;
    uint32_t count = t->info.files <= RECV_CHECK_FILES ? t->info.files : 0;
    r->stage = RECV_CHECKING;
    while (r->check_next < count && t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(n, t, FILE_CHECK);
        if (!op) {
            file_recv_refuse(n, t, ERR_NOMEM, NULL);
            return;
        }
        op->path = t->info.dir;
        op->offset = r->check_next;
        op->name = t->manifest.files[r->check_next++].name;
        transfer_submit(n, t, op);
    }
    if (r->checked < count)
        return;
    struct reply yes = {0};
    if (!say(n, t->session, t->stream, &yes)) {
        transfer_abort(n, t, ERR_CLOSED, NULL);
        return;
    }
    r->stage = RECV_FLOWING;
    transfer_enter(n, t, TRANSFER_RUNNING);
    file_recv_pump(n, t);
}

/* ---- one file ---- */
static bool create_next(struct node *n, struct transfer *t) {
    struct file_recv *r = t->recv;
    struct sink *k = sink_at(r, r->next);
    *k = (struct sink){.index = r->next, .phase = SINK_CREATING};
    struct file_op *op = transfer_op(n, t, FILE_CREATE);
    k->hash = treehash_new((enum treehash_alg)t->manifest.alg);
    int err = op && k->hash ? work_slot_take(&n->work, &k->slot) : ERR_NOMEM;
    if (err) {
        if (op)
            work_release(&n->work, op);
        treehash_free(k->hash);
        k->hash = NULL;
        file_recv_refuse(n, t, err, NULL);
        return false;
    }
    const struct manifest_file *f = &t->manifest.files[r->next++];
    op->slot = k->slot;
    op->path = t->info.dir;
    op->name = f->name;
    op->size = f->size;
    op->id = rng_u64(&n->env.rng);
    k->busy = true;
    transfer_submit(n, t, op);
    return true;
}

/* False if the transfer ended in it. */
static bool create_ahead(struct node *n, struct transfer *t) {
    struct file_recv *r = t->recv;
    while (r->next < t->info.files && r->next - r->first < TRANSFER_WINDOW &&
           r->next - r->current < RECV_CREATE_AHEAD && t->ops_out < TRANSFER_OPS_MAX)
        if (!create_next(n, t))
            return false;
    return true;
}

/* All is written and the sender's root is here: the file gets its name, or the transfer ends. */
static void verify(struct node *n, struct transfer *t, struct sink *k) {
    const struct manifest_file *f = &t->manifest.files[k->index];
    if (k->phase != SINK_WRITING || k->busy || k->root_len < TREEHASH_BYTES || k->written < f->size)
        return;
    uint8_t root[TREEHASH_BYTES];
    treehash_final(k->hash, root);
    if (sodium_memcmp(root, k->root, sizeof root) != 0) {
        file_recv_refuse(n, t, ERR_INTEGRITY, f->name);
        return;
    }
    struct file_op *op = transfer_op(n, t, FILE_COMMIT);
    if (!op) {
        file_recv_refuse(n, t, ERR_NOMEM, f->name);
        return;
    }
    op->slot = k->slot;
    op->mode = f->mode;
    op->mtime_s = f->mtime_s;
    k->phase = SINK_COMMITTING;
    k->busy = true;
    transfer_submit(n, t, op);
}

/* ---- from the stream ---- */
/* True if it made a step. */
static bool take_bytes(struct node *n, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    uint64_t left = t->manifest.files[k->index].size - k->given;
    if (k->busy || k->phase != SINK_WRITING)
        return false;
    struct file_op *op = transfer_op(n, t, FILE_WRITE);
    if (!op) {
        file_recv_refuse(n, t, ERR_NOMEM, NULL);
        return false;
    }
    bool fin = false;
    unsigned got =
        stream_peek(n->ep, t->session, t->stream, r->skip, op->spans, FILE_OP_SPANS, &fin);
    size_t bytes = 0;
    while (op->nspans < got && left > 0) {
        struct span *sp = &op->spans[op->nspans++];
        sp->len = left < sp->len ? (uint32_t)left : sp->len;
        block_get(sp->block);
        left -= sp->len;
        bytes += sp->len;
    }
    if (bytes == 0) {
        work_release(&n->work, op);
        if (fin)
            file_recv_refuse(n, t, ERR_PROTO, name_of(t, k));
        return false;
    }
    op->slot = k->slot;
    op->offset = k->given;
    op->size = bytes;
    op->hash = k->hash;
    k->given += bytes;
    k->busy = true;
    r->skip += bytes;
    transfer_submit(n, t, op);
    return true;
}

static bool take_root(struct node *n, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    struct span sp;
    bool fin = false;
    if (stream_peek(n->ep, t->session, t->stream, r->skip, &sp, 1, &fin) == 0) {
        if (fin)
            file_recv_refuse(n, t, ERR_PROTO, name_of(t, k));
        return false;
    }
    size_t len = TREEHASH_BYTES - k->root_len;
    if (len > sp.len)
        len = sp.len;
    memcpy(k->root + k->root_len, sp.block->data + sp.offset, len);
    k->root_len += len;
    /* Credit counts bytes, whichever they are: `skip` others before these stay to be consumed. */
    stream_consume(n->ep, n->now_us, t->session, t->stream, len);
    if (k->root_len == TREEHASH_BYTES) {
        r->current++;
        verify(n, t, k);
    }
    return !transfer_ended(t);
}

/* After the last file nothing may come but the end. */
static void expect_end(struct node *n, struct transfer *t) {
    struct span sp;
    bool fin = false;
    if (stream_peek(n->ep, t->session, t->stream, t->recv->skip, &sp, 1, &fin) > 0)
        file_recv_refuse(n, t, ERR_PROTO, NULL);
}

void file_recv_pump(struct node *n, struct transfer *t) {
    bool more = true;
    while (more) {
        struct file_recv *r = t->recv;
        if (transfer_ended(t) || !t->has_stream || r->stage != RECV_FLOWING)
            return;
        if (r->current == t->info.files) {
            expect_end(n, t);
            return;
        }
        if (!create_ahead(n, t) || r->current == r->next)
            return;
        struct sink *k = sink_at(r, r->current);
        if (k->given < t->manifest.files[k->index].size)
            more = take_bytes(n, t, k);
        else
            more = take_root(n, t, k);
        if (more && t->info.state == TRANSFER_RUNNING && r->current == t->info.files)
            transfer_enter(n, t, TRANSFER_VERIFYING);
    }
}

/* ---- what comes back from the disk ---- */
static void write_done(struct node *n, struct transfer *t, struct sink *k, uint64_t bytes) {
    struct file_recv *r = t->recv;
    k->written += bytes;
    r->written_bytes += bytes;
    r->skip -= (size_t)bytes;
    stream_consume(n->ep, n->now_us, t->session, t->stream, (size_t)bytes);
    transfer_progress(n, t, r->written_bytes);
    verify(n, t, k);
}

static void commit_done(struct node *n, struct transfer *t, struct sink *k) {
    struct file_recv *r = t->recv;
    work_slot_give(&n->work, k->slot);
    k->phase = SINK_DONE;
    treehash_free(k->hash);
    k->hash = NULL;
    t->info.files_done++;
    while (r->first < r->current && sink_at(r, r->first)->phase == SINK_DONE)
        r->first++;
    if (r->first < t->info.files)
        return;
    struct reply yes = {.has_files = true, .files = t->info.files};
    if (say(n, t->session, t->stream, &yes) && stream_finish(n->ep, t->session, t->stream) == 0)
        transfer_enter(n, t, TRANSFER_DONE);
    else
        transfer_abort(n, t, ERR_CLOSED, NULL);
}

static void sink_op_done(struct node *n, struct transfer *t, struct file_op *op) {
    struct sink *k = sink_by_slot(t->recv, op->slot);
    enum file_op_kind kind = op->kind;
    int err = op->err;
    uint64_t bytes = op->size;
    work_release(&n->work, op);
    k->busy = false;
    if (err) {
        if (kind == FILE_CREATE) {
            work_slot_give(&n->work, k->slot);
            k->phase = SINK_DONE; /* nothing to close */
        }
        file_recv_refuse(n, t, err, name_of(t, k));
    } else if (kind == FILE_CREATE) {
        k->phase = SINK_WRITING;
        verify(n, t, k);
    } else if (kind == FILE_WRITE) {
        write_done(n, t, k, bytes);
    } else {
        commit_done(n, t, k);
    }
}

void file_recv_op_done(struct node *n, struct transfer *t, struct file_op *op) {
    int err = op->err;
    if (op->kind == FILE_PREPARE) {
        work_release(&n->work, op);
        if (err)
            file_recv_refuse(n, t, err, NULL);
        else
            check_names(n, t);
    } else if (op->kind == FILE_CHECK) {
        const char *name = t->manifest.files[op->offset].name;
        work_release(&n->work, op);
        t->recv->checked++;
        if (err)
            file_recv_refuse(n, t, err, name);
        else
            check_names(n, t);
    } else {
        sink_op_done(n, t, op);
        if (!transfer_ended(t))
            file_recv_pump(n, t);
    }
}

void file_recv_event(struct node *n, struct transfer *t, const struct ep_event *ev) {
    if (ev->kind == EP_STREAM_READABLE) {
        file_recv_pump(n, t);
    } else if (ev->kind == EP_STREAM_RESET) {
        int err = ev->err ? ev->err : ERR_RESET;
        int gone = stream_reset(n->ep, t->session, t->stream, err);
        (void)gone;
        t->has_stream = false;
        transfer_fail(n, t, err, NULL);
    }
}

/* ---- the end ---- */
void file_recv_free(struct node *n, struct transfer *t) {
    (void)n;
    for (uint32_t i = t->recv->first; i < t->recv->next; i++)
        treehash_free(sink_at(t->recv, i)->hash);
    free(t->recv);
    t->recv = NULL;
}

void file_recv_wind_down(struct node *n, struct transfer *t) {
    struct file_recv *r = t->recv;
    for (uint32_t i = r->first; i < r->next; i++) {
        struct sink *k = sink_at(r, i);
        if (!k->busy && k->phase != SINK_DONE)
            transfer_close_slot(n, t, k->slot);
    }
    if (t->ops_out == 0)
        file_recv_free(n, t);
}

void file_recv_late_op(struct node *n, struct transfer *t, struct file_op *op) {
    bool has_slot = op->kind != FILE_PREPARE && op->kind != FILE_CHECK;
    bool closed = op->kind == FILE_CLOSE || (op->kind == FILE_CREATE && op->err) ||
                  (op->kind == FILE_COMMIT && !op->err);
    if (has_slot && closed)
        work_slot_give(&n->work, op->slot);
    else if (has_slot)
        transfer_close_slot(n, t, op->slot);
    work_release(&n->work, op);
    if (t->ops_out == 0)
        file_recv_free(n, t);
}

static int accept_or_not(struct node *n, uint64_t id, struct transfer **t) {
    *t = transfer_by_id(n, id);
    if (!*t || !(*t)->reported)
        return ERR_NOT_FOUND;
    return file_recv_waits(*t) ? 0 : ERR_USAGE;
}

int node_accept(struct node *n, uint64_t now_us, uint64_t id, const char *dir) {
    n->now_us = now_us;
    struct transfer *t;
    int err = accept_or_not(n, id, &t);
    if (err)
        return err;
    if (!dir)
        dir = n->download_dir;
    if (dir[0] == '\0' || strlen(dir) >= sizeof t->info.dir)
        return ERR_USAGE;
    file_recv_accept(n, t, dir);
    return 0;
}

int node_reject(struct node *n, uint64_t now_us, uint64_t id) {
    n->now_us = now_us;
    struct transfer *t;
    int err = accept_or_not(n, id, &t);
    if (!err)
        file_recv_refuse(n, t, ERR_REFUSED, NULL);
    return err;
}
