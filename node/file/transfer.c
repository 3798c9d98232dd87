#include "node/file/transfer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/api/utf8.h"
#include "node/base/keep.h"
#include "node/base/owner.h"
#include "node/disk/file_queue.h"
#include "node/file/file_recv.h"
#include "node/file/file_send.h"
#include "node/file/sink.h"
#include "node/file/source.h"
#include "node/people/denial.h"

const char *transfer_state_name(enum transfer_state s) {
    switch (s) {
    case TRANSFER_CONNECTING:
        return "connecting";
    case TRANSFER_OPENING:
        return "opening";
    case TRANSFER_OFFERED:
        return "offered";
    case TRANSFER_RUNNING:
        return "running";
    case TRANSFER_VERIFYING:
        return "verifying";
    case TRANSFER_DONE:
        return "done";
    case TRANSFER_FAILED:
        return "failed";
    }
    return "unknown";
}

/* ---- the table ---- */
bool transfer_ended(const struct transfer *t) {
    return t->info.state == TRANSFER_DONE || t->info.state == TRANSFER_FAILED;
}

static void free_transfer(struct transfers *files, struct transfer *t) {
    if (t->send)
        file_send_free(files, t);
    if (t->recv)
        file_recv_free(t);
    manifest_clear(&t->manifest);
    mem_free(t);
}

void transfers_clear(struct transfers *files) {
    for (unsigned i = 0; i < files->count; i++)
        free_transfer(files, files->list[i]);
    mem_free(files->list);
    files->list = NULL;
    files->count = files->cap = 0;
    handles_clear(&files->refs);
    recv_rules_clear(&files->rules);
}

static void drop_at(struct transfers *files, unsigned i) {
    transfer_forgotten(files, files->list[i]);
    handle_drop(&files->refs, files->list[i]->ref);
    free_transfer(files, files->list[i]);
    memmove(&files->list[i], &files->list[i + 1],
            (files->count - i - 1) * sizeof(struct transfer *));
    files->count--;
}

static bool is_over(const struct transfer *t) {
    return transfer_ended(t) && t->ops_out == 0;
}

/* The one that is forgotten: the oldest of the contact that most of them are with, so that nobody
 * pushes out what the user did with others. */
static unsigned least_wanted(const struct transfers *files) {
    unsigned most = 0, at = 0;
    for (unsigned i = 0; i < files->count; i++) {
        unsigned with = 0; /* this one and newer ones: greatest at the contact's oldest */
        for (unsigned k = i; k < files->count && is_over(files->list[i]); k++)
            with += is_over(files->list[k]) && files->list[k]->contact == files->list[i]->contact;
        if (with > most) {
            most = with;
            at = i;
        }
    }
    return at;
}

/* Forgets ended ones, so that TRANSFERS_KEPT stay; counts those that live. */
static unsigned purge(struct transfers *files) {
    unsigned over = 0;
    for (unsigned i = files->count; i-- > 0;) {
        const struct transfer *t = files->list[i];
        if (is_over(t) && !t->reported)
            drop_at(files, i);
        else
            over += is_over(t);
    }
    for (; over > TRANSFERS_KEPT; over--)
        drop_at(files, least_wanted(files));
    return files->count - over;
}

int transfers_add(struct transfers *files, uint64_t id, struct transfer **out) {
    if (files->count == files->cap) {
        unsigned cap = files->cap ? files->cap * 2 : 8;
        struct transfer **list = mem_realloc(files->list, cap * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        files->list = list;
        files->cap = cap;
    }
    struct transfer *t = mem_calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->ref = handle_new(&files->refs, t);
    if (!t->ref) {
        mem_free(t);
        return ERR_NOMEM;
    }
    t->info.id = id;
    files->list[files->count++] = t;
    *out = t;
    return 0;
}

void transfers_drop_last(struct transfers *files) {
    drop_at(files, files->count - 1);
}

void transfers_drop_oldest(struct transfers *files) {
    drop_at(files, 0);
}

int transfer_new(struct transfers *files, const struct contact *c, bool outgoing,
                 enum transfer_state state, struct transfer **out) {
    struct transfer *t;
    if (purge(files) >= TRANSFERS_MAX)
        return turn_met(files->turn, LIMIT_TRANSFERS, TRANSFERS_MAX);
    int err = transfers_add(files, files->last_id + 1, &t);
    if (err)
        return err;
    files->last_id++;
    transfer_numbered(files);
    t->info.outgoing = outgoing;
    t->info.state = state;
    t->info.started_us = files->turn->now_us;
    t->info.wall_us = turn_wall_us(files->turn);
    memcpy(t->info.contact, c->name, sizeof t->info.contact);
    t->info.node = c->id;
    t->contact = c->serial;
    *out = t;
    return 0;
}

void transfer_report(struct transfers *files, struct transfer *t) {
    t->reported = true;
    transfer_changed(files, t);
}

struct transfer *transfer_by_id(const struct transfers *files, uint64_t id) {
    for (unsigned i = files->count; i-- > 0;)
        if (files->list[i]->info.id == id)
            return files->list[i];
    return NULL;
}

struct transfer *transfer_by_owner(const struct transfers *files, uint64_t owner) {
    return handle_get(&files->refs, owner_ref(owner));
}

static uint64_t cookie_of(const struct transfers *files, const struct transfer *t) {
    return owner_pack(files->part, t->ref);
}

void transfer_take_stream(struct transfers *files, struct transfer *t, struct session_ref s,
                          uint64_t stream) {
    t->session = s;
    t->stream = stream;
    t->has_stream = true;
    stream_set_owner(files->turn->ep, s, stream, cookie_of(files, t));
}

unsigned transfers_running(const struct transfers *files) {
    unsigned running = 0;
    for (unsigned i = 0; i < files->count; i++)
        running += files->list[i]->info.state == TRANSFER_RUNNING;
    return running;
}

unsigned transfers_sending(const struct transfers *files) {
    unsigned sending = 0;
    for (unsigned i = 0; i < files->count; i++)
        sending += files->list[i]->info.outgoing && files->list[i]->info.state == TRANSFER_RUNNING;
    return sending;
}

unsigned transfers_live(const struct transfers *files) {
    unsigned live = 0;
    for (unsigned i = 0; i < files->count; i++)
        live += !transfer_ended(files->list[i]);
    return live;
}

/* ---- states ---- */
static bool legal(enum transfer_state from, enum transfer_state to) {
    static const unsigned next[] = {
        [TRANSFER_OPENING] = 1u << TRANSFER_CONNECTING | 1u << TRANSFER_OFFERED,
        [TRANSFER_CONNECTING] = 1u << TRANSFER_OFFERED,
        [TRANSFER_OFFERED] = 1u << TRANSFER_RUNNING | 1u << TRANSFER_CONNECTING,
        [TRANSFER_RUNNING] = 1u << TRANSFER_VERIFYING,
        [TRANSFER_VERIFYING] = 1u << TRANSFER_DONE,
        [TRANSFER_DONE] = 0,
        [TRANSFER_FAILED] = 0,
    };
    if (from == TRANSFER_DONE || from == TRANSFER_FAILED)
        return false;
    return to == TRANSFER_FAILED || (next[from] >> to & 1);
}

/* A summary does not need 20 MiB of names; operations that are out do. */
static void let_names_go(struct transfer *t) {
    enum { KEEP_FILES = 1000 };
    if (t->manifest.count > KEEP_FILES && t->ops_out == 0)
        manifest_trim(&t->manifest, TRANSFER_FIRST_FILES);
}

/* The end: what is not needed for the summary goes. */
static void ended(struct transfers *files, struct transfer *t) {
    t->info.ended_us = files->turn->now_us;
    t->progress_due = false;
    t->deadline_us = 0;
    if (t->has_stream)
        stream_let_go(files->turn->ep, t->session, t->stream);
    t->has_stream = false;
    if (t->send)
        file_send_wind_down(files, t);
    if (t->recv)
        file_recv_wind_down(files, t);
    let_names_go(t);
}

void transfer_enter(struct transfers *files, struct transfer *t, enum transfer_state to) {
    assert(legal(t->info.state, to));
    t->info.state = to;
    if (t->reported)
        transfer_changed(files, t);
    struct node_event *e;
    switch (to) {
    case TRANSFER_RUNNING:
        t->progress_at_us = t->info.accepted_us = files->turn->now_us;
        e = contacts_tell(files->contacts, NODE_TRANSFER_STARTED, t->info.contact);
        break;
    case TRANSFER_DONE:
        t->info.bytes_done = t->info.bytes_total;
        e = contacts_tell(files->contacts, NODE_TRANSFER_DONE, t->info.contact);
        break;
    case TRANSFER_FAILED:
        if (!t->reported) {
            ended(files, t);
            return;
        }
        e = contacts_tell(files->contacts, NODE_TRANSFER_FAILED, t->info.contact);
        break;
    case TRANSFER_CONNECTING:
    case TRANSFER_OPENING:
    case TRANSFER_OFFERED:
    case TRANSFER_VERIFYING:
        return;
    default:
        abort();
    }
    e->id = t->info.id;
    e->err = t->info.err;
    e->cause = t->info.cause;
    e->bytes = t->info.bytes_done;
    e->total = t->info.bytes_total;
    memcpy(e->detail, t->info.detail, sizeof e->detail);
    if (transfer_ended(t))
        ended(files, t);
}

void transfer_fail_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                      const char *detail) {
    if (transfer_ended(t))
        return;
    t->info.err = files->turn->shut && err == ERR_CLOSED ? ERR_ENDED : err;
    t->info.cause = cause;
    if (detail)
        utf8_repair(t->info.detail, sizeof t->info.detail, detail, strlen(detail));
    transfer_enter(files, t, TRANSFER_FAILED);
}

void transfer_fail(struct transfers *files, struct transfer *t, int err, const char *detail) {
    transfer_fail_as(files, t, err, turn_why(files->turn, err), detail);
}

void transfer_abort_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                       const char *detail) {
    if (transfer_ended(t))
        return;
    if (t->recv && t->has_stream) {
        file_recv_refuse_as(files, t, err, cause, detail);
        return;
    }
    if (t->has_stream) {
        /* Failing means that the stream is gone already. */
        int gone = stream_reset(files->turn->ep, t->session, t->stream, err);
        gone = stream_stop(files->turn->ep, t->session, t->stream, err);
        (void)gone;
    }
    transfer_fail_as(files, t, err, cause, detail);
}

void transfer_abort(struct transfers *files, struct transfer *t, int err, const char *detail) {
    transfer_abort_as(files, t, err, turn_why(files->turn, err), detail);
}

void transfer_progress(struct transfers *files, struct transfer *t, uint64_t bytes_done) {
    t->info.bytes_done = bytes_done;
    if (files->turn->now_us >= t->changed_us + TRANSFER_STORE_PROGRESS_US)
        transfer_changed(files, t);
    bool moves = t->info.state == TRANSFER_RUNNING || t->info.state == TRANSFER_VERIFYING;
    bool all = bytes_done == t->info.bytes_total;
    if (!moves || bytes_done == t->progress_bytes ||
        (!all && files->turn->now_us < t->progress_at_us + TRANSFER_PROGRESS_US))
        return;
    t->progress_at_us = files->turn->now_us;
    t->progress_bytes = bytes_done;
    t->progress_due = true;
}

bool transfers_poll_progress(struct transfers *files, struct node_event *out) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->send && t->info.state == TRANSFER_VERIFYING)
            source_progress(files, t);
        if (!t->progress_due)
            continue;
        t->progress_due = false;
        memset(out, 0, sizeof *out);
        out->kind = NODE_TRANSFER_PROGRESS;
        out->now_us = files->turn->now_us;
        memcpy(out->contact, t->info.contact, sizeof out->contact);
        out->node = t->info.node;
        out->id = t->info.id;
        out->bytes = t->info.bytes_done;
        out->total = t->info.bytes_total;
        return true;
    }
    return false;
}

/* ---- file operations ---- */
struct file_op *transfer_op(struct transfers *files, struct transfer *t, enum file_op_kind kind) {
    return work_new(files->work, kind, cookie_of(files, t));
}

void transfer_submit(struct transfers *files, struct transfer *t, struct file_op *op) {
    t->ops_out++;
    work_submit(files->work, op);
}

void transfer_op_done(struct transfers *files, struct file_op *op) {
    struct transfer *t = transfer_by_owner(files, op->owner);
    assert(t && t->ops_out > 0);
    t->ops_out--;
    if (transfer_ended(t)) {
        if (t->send)
            file_send_late_op(files, t, op);
        else
            file_recv_late_op(files, t, op);
        let_names_go(t);
        return;
    }
    if (op->err && op->limit != LIMIT_NONE)
        op->err = turn_met(files->turn, op->limit, 0);
    if (t->send)
        file_send_op_done(files, t, op);
    else
        file_recv_op_done(files, t, op);
}

bool transfer_close_slot(struct transfers *files, struct transfer *t, uint32_t slot) {
    struct file_op *op = transfer_op(files, t, FILE_OP_CLOSE);
    if (!op)
        return false;
    op->slot = slot;
    transfer_submit(files, t, op);
    return true;
}

/* ---- what happens around a transfer ---- */
void transfers_peer_up(struct transfers *files, struct contact *c) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            file_send_offer(files, t, c);
    }
}

void transfers_connect_failed(struct transfers *files, struct contact *c, int err) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            transfer_fail(files, t, err == ERR_TIMEOUT ? ERR_OFFLINE : err, NULL);
    }
}

uint64_t transfers_peer_silent(struct transfers *files, const struct contact *c,
                               uint64_t before_us) {
    const uint64_t heard_us = endpoint_heard_us(files->turn->ep, c->peering->ref);
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact != c->serial || !t->send || t->info.state != TRANSFER_OFFERED ||
            !t->has_stream || t->asked_us < heard_us)
            continue;
        if (t->asked_us <= before_us)
            transfer_abort(files, t, ERR_OFFLINE, NULL);
        else if (t->asked_us < next_us)
            next_us = t->asked_us;
    }
    return next_us;
}

/* Whose the deadline's error is: after a STOP it is what the peer has said with that. */
static struct cause deadline_cause(const struct transfer *t) {
    return t->send && t->send->stopped ? file_send_stopped(t->deadline_err)
                                       : cause_here(t->deadline_err);
}

void transfers_session_down(struct transfers *files, struct session_ref s, int err) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (!t->has_stream || !session_ref_equal(t->session, s))
            continue;
        t->has_stream = false;
        if (!denial_is(err) && t->send && t->info.state == TRANSFER_OFFERED &&
            file_send_again(files, t))
            continue;
        if (t->send && t->send->stopped) /* it has said why, but not about which file */
            transfer_fail_as(files, t, t->deadline_err, deadline_cause(t), NULL);
        else if (denial_is(err))
            transfer_fail(files, t, err, NULL);
        else
            transfer_fail(files, t, t->info.outgoing ? ERR_OFFLINE : ERR_CLOSED,
                          "the connection to the peer was lost");
    }
}

void transfers_contact_renamed(struct transfers *files, const struct contact *c) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (!node_id_equal(&t->info.node, &c->id))
            continue;
        memcpy(t->info.contact, c->name, sizeof c->name);
        if (t->reported)
            transfer_changed(files, t);
    }
}

void transfers_contact_gone(struct transfers *files, const struct contact *c) {
    for (unsigned i = 0; i < files->count; i++)
        if (files->list[i]->contact == c->serial)
            transfer_abort(files, files->list[i], ERR_CANCELLED, NULL);
}

void transfers_shutdown(struct transfers *files) {
    for (unsigned i = 0; i < files->count; i++)
        transfer_abort_as(files, files->list[i], ERR_CLOSED, (struct cause){0}, NULL);
    transfer_store_end(files);
}

void transfer_stream_event(struct transfers *files, struct transfer *t, const struct ep_event *ev) {
    if (t->send)
        file_send_event(files, t, ev);
    else
        file_recv_event(files, t, ev);
}

void transfers_pump(struct transfers *files) {
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->info.state == TRANSFER_RUNNING && t->send)
            file_send_pump(files, t);
    }
}

uint64_t transfers_deadline_us(const struct transfers *files) {
    uint64_t next = files->more ? files->turn->now_us : transfer_store_deadline_us(files);
    for (unsigned i = 0; i < files->count; i++) {
        const struct transfer *t = files->list[i];
        if (t->deadline_us && t->deadline_us < next)
            next = t->deadline_us;
        if (t->recv && t->recv->held_us && t->recv->held_us < next)
            next = t->recv->held_us;
    }
    return next;
}

/* Whose turn comes first changes, so that none of many waits for ever behind the others' steps. */
static void make_steps(struct transfers *files) {
    const unsigned count = files->count;
    files->step_bytes = 0;
    files->more = false;
    const unsigned first = count ? files->step_first++ % count : 0;
    for (unsigned i = 0; i < count; i++) {
        struct transfer *t = files->list[(first + i) % count];
        if (t->send && !transfer_ended(t))
            file_send_step(files, t);
    }
}

void transfers_timeout(struct transfers *files) {
    if (files->more)
        make_steps(files);
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->deadline_us && t->deadline_us <= files->turn->now_us)
            transfer_abort_as(files, t, t->deadline_err, deadline_cause(t), NULL);
        if (t->recv && t->recv->held_us && t->recv->held_us <= files->turn->now_us)
            sink_timeout(files, t);
    }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static int part_load(void *self) {
    return transfers_load(self);
}

static void part_clear(void *self) {
    transfers_clear(self);
}

static void part_shutdown(void *self) {
    transfers_shutdown(self);
}

static uint64_t part_deadline_us(const void *self) {
    return transfers_deadline_us(self);
}

static void part_timeout(void *self) {
    transfers_timeout(self);
}

static void part_peer_up(void *self, struct contact *c) {
    transfers_peer_up(self, c);
}

static void part_peer_down(void *self, struct contact *c, int err) {
    transfers_session_down(self, c->peering->session, err);
}

static void part_connect_failed(void *self, struct contact *c, int err) {
    transfers_connect_failed(self, c, err);
}

static uint64_t part_peer_silent(void *self, struct contact *c, uint64_t before_us) {
    return transfers_peer_silent(self, c, before_us);
}

static bool part_waits(const void *self, const struct contact *c) {
    const struct transfers *files = self;
    bool any = false;
    for (unsigned i = 0; !any && i < files->count; i++)
        any = files->list[i]->contact == c->serial && files->list[i]->has_stream;
    return any;
}

static void part_renamed(void *self, const struct contact *c) {
    transfers_contact_renamed(self, c);
}

static void part_contact_gone(void *self, struct contact *c) {
    transfers_contact_gone(self, c);
}

static bool part_stream_event(void *self, struct contact *c, const struct ep_event *ev) {
    struct transfer *t = transfer_by_owner(self, ev->owner);
    (void)c;
    if (!t || !t->has_stream || t->stream != ev->stream ||
        !session_ref_equal(t->session, ev->session))
        return false;
    transfer_stream_event(self, t, ev);
    return true;
}

static void part_op_done(void *self, struct file_op *op) {
    transfer_op_done(self, op);
}

const struct part_ops transfers_part = {.load = part_load,
                                        .clear = part_clear,
                                        .shutdown = part_shutdown,
                                        .deadline_us = part_deadline_us,
                                        .timeout = part_timeout,
                                        .peer_up = part_peer_up,
                                        .peer_down = part_peer_down,
                                        .connect_failed = part_connect_failed,
                                        .peer_silent = part_peer_silent,
                                        .waits = part_waits,
                                        .renamed = part_renamed,
                                        .contact_gone = part_contact_gone,
                                        .stream_event = part_stream_event,
                                        .op_done = part_op_done};
