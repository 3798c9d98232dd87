#include "node/file/file_recv.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/channel/reply.h"
#include "node/disk/file_queue.h"
#include "node/file/offers.h"
#include "node/file/sink.h"
#include "node/file/transfer.h"

/* ---- answers ---- */
/* All of it or a reset: an answer is far smaller than a fresh stream's credit. */
static bool say(struct transfers *files, struct session_ref s, uint64_t stream,
                const struct reply *r) {
    uint8_t buf[REPLY_MAX_BYTES];
    size_t len, taken = 0;
    int err = reply_encode(r, buf, &len);
    if (!err)
        err = stream_write(files->turn->ep, s, stream, buf, len, &taken);
    if (!err && taken < len)
        err = ERR_AGAIN;
    if (err)
        err = stream_reset(files->turn->ep, s, stream, r->err ? r->err : err);
    return !err && taken == len;
}

/* The last word: err, FIN, and nothing more is read. */
static void say_no(struct transfers *files, struct session_ref s, uint64_t stream, int err,
                   struct cause cause, const char *file) {
    struct reply r = {.err = err, .limit = cause.limit, .max = cause.max};
    if (file)
        snprintf(r.file, sizeof r.file, "%s", file);
    int gone = 0;
    if (say(files, s, stream, &r))
        gone = stream_finish(files->turn->ep, s, stream);
    gone = stream_stop(files->turn->ep, s, stream, err);
    (void)gone; /* a stream that is gone needs no word */
}

void file_recv_refuse_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                         const char *file) {
    if (t->has_stream)
        say_no(files, t->session, t->stream, err, cause, file);
    t->has_stream = false;
    transfer_fail_as(files, t, err, cause, file);
}

void file_recv_refuse(struct transfers *files, struct transfer *t, int err, const char *file) {
    file_recv_refuse_as(files, t, err, turn_why(files->turn, err), file);
}

/* ---- the offer ---- */
void file_recv_no(struct transfers *files, struct session_ref s, uint64_t stream, int err) {
    say_no(files, s, stream, err, turn_why(files->turn, err), NULL);
}

static void tell_offer(struct transfers *files, const struct transfer *t) {
    struct node_event *e = contacts_tell(files->contacts, NODE_TRANSFER_OFFERED, t->info.contact);
    e->id = t->info.id;
    e->total = t->info.bytes_total;
}

void file_recv_offer(struct transfers *files, struct contact *c, struct session_ref s,
                     uint64_t stream, struct manifest *m) {
    struct transfer *t = NULL;
    int err = offers_make_room(files, c, m->held_bytes);
    if (!err)
        err = transfer_new(files, c, false, TRANSFER_OFFERED, &t);
    if (err) {
        manifest_clear(m);
        say_no(files, s, stream, err, turn_why(files->turn, err), NULL);
        return;
    }
    t->manifest = *m;
    transfer_take_stream(files, t, s, stream);
    watch_start(files->watch);
    transfer_report(files, t);
    t->info.files = m->count;
    t->info.bytes_total = m->total_bytes;
    t->recv = mem_calloc(1, sizeof *t->recv);
    char dir[1024];
    /* Who waits for it hears, too, that it is too large. */
    const bool wanted = recv_rule_apply(&files->rules, &c->id, dir, &t->info.rule);
    if (!t->recv)
        file_recv_refuse(files, t, ERR_NOMEM, NULL);
    else if (files->accept_max_bytes && m->total_bytes > files->accept_max_bytes)
        file_recv_refuse(files, t, turn_met(files->turn, LIMIT_ACCEPT, files->accept_max_bytes),
                         NULL);
    else if (wanted)
        file_recv_accept(files, t, dir);
    else
        tell_offer(files, t);
}

bool file_recv_waits(const struct transfer *t) {
    return t->recv && t->info.state == TRANSFER_OFFERED && t->recv->stage == RECV_WAITS;
}

bool file_recv_stalls(const struct transfers *files, const struct transfer *t) {
    const struct file_recv *r = t->recv;
    return r && r->stage == RECV_FLOWING && !transfer_ended(t) && t->ops_out == 0 &&
           files->turn->now_us >= r->moved_us + TRANSFER_STALL_US;
}

void file_recv_accept(struct transfers *files, struct transfer *t, const char *dir) {
    snprintf(t->info.dir, sizeof t->info.dir, "%s", dir);
    struct file_op *op = transfer_op(files, t, FILE_OP_PREPARE);
    if (!op) {
        file_recv_refuse(files, t, ERR_NOMEM, NULL);
        return;
    }
    t->recv->stage = RECV_PREPARING;
    op->path = t->info.dir;
    op->size = t->info.bytes_total;
    transfer_submit(files, t, op);
}

static void check_names(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->recv;
    uint32_t count = t->info.files <= RECV_CHECK_FILES ? t->info.files : 0;
    r->stage = RECV_CHECKING;
    while (r->check_next < count && t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(files, t, FILE_OP_CHECK);
        if (!op) {
            file_recv_refuse(files, t, ERR_NOMEM, NULL);
            return;
        }
        op->path = t->info.dir;
        op->offset = r->check_next;
        op->name = t->manifest.files[r->check_next++].name;
        transfer_submit(files, t, op);
    }
    if (r->checked < count)
        return;
    struct reply yes = {0};
    if (!say(files, t->session, t->stream, &yes)) {
        transfer_abort(files, t, ERR_CLOSED, NULL);
        return;
    }
    r->stage = RECV_FLOWING;
    r->moved_us = files->turn->now_us;
    transfer_enter(files, t, TRANSFER_RUNNING);
    file_recv_pump(files, t);
}

static void say_finished(struct transfers *files, struct transfer *t) {
    struct reply yes = {.has_files = true, .files = t->info.files};
    if (say(files, t->session, t->stream, &yes) &&
        stream_finish(files->turn->ep, t->session, t->stream) == 0)
        transfer_enter(files, t, TRANSFER_DONE);
    else
        transfer_abort(files, t, ERR_CLOSED, NULL);
}

void file_recv_finished(struct transfers *files, struct transfer *t) {
    struct file_op *op = transfer_op(files, t, FILE_OP_SYNC_DIR);
    if (!op) {
        file_recv_refuse(files, t, ERR_NOMEM, NULL);
        return;
    }
    op->path = t->info.dir;
    transfer_submit(files, t, op);
}

void file_recv_pump(struct transfers *files, struct transfer *t) {
    sink_pump(files, t);
}

void file_recv_op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    int err = op->err;
    if (op->kind == FILE_OP_PREPARE) {
        work_release(files->work, op);
        if (err)
            file_recv_refuse(files, t, err, NULL);
        else
            check_names(files, t);
    } else if (op->kind == FILE_OP_CHECK) {
        const char *name = t->manifest.files[op->offset].name;
        work_release(files->work, op);
        t->recv->checked++;
        if (err)
            file_recv_refuse(files, t, err, name);
        else
            check_names(files, t);
    } else if (op->kind == FILE_OP_SYNC_DIR) {
        work_release(files->work, op);
        if (err)
            file_recv_refuse(files, t, err, NULL);
        else
            say_finished(files, t);
    } else {
        sink_op_done(files, t, op);
        if (!transfer_ended(t))
            file_recv_pump(files, t);
    }
}

void file_recv_event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    if (ev->kind == EP_STREAM_READABLE) {
        file_recv_pump(files, t);
    } else if (ev->kind == EP_STREAM_RESET) {
        int err = ev->err ? ev->err : ERR_RESET;
        int gone = stream_reset(files->turn->ep, t->session, t->stream, err);
        (void)gone;
        t->has_stream = false;
        transfer_fail_as(files, t, err, cause_said(err, LIMIT_NONE, 0), NULL);
    }
}

/* ---- the end ---- */
void file_recv_free(struct transfer *t) {
    sink_free_all(t);
    mem_free(t->recv);
    t->recv = NULL;
}

void file_recv_wind_down(struct transfers *files, struct transfer *t) {
    sink_wind_down(files, t);
    if (t->ops_out == 0)
        file_recv_free(t);
}

void file_recv_late_op(struct transfers *files, struct transfer *t, struct file_op *op) {
    bool has_slot = file_op_has_slot(op->kind);
    bool closed = op->kind == FILE_OP_CLOSE || (op->kind == FILE_OP_CREATE && op->err) ||
                  (op->kind == FILE_OP_COMMIT && !op->err);
    if (has_slot && closed)
        work_slot_give(files->work, op->slot);
    else if (has_slot)
        transfer_close_slot(files, t, op->slot);
    work_release(files->work, op);
    if (t->ops_out == 0)
        file_recv_free(t);
}

static int accept_or_not(struct transfers *files, uint64_t id, struct transfer **t) {
    *t = transfer_by_id(files, id);
    if (!*t || !(*t)->reported)
        return ERR_NOT_FOUND;
    return file_recv_waits(*t) ? 0 : ERR_USAGE;
}

bool transfer_waits(const struct transfers *files, uint64_t id) {
    const struct transfer *t = transfer_by_id(files, id);
    return t && t->reported && file_recv_waits(t);
}

int transfer_accept(struct transfers *files, uint64_t id, const char *dir) {
    struct transfer *t;
    int err = accept_or_not(files, id, &t);
    if (err)
        return err;
    if (!dir)
        dir = files->rules.download_dir;
    if (dir[0] == '\0' || strlen(dir) >= sizeof t->info.dir)
        return ERR_USAGE;
    file_recv_accept(files, t, dir);
    return 0;
}

int transfer_reject(struct transfers *files, uint64_t id) {
    struct transfer *t;
    int err = accept_or_not(files, id, &t);
    if (!err)
        file_recv_refuse(files, t, ERR_REFUSED, NULL);
    return err;
}
