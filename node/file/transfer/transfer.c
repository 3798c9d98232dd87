#include "node/file/transfer/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/api/utf8.h"
#include "node/base/owner.h"
#include "node/people/contact.h"

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

static void free_side(struct transfers *files, struct transfer *t) {
    if (t->side)
        t->ops->free(files, t->side);
    t->side = NULL;
}

static void free_transfer(struct transfers *files, struct transfer *t) {
    free_side(files, t);
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
    write_pace_clear(&files->pace);
}

static void drop_at(struct transfers *files, unsigned i) {
    struct transfer *t = files->list[i];
    if (t->stored)
        write_pace_gone(&files->pace, files->turn->now_us, t->info.id);
    handle_drop(&files->refs, t->ref);
    free_transfer(files, t);
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
    if (!mem_grow(&files->list, &files->cap, (size_t)files->count + 1, sizeof *files->list,
                  TRANSFERS_MAX + TRANSFERS_KEPT))
        return ERR_NOMEM;
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
    write_pace_numbered(&files->pace, files->turn->now_us, t->info.id);
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

void transfer_changed(struct transfers *files, struct transfer *t) {
    t->changed = true;
    t->changed_us = files->turn->now_us;
    write_pace_changed(&files->pace, files->turn->now_us);
}

void transfer_report(struct transfers *files, struct transfer *t) {
    t->reported = true;
    transfer_changed(files, t);
}

/* The list is in the order of their numbers. */
struct transfer *transfer_by_id(const struct transfers *files, uint64_t id) {
    uint32_t from = 0, to = files->count;
    while (from < to) {
        const uint32_t mid = from + (to - from) / 2;
        if (files->list[mid]->info.id < id)
            from = mid + 1;
        else
            to = mid;
    }
    return from < files->count && files->list[from]->info.id == id ? files->list[from] : NULL;
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

/* Once no operation needs it any more, an ended one keeps only what its summary tells, and that
 * does not need 20 MiB of names. */
static void let_go(struct transfers *files, struct transfer *t) {
    enum { KEEP_FILES = 1000 };
    if (t->ops_out > 0)
        return;
    free_side(files, t);
    if (t->manifest.count > KEEP_FILES)
        manifest_trim(&t->manifest, TRANSFER_FIRST_FILES);
}

static void ended(struct transfers *files, struct transfer *t) {
    t->info.ended_us = files->turn->now_us;
    t->progress_due = false;
    t->deadline_us = t->wake_us = 0;
    if (t->has_stream)
        stream_let_go(files->turn->ep, t->session, t->stream);
    t->has_stream = false;
    if (t->side)
        t->ops->wind_down(files, t);
    let_go(files, t);
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
    if (t->has_stream)
        t->ops->tell(files, t, err, &cause, detail);
    transfer_fail_as(files, t, err, cause, detail);
}

void transfer_abort(struct transfers *files, struct transfer *t, int err, const char *detail) {
    transfer_abort_as(files, t, err, turn_why(files->turn, err), detail);
}

void transfer_progress(struct transfers *files, struct transfer *t, uint64_t bytes_done) {
    t->info.bytes_done = bytes_done;
    if (files->turn->now_us >= t->changed_us + TRANSFER_PROGRESS_STORED_US)
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

bool transfer_take_progress(struct transfers *files, struct transfer *t, struct node_event *out) {
    if (!t->progress_due)
        return false;
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
        t->ops->late_op(files, t, op);
        let_go(files, t);
        return;
    }
    if (op->err && op->limit != LIMIT_NONE)
        op->err = turn_met(files->turn, op->limit, 0);
    t->ops->op_done(files, t, op);
}

bool transfer_close_slot(struct transfers *files, struct transfer *t, uint32_t slot) {
    struct file_op *op = transfer_op(files, t, FILE_OP_CLOSE);
    if (!op)
        return false;
    op->slot = slot;
    transfer_submit(files, t, op);
    return true;
}
