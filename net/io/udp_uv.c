/* udp_uv.c: the fallback for every platform libuv knows: one datagram a call, no trains in the
 * kernel. A train the socket does not take is kept; its next datagram waits in libuv's queue, and
 * when it is out the rest follows. libuv has no way to the ECN field: everything is not-ECT, which
 * the peer's missing counts tell the transport. Nor has it one to the address a datagram came to:
 * answers leave from where the kernel thinks best.
 */
#include "net/io/udp_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/base/ecn_field.h"
#include "net/base/limits.h"
#include "net/io/sockaddr.h"

enum { RX_BYTES = 65536 };

struct udp_uv {
    struct udp base;
    uv_udp_t udp;
    uv_check_t batch; /* runs after the poll phase that brought datagrams */
    bool in_batch;
    bool closing;
    unsigned handles; /* open ones; the last close frees */
    bool blocked;
    uv_udp_send_t req;
    struct train kept;
    size_t kept_at;
    uint8_t kept_buf[TRAIN_MAX_BYTES];
    uint8_t rx[RX_BYTES];
};

static struct udp_uv *as_uv(struct udp *u) {
    return (struct udp_uv *)u; /* base is the first member */
}

/* ---- receiving ---- */

static void on_batch(uv_check_t *c) {
    struct udp_uv *u = c->data;
    uv_check_stop(c);
    u->in_batch = false;
    if (u->base.cb.batch_end)
        u->base.cb.batch_end(u->base.ctx);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf) {
    struct udp_uv *u = h->data;
    (void)hint;
    *buf = uv_buf_init((char *)u->rx, RX_BYTES);
}

static void on_recv(uv_udp_t *h, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                    unsigned flags) {
    struct udp_uv *u = h->data;
    struct addr a;
    if (n <= 0 || !from || flags & UV_UDP_PARTIAL || !sockaddr_to(&a, from))
        return; /* drained, an error of an earlier datagram, or too long for anybody */
    if (!u->in_batch && uv_check_start(&u->batch, on_batch) == 0)
        u->in_batch = true;
    const struct hop hop = hop_udp(&a, u->base.local);
    const struct train_in one = train_in_of_one(&hop, ECN_NOT_ECT, (uint8_t *)buf->base, (size_t)n);
    u->base.cb.train(u->base.ctx, &one);
}

/* ---- sending ---- */

static size_t datagram_at(const struct train *t, size_t at) {
    size_t left = t->len - at;
    return left < t->segment_bytes ? left : t->segment_bytes;
}

static void report(struct udp_uv *u, const struct train *t, size_t bytes, int err) {
    if (err == UV_EMSGSIZE && u->base.cb.too_big)
        u->base.cb.too_big(u->base.ctx, &t->to.udp.remote, bytes);
}

/* False when the socket is full; *at is then the first unsent byte. */
static bool transmit(struct udp_uv *u, const struct train *t, size_t *at) {
    struct sockaddr_storage to;
    (void)sockaddr_from(&to, &t->to.udp.remote);
    while (*at < t->len) {
        size_t n = datagram_at(t, *at);
        uv_buf_t buf = uv_buf_init((char *)t->buf + *at, (unsigned)n);
        int r = uv_udp_try_send(&u->udp, &buf, 1, (struct sockaddr *)&to);
        if (r == UV_EAGAIN)
            return false;
        report(u, t, n, r);
        *at += n;
    }
    return true;
}

static void on_sent(uv_udp_send_t *req, int status);

/* The kept train's next datagram goes into libuv's queue, which waits for the socket. False: it
 * could not. */
static bool queue_next(struct udp_uv *u) {
    struct sockaddr_storage to;
    (void)sockaddr_from(&to, &u->kept.to.udp.remote);
    uv_buf_t buf =
        uv_buf_init((char *)u->kept_buf + u->kept_at, (unsigned)datagram_at(&u->kept, u->kept_at));
    return uv_udp_send(&u->req, &u->udp, &buf, 1, (struct sockaddr *)&to, on_sent) == 0;
}

static void on_sent(uv_udp_send_t *req, int status) {
    struct udp_uv *u = req->data;
    if (u->closing)
        return;
    size_t n = datagram_at(&u->kept, u->kept_at);
    report(u, &u->kept, n, status);
    u->kept_at += n;
    if (!transmit(u, &u->kept, &u->kept_at) && queue_next(u))
        return;
    u->blocked = false;
    if (u->base.cb.writable)
        u->base.cb.writable(u->base.ctx, u->base.local);
}

static int uv_send(struct udp *base, const struct train *t) {
    struct udp_uv *u = as_uv(base);
    assert(!u->blocked && t->len <= TRAIN_MAX_BYTES && t->segment_bytes > 0);
    size_t at = 0;
    if (transmit(u, t, &at))
        return 0;
    memcpy(u->kept_buf, t->buf, t->len);
    u->kept = *t;
    u->kept.buf = u->kept_buf;
    u->kept_at = at;
    if (!queue_next(u))
        return 0; /* no memory for the queue: lost, as on the network */
    u->blocked = true;
    return ERR_AGAIN;
}

/* ---- opening and closing ---- */

static void on_closed(uv_handle_t *h) {
    struct udp_uv *u = h->data;
    if (--u->handles == 0)
        free(u);
}

static void uv_close_both(struct udp *base) {
    struct udp_uv *u = as_uv(base);
    u->closing = true;
    uv_close((uv_handle_t *)&u->udp, on_closed);
    uv_close((uv_handle_t *)&u->batch, on_closed);
}

static const struct udp_ops uv_ops = {uv_send, uv_close_both};

static void set_options(struct udp_uv *u, bool ipv6) {
    struct udp_caps *c = &u->base.caps;
    int want = UDP_BUFFER_BYTES;
#ifdef __linux__
    const int kept_per_asked = 2; /* Linux reports twice what was asked for */
#else
    const int kept_per_asked = 1;
#endif
    (void)uv_recv_buffer_size((uv_handle_t *)&u->udp, &want);
    want = UDP_BUFFER_BYTES;
    (void)uv_send_buffer_size((uv_handle_t *)&u->udp, &want);
    int got = 0;
    if (uv_recv_buffer_size((uv_handle_t *)&u->udp, &got) == 0)
        c->recv_buffer_bytes = got / kept_per_asked;
    got = 0;
    if (uv_send_buffer_size((uv_handle_t *)&u->udp, &got) == 0)
        c->send_buffer_bytes = got / kept_per_asked;
    c->buffers_capped =
        c->recv_buffer_bytes < UDP_BUFFER_BYTES || c->send_buffer_bytes < UDP_BUFFER_BYTES;
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&u->udp, &fd) == 0)
        c->dont_fragment = udp_dont_fragment(fd, ipv6);
}

static int start(struct udp_uv *u, const struct addr *at) {
    struct sockaddr_storage sa;
    (void)sockaddr_from(&sa, at);
    bool ipv6 = at->kind == ADDR_IPV6;
    int r = uv_udp_bind(&u->udp, (struct sockaddr *)&sa, ipv6 ? UV_UDP_IPV6ONLY : 0);
    if (r != 0)
        return r;
    set_options(u, ipv6);
    int len = sizeof sa;
    r = uv_udp_getsockname(&u->udp, (struct sockaddr *)&sa, &len);
    if (r != 0)
        return r;
    if (!sockaddr_to(&u->base.bound, (struct sockaddr *)&sa))
        return UV_EINVAL;
    return uv_udp_recv_start(&u->udp, on_alloc, on_recv);
}

int udp_uv_open(struct udp **out, uv_loop_t *loop, const struct addr *at, const struct udp *base) {
    struct udp_uv *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->base = *base;
    u->base.ops = &uv_ops;
    int r = uv_udp_init(loop, &u->udp);
    if (r != 0) {
        free(u);
        return udp_open_error(r);
    }
    (void)uv_check_init(loop, &u->batch);
    u->handles = 2;
    u->udp.data = u->batch.data = u->req.data = u;
    r = start(u, at);
    if (r != 0) {
        uv_close_both(&u->base);
        return udp_open_error(r);
    }
    *out = &u->base;
    return 0;
}
