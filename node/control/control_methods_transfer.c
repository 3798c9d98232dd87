/* control_methods_transfer.c: transfer.*, recv.* */
#include <stdlib.h>
#include <string.h>

#include "node/control/control_internal.h"

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
    if (!node_transfer_get(call->c->node, id, &i))
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

static int empty(struct call *call) {
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
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

int do_transfer_send(struct call *call) {
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
        free(order.paths);
        return err;
    }
    err = node_send_taken(call->c->node, call->now_us, &order, &id);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name");
    if (err == ERR_USAGE)
        return call_fail(call, err, NULL,
                         order.name && !order.name[0] ? "the name that it is to have is empty"
                         : order.count > 1
                             ? "two of the files have the same name: rename one, or send it alone"
                             : "the file has no name");
    if (err)
        return err;
    if (!arg_bool(call, "detach"))
        hold_add(call->c, call->conn, id);
    proto_map(call->w, NULL);
    proto_uint(call->w, "id", id);
    proto_end(call->w);
    return 0;
}

int do_transfer_list(struct call *call) {
    struct proto_writer *w = call->w;
    struct transfer_info info;
    unsigned i = (unsigned)arg_uint(call, "offset", 0);
    uint64_t limit = arg_limit(call), shown = 0;
    proto_map(w, NULL);
    proto_array(w, "transfers");
    for (; shown < limit && w->len < CONTROL_PAGE_BYTES; shown++, i++) {
        if (!node_transfer_at(call->c->node, i, &info))
            break;
        show_transfer(w, NULL, call->c->node, &info, call->now_us);
    }
    proto_end(w);
    if (node_transfer_at(call->c->node, i, &info))
        proto_uint(w, "next", i);
    else
        proto_nil(w, "next");
    proto_end(w);
    return 0;
}

int do_transfer_get(struct call *call) {
    struct transfer_info info;
    if (!node_transfer_get(call->c->node, arg_uint(call, "id", 0), &info))
        return id_failed(call, ERR_NOT_FOUND);
    proto_map(call->w, NULL);
    show_transfer(call->w, "transfer", call->c->node, &info, call->now_us);
    proto_end(call->w);
    return 0;
}

int do_transfer_files(struct call *call) {
    struct proto_writer *w = call->w;
    struct transfer_info info;
    uint64_t id = arg_uint(call, "id", 0), size = 0, shown = 0;
    uint32_t i = (uint32_t)arg_uint(call, "offset", 0);
    uint64_t limit = arg_limit(call);
    if (!node_transfer_get(call->c->node, id, &info))
        return id_failed(call, ERR_NOT_FOUND);
    const char *name;
    proto_map(w, NULL);
    proto_array(w, "files");
    for (; shown < limit && w->len < CONTROL_PAGE_BYTES; shown++, i++) {
        name = node_transfer_file(call->c->node, id, i, &size);
        if (!name)
            break;
        show_file(w, name, size);
    }
    proto_end(w);
    if (node_transfer_file(call->c->node, id, i, &size))
        proto_uint(w, "next", i);
    else
        proto_nil(w, "next");
    proto_end(w);
    return 0;
}

int do_transfer_accept(struct call *call) {
    char dir[CONTROL_PATH_MAX + 1];
    bool given = arg_str(call, "dir", dir, sizeof dir);
    if (given && !is_absolute(dir))
        return not_absolute(call, dir);
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_accept(call->c->node, call->now_us, id, given ? dir : NULL);
    if (err == ERR_USAGE && node_transfer_waits(call->c->node, id))
        return bad_dir(call, given ? dir : NULL);
    if (err == ERR_USAGE)
        return not_waiting(call, id, "accept");
    return err ? id_failed(call, err) : empty(call);
}

int do_transfer_reject(struct call *call) {
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_reject(call->c->node, call->now_us, id);
    if (err == ERR_USAGE)
        return not_waiting(call, id, "reject");
    return err ? id_failed(call, err) : empty(call);
}

int do_transfer_cancel(struct call *call) {
    struct transfer_info info;
    const uint64_t id = arg_uint(call, "id", 0);
    int err = node_cancel(call->c->node, call->now_us, id);
    if (err == ERR_USAGE && node_transfer_get(call->c->node, id, &info))
        return has_ended(call, &info, "cancel");
    return err ? id_failed(call, err) : empty(call);
}

int do_transfer_wait(struct call *call) {
    struct transfer_info info;
    uint64_t id = arg_uint(call, "id", 0);
    if (!node_transfer_get(call->c->node, id, &info))
        return id_failed(call, ERR_NOT_FOUND);
    if (info.state == TRANSFER_DONE || info.state == TRANSFER_FAILED)
        return do_transfer_get(call);
    struct wait *w = wait_new(call, WAIT_TRANSFER, arg_deadline(call, "timeout_us"));
    if (!w)
        return ERR_FULL;
    w->ref = id;
    return CALL_LATER;
}

/* A rule that held once is gone when its transfer has come: it takes no place of the connection. */
static void forget_used_up(struct call *call) {
    struct conn *conn = call->conn;
    unsigned kept = 0;
    for (unsigned i = 0; i < conn->recv_count; i++)
        if (node_recv_stands(call->c->node, conn->recvs[i]))
            conn->recvs[kept++] = conn->recvs[i];
    conn->recv_count = kept;
}

int do_recv_start(struct call *call) {
    char dir[CONTROL_PATH_MAX + 1], contact[PETNAME_MAX + 1];
    bool has_dir = arg_str(call, "dir", dir, sizeof dir);
    bool has_contact = arg_str(call, "contact", contact, sizeof contact);
    struct conn *conn = call->conn;
    uint64_t id;
    if (has_dir && !is_absolute(dir))
        return not_absolute(call, dir);
    forget_used_up(call);
    if (conn->recv_count == CONTROL_RECVS_MAX)
        return call_limit(call, LIMIT_RECVS_CONNECTION, CONTROL_RECVS_MAX, NULL);
    int err = node_recv_start(call->c->node, call->now_us, has_dir ? dir : NULL,
                              has_contact ? contact : NULL, arg_bool(call, "once"), &id);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name");
    if (err == ERR_USAGE)
        return bad_dir(call, has_dir ? dir : NULL);
    if (err)
        return call_fail(call, err, has_dir ? dir : NULL, NULL);
    conn->recvs[conn->recv_count++] = id;
    proto_map(call->w, NULL);
    proto_uint(call->w, "id", id);
    proto_end(call->w);
    return 0;
}

int do_recv_stop(struct call *call) {
    uint64_t id = arg_uint(call, "id", 0);
    struct conn *conn = call->conn;
    for (unsigned i = 0; i < conn->recv_count; i++) {
        if (conn->recvs[i] != id)
            continue;
        node_recv_stop(call->c->node, id);
        conn->recvs[i] = conn->recvs[--conn->recv_count];
        return empty(call);
    }
    return call_fail(call, ERR_NOT_FOUND, NULL, "this connection has no reception of that number");
}
