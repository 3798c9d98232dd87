#include "node/file/transfer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/file/file_recv.h"
#include "node/file/file_send.h"
#include "node/file/sink.h"
#include "node/file/source.h"
#include "node/node_int.h"

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

static void free_transfer(struct node *n, struct transfer *t) {
    if (t->send)
        file_send_free(n, t);
    if (t->recv)
        file_recv_free(t);
    manifest_clear(&t->manifest);
    free(t);
}

void transfers_clear(struct node *n) {
    for (unsigned i = 0; i < n->transfers.count; i++)
        free_transfer(n, n->transfers.list[i]);
    free(n->transfers.list);
    n->transfers = (struct transfers){0};
}

static void drop_at(struct node *n, unsigned i) {
    struct transfers *t = &n->transfers;
    transfer_forgotten(n, t->list[i]);
    free_transfer(n, t->list[i]);
    memmove(&t->list[i], &t->list[i + 1], (t->count - i - 1) * sizeof(struct transfer *));
    t->count--;
}

static bool is_over(const struct transfer *t) {
    return transfer_ended(t) && t->ops_out == 0;
}

/* The one that is forgotten: the oldest of the contact that most of them are with, so that nobody
 * pushes out what the user did with others. */
static unsigned least_wanted(const struct node *n) {
    const struct transfers *all = &n->transfers;
    unsigned most = 0, at = 0;
    for (unsigned i = 0; i < all->count; i++) {
        unsigned with = 0; /* this one and newer ones: greatest at the contact's oldest */
        for (unsigned k = i; k < all->count && is_over(all->list[i]); k++)
            with += is_over(all->list[k]) && all->list[k]->contact == all->list[i]->contact;
        if (with > most) {
            most = with;
            at = i;
        }
    }
    return at;
}

/* Forgets ended ones, so that TRANSFERS_KEPT stay; counts those that live. */
static unsigned purge(struct node *n) {
    unsigned over = 0;
    for (unsigned i = n->transfers.count; i-- > 0;) {
        const struct transfer *t = n->transfers.list[i];
        if (is_over(t) && !t->reported)
            drop_at(n, i);
        else
            over += is_over(t);
    }
    for (; over > TRANSFERS_KEPT; over--)
        drop_at(n, least_wanted(n));
    return n->transfers.count - over;
}

int transfers_add(struct node *n, uint64_t id, struct transfer **out) {
    struct transfers *table = &n->transfers;
    if (table->count == table->cap) {
        unsigned cap = table->cap ? table->cap * 2 : 8;
        struct transfer **list = realloc(table->list, cap * sizeof *list);
        if (!list)
            return ERR_NOMEM;
        table->list = list;
        table->cap = cap;
    }
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->info.id = id;
    table->list[table->count++] = t;
    *out = t;
    return 0;
}

void transfers_drop_last(struct node *n) {
    drop_at(n, n->transfers.count - 1);
}

void transfers_drop_oldest(struct node *n) {
    drop_at(n, 0);
}

int transfer_new(struct node *n, const struct contact *c, bool outgoing, enum transfer_state state,
                 struct transfer **out) {
    struct transfer *t;
    if (purge(n) >= TRANSFERS_MAX)
        return node_met(n, LIMIT_TRANSFERS, TRANSFERS_MAX);
    int err = transfers_add(n, n->transfers.last_id + 1, &t);
    if (err)
        return err;
    n->transfers.last_id++;
    transfer_numbered(n);
    t->info.outgoing = outgoing;
    t->info.state = state;
    t->info.started_us = n->now_us;
    t->info.wall_us = node_wall_us(n);
    memcpy(t->info.contact, c->name, sizeof t->info.contact);
    t->info.node = c->id;
    t->contact = c->serial;
    *out = t;
    return 0;
}

void transfer_report(struct node *n, struct transfer *t) {
    t->reported = true;
    transfer_changed(n, t);
}

struct transfer *transfer_by_id(const struct node *n, uint64_t id) {
    for (unsigned i = n->transfers.count; i-- > 0;)
        if (n->transfers.list[i]->info.id == id)
            return n->transfers.list[i];
    return NULL;
}

struct transfer *transfer_by_stream(const struct node *n, struct session_ref s, uint64_t stream) {
    for (unsigned i = n->transfers.count; i-- > 0;) {
        struct transfer *t = n->transfers.list[i];
        if (t->has_stream && t->stream == stream && session_ref_equal(t->session, s))
            return t;
    }
    return NULL;
}

unsigned transfers_running(const struct node *n) {
    unsigned running = 0;
    for (unsigned i = 0; i < n->transfers.count; i++)
        running += n->transfers.list[i]->info.state == TRANSFER_RUNNING;
    return running;
}

unsigned transfers_sending(const struct node *n) {
    unsigned sending = 0;
    for (unsigned i = 0; i < n->transfers.count; i++)
        sending += n->transfers.list[i]->info.outgoing &&
                   n->transfers.list[i]->info.state == TRANSFER_RUNNING;
    return sending;
}

unsigned transfers_live(const struct node *n) {
    unsigned live = 0;
    for (unsigned i = 0; i < n->transfers.count; i++)
        live += !transfer_ended(n->transfers.list[i]);
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
static void ended(struct node *n, struct transfer *t) {
    t->info.ended_us = n->now_us;
    t->progress_due = false;
    t->deadline_us = 0;
    if (t->has_stream)
        stream_let_go(n, t->session, t->stream);
    t->has_stream = false;
    if (t->send)
        file_send_wind_down(n, t);
    if (t->recv)
        file_recv_wind_down(n, t);
    let_names_go(t);
}

void transfer_enter(struct node *n, struct transfer *t, enum transfer_state to) {
    assert(legal(t->info.state, to));
    t->info.state = to;
    if (t->reported)
        transfer_changed(n, t);
    struct node_event *e;
    switch (to) {
    case TRANSFER_RUNNING:
        t->progress_at_us = t->info.accepted_us = n->now_us;
        e = node_tell(n, NODE_TRANSFER_STARTED, t->info.contact);
        break;
    case TRANSFER_DONE:
        t->info.bytes_done = t->info.bytes_total;
        e = node_tell(n, NODE_TRANSFER_DONE, t->info.contact);
        break;
    case TRANSFER_FAILED:
        if (!t->reported) {
            ended(n, t);
            return;
        }
        e = node_tell(n, NODE_TRANSFER_FAILED, t->info.contact);
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
        ended(n, t);
}

void transfer_fail_as(struct node *n, struct transfer *t, int err, struct cause cause,
                      const char *detail) {
    if (transfer_ended(t))
        return;
    t->info.err = n->shut && err == ERR_CLOSED ? ERR_ENDED : err;
    t->info.cause = cause;
    if (detail)
        utf8_repair(t->info.detail, sizeof t->info.detail, detail, strlen(detail));
    transfer_enter(n, t, TRANSFER_FAILED);
}

void transfer_fail(struct node *n, struct transfer *t, int err, const char *detail) {
    transfer_fail_as(n, t, err, node_why(n, err), detail);
}

void transfer_abort_as(struct node *n, struct transfer *t, int err, struct cause cause,
                       const char *detail) {
    if (transfer_ended(t))
        return;
    if (t->recv && t->has_stream) {
        file_recv_refuse_as(n, t, err, cause, detail);
        return;
    }
    if (t->has_stream) {
        /* Failing means that the stream is gone already. */
        int gone = stream_reset(n->ep, t->session, t->stream, err);
        gone = stream_stop(n->ep, t->session, t->stream, err);
        (void)gone;
    }
    transfer_fail_as(n, t, err, cause, detail);
}

void transfer_abort(struct node *n, struct transfer *t, int err, const char *detail) {
    transfer_abort_as(n, t, err, node_why(n, err), detail);
}

void transfer_progress(struct node *n, struct transfer *t, uint64_t bytes_done) {
    t->info.bytes_done = bytes_done;
    if (n->now_us >= t->changed_us + TRANSFER_STORE_PROGRESS_US)
        transfer_changed(n, t);
    bool moves = t->info.state == TRANSFER_RUNNING || t->info.state == TRANSFER_VERIFYING;
    bool all = bytes_done == t->info.bytes_total;
    if (!moves || bytes_done == t->progress_bytes ||
        (!all && n->now_us < t->progress_at_us + TRANSFER_PROGRESS_US))
        return;
    t->progress_at_us = n->now_us;
    t->progress_bytes = bytes_done;
    t->progress_due = true;
}

bool transfers_poll_progress(struct node *n, struct node_event *out) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->send && t->info.state == TRANSFER_VERIFYING)
            source_progress(n, t);
        if (!t->progress_due)
            continue;
        t->progress_due = false;
        memset(out, 0, sizeof *out);
        out->kind = NODE_TRANSFER_PROGRESS;
        out->now_us = n->now_us;
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
struct file_op *transfer_op(struct node *n, struct transfer *t, enum file_op_kind kind) {
    return work_new(&n->work, kind, t->info.id);
}

void transfer_submit(struct node *n, struct transfer *t, struct file_op *op) {
    t->ops_out++;
    work_submit(&n->work, op);
}

void transfer_op_done(struct node *n, struct file_op *op) {
    struct transfer *t = transfer_by_id(n, op->owner);
    assert(t && t->ops_out > 0);
    t->ops_out--;
    if (transfer_ended(t)) {
        if (t->send)
            file_send_late_op(n, t, op);
        else
            file_recv_late_op(n, t, op);
        let_names_go(t);
        return;
    }
    if (op->err && op->limit != LIMIT_NONE)
        op->err = node_met(n, op->limit, 0);
    if (t->send)
        file_send_op_done(n, t, op);
    else
        file_recv_op_done(n, t, op);
}

bool transfer_close_slot(struct node *n, struct transfer *t, uint32_t slot) {
    struct file_op *op = transfer_op(n, t, FILE_OP_CLOSE);
    if (!op)
        return false;
    op->slot = slot;
    transfer_submit(n, t, op);
    return true;
}

/* ---- what happens around a transfer ---- */
void transfers_peer_up(struct node *n, struct contact *c) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            file_send_offer(n, t, c);
    }
}

void transfers_connect_failed(struct node *n, struct contact *c, int err) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            transfer_fail(n, t, err == ERR_TIMEOUT ? ERR_OFFLINE : err, NULL);
    }
}

uint64_t transfers_peer_silent(struct node *n, const struct contact *c, uint64_t before_us) {
    const uint64_t heard_us = endpoint_heard_us(n->ep, c->peer);
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->contact != c->serial || !t->send || t->info.state != TRANSFER_OFFERED ||
            !t->has_stream || t->asked_us < heard_us)
            continue;
        if (t->asked_us <= before_us)
            transfer_abort(n, t, ERR_OFFLINE, NULL);
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

void transfers_session_down(struct node *n, struct session_ref s, int err) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (!t->has_stream || !session_ref_equal(t->session, s))
            continue;
        t->has_stream = false;
        if (!node_denied(err) && t->send && t->info.state == TRANSFER_OFFERED &&
            file_send_again(n, t))
            continue;
        if (t->send && t->send->stopped) /* it has said why, but not about which file */
            transfer_fail_as(n, t, t->deadline_err, deadline_cause(t), NULL);
        else if (node_denied(err))
            transfer_fail(n, t, err, NULL);
        else
            transfer_fail(n, t, t->info.outgoing ? ERR_OFFLINE : ERR_CLOSED,
                          "the connection to the peer was lost");
    }
}

void transfers_contact_renamed(struct node *n, const struct contact *c) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (!node_id_equal(&t->info.node, &c->id))
            continue;
        memcpy(t->info.contact, c->name, sizeof c->name);
        if (t->reported)
            transfer_changed(n, t);
    }
}

void transfers_contact_gone(struct node *n, const struct contact *c) {
    for (unsigned i = 0; i < n->transfers.count; i++)
        if (n->transfers.list[i]->contact == c->serial)
            transfer_abort(n, n->transfers.list[i], ERR_CANCELLED, NULL);
}

void transfers_shutdown(struct node *n) {
    for (unsigned i = 0; i < n->transfers.count; i++)
        transfer_abort_as(n, n->transfers.list[i], ERR_CLOSED, (struct cause){0}, NULL);
    transfer_store_end(n);
}

void transfer_stream_event(struct node *n, struct transfer *t, const struct ep_event *ev) {
    if (t->send)
        file_send_event(n, t, ev);
    else
        file_recv_event(n, t, ev);
}

void transfers_pump(struct node *n) {
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->info.state == TRANSFER_RUNNING && t->send)
            file_send_pump(n, t);
    }
}

uint64_t transfers_deadline_us(const struct node *n) {
    uint64_t next = n->transfers.more ? n->now_us : transfer_store_deadline_us(n);
    for (unsigned i = 0; i < n->transfers.count; i++) {
        const struct transfer *t = n->transfers.list[i];
        if (t->deadline_us && t->deadline_us < next)
            next = t->deadline_us;
        if (t->recv && t->recv->held_us && t->recv->held_us < next)
            next = t->recv->held_us;
    }
    return next;
}

/* Whose turn comes first changes, so that none of many waits for ever behind the others' steps. */
static void make_steps(struct node *n) {
    const unsigned count = n->transfers.count;
    n->transfers.step_bytes = 0;
    n->transfers.more = false;
    const unsigned first = count ? n->transfers.step_first++ % count : 0;
    for (unsigned i = 0; i < count; i++) {
        struct transfer *t = n->transfers.list[(first + i) % count];
        if (t->send && !transfer_ended(t))
            file_send_step(n, t);
    }
}

void transfers_timeout(struct node *n) {
    if (n->transfers.more)
        make_steps(n);
    for (unsigned i = 0; i < n->transfers.count; i++) {
        struct transfer *t = n->transfers.list[i];
        if (t->deadline_us && t->deadline_us <= n->now_us)
            transfer_abort_as(n, t, t->deadline_err, deadline_cause(t), NULL);
        if (t->recv && t->recv->held_us && t->recv->held_us <= n->now_us)
            sink_timeout(n, t);
    }
}
