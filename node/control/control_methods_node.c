/* control_methods.c: the table of methods, which is the list in docs/CONTROL.md, and the daemon's
 * own. */
#include <string.h>

#include "crypto/identity/identity.h"
#include "node/control/control_internal.h"

#define NAME_ARG                                                                                   \
    { "name", ARG_STR, true, PETNAME_MAX }
#define ID_ARG                                                                                     \
    { "id", ARG_UINT, true, 0 }
#define PAGE_ARGS                                                                                  \
    {"offset", ARG_UINT, false, UINT32_MAX}, {                                                     \
        "limit", ARG_UINT, false, 0                                                                \
    }
#define TIMEOUT_ARG                                                                                \
    { "timeout_us", ARG_UINT, false, CONTROL_TIMEOUT_MAX_US }

const struct method control_methods[] = {
    {"version", do_version, {{0}}},
    {"id", do_id, {{0}}},
    {"status", do_status, {{0}}},
    {"shutdown", do_shutdown, {{0}}},
    {"wait",
     do_wait,
     {{"for", ARG_STR, true, 16}, {"name", ARG_STR, false, PETNAME_MAX}, TIMEOUT_ARG}},
    {"ticket.new",
     do_ticket_new,
     {{"name", ARG_STR, false, PETNAME_MAX}, {"ttl_s", ARG_UINT, false, CONTROL_TTL_MAX_S}}},
    {"ticket.end", do_ticket_end, {{"ticket", ARG_STR, true, TICKET_TEXT_MAX}}},
    {"contact.add",
     do_contact_add,
     {NAME_ARG, {"ticket", ARG_STR, true, TICKET_TEXT_MAX}, TIMEOUT_ARG}},
    {"contact.list", do_contact_list, {PAGE_ARGS}},
    {"contact.remove", do_contact_remove, {NAME_ARG}},
    {"contact.rename", do_contact_rename, {NAME_ARG, {"to", ARG_STR, true, PETNAME_MAX}}},
    {"peer.connect", do_peer_connect, {NAME_ARG}},
    {"peer.list", do_peer_list, {PAGE_ARGS}},
    {"peer.ping", do_peer_ping, {NAME_ARG, TIMEOUT_ARG}},
    {"transfer.send",
     do_transfer_send,
     {{"contact", ARG_STR, true, PETNAME_MAX},
      {"paths", ARG_STRS, true, CONTROL_PATH_MAX},
      {"name", ARG_STR, false, FILE_NAME_MAX_BYTES},
      {"detach", ARG_BOOL, false, 0},
      TIMEOUT_ARG}},
    {"transfer.list", do_transfer_list, {PAGE_ARGS}},
    {"transfer.get", do_transfer_get, {ID_ARG}},
    {"transfer.files", do_transfer_files, {ID_ARG, PAGE_ARGS}},
    {"transfer.accept", do_transfer_accept, {ID_ARG, {"dir", ARG_STR, false, CONTROL_PATH_MAX}}},
    {"transfer.reject", do_transfer_reject, {ID_ARG}},
    {"transfer.cancel", do_transfer_cancel, {ID_ARG}},
    {"transfer.wait", do_transfer_wait, {ID_ARG, TIMEOUT_ARG}},
    {"recv.start",
     do_recv_start,
     {{"dir", ARG_STR, false, CONTROL_PATH_MAX},
      {"contact", ARG_STR, false, PETNAME_MAX},
      {"once", ARG_BOOL, false, 0}}},
    {"recv.stop", do_recv_stop, {ID_ARG}},
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
     {{"seq", ARG_UINT, true, 0}, TIMEOUT_ARG, {"until_offline", ARG_BOOL, false, 0}}},
    {"events.subscribe", do_events_subscribe, {{"kinds", ARG_FEW, false, 32}}},
    {"events.unsubscribe", do_events_unsubscribe, {{0}}},
    {NULL, NULL, {{0}}},
};

const struct method *control_method(const char *name) {
    for (const struct method *m = control_methods; m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

int do_version(struct call *call) {
    struct proto_writer *w = call->w;
    proto_map(w, NULL);
    proto_str(w, "version", call->c->version);
    proto_uint(w, "api", PROTO_API_VERSION);
    proto_array(w, "methods");
    for (const struct method *m = control_methods; m->name; m++)
        proto_str(w, NULL, m->name);
    proto_end(w);
    proto_end(w);
    return 0;
}

int do_shutdown(struct call *call) {
    call->c->shutdown = true;
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

int do_id(struct call *call) {
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(node_self(call->c->node), text);
    proto_map(call->w, NULL);
    proto_str(call->w, "id", text);
    proto_end(call->w);
    return 0;
}

int do_status(struct call *call) {
    show_status(call->c, call->w, call->now_us);
    return 0;
}

static int no_contact(struct call *call, const char *name) {
    return call_fail(call, ERR_NOT_FOUND, name, "there is no contact of that name");
}

static int wait_for_peer(struct call *call, const char *name, const struct contact_info *info) {
    if (wait_peer_answers(info)) {
        proto_map(call->w, NULL);
        show_peer(call->w, "peer", info);
        proto_end(call->w);
        return 0;
    }
    struct wait *w = wait_new(call, WAIT_PEER, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, name, PETNAME_MAX + 1);
    (void)wait_peer_try(call->c, call->now_us, w);
    return CALL_LATER;
}

int do_wait(struct call *call) {
    char what[17], name[PETNAME_MAX + 1] = "";
    arg_str(call, "for", what, sizeof what);
    bool named = arg_str(call, "name", name, sizeof name);
    if (strcmp(what, "ready") == 0) {
        proto_map(call->w, NULL);
        proto_bool(call->w, "ready", true);
        proto_end(call->w);
        return 0;
    }
    bool peer = strcmp(what, "peer") == 0;
    if (!peer && strcmp(what, "contact") != 0)
        return call_fail(call, ERR_USAGE, "for",
                         "\"for\" must be \"ready\", \"peer\" or \"contact\"");
    if (!named)
        return call_fail(call, ERR_USAGE, "name", "waiting for a %s needs the argument \"name\"",
                         what);
    struct contact_info info;
    bool known = node_contact_get(call->c->node, call->now_us, name, &info);
    if (peer)
        return known ? wait_for_peer(call, name, &info) : no_contact(call, name);
    if (known) {
        proto_map(call->w, NULL);
        show_peer(call->w, "peer", &info);
        proto_end(call->w);
        return 0;
    }
    struct wait *w = wait_new(call, WAIT_CONTACT, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    memcpy(w->contact, name, sizeof w->contact);
    return CALL_LATER;
}
