#include "node/file/file_send.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/channel/reply.h"
#include "node/disk/file_queue.h"
#include "node/file/source.h"
#include "node/file/transfer.h"

/* ---- beginning and end ---- */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void step_made(struct transfers *files, size_t bytes) {
    files->step_bytes += bytes;
    if (files->step_bytes > files->step_most)
        files->step_most = files->step_bytes;
}

/* True if there is something left of this step's work. */
static bool step_left(struct transfers *files) {
    if (files->step_bytes < SEND_STEP_BYTES)
        return true;
    files->more = true;
    return false;
}

/* The manifest gets the names, as many as this step has room for. ERR_USAGE (one is there twice, or
 * is no name), ERR_NAME (*bad may not be sent). */
static int take_names(struct transfers *files, struct transfer *t, const char **bad) {
    struct file_send *s = t->send;
    while (s->named < t->info.files && step_left(files)) {
        const char *name = s->name ? s->name : base_name(s->paths[s->named]);
        const size_t len = strlen(name);
        *bad = name;
        if (len == 0)
            return ERR_USAGE;
        if (!manifest_name_ok(name, len))
            return ERR_NAME;
        int err = manifest_add(&t->manifest, name, len);
        if (err)
            return err == ERR_EXISTS ? ERR_USAGE : err;
        s->named++;
        step_made(files, SEND_NAME_BYTES + len);
    }
    if (s->named == t->info.files)
        manifest_complete(&t->manifest);
    return 0;
}

static bool open_sources(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    while (s->named == t->info.files && s->opened < t->info.files &&
           t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(files, t, FILE_OP_OPEN);
        int err = op ? work_slot_take(files->work, &op->slot) : ERR_NOMEM;
        if (err == ERR_FULL && t->ops_out == 0)
            err = turn_met(files->turn, LIMIT_OPEN_FILES, FILE_SLOTS_MAX);
        if (err) {
            if (op)
                work_release(files->work, op);
            if (t->ops_out > 0) /* tried again when one is back */
                return true;
            transfer_fail(files, t, err, NULL);
            return false;
        }
        op->path = s->paths[s->opened];
        op->offset = s->opened++;
        transfer_submit(files, t, op);
    }
    return true;
}

int file_send_start(struct transfers *files, struct transfer *t, const struct send_order *order) {
    const unsigned count = order->count;
    struct file_send *s = t->send = mem_calloc(1, sizeof *t->send);
    if (!s) {
        mem_free(order->paths);
        return ERR_NOMEM;
    }
    s->paths = order->paths;
    blob_in_init(&s->reply, REPLY_MAX_BYTES);
    s->mtime_ns = mem_calloc(count, sizeof *s->mtime_ns);
    s->name = order->name ? mem_strdup(order->name) : NULL;
    if (!s->mtime_ns || (order->name && !s->name))
        return ERR_NOMEM;
    uint8_t key[MANIFEST_KEY_BYTES];
    rng_fill(&files->turn->env.rng, key, sizeof key);
    manifest_init(&t->manifest, key);
    t->info.files = count;
    const char *bad = NULL;
    int err = 0;
    if (count > SEND_NAMES_AT_ONCE)
        files->more = true;
    else
        err = take_names(files, t, &bad);
    if (err && err != ERR_NAME)
        return err;
    transfer_report(files, t);
    if (err)
        transfer_fail(files, t, err, bad);
    else
        open_sources(files, t);
    return 0;
}

void file_send_free(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    source_free_all(files, t);
    blob_in_clear(&s->reply);
    mem_free(s->paths);
    mem_free(s->name);
    mem_free(s->mtime_ns);
    mem_free(s);
    t->send = NULL;
}

void file_send_wind_down(struct transfers *files, struct transfer *t) {
    source_wind_down(files, t);
    if (t->ops_out == 0)
        file_send_free(files, t);
}

void file_send_late_op(struct transfers *files, struct transfer *t, struct file_op *op) {
    if (op->kind == FILE_OP_CLOSE || (op->kind == FILE_OP_OPEN && op->err))
        work_slot_give(files->work, op->slot);
    else
        transfer_close_slot(files, t, op->slot);
    work_release(files->work, op);
    if (t->ops_out == 0)
        file_send_free(files, t);
}

/* ---- the offer ---- */
static void flush_offer(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    const uint8_t *p;
    size_t len;
    if (s->stopped) /* its answer came before all of the offer was gone */
        return;
    while ((len = manifest_out_next(&s->offer, &t->manifest, s->offer_bytes, &p)) > 0) {
        if (!step_left(files))
            return;
        size_t taken = 0;
        int err = stream_write(files->turn->ep, t->session, t->stream, p, len, &taken);
        manifest_out_gone(&s->offer, taken);
        step_made(files, taken);
        if (err == ERR_AGAIN)
            return;
        if (err) {
            transfer_abort(files, t, err, NULL);
            return;
        }
    }
    s->offered = true;
}

void file_send_offer(struct transfers *files, struct transfer *t, struct contact *c) {
    struct file_send *s = t->send;
    uint64_t stream = 0;
    s->offer_bytes = manifest_head_bytes(t->info.files) + s->files_bytes;
    int err = s->offer_bytes > MANIFEST_MAX_BYTES
                  ? turn_met(files->turn, LIMIT_MANIFEST, MANIFEST_MAX_BYTES)
                  : stream_open(files->turn->ep, c->peering->session, &stream);
    if (err == ERR_FULL && files->turn->met.limit != LIMIT_MANIFEST)
        err = turn_met(files->turn, LIMIT_STREAMS, STREAMS_MAX);
    if (err) {
        transfer_fail(files, t, err, NULL);
        return;
    }
    transfer_take_stream(files, t, c->peering->session, stream);
    stream_set_priority(files->turn->ep, t->session, t->stream, SEND_PRIORITY);
    watch_start(files->watch);
    t->asked_us = files->turn->now_us;
    dial_expect(files->dials, c->peering);
    transfer_enter(files, t, TRANSFER_OFFERED);
    flush_offer(files, t);
}

void file_send_step(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    if (t->info.state == TRANSFER_OPENING && s->named < t->info.files) {
        const char *bad = NULL;
        const int err = take_names(files, t, &bad);
        if (err)
            transfer_fail(files, t, err, bad);
        else
            open_sources(files, t);
    } else if (t->info.state == TRANSFER_OFFERED && t->has_stream && !s->offered) {
        flush_offer(files, t);
    }
}

/* A session that was up may be dead without our knowing: the peer restarted and its goodbye was lost. Then the first thing
 * sent on it, the offer, reveals it, and nothing is lost by offering again on the next one. Not
 * after a STOP: that was its answer. */
bool file_send_again(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->send;
    struct contact *c = contact_by_serial(files->contacts, t->contact);
    if (!c || files->turn->shut || s->stopped || s->again == OFFERS_AGAIN_MAX)
        return false;
    s->again++;
    s->offer = (struct manifest_out){0};
    s->offered = false;
    blob_in_clear(&s->reply);
    blob_in_init(&s->reply, REPLY_MAX_BYTES);
    transfer_enter(files, t, TRANSFER_CONNECTING);
    const int err = dial_now(files->dials, c->peering);
    if (err)
        transfer_fail(files, t, err, NULL);
    return true;
}

/* Every source is known to be readable: now the peer is bothered. */
static void sources_known(struct transfers *files, struct transfer *t) {
    struct contact *c = contact_by_serial(files->contacts, t->contact);
    if (!c) {
        transfer_fail(files, t, ERR_CANCELLED, NULL);
        return;
    }
    if (c->peering->online) {
        file_send_offer(files, t, c);
        return;
    }
    transfer_enter(files, t, TRANSFER_CONNECTING);
    int err = dial_now(files->dials, c->peering);
    if (err)
        transfer_fail(files, t, err, NULL);
}

/* First pass: each source is opened, looked at and closed. */
static void first_pass_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct file_send *s = t->send;
    uint32_t i = (uint32_t)op->offset;
    if (op->kind == FILE_OP_CLOSE) {
        work_slot_give(files->work, op->slot);
        work_release(files->work, op);
        if (++s->closed == t->info.files)
            sources_known(files, t);
        else
            open_sources(files, t);
        return;
    }
    int err = op->err;
    if (err) {
        work_slot_give(files->work, op->slot);
        work_release(files->work, op);
        transfer_fail(files, t, err, s->paths[i]);
        return;
    }
    t->manifest.files[i].size = op->size;
    t->manifest.files[i].mode = op->mode & 0777;
    t->manifest.files[i].mtime_s = op->mtime_s;
    s->mtime_ns[i] = op->mtime_ns;
    t->manifest.total_bytes += op->size;
    s->files_bytes += manifest_file_bytes(&t->manifest.files[i]);
    t->info.bytes_total = t->manifest.total_bytes;
    bool closing = transfer_close_slot(files, t, op->slot);
    work_release(files->work, op);
    if (!closing)
        transfer_fail(files, t, ERR_NOMEM, NULL);
}

/* ---- running ---- */
void file_send_pump(struct transfers *files, struct transfer *t) {
    source_pump(files, t);
}

void file_send_op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    if (t->info.state == TRANSFER_OPENING) {
        first_pass_done(files, t, op);
        return;
    }
    source_op_done(files, t, op);
    if (!transfer_ended(t))
        file_send_pump(files, t);
}

/* ---- what the peer says ---- */
static void replied(struct transfers *files, struct transfer *t, const struct reply *r) {
    struct file_send *s = t->send;
    if (r->err) {
        transfer_abort_as(files, t, r->err, cause_said(r->err, r->limit, r->max),
                          r->file[0] ? r->file : NULL);
    } else if (!s->accepted && s->offered) {
        s->accepted = true;
        t->deadline_us = 0;
        blob_in_clear(&s->reply);
        transfer_enter(files, t, TRANSFER_RUNNING);
        file_send_pump(files, t);
    } else if (t->info.state == TRANSFER_VERIFYING && r->has_files && r->files == t->info.files) {
        transfer_enter(files, t, TRANSFER_DONE);
    } else {
        transfer_abort(files, t, ERR_PROTO, NULL);
    }
}

static void read_reply(struct transfers *files, struct transfer *t) {
    while (!transfer_ended(t)) {
        struct file_send *s = t->send;
        struct span sp;
        struct reply r;
        bool fin = false;
        size_t used = 0;
        unsigned got = stream_peek(files->turn->ep, t->session, t->stream, 0, &sp, 1, &fin);
        if (got == 0) {
            if (fin) /* an end without an answer */
                transfer_abort_as(
                    files, t, s->stopped ? t->deadline_err : ERR_PROTO,
                    s->stopped ? file_send_stopped(t->deadline_err) : cause_here(ERR_PROTO), NULL);
            return;
        }
        int err = blob_in_feed(&s->reply, sp.block->data + sp.offset, sp.len, &used);
        stream_consume(files->turn->ep, files->turn->now_us, t->session, t->stream, used);
        if (!err && s->reply.whole)
            err = reply_decode(&r, s->reply.buf, s->reply.len);
        if (err)
            transfer_abort(files, t, err, NULL);
        else if (s->reply.whole)
            replied(files, t, &r);
    }
}

/* Error 12 without words is said to who begins too much (node/channel/intake.h). */
struct cause file_send_stopped(int err) {
    return cause_said(err, LIMIT_BEGINNINGS, 0);
}

void file_send_event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    struct file_send *s = t->send;
    if (ev->kind == EP_STREAM_READABLE) {
        read_reply(files, t);
    } else if (ev->kind == EP_STREAM_WRITABLE) {
        if (t->info.state == TRANSFER_OFFERED && !s->offered)
            flush_offer(files, t);
        else
            file_send_pump(files, t);
    } else if (ev->kind == EP_STREAM_RESET) {
        const int err = ev->err ? ev->err : ERR_RESET;
        transfer_abort_as(files, t, err, file_send_stopped(err), NULL);
    } else if (ev->kind == EP_STREAM_STOPPED && !s->stopped) {
        /* Its answer, which says which file it is about, is on the way. */
        s->stopped = true;
        t->deadline_err = ev->err ? ev->err : ERR_RESET;
        t->deadline_us = files->turn->now_us + TRANSFER_STOP_US;
    }
}

int transfer_send(struct transfers *files, const struct send_order *order, uint64_t *id) {
    struct contact *c = contact_by_name(files->contacts, order->contact);
    const unsigned count = order->count;
    struct transfer *t;
    int err = c ? 0 : ERR_NOT_FOUND;
    if (!err && (count == 0 || count > TRANSFER_FILES_MAX || (order->name && count > 1) ||
                 files->turn->shut))
        err = ERR_USAGE;
    if (!err)
        err = transfer_new(files, c, true, TRANSFER_OPENING, &t);
    if (err) {
        mem_free(order->paths);
        return err;
    }
    if (order->timeout_us) {
        t->deadline_us = files->turn->now_us + order->timeout_us;
        t->deadline_err = ERR_TIMEOUT;
    }
    err = file_send_start(files, t, order);
    if (err) {
        transfer_fail(files, t, err, NULL); /* not reported: nobody hears of it */
        return err;
    }
    *id = t->info.id;
    return 0;
}
