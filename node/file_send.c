#include "node/file_send.h"

#include <stdlib.h>
#include <string.h>

#include "node/blob.h"
#include "node/core.h"
#include "node/reply.h"

enum source_phase {
    SOURCE_OPENING,
    SOURCE_READING,
    SOURCE_CLOSING, /* all read; FILE_CLOSE tells whether it was changed meanwhile */
    SOURCE_READY,   /* the root is known */
};

struct source { /* a file of the window */
    uint32_t index, slot;
    enum source_phase phase;
    bool busy;           /* an operation is out */
    uint64_t asked;      /* by the READ that is out */
    uint64_t read_bytes; /* what has come */
    struct treehash *hash;
    uint8_t root[TREEHASH_BYTES];
    size_t root_at;             /* bytes of it the stream has taken */
    struct file_op *head, *tail; /* finished READs whose spans wait for the stream */
    unsigned span_at;           /* in head */
};

struct file_send {
    char **paths; /* one allocation with their text */
    uint32_t *mtime_ns;
    uint32_t opened, closed; /* first pass over the sources: asked for, and finished */
    uint8_t *offer;          /* channel and manifest on their way */
    size_t offer_len, offer_at;
    struct blob_in reply;
    bool accepted, stopped;
    struct source window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, next;                  /* files first..next-1 are in the window */
    uint64_t ahead_bytes;                  /* asked for or waiting for the stream */
    uint64_t given_bytes;                  /* the stream has taken */
};

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

/* ---- beginning and end ---- */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int copy_paths(struct transfer *t, const char *const *paths, unsigned count) {
    struct file_send *s = t->send;
    size_t text = 0, names = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!paths[i] || base_name(paths[i])[0] == '\0')
            return ERR_USAGE;
        text += strlen(paths[i]) + 1;
        names += strlen(base_name(paths[i])) + 1;
    }
    s->paths = malloc(count * sizeof *s->paths + text);
    s->mtime_ns = calloc(count, sizeof *s->mtime_ns);
    int err = manifest_init(&t->manifest, count, names);
    if (!s->paths || !s->mtime_ns || err)
        return ERR_NOMEM;
    char *at = (char *)(s->paths + count), *name_at = t->manifest.names;
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(paths[i]) + 1;
        s->paths[i] = memcpy(at, paths[i], n);
        at += n;
        n = strlen(base_name(paths[i])) + 1;
        t->manifest.files[i].name = memcpy(name_at, base_name(paths[i]), n);
        name_at += n;
    }
    bool twice = false;
    err = manifest_find_double(&t->manifest, &twice);
    return err ? err : twice ? ERR_USAGE : 0;
}

static bool open_sources(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    while (s->opened < t->info.files && t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(n, t, FILE_OPEN);
        int err = op ? work_slot_take(&n->work, &op->slot) : ERR_NOMEM;
        if (err) {
            if (op)
                work_release(&n->work, op);
            if (t->ops_out > 0) /* tried again when one is back */
                return true;
            transfer_fail(n, t, err, NULL);
            return false;
        }
        op->path = s->paths[s->opened];
        op->offset = s->opened++;
        transfer_submit(n, t, op);
    }
    return true;
}

int file_send_start(struct node *n, struct transfer *t, const char *const *paths, unsigned count) {
    t->send = calloc(1, sizeof *t->send);
    if (!t->send)
        return ERR_NOMEM;
    blob_in_init(&t->send->reply, REPLY_MAX_BYTES);
    int err = copy_paths(t, paths, count);
    if (err)
        return err;
    t->manifest.alg = n->hash;
    t->info.files = count;
    t->reported = true;
    for (unsigned i = 0; i < count; i++) {
        const char *name = t->manifest.files[i].name;
        if (!manifest_name_ok(name, strlen(name))) {
            transfer_fail(n, t, ERR_FORMAT, name);
            return 0;
        }
    }
    open_sources(n, t);
    return 0;
}

static void free_source(struct node *n, struct source *src) {
    treehash_free(src->hash);
    src->hash = NULL;
    while (src->head) {
        struct file_op *op = src->head;
        src->head = op->next;
        work_release(&n->work, op);
    }
}

void file_send_free(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    for (uint32_t i = s->first; i < s->next; i++)
        free_source(n, source_at(s, i));
    blob_in_clear(&s->reply);
    free(s->offer);
    free(s->paths);
    free(s->mtime_ns);
    free(s);
    t->send = NULL;
}

void file_send_wind_down(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    for (uint32_t i = s->first; i < s->next; i++) {
        struct source *src = source_at(s, i);
        if (!src->busy && src->phase == SOURCE_READING)
            transfer_close_slot(n, t, src->slot);
        while (src->head) {
            struct file_op *op = src->head;
            src->head = op->next;
            work_release(&n->work, op);
        }
    }
    if (t->ops_out == 0)
        file_send_free(n, t);
}

void file_send_late_op(struct node *n, struct transfer *t, struct file_op *op) {
    if (op->kind == FILE_CLOSE || (op->kind == FILE_OPEN && op->err))
        work_slot_give(&n->work, op->slot);
    else
        transfer_close_slot(n, t, op->slot);
    work_release(&n->work, op);
    if (t->ops_out == 0)
        file_send_free(n, t);
}

/* ---- the offer ---- */
static bool flush_offer(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    while (s->offer_at < s->offer_len) {
        size_t taken = 0;
        int err = stream_write(n->ep, t->session, t->stream, s->offer + s->offer_at,
                               s->offer_len - s->offer_at, &taken);
        s->offer_at += taken;
        if (err == ERR_AGAIN)
            return false;
        if (err) {
            transfer_abort(n, t, err, NULL);
            return false;
        }
    }
    free(s->offer);
    s->offer = NULL;
    return true;
}

void file_send_offer(struct node *n, struct transfer *t, const struct contact *c) {
    struct file_send *s = t->send;
    int err = manifest_encode(&t->manifest, &s->offer, &s->offer_len);
    if (!err)
        err = stream_open(n->ep, c->session, &t->stream);
    if (err) {
        transfer_fail(n, t, err, NULL);
        return;
    }
    t->session = c->session;
    t->has_stream = true;
    transfer_enter(n, t, TRANSFER_OFFERED);
    flush_offer(n, t);
}

/* Every source is known to be readable: now the peer is bothered. */
static void sources_known(struct node *n, struct transfer *t) {
    struct contact *c = contact_by_serial(n, t->contact);
    if (!c) {
        transfer_fail(n, t, ERR_CANCELLED, NULL);
        return;
    }
    if (c->online) {
        file_send_offer(n, t, c);
        return;
    }
    transfer_enter(n, t, TRANSFER_CONNECTING);
    int err = endpoint_connect(n->ep, n->now_us, c->peer);
    if (err)
        transfer_fail(n, t, err, NULL);
}

/* First pass: each source is opened, looked at and closed. */
static void first_pass_done(struct node *n, struct transfer *t, struct file_op *op) {
    struct file_send *s = t->send;
    uint32_t i = (uint32_t)op->offset;
    if (op->kind == FILE_CLOSE) {
        work_slot_give(&n->work, op->slot);
        work_release(&n->work, op);
        if (++s->closed == t->info.files)
            sources_known(n, t);
        else
            open_sources(n, t);
        return;
    }
    int err = op->err;
    if (err) {
        work_slot_give(&n->work, op->slot);
        work_release(&n->work, op);
        transfer_fail(n, t, err, s->paths[i]);
        return;
    }
    t->manifest.files[i].size = op->size;
    t->manifest.files[i].mode = op->mode & 0777;
    t->manifest.files[i].mtime_s = op->mtime_s;
    s->mtime_ns[i] = op->mtime_ns;
    t->manifest.total_bytes += op->size;
    t->info.bytes_total = t->manifest.total_bytes;
    bool closing = transfer_close_slot(n, t, op->slot);
    work_release(&n->work, op);
    if (!closing)
        transfer_fail(n, t, ERR_NOMEM, NULL);
}

/* ---- reading ahead ---- */
/* Senders together leave a quarter of the pool to what comes in, and share the rest. */
static uint32_t blocks_allowed(const struct node *n) {
    uint32_t allowed = n->blocks_max / 4 * 3;
    return allowed ? allowed : 1;
}

static uint64_t ahead_limit(const struct node *n) {
    unsigned running = transfers_running(n);
    uint64_t share = (uint64_t)blocks_allowed(n) * STREAM_BLOCK_BYTES / (running ? running : 1);
    if (share < STREAM_BLOCK_BYTES)
        share = STREAM_BLOCK_BYTES;
    return share < SEND_AHEAD_BYTES ? share : SEND_AHEAD_BYTES;
}

/* Puts blocks for `bytes` into op, as many as there are; returns the bytes they hold. */
static uint64_t take_blocks(struct node *n, struct file_op *op, uint64_t bytes) {
    struct block_pool *pool = endpoint_blocks(n->ep);
    uint64_t got = 0;
    while (got < bytes && op->nspans < FILE_OP_SPANS &&
           block_pool_in_use(pool) < blocks_allowed(n)) {
        struct block *b = block_new(pool);
        if (!b)
            break;
        uint64_t len = bytes - got < STREAM_BLOCK_BYTES ? bytes - got : STREAM_BLOCK_BYTES;
        op->spans[op->nspans++] = (struct span){b, 0, (uint32_t)len};
        got += len;
    }
    return got;
}

static void read_more(struct node *n, struct transfer *t, struct source *src) {
    struct file_op *op = transfer_op(n, t, FILE_READ);
    uint64_t left = t->manifest.files[src->index].size - src->read_bytes;
    src->asked = op ? take_blocks(n, op, left + 1) : 0;
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
    struct file_op *op = transfer_op(n, t, FILE_OPEN);
    src->hash = treehash_new((enum treehash_alg)t->manifest.alg);
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

/* What is there of one file; 0 when the stream has all of it, ERR_AGAIN if something must be waited for. */
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

/* False if the transfer ended in it. */
static bool give(struct node *n, struct transfer *t) {
    struct file_send *s = t->send;
    int err = 0;
    while (s->first < s->next && (err = give_source(n, t, source_at(s, s->first))) == 0) {
        free_source(n, source_at(s, s->first));
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
    uint64_t unsent = stream_unsent(n->ep, t->session, t->stream);
    transfer_progress(n, t, unsent < s->given_bytes ? s->given_bytes - unsent : 0);
    return true;
}

void file_send_pump(struct node *n, struct transfer *t) {
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
    struct file_op *op = transfer_op(n, t, FILE_CLOSE);
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
    int err = op->err;
    s->ahead_bytes -= src->asked;
    if (err || op->bytes != due) {
        work_release(&n->work, op);
        if (err)
            transfer_abort(n, t, err, t->manifest.files[src->index].name);
        else
            changed(n, t, src);
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

static void window_op_done(struct node *n, struct transfer *t, struct file_op *op) {
    struct source *src = source_by_slot(t->send, op->slot);
    int err = op->err;
    src->busy = false;
    if (op->kind == FILE_READ) {
        read_done(n, t, src, op);
    } else if (op->kind == FILE_CLOSE) {
        bool same = as_before(t, src->index, op);
        src->phase = SOURCE_READY;
        work_slot_give(&n->work, op->slot);
        work_release(&n->work, op);
        if (!same)
            changed(n, t, src);
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

void file_send_op_done(struct node *n, struct transfer *t, struct file_op *op) {
    if (t->info.state == TRANSFER_OPENING) {
        first_pass_done(n, t, op);
        return;
    }
    window_op_done(n, t, op);
    if (!transfer_ended(t))
        file_send_pump(n, t);
}

/* ---- what the peer says ---- */
static void replied(struct node *n, struct transfer *t, const struct reply *r) {
    struct file_send *s = t->send;
    if (r->err) {
        transfer_abort(n, t, r->err, r->file[0] ? r->file : NULL);
    } else if (!s->accepted && s->offer == NULL) {
        s->accepted = true;
        t->deadline_us = 0;
        blob_in_clear(&s->reply);
        transfer_enter(n, t, TRANSFER_RUNNING);
        file_send_pump(n, t);
    } else if (t->info.state == TRANSFER_VERIFYING && r->has_files && r->files == t->info.files) {
        transfer_enter(n, t, TRANSFER_DONE);
    } else {
        transfer_abort(n, t, ERR_PROTO, NULL);
    }
}

static void read_reply(struct node *n, struct transfer *t) {
    while (!transfer_ended(t)) {
        struct file_send *s = t->send;
        struct span sp;
        struct reply r;
        bool fin = false;
        size_t used = 0;
        unsigned got = stream_peek(n->ep, t->session, t->stream, 0, &sp, 1, &fin);
        if (got == 0) {
            if (fin) /* an end without an answer */
                transfer_abort(n, t, s->stopped ? t->deadline_err : ERR_PROTO, NULL);
            return;
        }
        int err = blob_in_feed(&s->reply, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(n->ep, n->now_us, t->session, t->stream, used);
        if (!err && s->reply.whole)
            err = reply_decode(&r, s->reply.buf, s->reply.len);
        if (err)
            transfer_abort(n, t, err, NULL);
        else if (s->reply.whole)
            replied(n, t, &r);
    }
}

void file_send_event(struct node *n, struct transfer *t, const struct ep_event *ev) {
    struct file_send *s = t->send;
    if (ev->kind == EP_STREAM_READABLE) {
        read_reply(n, t);
    } else if (ev->kind == EP_STREAM_WRITABLE) {
        if (s->offer)
            flush_offer(n, t);
        else
            file_send_pump(n, t);
    } else if (ev->kind == EP_STREAM_RESET) {
        transfer_abort(n, t, ev->err ? ev->err : ERR_RESET, NULL);
    } else if (ev->kind == EP_STREAM_STOPPED && !s->stopped) {
        /* Its answer, which says which file it is about, is on the way. */
        s->stopped = true;
        t->deadline_err = ev->err ? ev->err : ERR_RESET;
        t->deadline_us = n->now_us + TRANSFER_STOP_US;
    }
}

int node_send(struct node *n, uint64_t now_us, const char *contact, const char *const *paths,
              unsigned count, uint64_t timeout_us, uint64_t *id) {
    n->now_us = now_us;
    struct contact *c = contact_by_name(n, contact);
    if (!c)
        return ERR_NOT_FOUND;
    if (count == 0 || count > TRANSFER_FILES_MAX || n->shut)
        return ERR_USAGE;
    struct transfer *t;
    int err = transfer_new(n, c, true, TRANSFER_OPENING, &t);
    if (err)
        return err;
    if (timeout_us) {
        t->deadline_us = now_us + timeout_us;
        t->deadline_err = ERR_TIMEOUT;
    }
    err = file_send_start(n, t, paths, count);
    if (err) {
        transfer_fail(n, t, err, NULL); /* not reported: nobody hears of it */
        return err;
    }
    *id = t->info.id;
    return 0;
}
