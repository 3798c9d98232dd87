/* control_methods_transfer.c: transfer.*, recv.* */
#include <stdlib.h>
#include <string.h>

#include "node/control_internal.h"

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
    if (err == ERR_USAGE)
        return call_fail(call, err, NULL, "the transfer is not in a state for that");
    return err;
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
        return call_fail(call, ERR_USAGE, "paths", "one transfer has %d files at most",
                         TRANSFER_FILES_MAX);
    for (unsigned i = 0; i < count; i++)
        if (!is_absolute(paths[i]))
            return not_absolute(call, paths[i]);
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
        return call_fail(call, err, NULL, "two of the files have the same name, or one has none");
    if (err == ERR_FULL)
        return call_fail(call, err, NULL, "%d transfers are under way, which is the limit",
                         TRANSFERS_MAX);
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
    int err = node_accept(call->c->node, call->now_us, arg_uint(call, "id", 0), given ? dir : NULL);
    return err ? id_failed(call, err) : empty(call);
}

int do_transfer_reject(struct call *call) {
    int err = node_reject(call->c->node, call->now_us, arg_uint(call, "id", 0));
    return err ? id_failed(call, err) : empty(call);
}

int do_transfer_cancel(struct call *call) {
    int err = node_cancel(call->c->node, call->now_us, arg_uint(call, "id", 0));
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
        return call_fail(call, ERR_FULL, NULL, "this connection has %d standing receptions already",
                         CONTROL_RECVS_MAX);
    int err = node_recv_start(call->c->node, call->now_us, has_dir ? dir : NULL,
                              has_contact ? contact : NULL, arg_bool(call, "once"), &id);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, err, contact, "there is no contact of that name");
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
