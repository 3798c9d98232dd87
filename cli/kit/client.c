#include "cli/kit/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "net/os/interrupt.h"
#include "node/api/xdg.h"

enum { READ_BYTES = 64 * 1024 };

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* platforms without it have SO_NOSIGPIPE */
#endif

uint64_t client_now_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void client_init(struct client *c) {
    *c = (struct client){.fd = -1};
}

static int connect_error(void) {
    switch (errno) {
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
static bool is_ours(int fd) {
#ifdef __linux__
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
        return false;
    return cred.uid == geteuid() || cred.uid == 0;
#else
    uid_t uid;
    gid_t gid;
    return getpeereid(fd, &uid, &gid) == 0 && (uid == geteuid() || uid == 0);
#endif
}

static int check_place(const char *path) {
    char dir[PATH_TEXT_MAX];
    struct stat st;
    if (paths_parent(dir, sizeof dir, path) != 0)
        return ERR_USAGE;
    if (stat(dir, &st) != 0)
        return connect_error();
    return paths_socket_dir_safe(st.st_uid, st.st_mode, geteuid()) ? 0 : ERR_AUTH;
}

int client_open(struct client *c, const char *path) {
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr.sun_path)
        return ERR_USAGE;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    int r = check_place(path);
    if (r != 0)
        return r;
    client_close(c);
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->fd < 0)
        return ERR_IO;
    fcntl(c->fd, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
    setsockopt(c->fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    uint64_t deadline_us = client_now_us() + CLIENT_CONNECT_US;
    while (connect(c->fd, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        /* EAGAIN: the listener's queue is full (Linux). */
        bool full = errno == EAGAIN && client_now_us() < deadline_us;
        int err = errno == EAGAIN ? ERR_TIMEOUT : connect_error();
        if (full && interrupt_sleep(10000))
            continue;
        client_close(c);
        return full ? ERR_CANCELLED : err;
    }
    if (!is_ours(c->fd)) {
        client_close(c);
        return ERR_AUTH;
    }
    proto_reader_init(&c->in, CLIENT_MESSAGE_MAX);
    proto_writer_init(&c->out, CLIENT_MESSAGE_MAX);
    return 0;
}

void client_close(struct client *c) {
    if (c->fd >= 0)
        close(c->fd);
    for (unsigned i = 0; i < c->aside_count; i++)
        proto_msg_clear(&c->aside[i]);
    free(c->aside);
    proto_reader_clear(&c->in);
    proto_writer_clear(&c->out);
    *c = (struct client){.fd = -1, .last_id = c->last_id};
}

/* Waits until the socket is ready for `events`. */
static int wait_ready(const struct client *c, short events, uint64_t deadline_us) {
    for (;;) {
        struct pollfd p[2] = {{.fd = c->fd, .events = events},
                              {.fd = interrupt_fd(), .events = POLLIN}};
        if (interrupt_seen())
            return ERR_CANCELLED;
        int wait_ms = -1;
        if (deadline_us != UINT64_MAX) {
            uint64_t now_us = client_now_us();
            if (now_us >= deadline_us)
                return ERR_TIMEOUT;
            uint64_t ms = (deadline_us - now_us + 999) / 1000;
            wait_ms = ms > 3600000 ? 3600000 : (int)ms;
        }
        int n = poll(p, 2, wait_ms); /* a negative descriptor is ignored */
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (interrupt_seen())
            return ERR_CANCELLED;
        if (n > 0 && p[0].revents)
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
        int err = wait_ready(c, POLLIN, deadline_us);
        if (err)
            return err;
        ssize_t n = recv(c->fd, buf, sizeof buf, 0);
        if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
            continue;
        if (n <= 0)
            return ERR_CLOSED;
        if (proto_reader_feed(&c->in, buf, (size_t)n) != n)
            return ERR_NOMEM;
    }
}

/* The daemon has closed: it may have said why. */
static int sent_in_vain(struct client *c) {
    struct proto_msg m = {0};
    int err = next_message(c, client_now_us() + CLIENT_LAST_WORD_US, &m);
    proto_msg_clear(&m);
    return err == ERR_REFUSED ? ERR_REFUSED : ERR_CLOSED;
}

int client_send(struct client *c) {
    proto_end(&c->out);
    if (!c->out.ok)
        return ERR_FULL;
    uint64_t deadline_us = client_now_us() + CLIENT_ANSWER_US;
    size_t sent = 0;
    while (sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.buf + sent, c->out.len - sent, MSG_NOSIGNAL);
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return sent_in_vain(c);
        int err = wait_ready(c, POLLOUT, deadline_us);
        if (err)
            return err;
    }
    return 0;
}

static int put_aside(struct client *c, struct proto_msg *m) {
    int err = ERR_PROTO;
    if (c->aside_count < CLIENT_ASIDE_MAX) {
        struct proto_msg *grown = realloc(c->aside, (c->aside_count + 1) * sizeof *grown);
        if (grown) {
            c->aside = grown;
            c->aside[c->aside_count++] = *m;
            return 0;
        }
        err = ERR_NOMEM;
    }
    proto_msg_clear(m);
    return err;
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
