#include "node/daemon/event_line.h"

#include <stdio.h>
#include <string.h>

#include "node/api/escape.h"
#include "node/api/quote.h"

enum log_level event_line_level(const struct node_event *e) {
    switch (e->kind) {
    case NODE_TRANSFER_PROGRESS:
    case NODE_TICKET_STORED:
    case NODE_MESSAGE_QUEUED:
    case NODE_PONG:
    case NODE_PING_FAILED:
        return LOG_DEBUG;
    case NODE_PEER_UP:
    case NODE_PEER_DOWN:
    case NODE_CONNECT_FAILED:
    case NODE_PEER_SILENT:
    case NODE_PEER_ANSWERS:
    case NODE_CONTACT_ADDED:
    case NODE_CONTACT_REMOVED:
    case NODE_CONTACT_RENAMED:
    case NODE_PATH_CHANGED:
    case NODE_TRANSFER_OFFERED:
    case NODE_TRANSFER_STARTED:
    case NODE_TRANSFER_DONE:
    case NODE_TRANSFER_FAILED:
    case NODE_MESSAGE:
    case NODE_MESSAGE_DELIVERED:
    case NODE_MESSAGE_REFUSED:
    case NODE_MESSAGE_FAILED:
    case NODE_MESSAGE_FULL:
    case NODE_PAIRING_FAILED:
        break;
    case NODE_CONTACT_DENIED: /* there is something to be done */
        return LOG_WARN;
    case NODE_RELAY:
        if (e->total == 0) /* a contact has named it */
            return LOG_DEBUG;
        return e->relay == RELAY_NEWS_WRONG_KEY ? LOG_ERROR : LOG_INFO;
    }
    return LOG_INFO;
}

/* What a peer may have had a hand in: as it is where nothing of it hides, else escaped. */
static const char *safe(char *buf, size_t cap, const char *text) {
    size_t len = strlen(text);
    if (escape_none(text, len))
        return text;
    escape_text(buf, cap, text, len);
    return buf;
}

#define PUT(...) ((void)snprintf(out, EVENT_LINE_MAX, __VA_ARGS__))

static void transfer_line(char out[static EVENT_LINE_MAX], const struct node_event *e,
                          const char *why) {
    const unsigned long long id = e->id;
    char buf[ESCAPE_GROWTH * sizeof e->detail];
    if (e->kind == NODE_TRANSFER_OFFERED)
        PUT("\"%s\" offers transfer %llu; take it with: meshctl accept %llu", e->contact, id, id);
    else if (e->kind == NODE_TRANSFER_STARTED)
        PUT("transfer %llu with \"%s\" has begun", id, e->contact);
    else if (e->kind == NODE_TRANSFER_PROGRESS)
        PUT("transfer %llu with \"%s\": %llu of %llu bytes", id, e->contact,
            (unsigned long long)e->bytes, (unsigned long long)e->total);
    else if (e->kind == NODE_TRANSFER_DONE)
        PUT("transfer %llu with \"%s\" is complete and verified", id, e->contact);
    else
        PUT("transfer %llu with \"%s\" has failed: %s%s%s", id, e->contact, why,
            e->detail[0] ? ": " : "", safe(buf, sizeof buf, e->detail));
}

static void message_line(char out[static EVENT_LINE_MAX], const struct node_event *e,
                         const char *why) {
    const unsigned long long seq = e->id;
    if (e->kind == NODE_MESSAGE)
        PUT("message %llu from \"%s\" has come; read it with: meshctl msgs", seq, e->contact);
    else if (e->kind == NODE_MESSAGE_QUEUED)
        PUT("message %llu to \"%s\" is stored, and leaves", seq, e->contact);
    else if (e->kind == NODE_MESSAGE_DELIVERED)
        PUT("message %llu to \"%s\" is delivered", seq, e->contact);
    else if (e->kind == NODE_MESSAGE_REFUSED)
        PUT("\"%s\" does not take message %llu now: %s; it is sent again", e->contact, seq, why);
    else if (e->kind == NODE_MESSAGE_FAILED)
        PUT("\"%s\" will never take message %llu: %s", e->contact, seq, why);
    else {
        char name[QUOTE_GROWTH * sizeof e->contact + 3];
        (void)quote_word(name, sizeof name, e->contact);
        PUT("messages from \"%s\" find no room, they fill their %llu bytes; make some with: "
            "meshctl msgs --with %s --delete",
            e->contact, (unsigned long long)e->total, name);
    }
}

static void peer_line(char out[static EVENT_LINE_MAX], const struct node_event *e,
                      const char *why) {
    if (e->kind == NODE_PEER_UP)
        PUT("\"%s\" is online%s%s", e->contact, e->to[0] ? " at " : "", e->to);
    else if (e->kind == NODE_PEER_DOWN && e->err == 0)
        PUT("\"%s\" is idle: nobody has needed it for long, so its session has ended", e->contact);
    else if (e->kind == NODE_PEER_DOWN)
        PUT("\"%s\" is offline: %s", e->contact, why);
    else if (e->kind == NODE_PEER_SILENT)
        PUT("\"%s\" does not answer, though its session is up", e->contact);
    else if (e->kind == NODE_PEER_ANSWERS)
        PUT("\"%s\" answers again", e->contact);
    else if (e->kind == NODE_CONNECT_FAILED)
        PUT("\"%s\" was not reached: %s", e->contact, why);
    else if (e->kind == NODE_PATH_CHANGED)
        PUT("\"%s\" is now reached at %s, before at %s: %s", e->contact, e->to, e->from, e->detail);
    else if (e->kind == NODE_PONG)
        PUT("\"%s\" answered ping %llu after %llu us", e->contact, (unsigned long long)e->id,
            (unsigned long long)e->rtt_us);
    else
        PUT("\"%s\" did not answer ping %llu: %s", e->contact, (unsigned long long)e->id, why);
}

void event_line(char out[static EVENT_LINE_MAX], const struct node_event *e) {
    char why[CAUSE_TEXT_MAX] = "";
    if (e->err)
        cause_text(why, e->err, &e->cause);
    switch (e->kind) {
    case NODE_PEER_UP:
    case NODE_PEER_DOWN:
    case NODE_CONNECT_FAILED:
    case NODE_PEER_SILENT:
    case NODE_PEER_ANSWERS:
    case NODE_PATH_CHANGED:
    case NODE_PONG:
    case NODE_PING_FAILED:
        peer_line(out, e, why);
        return;
    case NODE_CONTACT_ADDED:
        PUT("\"%s\" is a contact now", e->contact);
        return;
    case NODE_CONTACT_REMOVED:
        PUT("\"%s\" is no contact any more", e->contact);
        return;
    case NODE_CONTACT_RENAMED:
        PUT("\"%s\" is called \"%s\" now", e->detail, e->contact);
        return;
    case NODE_CONTACT_DENIED:
        PUT("\"%s\" does not let this node in: %s; ask them for a new ticket, and add it under the "
            "same "
            "name",
            e->contact, why);
        return;
    case NODE_PAIRING_FAILED:
        PUT("pairing with \"%s\" could not be stored: %s; its ticket still holds", e->contact, why);
        return;
    case NODE_TRANSFER_OFFERED:
    case NODE_TRANSFER_STARTED:
    case NODE_TRANSFER_PROGRESS:
    case NODE_TRANSFER_DONE:
    case NODE_TRANSFER_FAILED:
        transfer_line(out, e, why);
        return;
    case NODE_MESSAGE:
    case NODE_MESSAGE_QUEUED:
    case NODE_MESSAGE_DELIVERED:
    case NODE_MESSAGE_REFUSED:
    case NODE_MESSAGE_FAILED:
    case NODE_MESSAGE_FULL:
        message_line(out, e, why);
        return;
    case NODE_TICKET_STORED:
        PUT("an open ticket is safe on the disk");
        return;
    case NODE_RELAY:
        PUT("%s", e->detail);
        return;
    }
    PUT("%s", node_event_name(e->kind));
}
