#include "cli/kit/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/os/clock.h"
#include "net/os/file.h"
#include "net/os/interrupt.h"
#include "net/os/process.h"
#include "node/api/xdg.h"

enum { READ_BYTES = 64 * 1024 };

void client_init(struct client *c) {
    *c = (struct client){.connection = OS_CONNECTION_NONE};
}

static int connect_error(int err) {
    switch (err) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
    case ENOTSOCK:
        return ERR_NO_DAEMON;
    case EACCES:
    case EPERM:
        return ERR_PERM;
    default:
        return ERR_IO;
    }
}

/* Whoever answers gets tickets and messages: it must be our own meshd, or root's. */
static bool is_ours(struct os_connection c) {
    uint64_t user;
    return os_connection_user(c, &user) == 0 && (user == process_user() || user == 0);
}

static int check_place(const char *path) {
    char dir[PATH_TEXT_MAX];
    struct os_info info;
    if (paths_parent(dir, sizeof dir, path) != 0)
        return ERR_USAGE;
    const int err = os_path_info(dir, true, &info);
    if (err)
        return connect_error(err);
    return paths_socket_dir_safe(info.owner, info.mode, process_user()) ? 0 : ERR_AUTH;
}

int client_open(struct client *c, const char *path) {
    if (strlen(path) > os_connection_path_max())
        return ERR_USAGE;
    int r = check_place(path);
    if (r != 0)
        return r;
    client_close(c);
    const uint64_t deadline_us = clock_now_us() + CLIENT_CONNECT_US;
    for (int err; (err = os_connection_open(&c->connection, path)) != 0;) {
        /* EAGAIN: the listener's queue is full (Linux). */
        const bool full = err == EAGAIN && clock_now_us() < deadline_us;
        if (full && interrupt_sleep(10000))
            continue;
        client_close(c);
        return full ? ERR_CANCELLED : err == EAGAIN ? ERR_TIMEOUT : connect_error(err);
    }
    if (!is_ours(c->connection)) {
        client_close(c);
        return ERR_AUTH;
    }
    proto_reader_init(&c->in, CLIENT_MESSAGE_MAX);
    proto_writer_init(&c->out, CLIENT_MESSAGE_MAX);
    return 0;
}

void client_close(struct client *c) {
    os_connection_close(&c->connection);
    for (unsigned i = 0; i < c->aside_count; i++)
        proto_msg_clear(&c->aside[i]);
    mem_free(c->aside);
    proto_reader_clear(&c->in);
    proto_writer_clear(&c->out);
    *c = (struct client){.connection = OS_CONNECTION_NONE, .last_id = c->last_id};
}

/* Waits until the connection can be read from, or written to. */
static int wait_ready(const struct client *c, bool writing, uint64_t deadline_us) {
    for (;;) {
        bool ready;
        if (interrupt_seen())
            return ERR_CANCELLED;
        int wait_ms = -1;
        if (deadline_us != UINT64_MAX) {
            uint64_t now_us = clock_now_us();
            if (now_us >= deadline_us)
                return ERR_TIMEOUT;
            uint64_t ms = (deadline_us - now_us + 999) / 1000;
            wait_ms = ms > 3600000 ? 3600000 : (int)ms;
        }
        if (interrupt_wait(c->connection, writing, wait_ms, &ready) != 0)
            return ERR_IO;
        if (interrupt_seen())
            return ERR_CANCELLED;
        if (ready)
            return 0;
        if (c->wakes && interrupt_resized())
            return ERR_TIMEOUT;
    }
}

struct proto_writer *client_request(struct client *c, const char *method, uint32_t *id) {
    *id = ++c->last_id;
    proto_writer_reset(&c->out);
    proto_request(&c->out, *id, method);
    proto_map(&c->out, NULL);
    return &c->out;
}

/* The daemon's last word to a subscriber that did not keep up. */
static bool is_overflow(const struct proto_msg *m) {
    return m->kind == PROTO_NOTIFY && proto_str_is(proto_get(&m->params, "event"), "overflow");
}

/* The next message of any kind from the socket. */
static int next_message(struct client *c, uint64_t deadline_us, struct proto_msg *m) {
    uint8_t buf[READ_BYTES];
    for (;;) {
        int got = proto_reader_next(&c->in, m);
        if (got < 0)
            return got == ERR_NOMEM ? ERR_NOMEM : ERR_PROTO;
        if (got > 0 && is_overflow(m)) {
            proto_msg_clear(m);
            return ERR_AGAIN;
        }
        if (got > 0 && m->kind == PROTO_RESPONSE && m->id == 0) { /* it is about the connection */
            c->most = proto_get_uint(proto_get(&m->error, "limit"), "max", 0);
            proto_msg_clear(m);
            return ERR_REFUSED;
        }
        if (got > 0)
            return 0;
        size_t n;
        int err = wait_ready(c, false, deadline_us);
        if (err)
            return err;
        err = os_connection_receive(c->connection, buf, sizeof buf, &n);
        if (err == EAGAIN)
            continue;
        if (err || n == 0)
            return ERR_CLOSED;
        if (proto_reader_feed(&c->in, buf, n) != (long)n)
            return ERR_NOMEM;
    }
}

/* The daemon has closed: it may have said why. */
static int sent_in_vain(struct client *c) {
    struct proto_msg m = {0};
    int err = next_message(c, clock_now_us() + CLIENT_LAST_WORD_US, &m);
    proto_msg_clear(&m);
    return err == ERR_REFUSED ? ERR_REFUSED : ERR_CLOSED;
}

int client_send(struct client *c) {
    proto_end(&c->out);
    if (!c->out.ok)
        return ERR_FULL;
    uint64_t deadline_us = clock_now_us() + CLIENT_ANSWER_US;
    size_t sent = 0;
    while (sent < c->out.len) {
        size_t n;
        int err = os_connection_send(c->connection, c->out.buf + sent, c->out.len - sent, &n);
        sent += n;
        if (err && err != EAGAIN)
            return sent_in_vain(c);
        if (!err)
            continue;
        err = wait_ready(c, true, deadline_us);
        if (err)
            return err;
    }
    return 0;
}

static int put_aside(struct client *c, struct proto_msg *m) {
    if (mem_grow(&c->aside, &c->aside_cap, c->aside_count + 1, sizeof *c->aside,
                 CLIENT_ASIDE_MAX)) {
        c->aside[c->aside_count++] = *m;
        return 0;
    }
    proto_msg_clear(m);
    return c->aside_count < CLIENT_ASIDE_MAX ? ERR_NOMEM : ERR_PROTO;
}

static int either(struct client *c, uint32_t id, uint64_t deadline_us, struct proto_msg *m) {
    if (c->aside_count > 0) {
        *m = c->aside[0];
        memmove(c->aside, c->aside + 1, --c->aside_count * sizeof *c->aside);
        return 0;
    }
    for (;;) {
        int err = next_message(c, deadline_us, m);
        if (err)
            return err;
        if (m->kind == PROTO_NOTIFY || (m->kind == PROTO_RESPONSE && m->id == id))
            return 0;
        bool request = m->kind == PROTO_REQUEST; /* daemons do not ask */
        proto_msg_clear(m);
        if (request)
            return ERR_PROTO; /* an answer to a question given up earlier is only skipped */
    }
}

int client_either(struct client *c, uint32_t id, uint64_t deadline_us, struct proto_msg *m) {
    c->wakes = true;
    int err = either(c, id, deadline_us, m);
    c->wakes = false;
    return err;
}

int client_answer(struct client *c, uint32_t id, uint64_t deadline_us, struct proto_msg *m) {
    for (;;) {
        int err = next_message(c, deadline_us, m);
        if (err)
            return err;
        if (m->kind == PROTO_RESPONSE && m->id == id)
            return 0;
        if (m->kind == PROTO_REQUEST) {
            proto_msg_clear(m);
            return ERR_PROTO;
        }
        if (m->kind == PROTO_NOTIFY) {
            err = put_aside(c, m);
            if (err)
                return err;
        } else {
            proto_msg_clear(m);
        }
    }
}

int client_note(struct client *c, uint64_t deadline_us, struct proto_msg *m) {
    return client_either(c, 0, deadline_us, m); /* no request has the id 0 */
}
