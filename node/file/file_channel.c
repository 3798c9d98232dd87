#include "node/file/file_channel.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/file/transfer/transfer_store.h"
#include "node/people/contact.h"
#include "node/people/denial.h"

/* ---- commands ---- */
int file_channel_send(struct file_channel *ch, const struct send_order *order, uint64_t *id) {
    struct transfers *files = ch->transfers;
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
        t->deadline_why = cause_here(ERR_TIMEOUT);
    }
    err = file_send_start(&ch->send, t, order);
    if (err) {
        transfer_fail(files, t, err, NULL); /* not reported: nobody hears of it */
        return err;
    }
    *id = t->info.id;
    return 0;
}

/* NULL: there is none that anybody has heard of. */
static struct transfer *known(const struct file_channel *ch, uint64_t id) {
    struct transfer *t = transfer_by_id(ch->transfers, id);
    return t && t->reported ? t : NULL;
}

bool file_channel_waits(const struct file_channel *ch, uint64_t id) {
    const struct transfer *t = known(ch, id);
    return t && file_recv_waits(t);
}

int file_channel_accept(struct file_channel *ch, uint64_t id, const char *dir) {
    struct transfer *t = known(ch, id);
    const char *into = recv_dir(&ch->recv.rules, dir);
    if (!t)
        return ERR_NOT_FOUND;
    if (!file_recv_waits(t) || !into)
        return ERR_USAGE;
    file_recv_accept(ch->transfers, t, into);
    return 0;
}

int file_channel_reject(struct file_channel *ch, uint64_t id) {
    struct transfer *t = known(ch, id);
    if (!t)
        return ERR_NOT_FOUND;
    if (!file_recv_waits(t))
        return ERR_USAGE;
    transfer_abort(ch->transfers, t, ERR_REFUSED, NULL);
    return 0;
}

int file_channel_recv(struct file_channel *ch, const char *dir, const char *contact, bool once,
                      uint64_t *id) {
    struct transfers *files = ch->transfers;
    struct recv_rules *rules = &ch->recv.rules;
    const struct contact *from = contact ? contact_by_name(files->contacts, contact) : NULL;
    const char *into = recv_dir(rules, dir);
    if (!into)
        return ERR_USAGE;
    if (contact && !from)
        return ERR_NOT_FOUND;
    const int err = recv_rule_add(rules, into, from ? &from->id : NULL, once, id);
    if (err)
        return err == ERR_FULL ? turn_met(files->turn, LIMIT_RECVS, RECV_RULES_MAX) : err;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        char to[RECV_DIR_MAX];
        if (file_recv_waits(t) && recv_rule_apply(rules, &t->info.node, to, &t->info.rule))
            file_recv_accept(files, t, to);
    }
    return 0;
}

int file_channel_cancel(struct file_channel *ch, uint64_t id) {
    struct transfer *t = known(ch, id);
    if (!t)
        return ERR_NOT_FOUND;
    if (transfer_ended(t))
        return ERR_USAGE;
    transfer_abort(ch->transfers, t, ERR_CANCELLED, NULL);
    return 0;
}

void file_channel_abandon(struct file_channel *ch, uint64_t id) {
    struct transfer *t = transfer_by_id(ch->transfers, id);
    if (t)
        transfer_abort(ch->transfers, t, ERR_CANCELLED, "what sent it was ended");
}

/* ---- looking ---- */
bool file_channel_at(const struct file_channel *ch, unsigned i, struct transfer_info *out) {
    const struct transfers *files = ch->transfers;
    for (unsigned at = 0; at < files->count; at++) {
        if (!files->list[at]->reported || i-- > 0)
            continue;
        *out = files->list[at]->info;
        return true;
    }
    return false;
}

bool file_channel_get(const struct file_channel *ch, uint64_t id, struct transfer_info *out) {
    const struct transfer *t = known(ch, id);
    if (!t)
        return false;
    *out = t->info;
    return true;
}

const char *file_channel_file(const struct file_channel *ch, uint64_t id, uint32_t i,
                              uint64_t *size) {
    const struct transfer *t = transfer_by_id(ch->transfers, id);
    if (!t || i >= t->manifest.count)
        return NULL;
    *size = t->manifest.files[i].size;
    return t->manifest.files[i].name;
}

/* ---- turns and time ---- */
void file_channel_pump(struct file_channel *ch) {
    transfer_store_pump(ch->transfers);
}

void file_channel_turn(struct file_channel *ch) {
    struct transfers *files = ch->transfers;
    if (!ch->send.pool.blocks_short)
        return;
    ch->send.pool.blocks_short = false;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->info.state == TRANSFER_RUNNING && t->ops->pump)
            t->ops->pump(files, t);
    }
}

bool file_channel_poll(struct file_channel *ch, struct node_event *out) {
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (!transfer_ended(t) && t->ops->progress)
            t->ops->progress(files, t);
        if (transfer_take_progress(files, t, out))
            return true;
    }
    return false;
}

uint64_t file_channel_deadline_us(const struct file_channel *ch) {
    const struct transfers *files = ch->transfers;
    uint64_t next = ch->send.more ? files->turn->now_us : write_pace_deadline_us(&files->pace);
    for (unsigned i = 0; i < files->count; i++) {
        const struct transfer *t = files->list[i];
        if (t->deadline_us && t->deadline_us < next)
            next = t->deadline_us;
        if (t->wake_us && t->wake_us < next)
            next = t->wake_us;
    }
    return next;
}

/* Whose turn comes first changes, so that none of many waits for ever behind the others' steps. */
static void make_steps(struct file_channel *ch) {
    struct transfers *files = ch->transfers;
    const unsigned count = files->count;
    ch->send.step_bytes = 0;
    ch->send.more = false;
    const unsigned first = count ? ch->step_first++ % count : 0;
    for (unsigned i = 0; i < count; i++) {
        struct transfer *t = files->list[(first + i) % count];
        if (!transfer_ended(t) && t->ops->step)
            t->ops->step(files, t);
    }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static int part_load(void *self) {
    const struct file_channel *ch = self;
    return transfer_store_load(ch->transfers);
}

static void part_clear(void *self) {
    struct file_channel *ch = self;
    transfers_clear(ch->transfers);
    recv_rules_clear(&ch->recv.rules);
}

static void part_shutdown(void *self) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++)
        transfer_abort_as(files, files->list[i], ERR_CLOSED, (struct cause){0}, NULL);
    transfer_store_end(files);
}

static uint64_t part_deadline_us(const void *self) {
    return file_channel_deadline_us(self);
}

static void part_timeout(void *self) {
    struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    const uint64_t now_us = files->turn->now_us;
    if (ch->send.more)
        make_steps(ch);
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->deadline_us && t->deadline_us <= now_us)
            transfer_abort_as(files, t, t->deadline_err, t->deadline_why, NULL);
        if (t->wake_us && t->wake_us <= now_us)
            t->ops->wake(files, t);
    }
}

static void part_peer_up(void *self, struct contact *c) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            file_send_offer(files, t, c);
    }
}

static void lost(struct transfers *files, struct transfer *t, int err) {
    t->has_stream = false;
    if (t->ops->lost && t->ops->lost(files, t, err))
        return;
    if (denial_is(err))
        transfer_fail(files, t, err, NULL);
    else
        transfer_fail(files, t, t->info.outgoing ? ERR_OFFLINE : ERR_CLOSED,
                      "the connection to the peer was lost");
}

static void part_peer_down(void *self, struct contact *c, int err) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->has_stream && session_ref_equal(t->session, c->peering->session))
            lost(files, t, err);
    }
}

static void part_connect_failed(void *self, struct contact *c, int err) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact == c->serial && t->info.state == TRANSFER_CONNECTING)
            transfer_fail(files, t, err == ERR_TIMEOUT ? ERR_OFFLINE : err, NULL);
    }
}

/* Offers of `before` at the latest of which nothing was heard end (ERR_OFFLINE). Gives when the
 * first of the later ones was made; UINT64_MAX: there is none. */
static uint64_t part_peer_silent(void *self, struct contact *c, uint64_t before_us) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    const uint64_t heard_us = endpoint_heard_us(files->turn->ep, c->peering->ref);
    uint64_t next_us = UINT64_MAX;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (t->contact != c->serial || !t->info.outgoing || t->info.state != TRANSFER_OFFERED ||
            !t->has_stream || t->asked_us < heard_us)
            continue;
        if (t->asked_us <= before_us)
            transfer_abort(files, t, ERR_OFFLINE, NULL);
        else if (t->asked_us < next_us)
            next_us = t->asked_us;
    }
    return next_us;
}

static bool part_waits(const void *self, const struct contact *c) {
    const struct file_channel *ch = self;
    const struct transfers *files = ch->transfers;
    bool any = false;
    for (unsigned i = 0; !any && i < files->count; i++)
        any = files->list[i]->contact == c->serial && files->list[i]->has_stream;
    return any;
}

static void part_renamed(void *self, const struct contact *c) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++) {
        struct transfer *t = files->list[i];
        if (!node_id_equal(&t->info.node, &c->id))
            continue;
        memcpy(t->info.contact, c->name, sizeof c->name);
        if (t->reported)
            transfer_changed(files, t);
    }
}

static void part_contact_gone(void *self, struct contact *c) {
    const struct file_channel *ch = self;
    struct transfers *files = ch->transfers;
    for (unsigned i = 0; i < files->count; i++)
        if (files->list[i]->contact == c->serial)
            transfer_abort(files, files->list[i], ERR_CANCELLED, NULL);
}

static bool part_stream_event(void *self, struct contact *c, const struct ep_event *ev) {
    const struct file_channel *ch = self;
    struct transfer *t = transfer_by_owner(ch->transfers, ev->owner);
    (void)c;
    if (!t || !t->has_stream || t->stream != ev->stream ||
        !session_ref_equal(t->session, ev->session))
        return false;
    t->ops->event(ch->transfers, t, ev);
    return true;
}

static void part_op_done(void *self, struct file_op *op) {
    const struct file_channel *ch = self;
    transfer_op_done(ch->transfers, op);
}

const struct part_ops file_channel_part = {.load = part_load,
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
