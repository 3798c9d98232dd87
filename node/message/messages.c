/* messages.c: the message room as a part of the node (node/base/part.h): what waits is counted at
 * the start, and each contact has its conversation as long as it is one.
 */

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/base/keep.h"
#include "node/message/conversation.h"
#include "node/message/message.h"

/* ---- at the start ---- */
/* Whether (peer, seq) is a message of ours that waits. */
static int waits(struct messages *talk, const struct node_id *peer, uint64_t seq, bool *out) {
    struct mark m;
    int err = mark_get(&talk->history.dialogs, peer, seq, &m);
    *out = !err && !m.incoming && !m.delivered && !m.failed;
    return err == ERR_NOT_FOUND || err == ERR_FORMAT ? 0 : err;
}

/* Counts an entry, or sweeps what is none: a store that cannot delete now is no reason not to
 * start, since each entry is looked at again before it leaves. */
static int load_one(struct messages *talk, const struct node_id *peer, uint64_t seq) {
    struct contact *c = contact_by_id(talk->contacts, peer);
    struct dialog t;
    bool waiting = false;
    int err = dialog_get(&talk->history.dialogs, peer, &t);
    if (!err && seq > t.void_seq) {
        if (!c)
            return 0; /* of a contact that could not be read */
        err = waits(talk, peer, seq, &waiting);
    }
    if (err)
        return err;
    if (!waiting && outbox_del(&talk->history.dialogs, peer, seq) == 0)
        return 0;
    if (!waiting)
        turn_log(talk->turn, LOG_WARN, "an entry of the outbox that is none cannot be removed now");
    if (c && seq > t.void_seq) {
        c->peering->queued++;
        talk->queued++;
    }
    return 0;
}

static int load(void *self) {
    struct messages *talk = self;
    struct node_id peer = {{0}};
    uint64_t seq = 0;
    int err = history_load(&talk->history);
    while (!err && (err = outbox_walk(&talk->history.dialogs, &peer, &seq)) == 0)
        err = load_one(talk, &peer, seq);
    history_clear(&talk->history); /* most nodes send nothing for long */
    return err == ERR_NOT_FOUND ? 0 : err;
}

static void conversation_end(struct messages *talk, struct contact *c) {
    if (!c->talk)
        return;
    message_peer_down(talk, c);
    mem_free(c->talk);
    c->talk = NULL;
}

static void clear(void *self) {
    struct messages *talk = self;
    for (unsigned i = 0; i < talk->contacts->count; i++)
        conversation_end(talk, talk->contacts->list[i]);
    history_clear(&talk->history);
}

/* ---- who there is to talk to ---- */
static int contact_new(void *self, struct contact *c) {
    (void)self;
    c->talk = mem_calloc(1, sizeof *c->talk);
    return c->talk ? 0 : ERR_NOMEM;
}

static int contact_void(void *self, const struct contact *c) {
    struct messages *talk = self;
    struct dialog t;
    int err = dialog_get(&talk->history.dialogs, &c->id, &t);
    if (err || c->peering->queued == 0)
        return err;
    t.void_seq = talk->history.last_seq;
    return dialog_put(&talk->history.dialogs, &c->id, &t);
}

static void contact_gone(void *self, struct contact *c) {
    conversation_end(self, c);
    message_count_down(self, c, c->peering->queued);
}

/* ---- what happens to one ---- */
static void peer_up(void *self, struct contact *c) {
    message_kick(self, c);
}

static void peer_down(void *self, struct contact *c, int err) {
    (void)err;
    message_peer_down(self, c);
}

static bool waiting(const void *self, const struct contact *c) {
    (void)self;
    return c->talk->posting != NULL;
}

static bool stream_event(void *self, struct contact *c, const struct ep_event *ev) {
    return message_stream_event(self, c, ev);
}

const struct part_ops messages_part = {.load = load,
                                       .clear = clear,
                                       .peer_up = peer_up,
                                       .peer_down = peer_down,
                                       .waits = waiting,
                                       .retry = peer_up,
                                       .contact_new = contact_new,
                                       .contact_void = contact_void,
                                       .contact_gone = contact_gone,
                                       .stream_event = stream_event};
