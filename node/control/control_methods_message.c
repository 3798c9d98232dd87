/* control_methods_message.c: message.*, events.* */
#include <stdlib.h>
#include <string.h>

#include "node/control/control_internal.h"

static int send_failed(struct call *call, int err, const char *contact) {
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name");
    if (err == ERR_USAGE)
        return call_fail(call, err, "text", "a message is 1 to %d bytes of UTF-8",
                         MESSAGE_MAX_BYTES);
    return call_fail(call, err, contact, NULL);
}

/* Answered when it survives a power cut: then it is promised. */
int do_message_send(struct call *call) {
    char contact[PETNAME_MAX + 1];
    size_t len;
    uint64_t seq;
    arg_str(call, "contact", contact, sizeof contact);
    const char *text = arg_text(call, "text", &len);
    struct wait *w = wait_new(call, WAIT_QUEUED, call->now_us + CONTROL_QUEUED_US);
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, contact, sizeof w->contact);
    int err = node_message_send(call->c->node, call->now_us, contact, text, len, &seq);
    if (err) {
        wait_forget(call->c, w);
        return send_failed(call, err, contact);
    }
    w->ref = seq;
    return CALL_LATER;
}

int do_message_list(struct call *call) {
    struct proto_writer *w = call->w;
    char contact[PETNAME_MAX + 1];
    struct message_info info;
    bool one = arg_str(call, "contact", contact, sizeof contact);
    uint64_t after = arg_uint(call, "after", 0);
    uint64_t limit = arg_limit(call), shown = 0;
    if (one && !node_message_with(call->c->node, contact))
        return call_fail(call, ERR_NOT_FOUND, contact, "there is no contact of that name");
    bool more = false;
    proto_map(w, NULL);
    proto_array(w, "messages");
    while (node_message_next(call->c->node, after, one ? contact : NULL, &info)) {
        more = shown == limit || w->len >= CONTROL_PAGE_BYTES;
        if (more)
            break;
        show_message(w, NULL, &info);
        after = info.seq;
        shown++;
    }
    call->c->work.bytes += shown * CONTROL_READ_BYTES;
    proto_end(w);
    proto_uint(w, "last", after);
    proto_bool(w, "more", more);
    proto_end(w);
    return 0;
}

/* The peer has refused it for good. */
static int message_failed(struct call *call, const struct message_info *info) {
    char text[CAUSE_TEXT_MAX];
    cause_text(text, info->err, &info->cause);
    call->cause = info->cause;
    return call_fail(call, info->err, info->contact, "%s", text);
}

int do_message_wait(struct call *call) {
    struct message_info info;
    uint64_t seq = arg_uint(call, "seq", 0);
    if (!own_message(call->c->node, seq, &info))
        return call_fail(call, ERR_NOT_FOUND, NULL, "there is no outgoing message of that number");
    if (info.state == MESSAGE_FAILED)
        return message_failed(call, &info);
    if (info.state == MESSAGE_CANCELLED)
        return call_fail(call, ERR_CANCELLED, info.contact, "the contact has been removed");
    if (info.delivered) {
        proto_map(call->w, NULL);
        proto_uint(call->w, "seq", seq);
        proto_bool(call->w, "delivered", true);
        proto_end(call->w);
        return 0;
    }
    struct wait *w = wait_new(call, WAIT_MESSAGE, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    w->ref = seq;
    w->until_offline = arg_bool(call, "until_offline");
    memcpy(w->contact, info.contact, sizeof w->contact);
    /* It was not let in when it tried last: what it is told now is the answer. */
    if (node_denied(info.err) && node_connect(call->c->node, call->now_us, info.contact) != 0) {
        /* Without an address: it may come by itself. */
    }
    return CALL_LATER;
}

int do_message_delete(struct call *call) {
    char contact[PETNAME_MAX + 1];
    struct message_cut cut;
    arg_str(call, "contact", contact, sizeof contact);
    int err = node_message_delete(call->c->node, call->now_us, contact, arg_uint(call, "after", 0),
                                  arg_uint(call, "upto", UINT64_MAX), &cut);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name, and no history");
    if (err)
        return call_fail(call, err, contact, NULL);
    call->c->work.bytes +=
        (cut.more ? MESSAGES_DELETE_STEP : cut.deleted) * (size_t)CONTROL_DELETE_BYTES;
    proto_map(call->w, NULL);
    proto_uint(call->w, "deleted", cut.deleted);
    proto_uint(call->w, "last", cut.last);
    proto_bool(call->w, "more", cut.more);
    proto_end(call->w);
    return 0;
}

/* The bit of an event's name; 0 if there is no such event. */
static uint32_t event_bit(const char *name) {
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        if (strcmp(node_event_name((enum node_event_kind)k), name) == 0)
            return UINT32_C(1) << k;
    return 0;
}

int do_events_subscribe(struct call *call) {
    uint32_t mask = UINT32_MAX;
    if (arg_given(call, "kinds")) {
        unsigned count = 0;
        char **kinds = arg_strs(call, "kinds", &count);
        if (!kinds)
            return ERR_NOMEM;
        mask = 0;
        for (unsigned i = 0; i < count; i++) {
            uint32_t bit = event_bit(kinds[i]);
            if (bit == 0) {
                call_fail(call, ERR_USAGE, kinds[i], "there is no event of that name");
                free(kinds);
                return ERR_USAGE;
            }
            mask |= bit;
        }
        free(kinds);
    }
    call->conn->events = mask;
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

int do_events_unsubscribe(struct call *call) {
    call->conn->events = 0;
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}
