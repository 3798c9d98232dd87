/* udp_posix.c: the UDP edge for systems of the BSD kind: an own socket under uv_poll, one recvmsg
 * and one sendmsg a datagram, with the control messages that libuv's udp has no way to: the ECN
 * field, and the address of ours that was asked and that the answer leaves from. udp_linux.c, where
 * that is not built, does the same in batches.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/base/ecn_field.h"
#include "net/base/limits.h"
#include "net/io/sockaddr.h"
#include "net/io/udp_bsd.h"
#include "net/io/udp_control.h"

enum {
    RX_BYTES = 65536,  /* no message is larger: 16-bit UDP length */
    RX_DATAGRAMS = 64, /* per turn; then timers, files and control get theirs */
    RX_BATCH = 8,      /* between two batch_end */
};

struct udp_posix {
    struct udp base;
    uv_poll_t poll;
    int fd;
    uint8_t ecn;               /* what the socket puts into headers now */
    struct local_addrs locals; /* used if the socket is bound to no address */

    bool blocked; /* `kept` waits for the socket; what lies before kept_at is gone already */
    struct train kept;
    size_t kept_at;
    uint8_t kept_buf[TRAIN_MAX_BYTES];
    uint8_t rx[RX_BYTES];
};

static struct udp_posix *as_posix(struct udp *u) {
    return (struct udp_posix *)u; /* base is the first member */
}

/* ---- receiving ---- */

/* False when the socket is drained; *given counts the datagrams that were anybody's. */
static bool receive_one(struct udp_posix *u, unsigned *given) {
    struct sockaddr_storage sa;
    struct udp_control_buf control;
    struct iovec iov = {u->rx, RX_BYTES};
    struct msghdr m = {.msg_name = &sa,
                       .msg_namelen = sizeof sa,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct addr from;
    ssize_t n;
    do
        n = recvmsg(u->fd, &m, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return false; /* empty, or an error of some datagram sent earlier: nothing to do about it */
    if (m.msg_flags & MSG_TRUNC || !sockaddr_to(&from, (struct sockaddr *)&sa))
        return true;
    const struct udp_control_in told = udp_control_read(&m, (size_t)n);
    uint32_t local = u->base.local;
    if (told.to.kind != ADDR_NONE && !addr_is_unspecified(&told.to))
        local |= local_addrs_number(&u->locals, &told.to) << LOCAL_SOCKET_BITS;
    const struct hop hop = hop_udp(&from, local);
    const struct train_in one = train_in_of_one(&hop, told.ecn, u->rx, (size_t)n);
    if (n > 0)
        u->base.cb.train(u->base.ctx, &one);
    *given += n > 0;
    return true;
}

static void receive(struct udp_posix *u) {
    bool more = true;
    for (unsigned i = 0; i < RX_DATAGRAMS && more;) {
        unsigned given = 0;
        for (unsigned k = 0; k < RX_BATCH && more; k++, i++)
            more = receive_one(u, &given);
        if (given > 0 && u->base.cb.batch_end)
            u->base.cb.batch_end(u->base.ctx);
    }
}

/* ---- sending ---- */

/* The kernel may refuse the source, since this machine has lost the address: then the datagram
 * leaves from where the kernel thinks best, and so do those that follow. */
static bool source_may_be_gone(const struct udp_control_out *said, int err) {
    return said->source != 0 && (err == EINVAL || err == EADDRNOTAVAIL || err == ENETUNREACH);
}

static enum udp_sent send_one(struct udp_posix *u, const struct train *t, size_t at, size_t n) {
    struct sockaddr_storage to;
    struct iovec iov = {t->buf + at, n};
    struct udp_control_out said;
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sockaddr_from(&to, hop_addr(&t->to)),
                       .msg_iov = &iov,
                       .msg_iovlen = 1};
    udp_control_write(&said, t, &u->locals, false);
    udp_control_attach(&m, &said, said.len);
    ssize_t sent;
    do
        sent = sendmsg(u->fd, &m, 0);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && source_may_be_gone(&said, errno)) {
        udp_control_attach(&m, &said, said.without_source);
        sent = sendmsg(u->fd, &m, 0);
        if (sent >= 0)
            local_addrs_forget(&u->locals, said.source);
    }
    return sent < 0 ? udp_bsd_verdict(errno) : UDP_SENT;
}

static void set_ecn(struct udp_posix *u, uint8_t ecn) {
    const uint8_t field = ecn & ECN_MASK;
    if (field != u->ecn && u->base.caps.ecn &&
        udp_bsd_set_ecn(u->fd, u->base.bound.kind == ADDR_IPV6, field))
        u->ecn = field;
}

/* False when the socket is full; *at is then the first unsent byte. */
static bool transmit(struct udp_posix *u, const struct train *t, size_t *at) {
    bool reported = false;
    set_ecn(u, t->ecn);
    while (*at < t->len) {
        const size_t left = t->len - *at, n = left < t->segment_bytes ? left : t->segment_bytes;
        switch (send_one(u, t, *at, n)) {
        case UDP_WOULD_BLOCK:
            return false;
        case UDP_TOO_BIG:
            if (!reported && u->base.cb.too_big)
                u->base.cb.too_big(u->base.ctx, hop_addr(&t->to), n);
            reported = true;
            break;
        case UDP_REFUSED:
        case UDP_LOST:
            *at = t->len; /* the rest would meet the same route or firewall */
            return true;
        case UDP_SENT:
            break;
        }
        *at += n;
    }
    return true;
}

/* ---- the loop ---- */

static void on_poll(uv_poll_t *p, int status, int events);

static void watch(struct udp_posix *u) {
    int r = uv_poll_start(&u->poll, UV_READABLE | (u->blocked ? UV_WRITABLE : 0), on_poll);
    assert(r == 0);
    (void)r;
}

static void on_poll(uv_poll_t *p, int status, int events) {
    struct udp_posix *u = p->data;
    if (status < 0) { /* libuv stops the handle on an error: take it off the socket and go on */
        udp_bsd_forget_error(u->fd);
        watch(u);
        return;
    }
    if (events & UV_WRITABLE && u->blocked && transmit(u, &u->kept, &u->kept_at)) {
        u->blocked = false;
        watch(u);
        if (u->base.cb.writable)
            u->base.cb.writable(u->base.ctx, u->base.local);
    }
    if (events & UV_READABLE)
        receive(u);
}

static int posix_send(struct udp *base, const struct train *t) {
    struct udp_posix *u = as_posix(base);
    assert(!u->blocked && t->len <= TRAIN_MAX_BYTES && t->segment_bytes > 0);
    size_t at = 0;
    if (transmit(u, t, &at))
        return 0;
    memcpy(u->kept_buf, t->buf, t->len);
    u->kept = *t;
    u->kept.buf = u->kept_buf;
    u->kept_at = at;
    u->blocked = true;
    watch(u);
    return ERR_AGAIN;
}

/* ---- opening and closing ---- */

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void posix_close(struct udp *base) {
    struct udp_posix *u = as_posix(base);
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd); /* at once, so that the port is free again */
}

static const struct udp_ops posix_ops = {posix_send, posix_close};

int udp_native_open(struct udp **out, uv_loop_t *loop, const struct addr *at,
                    const struct udp *base) {
    struct udp_posix *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->base = *base;
    u->base.ops = &posix_ops;
    int r = u->fd = udp_bsd_open(at->kind == ADDR_IPV6);
    if (r < 0)
        goto out;
    udp_bsd_options(u->fd, at, &u->base.caps);
    r = udp_bsd_bind(u->fd, at, &u->base.bound);
    if (r == 0)
        r = uv_poll_init(loop, &u->poll, u->fd);
    if (r != 0)
        goto out;
    u->poll.data = u;
    watch(u);
    *out = &u->base;
    return 0;
out:
    if (u->fd >= 0)
        close(u->fd);
    free(u);
    return udp_open_error(r);
}
