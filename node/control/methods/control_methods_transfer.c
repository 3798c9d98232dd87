/* control_methods_transfer.c: transfer.*, recv.*: files that go out and come in. */
#include <string.h>

#include "crypto/base/mem.h"
#include "node/control/call/control_args.h"
#include "node/control/call/control_group.h"
#include "node/control/call/control_hold.h"
#include "node/control/call/control_page.h"
#include "node/control/call/control_wait.h"
#include "node/control/methods/control_show_transfer.h"

/* The daemon has another working directory than its clients: a relative path would mean something
 * else to each. */
static bool is_absolute(const char *path) {
    if (path[0] == '/' || path[0] == '\\')
        return true;
    char c = (char)(path[0] | 0x20);
    return c >= 'a' && c <= 'z' && path[1] == ':'; /* Windows: a drive */
}

static int not_absolute(struct call *call, const char *path) {
    return call_fail(call, ERR_USAGE, path, "paths must be absolute");
}

static int id_failed(struct call *call, int err) {
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, NULL, "there is no transfer of that number");
    return err;
}

/* Where to receive: what was asked for, or what is configured. */
static int bad_dir(struct call *call, const char *dir) {
    struct transfer_info info;
    if (!dir)
        return call_fail(call, ERR_USAGE, "dir",
                         "there is no directory to receive into: none is given, and download_dir "
                         "is not set in meshd.conf");
    return call_fail(call, ERR_USAGE, dir, "the directory's path is longer than %u bytes",
                     (unsigned)sizeof info.dir - 1);
}

/* How it ended, for a sentence about what is not to be done any more. */
static int has_ended(struct call *call, const struct transfer_info *i, const char *verb) {
    char why[CAUSE_TEXT_MAX];
    cause_text(why, i->err, &i->cause);
    const unsigned long long id = (unsigned long long)i->id;
    if (i->state == TRANSFER_DONE)
        return call_fail(call, ERR_USAGE, NULL, "transfer %llu is done: there is nothing to %s", id,
                         verb);
    if (i->err == ERR_CANCELLED && i->cause.side == SIDE_LOCAL)
        return call_fail(call, ERR_USAGE, NULL, "transfer %llu was cancelled here already", id);
    if (i->err == ERR_REFUSED && i->cause.side == SIDE_LOCAL && i->cause.limit == LIMIT_NONE)
        return call_fail(call, ERR_USAGE, NULL, "transfer %llu was rejected here already", id);
    return call_fail(call, ERR_USAGE, NULL, "transfer %llu has failed already: %s", id, why);
}

/* Why an offer cannot be accepted or rejected: what it is, or that it is none any more. */
static int not_waiting(struct call *call, uint64_t id, const char *verb) {
    struct transfer_info i;
    if (!node_transfer_get(call->node, id, &i))
        return id_failed(call, ERR_NOT_FOUND);
    const unsigned long long number = (unsigned long long)id;
    if (i.outgoing)
        return call_fail(call, ERR_USAGE, NULL,
                         "transfer %llu is sent by this node: only what comes in can be %sed",
                         number, verb);
    if (i.state == TRANSFER_DONE || i.state == TRANSFER_FAILED)
        return has_ended(call, &i, verb);
    return call_fail(call, ERR_USAGE, NULL,
                     "transfer %llu was accepted already, into %s; %llu of %llu bytes are here",
                     number, i.dir, (unsigned long long)i.bytes_done,
                     (unsigned long long)i.bytes_total);
}

static int check_paths(struct call *call, char **paths, unsigned count) {
    if (count == 0)
        return call_fail(call, ERR_USAGE, "paths", "there is nothing to send");
    if (count > TRANSFER_FILES_MAX)
        return call_limit(call, LIMIT_FILES, TRANSFER_FILES_MAX, "paths");
    for (unsigned i = 0; i < count; i++) {
        if (!is_absolute(paths[i]))
            return not_absolute(call, paths[i]);
        if (paths[i][strlen(paths[i]) - 1] == '/')
            return call_fail(call, ERR_USAGE, paths[i], "a path that ends with '/' names no file");
    }
    return 0;
}

static int do_transfer_send(struct call *call) {
    char contact[PETNAME_MAX + 1], name[FILE_NAME_MAX_BYTES + 1];
    struct send_order order = {.contact = contact};
    uint64_t id;
    arg_str(call, "contact", contact, sizeof contact);
    order.name = arg_str(call, "name", name, sizeof name) ? name : NULL;
    order.timeout_us = arg_uint(call, "timeout_us", 0);
    order.paths = arg_strs(call, "paths", &order.count);
    if (!order.paths)
        return ERR_NOMEM;
    int err = check_paths(call, order.paths, order.count);
    if (!err && order.name && order.count > 1)
        err = call_fail(call, ERR_USAGE, "name", "a name is for one file");
    if (err) {
        mem_free(order.paths);
        return err;
    }
    err = node_send_taken(call->node, call->now_us, &order, &id);
    if (err == ERR_NOT_FOUND)
        return call_no_contact(call, contact);
    if (err == ERR_USAGE)
        return call_fail(call, err, NULL,
                         order.name && !order.name[0] ? "the name that it is to have is empty"
                         : order.count > 1
                             ? "two of the files have the same name: rename one, or send it alone"
                             : "the file has no name");
    if (err)
        return err;
    if (!arg_bool(call, "detach"))
        hold_add(call->state, call->node, call->conn->index, id);
    return call_uint(call, "id", id);
}

static int do_transfer_list(struct call *call) {
    struct transfer_info info;
    struct page p = page_open(call, "transfers");
    while (page_room(&p) && node_transfer_at(call->node, p.at, &info)) {
        show_transfer(call->w, NULL, call->node, &info, call->now_us);
        page_step(&p);
    }
    return page_close(&p, node_transfer_at(call->node, p.at, &info));
}

static int do_transfer_get(struct call *call) {
    struct transfer_info info;
    if (!node_transfer_get(call->node, arg_uint(call, "id", 0), &info))
        return id_failed(call, ERR_NOT_FOUND);
    proto_map(call->w, NULL);
    show_transfer(call->w, "transfer", call->node, &info, call->now_us);
    proto_end(call->w);
    return 0;
}

static int do_transfer_files(struct call *call) {
    struct transfer_info info;
    uint64_t id = arg_uint(call, "id", 0), size = 0;
    const char *name;
    if (!node_transfer_get(call->node, id, &info))
        return id_failed(call, ERR_NOT_FOUND);
    struct page p = page_open(call, "files");
    while (page_room(&p) && (name = node_transfer_file(call->node, id, p.at, &size)) != NULL) {
        show_file(call->w, name, size);
        page_step(&p);
    }
    return page_close(&p, node_transfer_file(call->node, id, p.at, &size) != NULL);
}

static int do_transfer_accept(struct call *call) {
    char dir[CONTROL_PATH_MAX + 1];
    bool given = arg_str(call, "dir", dir, sizeof dir);
    if (given && !is_absolute(dir))
        return not_absolute(call, dir);
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_accept(call->node, call->now_us, id, given ? dir : NULL);
    if (err == ERR_USAGE && node_transfer_waits(call->node, id))
        return bad_dir(call, given ? dir : NULL);
    if (err == ERR_USAGE)
        return not_waiting(call, id, "accept");
    return err ? id_failed(call, err) : call_empty(call);
}

static int do_transfer_reject(struct call *call) {
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_reject(call->node, call->now_us, id);
    if (err == ERR_USAGE)
        return not_waiting(call, id, "reject");
    return err ? id_failed(call, err) : call_empty(call);
}

static int do_transfer_cancel(struct call *call) {
    struct transfer_info info;
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_cancel(call->node, call->now_us, id);
    if (err == ERR_USAGE && node_transfer_get(call->node, id, &info))
        return has_ended(call, &info, "cancel");
    return err ? id_failed(call, err) : call_empty(call);
}

static void transfer_event(struct waits *ws, uint64_t now_us, struct wait *w,
                           const struct node_event *e) {
    struct transfer_info info;
    if ((e->kind != NODE_TRANSFER_DONE && e->kind != NODE_TRANSFER_FAILED) || e->id != w->ref)
        return;
    if (!node_transfer_get(ws->node, w->ref, &info)) {
        wait_error(ws, now_us, w, ERR_NOT_FOUND, "the transfer is gone");
        return;
    }
    show_transfer(wait_open(ws, w), "transfer", ws->node, &info, now_us);
    wait_close(ws, now_us, w);
}

static const struct wait_kind until_ended = {
    .event = transfer_event, .late = "the transfer did not end in time; it goes on"};

static int do_transfer_wait(struct call *call) {
    struct transfer_info info;
    uint64_t id = arg_uint(call, "id", 0);
    if (!node_transfer_get(call->node, id, &info))
        return id_failed(call, ERR_NOT_FOUND);
    if (info.state == TRANSFER_DONE || info.state == TRANSFER_FAILED)
        return do_transfer_get(call);
    struct wait *w = wait_new(call, &until_ended, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    w->ref = id;
    return CALL_LATER;
}

/* ---- receptions ---- */

static int do_recv_start(struct call *call) {
    char dir[CONTROL_PATH_MAX + 1], contact[PETNAME_MAX + 1];
    bool has_dir = arg_str(call, "dir", dir, sizeof dir);
    bool has_contact = arg_str(call, "contact", contact, sizeof contact);
    uint64_t id;
    if (has_dir && !is_absolute(dir))
        return not_absolute(call, dir);
    if (!hold_recv_room(call->state, call->node, call->conn->index))
        return call_limit(call, LIMIT_RECVS_CONNECTION, CONTROL_RECVS_MAX, NULL);
    int err = node_recv_start(call->node, call->now_us, has_dir ? dir : NULL,
                              has_contact ? contact : NULL, arg_bool(call, "once"), &id);
    if (err == ERR_NOT_FOUND)
        return call_no_contact(call, contact);
    if (err == ERR_USAGE)
        return bad_dir(call, has_dir ? dir : NULL);
    if (err)
        return call_fail(call, err, has_dir ? dir : NULL, NULL);
    hold_recv_add(call->state, call->conn->index, id);
    return call_uint(call, "id", id);
}

static int do_recv_stop(struct call *call) {
    uint64_t id = arg_uint(call, "id", 0);
    if (!hold_recv_drop(call->state, call->conn->index, id))
        return call_fail(call, ERR_NOT_FOUND, NULL,
                         "this connection has no reception of that number");
    node_recv_stop(call->node, id);
    return call_empty(call);
}

static const struct method methods[] = {
    {"transfer.send",
     do_transfer_send,
     {{"contact", ARG_STR, true, PETNAME_MAX},
      {"paths", ARG_STRS, true, CONTROL_PATH_MAX},
      {"name", ARG_STR, false, FILE_NAME_MAX_BYTES},
      {"detach", ARG_BOOL, false, 0},
      ARG_TIMEOUT}},
    {"transfer.list", do_transfer_list, {ARGS_PAGE}},
    {"transfer.get", do_transfer_get, {ARG_ID}},
    {"transfer.files", do_transfer_files, {ARG_ID, ARGS_PAGE}},
    {"transfer.accept", do_transfer_accept, {ARG_ID, {"dir", ARG_STR, false, CONTROL_PATH_MAX}}},
    {"transfer.reject", do_transfer_reject, {ARG_ID}},
    {"transfer.cancel", do_transfer_cancel, {ARG_ID}},
    {"transfer.wait", do_transfer_wait, {ARG_ID, ARG_TIMEOUT}},
    {"recv.start",
     do_recv_start,
     {{"dir", ARG_STR, false, CONTROL_PATH_MAX},
      {"contact", ARG_STR, false, PETNAME_MAX},
      {"once", ARG_BOOL, false, 0}}},
    {"recv.stop", do_recv_stop, {ARG_ID}},
    {NULL, NULL, {{0}}},
};

/* ---- events ---- */

static void show_event_transfer(const struct telling *t) {
    struct transfer_info info;
    proto_uint(t->w, "id", t->e->id);
    if (node_transfer_get(t->node, t->e->id, &info))
        show_transfer(t->w, "transfer", t->node, &info, t->e->now_us);
    else
        proto_nil(t->w, "transfer");
}

/* With the file that is under way: the first one that is not done. */
static void show_event_progress(const struct telling *t) {
    struct transfer_info info;
    const char *name = NULL;
    uint64_t bytes;
    proto_uint(t->w, "id", t->e->id);
    proto_uint(t->w, "bytes_done", t->e->bytes);
    proto_uint(t->w, "bytes_total", t->e->total);
    bool known = node_transfer_get(t->node, t->e->id, &info) && info.files > 0;
    if (known) {
        uint32_t last = info.files - 1;
        name = node_transfer_file(t->node, t->e->id,
                                  info.files_done < last ? info.files_done : last, &bytes);
    }
    proto_uint(t->w, "files", known ? info.files : 0);
    proto_uint(t->w, "files_done", known ? info.files_done : 0);
    if (name)
        proto_str(t->w, "file", name);
    else
        proto_nil(t->w, "file");
}

static const struct event_row events[] = {
    {.kind = NODE_TRANSFER_OFFERED, .show = show_event_transfer},
    {.kind = NODE_TRANSFER_STARTED, .show = show_event_transfer},
    {.kind = NODE_TRANSFER_PROGRESS, .show = show_event_progress, .flags = EVENT_DROPS},
    {.kind = NODE_TRANSFER_DONE, .show = show_event_transfer},
    {.kind = NODE_TRANSFER_FAILED, .show = show_event_transfer},
};

static void closed(void *state, struct node *n, uint64_t now_us, uint32_t conn) {
    hold_drop_conn(state, n, now_us, conn);
}

const struct group control_group_transfer = {
    .methods = methods,
    .events = events,
    .event_count = sizeof events / sizeof *events,
    .state_bytes = sizeof(struct holds),
    .closed = closed,
};
