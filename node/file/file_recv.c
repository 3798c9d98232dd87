#include "node/file/file_recv.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/channel/reply.h"
#include "node/file/transfer/offers.h"
#include "node/peer/dead_peer.h"
#include "node/people/contact.h"

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
static void say_no(struct transfers *files, struct session_ref s, uint64_t stream,
                   const struct reply *r) {
    int gone = 0;
    if (say(files, s, stream, r))
        gone = stream_finish(files->turn->ep, s, stream);
    gone = stream_stop(files->turn->ep, s, stream, r->err);
    (void)gone; /* a stream that is gone needs no word */
}

void file_recv_no(struct transfers *files, struct session_ref s, uint64_t stream, int err) {
    const struct cause why = turn_why(files->turn, err);
    const struct reply no = {.err = err, .limit = why.limit, .max = why.max};
    say_no(files, s, stream, &no);
}

static void tell(struct transfers *files, struct transfer *t, int err, const struct cause *why,
                 const char *file) {
    struct reply no = {.err = err, .limit = why->limit, .max = why->max};
    if (file)
        snprintf(no.file, sizeof no.file, "%s", file);
    say_no(files, t->session, t->stream, &no);
    t->has_stream = false;
}

/* ---- room ---- */
bool file_recv_waits(const struct transfer *t) {
    const struct file_recv *r = t->side;
    return !t->info.outgoing && t->info.state == TRANSFER_OFFERED && r && r->stage == RECV_WAITS;
}

static bool stalls(const struct transfers *files, const struct transfer *t) {
    const struct file_recv *r = t->side;
    return r->stage == RECV_FLOWING && t->ops_out == 0 &&
           files->turn->now_us >= r->sinks.moved_us + RECV_STALL_US;
}

static enum offer_stand stand_of(const struct transfers *files, const struct transfer *t) {
    if (t->info.outgoing)
        return OFFER_GONE;
    if (transfer_ended(t))
        return t->ops_out > 0 ? OFFER_ENDS : OFFER_GONE;
    if (file_recv_waits(t))
        return OFFER_WAITS;
    return stalls(files, t) ? OFFER_STALLS : OFFER_MOVES;
}

/* For an offer of `c` that takes so many bytes; another contact's may have to go. ERR_FULL. */
static int make_room(struct transfers *files, const struct contact *c, size_t bytes) {
    struct offer list[TRANSFERS_MAX + TRANSFERS_KEPT];
    const struct offers o = {list, files->count};
    struct offers_word word;
    enum offers_verdict v;
    for (unsigned i = 0; i < files->count; i++) {
        const struct transfer *t = files->list[i];
        list[i] = (struct offer){t->contact, t->manifest.held_bytes, stand_of(files, t)};
    }
    while ((v = offers_judge(&o, c->serial, bytes, &word)) == OFFERS_GIVE_WAY) {
        struct transfer *t = files->list[word.at];
        transfer_abort(files, t, turn_met(files->turn, word.limit, word.max), NULL);
        list[word.at].stand = t->ops_out > 0 ? OFFER_GIVES : OFFER_GONE;
    }
    return v == OFFERS_ROOM ? 0 : turn_met(files->turn, word.limit, word.max);
}

/* ---- the offer ---- */
static void tell_offer(struct transfers *files, const struct transfer *t) {
    struct node_event *e = contacts_tell(files->contacts, NODE_TRANSFER_OFFERED, t->info.contact);
    e->id = t->info.id;
    e->total = t->info.bytes_total;
}

static const struct transfer_ops ops;

void file_recv_offer(struct receivers *all, struct contact *c, struct session_ref s,
                     uint64_t stream, struct manifest *m) {
    struct transfers *files = all->files;
    struct transfer *t = NULL;
    int err = make_room(files, c, m->held_bytes);
    if (!err)
        err = transfer_new(files, c, false, TRANSFER_OFFERED, &t);
    if (err) {
        manifest_clear(m);
        file_recv_no(files, s, stream, err);
        return;
    }
    t->manifest = *m;
    t->ops = &ops;
    transfer_take_stream(files, t, s, stream);
    watch_start(all->watch);
    transfer_report(files, t);
    t->info.files = m->count;
    t->info.bytes_total = m->total_bytes;
    struct file_recv *r = t->side = mem_calloc(1, sizeof *r);
    char dir[RECV_DIR_MAX];
    /* Who waits for it hears, too, that it is too large. */
    const bool wanted = recv_rule_apply(&all->rules, &c->id, dir, &t->info.rule);
    if (!r) {
        transfer_abort(files, t, ERR_NOMEM, NULL);
        return;
    }
    r->sinks.files = files;
    r->sinks.t = t;
    if (all->accept_max_bytes && m->total_bytes > all->accept_max_bytes)
        transfer_abort(files, t, turn_met(files->turn, LIMIT_ACCEPT, all->accept_max_bytes), NULL);
    else if (wanted)
        file_recv_accept(files, t, dir);
    else
        tell_offer(files, t);
}

void file_recv_accept(struct transfers *files, struct transfer *t, const char *dir) {
    struct file_recv *r = t->side;
    snprintf(t->info.dir, sizeof t->info.dir, "%s", dir);
    struct file_op *op = transfer_op(files, t, FILE_OP_PREPARE);
    if (!op) {
        transfer_abort(files, t, ERR_NOMEM, NULL);
        return;
    }
    r->stage = RECV_PREPARING;
    op->path = t->info.dir;
    op->size = t->info.bytes_total;
    transfer_submit(files, t, op);
}

/* ---- what comes ---- */
/* Every file is verified and has its name: once the directory is on the disk the sender hears it.
 * */
static void sync_dir(struct transfers *files, struct transfer *t) {
    struct file_op *op = transfer_op(files, t, FILE_OP_SYNC_DIR);
    if (!op) {
        transfer_abort(files, t, ERR_NOMEM, NULL);
        return;
    }
    op->path = t->info.dir;
    transfer_submit(files, t, op);
}

static void heed(struct sinks *w, enum sink_verdict v) {
    switch (v) {
    case SINK_GOES_ON:
        break;
    case SINK_WHOLE:
        sync_dir(w->files, w->t);
        break;
    case SINK_REFUSED:
        transfer_abort(w->files, w->t, w->err, w->bad);
        break;
    }
}

static void take_in(struct transfer *t) {
    struct file_recv *r = t->side;
    if (!transfer_ended(t) && t->has_stream && r->stage == RECV_FLOWING)
        heed(&r->sinks, sink_pump(&r->sinks));
}

static void check_names(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->side;
    uint32_t count = t->info.files <= RECV_CHECK_FILES ? t->info.files : 0;
    r->stage = RECV_CHECKING;
    while (r->check_next < count && t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(files, t, FILE_OP_CHECK);
        if (!op) {
            transfer_abort(files, t, ERR_NOMEM, NULL);
            return;
        }
        op->path = t->info.dir;
        op->item = r->check_next;
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
    r->sinks.moved_us = files->turn->now_us;
    transfer_enter(files, t, TRANSFER_RUNNING);
    take_in(t);
}

static void say_finished(struct transfers *files, struct transfer *t) {
    struct reply yes = {.has_files = true, .files = t->info.files};
    if (say(files, t->session, t->stream, &yes) &&
        stream_finish(files->turn->ep, t->session, t->stream) == 0)
        transfer_enter(files, t, TRANSFER_DONE);
    else
        transfer_abort(files, t, ERR_CLOSED, NULL);
}

static void op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct file_recv *r = t->side;
    const enum file_op_kind kind = op->kind;
    const int err = op->err;
    if (file_op_has_slot(kind)) {
        heed(&r->sinks, sink_op_done(&r->sinks, op));
        take_in(t);
        return;
    }
    const char *name = kind == FILE_OP_CHECK ? t->manifest.files[op->item].name : NULL;
    work_release(files->work, op);
    r->checked += kind == FILE_OP_CHECK;
    if (err)
        transfer_abort(files, t, err, name);
    else if (kind == FILE_OP_SYNC_DIR)
        say_finished(files, t);
    else
        check_names(files, t);
}

static void event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    if (ev->kind == EP_STREAM_READABLE) {
        take_in(t);
    } else if (ev->kind == EP_STREAM_RESET) {
        int err = ev->err ? ev->err : ERR_RESET;
        int gone = stream_reset(files->turn->ep, t->session, t->stream, err);
        (void)gone;
        t->has_stream = false;
        transfer_fail_as(files, t, err, cause_said(err, LIMIT_NONE, 0), NULL);
    }
}

/* What was held back is handed on. */
static void wake(struct transfers *files, struct transfer *t) {
    take_in(t);
    if (t->wake_us <= files->turn->now_us)
        t->wake_us = 0;
}

/* ---- the end ---- */
static void wind_down(struct transfers *files, struct transfer *t) {
    struct file_recv *r = t->side;
    (void)files;
    sink_wind_down(&r->sinks);
}

static void late_op(struct transfers *files, struct transfer *t, struct file_op *op) {
    bool has_slot = file_op_has_slot(op->kind);
    bool closed = op->kind == FILE_OP_CLOSE || (op->kind == FILE_OP_CREATE && op->err) ||
                  (op->kind == FILE_OP_COMMIT && !op->err);
    if (has_slot && closed)
        work_slot_give(files->work, op->slot);
    else if (has_slot)
        transfer_close_slot(files, t, op->slot);
    work_release(files->work, op);
}

static void free_side(struct transfers *files, void *side) {
    struct file_recv *r = side;
    (void)files;
    sink_clear(&r->sinks);
    mem_free(r);
}

static const struct transfer_ops ops = {.event = event,
                                        .wake = wake,
                                        .tell = tell,
                                        .op_done = op_done,
                                        .late_op = late_op,
                                        .wind_down = wind_down,
                                        .free = free_side};
