#include "node/daemon/control_server.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/connection.h"
#include "net/os/file.h"
#include "net/os/process.h"
#include "node/api/xdg.h"
#include "node/daemon/disk/statedir.h"
#include "node/daemon/os/trouble.h"
#include "node/daemon/os/uverr.h"

enum { READ_BYTES = 64 * 1024, WRITE_BYTES = 16 * 1024, BACKLOG = 16 };

_Static_assert(CONTROL_CONNS_MAX <= 64, "bits of `alive`");
enum { PLACE_REFUSE = CONTROL_CONNS_MAX, PLACES }; /* the last one: to be closed at once */

struct conn { /* a place for one connection; they are never allocated, so accepting cannot fail */
    uv_pipe_t pipe;
    struct control_server *server;
    uint32_t id;
    bool taken; /* until libuv has closed it */
    bool alive; /* known to the core */
    bool reading;
    bool ended;   /* the client sends no more */
    bool writing; /* `out` is on its way */
    uv_write_t write;
    char out[WRITE_BYTES];
};

struct control_server {
    uv_pipe_t listener;
    uv_loop_t *loop;
    struct control *control;
    struct control_server_callbacks cb;
    void *ctx;
    const struct log *log;
    bool owed; /* a connection came when no place was free: taken when one is */
    bool closing;
    uint64_t alive;   /* a bit for each connection that is: every turn looks at those */
    unsigned handles; /* not closed yet; after the last one the memory is given back */
    struct conn conns[PLACES];
    uint8_t in[READ_BYTES];
};

/* ---- connections ---- */

static void admit(struct control_server *s);

static void handle_closed(struct control_server *s) {
    if (--s->handles == 0 && s->closing)
        free(s);
}

static void on_conn_closed(uv_handle_t *h) {
    struct conn *c = h->data;
    struct control_server *s = c->server;
    c->taken = false;
    if (s->owed && !s->closing)
        admit(s);
    handle_closed(s);
}

static void set_alive(struct conn *c, bool alive) {
    uint64_t bit = UINT64_C(1) << (c - c->server->conns);
    c->alive = alive;
    c->server->alive = alive ? c->server->alive | bit : c->server->alive & ~bit;
}

static void drop(struct conn *c, uint64_t now_us) {
    control_close(c->server->control, now_us, c->id);
    set_alive(c, false);
    uv_close((uv_handle_t *)&c->pipe, on_conn_closed);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf) {
    struct conn *c = h->data;
    (void)hint;
    *buf = uv_buf_init((char *)c->server->in, READ_BYTES);
}

static void flush_conn(struct conn *c, uint64_t now_us);

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct conn *c = stream->data;
    struct control_server *s = c->server;
    if (n == 0)
        return;
    uint64_t now_us = s->cb.begin(s->ctx);
    int err = 0;
    if (n == UV_EOF)
        c->ended = true; /* it may have half-closed after its last request */
    else if (n < 0)
        drop(c, now_us);
    else /* of a broken one: what it is told is written, then it is closed */
        err = control_input(s->control, now_us, c->id, (const uint8_t *)buf->base, (size_t)n);
    (void)err;
    if (n > 0)
        sodium_memzero(buf->base, (size_t)n); /* a ticket may have been in it */
    s->cb.end(s->ctx);
}

static void on_written(uv_write_t *w, int status) {
    struct conn *c = w->data;
    struct control_server *s = c->server;
    sodium_memzero(c->out, sizeof c->out);
    if (!c->alive)
        return;
    c->writing = false;
    uint64_t now_us = s->cb.begin(s->ctx);
    if (status < 0)
        drop(c, now_us);
    s->cb.end(s->ctx);
}

/* What the socket does not take at once is copied, one piece at a time. */
static int write_later(struct conn *c, const uint8_t *buf, size_t len) {
    size_t n = len < sizeof c->out ? len : sizeof c->out;
    memcpy(c->out, buf, n);
    uv_buf_t piece = uv_buf_init(c->out, (unsigned)n);
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &piece, 1, on_written) != 0)
        return ERR_IO;
    c->writing = true;
    control_sent(c->server->control, c->id, n);
    return 0;
}

/* Reads only what the core would take, so that the rest waits in the client's own socket. */
static void pace(struct conn *c) {
    bool wanted = !c->ended && control_wants_input(c->server->control, c->id);
    if (wanted == c->reading)
        return;
    c->reading = wanted;
    if (wanted)
        (void)uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    else
        (void)uv_read_stop((uv_stream_t *)&c->pipe);
}

static void flush_conn(struct conn *c, uint64_t now_us) {
    struct control *control = c->server->control;
    const uint8_t *buf;
    size_t len;
    while (!c->writing && control_output(control, c->id, &buf, &len)) {
        uv_buf_t piece = uv_buf_init((char *)(uintptr_t)buf, (unsigned)len);
        int n = uv_try_write((uv_stream_t *)&c->pipe, &piece, 1);
        if (n > 0) {
            control_sent(control, c->id, (size_t)n);
        } else if (n != UV_EAGAIN || write_later(c, buf, len) != 0) {
            drop(c, now_us);
            return;
        }
    }
    bool over = control_wants_close(control, c->id) ||
                (c->ended && !c->writing && !control_has_work(control, c->id));
    if (over)
        drop(c, now_us);
    else
        pace(c);
}

void control_server_flush(struct control_server *s, uint64_t now_us) {
    for (uint64_t left = s->alive; left != 0; left &= left - 1)
        flush_conn(&s->conns[__builtin_ctzll(left)], now_us);
}

bool control_server_idle(const struct control_server *s) {
    for (uint64_t left = s->alive; left != 0; left &= left - 1)
        if (s->conns[__builtin_ctzll(left)].writing)
            return false;
    return true;
}

/* ---- accepting ---- */

/* Whose process is at the other end, from the kernel. */
static bool peer_user(uv_pipe_t *pipe, uint64_t *user) {
    uv_os_fd_t fd;
    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 &&
           os_connection_user((struct os_connection){fd}, user) == 0;
}

/* A few bytes fit into a new socket at once; who does not get them sees the connection end. */
static void say_full(struct conn *c) {
    struct proto_writer w;
    proto_writer_init(&w, 4096);
    control_refusal(&w);
    const uv_buf_t buf = uv_buf_init((char *)w.buf, (unsigned)w.len);
    if (w.ok)
        (void)uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
    proto_writer_clear(&w);
}

static bool may_enter(struct conn *c, bool place) {
    struct control_server *s = c->server;
    uint64_t user;
    if (!peer_user(&c->pipe, &user) || (user != process_user() && user != 0)) {
        log_put(s->log, LOG_WARN, "the control socket has refused a client of another user");
        return false;
    }
    if (!place || control_open(s->control, &c->id) != 0) {
        say_full(c);
        log_put(s->log, LOG_WARN, "the control socket has refused a client: there are %d already",
                CONTROL_CONNS_MAX);
        return false;
    }
    return true;
}

static struct conn *free_place(struct control_server *s) {
    for (unsigned i = 0; i < PLACES; i++)
        if (!s->conns[i].taken)
            return &s->conns[i];
    return NULL;
}

/* Until uv_accept has taken a connection, the listener stands still. */
static void admit(struct control_server *s) {
    struct conn *c = free_place(s);
    s->owed = c == NULL;
    if (!c)
        return;
    *c = (struct conn){.server = s, .taken = true};
    (void)uv_pipe_init(s->loop, &c->pipe, 0);
    s->handles++;
    c->pipe.data = c;
    bool came = uv_accept((uv_stream_t *)&s->listener, (uv_stream_t *)&c->pipe) == 0;
    if (came && may_enter(c, c != &s->conns[PLACE_REFUSE])) {
        set_alive(c, true);
        pace(c);
    } else {
        uv_close((uv_handle_t *)&c->pipe, on_conn_closed);
    }
}

static void on_connection(uv_stream_t *listener, int status) {
    if (status == 0)
        admit(listener->data);
}

/* ---- listening ---- */

/* 0: nobody is there, and `path` is free now. */
static int clear_stale(const char *path, const struct log *log) {
    static const char doing[] = "take the place of the control socket";
    struct os_info info;
    struct os_connection there;
    int err = os_path_info(path, false, &info);
    if (err)
        return err == ENOENT ? 0 : trouble_put(log, doing, path, err, "--socket");
    if (info.kind != OS_SOCKET) {
        log_put(log, LOG_ERROR,
                "%s is in the way of the control socket; move it away, or choose another place "
                "with --socket",
                path);
        return ERR_EXISTS;
    }
    err = os_connection_open(&there, path);
    os_connection_close(&there);
    if (err == 0 || err == EAGAIN) {
        log_put(
            log, LOG_ERROR,
            "another meshd answers at %s; use that one, end it, or choose another place for this "
            "one's socket with --socket",
            path);
        return ERR_EXISTS;
    }
    if (err != ECONNREFUSED && err != ENOENT)
        return trouble_put(log, doing, path, err, "--socket");
    err = os_path_remove(path);
    return err == 0 || err == ENOENT ? 0 : trouble_put(log, doing, path, err, "--socket");
}

/* In somebody else's directory he could put his own socket in the place of ours. */
static int check_dir(const char *dir, const struct log *log) {
    struct os_info info;
    const int err = os_path_info(dir, true, &info);
    if (err)
        return trouble_put(log, "look at", dir, err, "--socket");
    if (paths_socket_dir_safe(info.owner, info.mode, process_user()))
        return 0;
    char quoted[TROUBLE_WORD_MAX];
    trouble_word(quoted, dir);
    log_put(
        log, LOG_ERROR,
        "others can replace what is in %s (uid %lu, mode %03o); choose another --socket, or mend "
        "it with: chmod 700 %s",
        dir, (unsigned long)info.owner, info.mode, quoted);
    return ERR_PERM;
}

static void on_listener_closed(uv_handle_t *h) {
    handle_closed(h->data);
}

/* Says why not. */
static int bind_socket(struct control_server *s, const char *path) {
    char dir[PATH_TEXT_MAX];
    int r = paths_parent(dir, sizeof dir, path);
    if (r != 0)
        return trouble_put(s->log, "use", path, ENAMETOOLONG, NULL);
    if (statedir_make(dir) != 0)
        return trouble_put(s->log, "make the control socket's directory", dir, errno, "--socket");
    r = check_dir(dir, s->log);
    if (r == 0)
        r = clear_stale(path, s->log);
    if (r != 0)
        return r;
    const unsigned old = process_umask(0177); /* never, not for a moment, open to others */
    int e = uv_pipe_bind(&s->listener, path);
    (void)process_umask(old);
    if (e == 0)
        return 0;
    r = trouble_put(s->log, "make the control socket", path, uverr_errno(e), "--socket");
    return e == UV_EADDRINUSE ? ERR_EXISTS : r;
}

int control_server_open(struct control_server **out, uv_loop_t *loop, const char *path,
                        const struct log *log) {
    struct control_server *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->loop = loop;
    s->log = log;
    s->handles = 1;
    (void)uv_pipe_init(loop, &s->listener, 0);
    s->listener.data = s;
    int r = bind_socket(s, path);
    if (r != 0) {
        s->closing = true;
        uv_close((uv_handle_t *)&s->listener, on_listener_closed);
        return r;
    }
    *out = s;
    return 0;
}

int control_server_start(struct control_server *s, struct control *c,
                         const struct control_server_callbacks *cb, void *ctx) {
    s->control = c;
    s->cb = *cb;
    s->ctx = ctx;
    int e = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (e != 0)
        log_put(s->log, LOG_ERROR, "nobody can connect to the control socket: %s", uv_strerror(e));
    return e == 0 ? 0 : ERR_IO;
}

void control_server_close(struct control_server *s, uint64_t now_us) {
    if (!s)
        return;
    s->closing = true;
    for (uint64_t left = s->alive; left != 0; left &= left - 1)
        drop(&s->conns[__builtin_ctzll(left)], now_us);
    uv_close((uv_handle_t *)&s->listener, on_listener_closed); /* libuv unlinks the path */
}
