#include "node/file/file_send.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/people/contact.h"
#include "node/people/denial.h"

/* ---- beginning and end ---- */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void step_made(struct senders *all, size_t bytes) {
    all->step_bytes += bytes;
    if (all->step_bytes > all->step_most)
        all->step_most = all->step_bytes;
}

/* True if there is something left of this step's work. */
static bool step_left(struct senders *all) {
    if (all->step_bytes < SEND_STEP_BYTES)
        return true;
    all->more = true;
    return false;
}

/* The manifest gets the names, as many as this step has room for. ERR_USAGE (one is there twice, or
 * is no name), ERR_NAME (*bad may not be sent). */
static int take_names(struct transfer *t, const char **bad) {
    struct file_send *s = t->side;
    while (s->named < t->info.files && step_left(s->all)) {
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
        step_made(s->all, SEND_NAME_BYTES + len);
    }
    if (s->named == t->info.files)
        manifest_complete(&t->manifest);
    return 0;
}

static void open_sources(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    while (s->named == t->info.files && s->opened < t->info.files &&
           t->ops_out < TRANSFER_OPS_MAX) {
        struct file_op *op = transfer_op(files, t, FILE_OP_OPEN);
        int err = op ? work_slot_take(files->work, &op->slot) : ERR_NOMEM;
        if (err == ERR_FULL && t->ops_out == 0)
            err = turn_met(files->turn, LIMIT_OPEN_FILES, FILE_SLOTS_MAX);
        if (err) {
            if (op)
                work_release(files->work, op);
            if (t->ops_out == 0) /* else tried again when one is back */
                transfer_fail(files, t, err, NULL);
            return;
        }
        op->path = s->paths[s->opened];
        op->item = s->opened++;
        transfer_submit(files, t, op);
    }
}

static const struct transfer_ops ops;

static struct file_send *new_side(struct senders *all, struct transfer *t,
                                  const struct send_order *order) {
    struct file_send *s = mem_calloc(1, sizeof *s);
    if (!s) {
        mem_free(order->paths);
        return NULL;
    }
    s->all = all;
    s->paths = order->paths;
    s->mtime_ns = mem_calloc(order->count, sizeof *s->mtime_ns);
    s->name = order->name ? mem_strdup(order->name) : NULL;
    s->sources.files = all->files;
    s->sources.t = t;
    s->sources.pool = &all->pool;
    s->sources.paths = s->paths;
    s->sources.mtime_ns = s->mtime_ns;
    return s;
}

int file_send_start(struct senders *all, struct transfer *t, const struct send_order *order) {
    struct transfers *files = all->files;
    struct file_send *s = t->side = new_side(all, t, order);
    t->ops = &ops;
    if (!s || !s->mtime_ns || (order->name && !s->name))
        return ERR_NOMEM;
    uint8_t key[MANIFEST_KEY_BYTES];
    rng_fill(&files->turn->env.rng, key, sizeof key);
    manifest_init(&t->manifest, key);
    t->info.files = order->count;
    const char *bad = NULL;
    int err = 0;
    if (order->count > SEND_NAMES_AT_ONCE)
        all->more = true;
    else
        err = take_names(t, &bad);
    if (err && err != ERR_NAME)
        return err;
    transfer_report(files, t);
    if (err)
        transfer_fail(files, t, err, bad);
    else
        open_sources(files, t);
    return 0;
}

static void free_side(struct transfers *files, void *side) {
    struct file_send *s = side;
    (void)files;
    source_clear(&s->sources);
    reply_in_clear(&s->reply);
    mem_free(s->paths);
    mem_free(s->name);
    mem_free(s->mtime_ns);
    mem_free(s);
}

static void wind_down(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    (void)files;
    source_wind_down(&s->sources);
}

static void late_op(struct transfers *files, struct transfer *t, struct file_op *op) {
    if (op->kind == FILE_OP_CLOSE || (op->kind == FILE_OP_OPEN && op->err))
        work_slot_give(files->work, op->slot);
    else
        transfer_close_slot(files, t, op->slot);
    work_release(files->work, op);
}

/* ---- the offer ---- */
static void flush_offer(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    const uint8_t *p;
    size_t len;
    if (s->stopped) /* its answer came before all of the offer was gone */
        return;
    while ((len = manifest_out_next(&s->offer, &t->manifest, s->offer_bytes, &p)) > 0) {
        if (!step_left(s->all))
            return;
        size_t taken = 0;
        int err = stream_write(files->turn->ep, t->session, t->stream, p, len, &taken);
        manifest_out_gone(&s->offer, taken);
        step_made(s->all, taken);
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
    struct file_send *s = t->side;
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
    reply_in_init(&s->reply, c->peering->session, stream);
    stream_set_priority(files->turn->ep, t->session, t->stream, SEND_PRIORITY);
    watch_start(s->all->watch);
    t->asked_us = files->turn->now_us;
    dial_expect(s->all->dials, c->peering);
    transfer_enter(files, t, TRANSFER_OFFERED);
    flush_offer(files, t);
}

static void step(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    if (t->info.state == TRANSFER_OPENING && s->named < t->info.files) {
        const char *bad = NULL;
        const int err = take_names(t, &bad);
        if (err)
            transfer_fail(files, t, err, bad);
        else
            open_sources(files, t);
    } else if (t->info.state == TRANSFER_OFFERED && t->has_stream && !s->offered) {
        flush_offer(files, t);
    }
}

/* The offer goes out once there is a session. */
static void call(struct transfers *files, struct transfer *t, struct contact *c) {
    const struct file_send *s = t->side;
    transfer_enter(files, t, TRANSFER_CONNECTING);
    const int err = dial_now(s->all->dials, c->peering);
    if (err)
        transfer_fail(files, t, err, NULL);
}

/* A session that was up may be dead without our knowing: the peer restarted and its goodbye was
 * lost. Then the first thing sent on it, the offer, reveals it, and nothing is lost by offering
 * again on the next one. Not after a STOP: that was its answer. False: it has failed for good. */
static bool again(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    struct contact *c = contact_by_serial(files->contacts, t->contact);
    if (!c || files->turn->shut || s->stopped || s->again == SEND_AGAIN_MAX)
        return false;
    s->again++;
    s->offer = (struct manifest_out){0};
    s->offered = false;
    reply_in_clear(&s->reply);
    call(files, t, c);
    return true;
}

static bool lost(struct transfers *files, struct transfer *t, int err) {
    const struct file_send *s = t->side;
    if (!denial_is(err) && t->info.state == TRANSFER_OFFERED && again(files, t))
        return true;
    if (s->stopped) /* it has said why, but not about which file */
        transfer_fail_as(files, t, t->deadline_err, t->deadline_why, NULL);
    return transfer_ended(t);
}

/* Every source is known to be readable: now the peer is bothered. */
static void sources_known(struct transfers *files, struct transfer *t) {
    struct contact *c = contact_by_serial(files->contacts, t->contact);
    if (!c) {
        transfer_fail(files, t, ERR_CANCELLED, NULL);
        return;
    }
    if (c->peering->online)
        file_send_offer(files, t, c);
    else
        call(files, t, c);
}

/* First pass: each source is opened, looked at and closed. */
static void first_pass_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct file_send *s = t->side;
    const uint32_t i = op->item;
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
static void pump(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    if (t->info.state != TRANSFER_RUNNING || s->stopped || !t->has_stream)
        return;
    const enum source_verdict v = source_give(&s->sources);
    if (v == SOURCE_FAILED) {
        transfer_abort(files, t, s->sources.err, s->sources.bad);
        return;
    }
    if (v == SOURCE_GIVEN)
        transfer_enter(files, t, TRANSFER_VERIFYING);
    source_progress(&s->sources);
    if (v == SOURCE_GOES_ON)
        source_read_ahead(&s->sources);
}

static void progress(struct transfers *files, struct transfer *t) {
    struct file_send *s = t->side;
    (void)files;
    if (t->info.state == TRANSFER_VERIFYING)
        source_progress(&s->sources);
}

static void op_done(struct transfers *files, struct transfer *t, struct file_op *op) {
    struct file_send *s = t->side;
    if (t->info.state == TRANSFER_OPENING)
        first_pass_done(files, t, op);
    else if (source_op_done(&s->sources, op) == SOURCE_FAILED)
        transfer_abort(files, t, s->sources.err, s->sources.bad);
    else
        pump(files, t);
}

/* ---- what the peer says ---- */
static void replied(struct transfers *files, struct transfer *t, const struct reply *r) {
    struct file_send *s = t->side;
    if (r->err) {
        transfer_abort_as(files, t, r->err, cause_said(r->err, r->limit, r->max),
                          r->file[0] ? r->file : NULL);
    } else if (!s->accepted && s->offered) {
        s->accepted = true;
        t->deadline_us = 0;
        transfer_enter(files, t, TRANSFER_RUNNING);
        pump(files, t);
    } else if (t->info.state == TRANSFER_VERIFYING && r->has_files && r->files == t->info.files) {
        transfer_enter(files, t, TRANSFER_DONE);
    } else {
        transfer_abort(files, t, ERR_PROTO, NULL);
    }
}

static void read_replies(struct transfers *files, struct transfer *t) {
    while (!transfer_ended(t)) {
        struct file_send *s = t->side;
        struct reply r;
        const int err = reply_in_next(&s->reply, files->turn, &r);
        if (err == ERR_AGAIN)
            return;
        if (!err)
            replied(files, t, &r);
        else if (err != ERR_CLOSED)
            transfer_abort(files, t, err, NULL);
        else if (s->stopped)
            transfer_abort_as(files, t, t->deadline_err, t->deadline_why, NULL);
        else /* an end without an answer */
            transfer_abort_as(files, t, ERR_PROTO, cause_here(ERR_PROTO), NULL);
    }
}

/* The cause of an error that came with RESET or STOP, without further words: error 12 is said so to
 * who begins too much (node/channel/intake.h). */
static struct cause stopped(int err) {
    return cause_said(err, LIMIT_BEGINNINGS, 0);
}

static void event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    struct file_send *s = t->side;
    if (ev->kind == EP_STREAM_READABLE) {
        read_replies(files, t);
    } else if (ev->kind == EP_STREAM_WRITABLE) {
        if (t->info.state == TRANSFER_OFFERED && !s->offered)
            flush_offer(files, t);
        else
            pump(files, t);
    } else if (ev->kind == EP_STREAM_RESET) {
        const int err = ev->err ? ev->err : ERR_RESET;
        transfer_abort_as(files, t, err, stopped(err), NULL);
    } else if (ev->kind == EP_STREAM_STOPPED && !s->stopped) {
        /* Its answer, which says which file it is about, is on the way. */
        s->stopped = true;
        t->deadline_err = ev->err ? ev->err : ERR_RESET;
        t->deadline_why = stopped(t->deadline_err);
        t->deadline_us = files->turn->now_us + SEND_STOP_US;
    }
}

static void tell(struct transfers *files, struct transfer *t, int err, const struct cause *why,
                 const char *file) {
    (void)why;
    (void)file;
    stream_abort(files->turn->ep, t->session, t->stream, err);
}

static const struct transfer_ops ops = {.event = event,
                                        .pump = pump,
                                        .step = step,
                                        .progress = progress,
                                        .lost = lost,
                                        .tell = tell,
                                        .op_done = op_done,
                                        .late_op = late_op,
                                        .wind_down = wind_down,
                                        .free = free_side};
