/* control_methods_message.c: message.*: what was said, and what waits to be. */
#include <string.h>

#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_page.h"
#include "node/control/methods/control_reach.h"
#include "node/control/methods/control_show.h"

static void show_message(struct proto_writer *w, const char *key, const struct message_info *i) {
    char hex[2 * sizeof i->id + 1];
    for (size_t b = 0; b < sizeof i->id; b++) {
        hex[2 * b] = "0123456789abcdef"[i->id[b] >> 4];
        hex[2 * b + 1] = "0123456789abcdef"[i->id[b] & 15];
    }
    proto_map(w, key);
    proto_uint(w, "seq", i->seq);
    proto_strn(w, "id", hex, sizeof hex - 1);
    proto_str(w, "contact", i->contact);
    show_id(w, "node", &i->node);
    proto_bool(w, "outgoing", i->outgoing);
    proto_bool(w, "delivered", i->delivered);
    proto_str(w, "state", message_state_name(i->state));
    if (i->err)
        show_error(w, "error", i->err, &i->cause, NULL);
    else
        proto_nil(w, "error");
    proto_uint(w, "wall_us", i->wall_us);
    proto_strn(w, "text", i->text, i->len);
    proto_end(w);
}

/* ---- sending ---- */

static void queued_event(struct waits *ws, uint64_t now_us, struct wait *w,
                         const struct node_event *e) {
    if (e->kind == NODE_MESSAGE_QUEUED && e->id == w->ref)
        wait_uint(ws, now_us, w, "seq");
}

static void queued_expired(struct waits *ws, uint64_t now_us, struct wait *w) {
    wait_error(ws, now_us, w, ERR_IO,
               "the message is stored, but not safe on the disk yet; it leaves once it is");
}

static const struct wait_kind until_queued = {.event = queued_event, .expired = queued_expired};

static int send_failed(struct call *call, int err, const char *contact) {
    if (err == ERR_NOT_FOUND)
        return call_no_contact(call, contact);
    if (err == ERR_USAGE)
        return call_fail(call, err, "text", "a message is 1 to %d bytes of UTF-8",
                         MESSAGE_MAX_BYTES);
    return call_fail(call, err, contact, NULL);
}

/* Answered when it survives a power cut: then it is promised. */
static int do_message_send(struct call *call) {
    char contact[PETNAME_MAX + 1];
    size_t len;
    uint64_t seq;
    arg_str(call, "contact", contact, sizeof contact);
    const char *text = arg_text(call, "text", &len);
    struct wait *w = wait_new(call, &until_queued, call->now_us + CONTROL_QUEUED_US);
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, contact, sizeof w->contact);
    int err = node_message_send(call->node, call->now_us, contact, text, len, &seq);
    if (err) {
        wait_forget(call->waits, w);
        return send_failed(call, err, contact);
    }
    w->ref = seq;
    return CALL_LATER;
}

static int do_message_list(struct call *call) {
    struct proto_writer *w = call->w;
    char contact[PETNAME_MAX + 1];
    struct message_info info;
    bool one = arg_str(call, "contact", contact, sizeof contact);
    uint64_t after = arg_uint(call, "after", 0);
    uint64_t limit = page_limit(call), shown = 0;
    if (one && !node_message_with(call->node, contact))
        return call_no_contact(call, contact);
    bool more = false;
    proto_map(w, NULL);
    proto_array(w, "messages");
    while (node_message_next(call->node, after, one ? contact : NULL, &info)) {
        more = shown == limit || w->len >= CONTROL_PAGE_BYTES;
        if (more)
            break;
        show_message(w, NULL, &info);
        after = info.seq;
        shown++;
    }
    call->work_bytes += shown * CONTROL_READ_BYTES;
    proto_end(w);
    proto_uint(w, "last", after);
    proto_bool(w, "more", more);
    proto_end(w);
    return 0;
}

/* ---- delivery ---- */

static void answer_delivered(struct proto_writer *w, uint64_t seq) {
    proto_uint(w, "seq", seq);
    proto_bool(w, "delivered", true);
}

/* What becomes of the message itself. True if that was it. */
static bool own_event(struct waits *ws, uint64_t now_us, struct wait *w,
                      const struct node_event *e) {
    if (e->kind == NODE_MESSAGE_DELIVERED && e->id == w->ref) {
        answer_delivered(wait_open(ws, w), w->ref);
        wait_close(ws, now_us, w);
        return true;
    }
    if (e->kind != NODE_MESSAGE_FAILED || e->id != w->ref)
        return false;
    wait_told(ws, now_us, w, e);
    return true;
}

/* `extra`: it is waited no longer than until the peer is found not to answer. */
static void delivery_event(struct waits *ws, uint64_t now_us, struct wait *w,
                           const struct node_event *e) {
    if (own_event(ws, now_us, w, e) || strcmp(w->contact, e->contact) != 0)
        return;
    if (reach_denied(e))
        reach_answer_denied(ws, now_us, w, e->err);
    else if (e->kind == NODE_CONTACT_REMOVED)
        reach_answer_removed(ws, now_us, w);
    else if (w->extra && e->err == ERR_OFFLINE &&
             (e->kind == NODE_CONNECT_FAILED || e->kind == NODE_PEER_SILENT))
        wait_error(ws, now_us, w, ERR_OFFLINE,
                   "the peer does not answer; the message stays queued");
}

static const struct wait_kind until_delivered = {
    .event = delivery_event, .late = "the peer has not confirmed the message yet; it stays queued"};

/* Message `seq`, if it is one of ours. Its text is not to be used. */
static bool own_message(struct node *n, uint64_t seq, struct message_info *out) {
    return seq > 0 && node_message_next(n, seq - 1, NULL, out) && out->seq == seq && out->outgoing;
}

/* The peer has refused it for good. */
static int message_failed(struct call *call, const struct message_info *info) {
    char text[CAUSE_TEXT_MAX];
    cause_text(text, info->err, &info->cause);
    call->cause = info->cause;
    return call_fail(call, info->err, info->contact, "%s", text);
}

static int do_message_wait(struct call *call) {
    struct message_info info;
    uint64_t seq = arg_uint(call, "seq", 0);
    if (!own_message(call->node, seq, &info))
        return call_fail(call, ERR_NOT_FOUND, NULL, "there is no outgoing message of that number");
    if (info.state == MESSAGE_FAILED)
        return message_failed(call, &info);
    if (info.state == MESSAGE_CANCELLED)
        return call_fail(call, ERR_CANCELLED, info.contact, "the contact has been removed");
    if (info.delivered) {
        proto_map(call->w, NULL);
        answer_delivered(call->w, seq);
        proto_end(call->w);
        return 0;
    }
    struct wait *w = wait_new(call, &until_delivered, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    w->ref = seq;
    w->extra = arg_bool(call, "until_offline");
    memcpy(w->contact, info.contact, sizeof w->contact);
    /* It was not let in when it tried last: what it is told now is the answer. */
    if (node_denied(info.err) && node_connect(call->node, call->now_us, info.contact) != 0) {
        /* Without an address: it may come by itself. */
    }
    return CALL_LATER;
}

static int do_message_delete(struct call *call) {
    char contact[PETNAME_MAX + 1];
    struct message_cut cut;
    arg_str(call, "contact", contact, sizeof contact);
    int err = node_message_delete(call->node, call->now_us, contact, arg_uint(call, "after", 0),
                                  arg_uint(call, "upto", UINT64_MAX), &cut);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name, and no history");
    if (err)
        return call_fail(call, err, contact, NULL);
    call->work_bytes +=
        (cut.more ? MESSAGES_DELETE_STEP : cut.deleted) * (size_t)CONTROL_DELETE_BYTES;
    proto_map(call->w, NULL);
    proto_uint(call->w, "deleted", cut.deleted);
    proto_uint(call->w, "last", cut.last);
    proto_bool(call->w, "more", cut.more);
    proto_end(call->w);
    return 0;
}

static const struct method methods[] = {
    {"message.send",
     do_message_send,
     {{"contact", ARG_STR, true, PETNAME_MAX}, {"text", ARG_TEXT, true, MESSAGE_MAX_BYTES}}},
    {"message.list",
     do_message_list,
     {{"contact", ARG_STR, false, PETNAME_MAX},
      {"after", ARG_UINT, false, 0},
      {"limit", ARG_UINT, false, 0}}},
    {"message.delete",
     do_message_delete,
     {{"contact", ARG_STR, true, PETNAME_MAX},
      {"after", ARG_UINT, false, 0},
      {"upto", ARG_UINT, false, 0}}},
    {"message.wait",
     do_message_wait,
     {{"seq", ARG_UINT, true, 0}, ARG_TIMEOUT, {"until_offline", ARG_BOOL, false, 0}}},
    {NULL, NULL, {{0}}},
};

/* ---- events ---- */

static void show_event_message(const struct telling *t) {
    struct message_info info;
    proto_uint(t->w, "seq", t->e->id);
    if (!t->brief && t->e->id > 0 && node_message_next(t->node, t->e->id - 1, NULL, &info) &&
        info.seq == t->e->id)
        show_message(t->w, "message", &info);
    else
        proto_nil(t->w, "message");
}

static void show_event_seq(const struct telling *t) {
    proto_uint(t->w, "seq", t->e->id);
}

static void show_event_not_taken(const struct telling *t) {
    proto_uint(t->w, "seq", t->e->id);
    show_error(t->w, "error", t->e->err, &t->e->cause, NULL);
}

static void show_event_quota(const struct telling *t) {
    proto_uint(t->w, "quota_contact_bytes", t->e->total);
}

static const struct event_row events[] = {
    {.kind = NODE_MESSAGE, .show = show_event_message, .flags = EVENT_SHORTENS},
    {.kind = NODE_MESSAGE_QUEUED, .show = show_event_seq},
    {.kind = NODE_MESSAGE_DELIVERED, .show = show_event_seq},
    {.kind = NODE_MESSAGE_REFUSED, .show = show_event_not_taken},
    {.kind = NODE_MESSAGE_FAILED, .show = show_event_not_taken},
    {.kind = NODE_MESSAGE_FULL, .show = show_event_quota},
};

const struct group control_group_message = {
    .methods = methods, .events = events, .event_count = sizeof events / sizeof *events};
