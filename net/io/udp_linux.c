/* udp_linux.c: UDP in batches (GSO, GRO, sendmmsg, recvmmsg).
 *
 * A socket bound to no address is told to which one each datagram came (IP_PKTINFO), and what
 * answers it leaves from there: a secondary address would else be answered from the primary one,
 * which the peer's NAT or firewall does not let in. It costs one control message per train.
 *
 * Why an own socket and not uv_udp: one UDP_SEGMENT send carries a train of 64 packets through the
 * stack once, and UDP_GRO gives it to the receiver whole (measured 15 times the rate of plain
 * sends). Both may be missing (kernel < 4.18 and < 5.0), and UDP_SEGMENT may start to fail in
 * mid-run, when a route moves to a device without checksum offload: then the same train goes out
 * again as plain datagrams and the socket never tries segments again.
 *
 * The ECN field of what is sent is an option of the socket, set when a train wants another one than
 * the train before: a transfer does not change it, and no send gets slower or a further reason to
 * fail by it. (Measured for a train of 44 packets over veth: 6.7 us without a mark and with this
 * one, 6.8 us with a control message in each send, 7.2 us when every train changes it.)
 */
#include "net/io/udp_impl.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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
    RX_MSGS = 8,          /* per recvmmsg: half a MiB when every message is a full GRO run */
    RX_MSG_BYTES = 65536, /* no message is larger: 16-bit UDP length */
    RX_ROUNDS = 8,        /* per turn; then timers, files and control get theirs */
    TX_MSGS = TRAIN_MAX_SEGMENTS,
};

struct udp_linux {
    struct udp base;
    uv_poll_t poll;
    int fd;
    const struct udp_linux_sys *sys;
    uint8_t ecn;               /* what the socket puts into headers now */
    struct local_addrs locals; /* used if the socket is bound to no address */

    bool blocked; /* `kept` waits for the socket; what lies before kept_at is gone already */
    struct train kept;
    size_t kept_at;
    uint8_t kept_buf[TRAIN_MAX_BYTES];

    struct mmsghdr rx_hdr[RX_MSGS];
    struct iovec rx_iov[RX_MSGS];
    struct sockaddr_storage rx_from[RX_MSGS];
    struct udp_control_buf rx_control[RX_MSGS];
    uint8_t rx[RX_MSGS][RX_MSG_BYTES];
};

static struct udp_linux *as_linux(struct udp *u) {
    return (struct udp_linux *)u; /* base is the first member */
}

static const struct udp_linux_sys real_sys = {sendmsg, sendmmsg};

void udp_linux_set_sys(struct udp *u, const struct udp_linux_sys *sys) {
    as_linux(u)->sys = sys;
}

/* ---- receiving ---- */

static void give(struct udp_linux *u, unsigned i) {
    struct msghdr *m = &u->rx_hdr[i].msg_hdr;
    size_t len = u->rx_hdr[i].msg_len;
    struct addr from;
    if (m->msg_flags & MSG_TRUNC || !sockaddr_to(&from, (struct sockaddr *)&u->rx_from[i]))
        return;
    const struct udp_control_in told = udp_control_read(m, len);
    if (told.nonsense || len == 0)
        return;
    uint32_t local = u->base.local;
    if (told.to.kind != ADDR_NONE && !addr_is_unspecified(&told.to))
        local |= local_addrs_number(&u->locals, &told.to) << LOCAL_SOCKET_BITS;
    const struct train_in run = {.buf = u->rx[i],
                                 .len = len,
                                 .segment_bytes = told.segment > 0 ? told.segment : len,
                                 .from = hop_udp(&from, local),
                                 .ecn = told.ecn};
    u->base.cb.train(u->base.ctx, &run);
}

/* One recvmmsg. False when the socket is drained. */
static bool receive_round(struct udp_linux *u) {
    for (unsigned i = 0; i < RX_MSGS; i++) {
        u->rx_iov[i] = (struct iovec){u->rx[i], RX_MSG_BYTES};
        u->rx_hdr[i].msg_hdr = (struct msghdr){.msg_name = &u->rx_from[i],
                                               .msg_namelen = sizeof u->rx_from[i],
                                               .msg_iov = &u->rx_iov[i],
                                               .msg_iovlen = 1,
                                               .msg_control = &u->rx_control[i],
                                               .msg_controllen = sizeof u->rx_control[i]};
    }
    int n;
    do
        n = recvmmsg(u->fd, u->rx_hdr, RX_MSGS, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false; /* empty, or an error of some datagram sent earlier: nothing to do about it */
    for (int i = 0; i < n; i++)
        give(u, (unsigned)i);
    if (u->base.cb.batch_end)
        u->base.cb.batch_end(u->base.ctx);
    return n == RX_MSGS;
}

/* ---- sending ---- */

static void report_too_big(struct udp_linux *u, const struct train *t, size_t bytes) {
    if (u->base.cb.too_big)
        u->base.cb.too_big(u->base.ctx, &t->to.udp.remote, bytes);
}

/* The kernel may refuse the source, since this machine has lost the address: then the train leaves
 * from where the kernel thinks best, and so do those that follow. */
static bool source_may_be_gone(const struct udp_control_out *a, int err) {
    return a->source != 0 && (err == EINVAL || err == EADDRNOTAVAIL || err == ENETUNREACH);
}

/* Everything from `at` on in one sendmsg: with UDP_SEGMENT, or as the one datagram it is. */
static enum udp_sent send_whole(struct udp_linux *u, const struct train *t, size_t at,
                                bool segments) {
    struct sockaddr_storage to;
    struct iovec iov = {t->buf + at, t->len - at};
    struct udp_control_out said;
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sockaddr_from(&to, &t->to.udp.remote),
                       .msg_iov = &iov,
                       .msg_iovlen = 1};
    udp_control_write(&said, t, &u->locals, segments);
    udp_control_attach(&m, &said, said.len);
    ssize_t n;
    do
        n = u->sys->sendmsg(u->fd, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && source_may_be_gone(&said, errno)) {
        udp_control_attach(&m, &said, said.without_source);
        n = u->sys->sendmsg(u->fd, &m, MSG_DONTWAIT);
        if (n >= 0)
            local_addrs_forget(&u->locals, said.source);
    }
    return n < 0 ? udp_bsd_verdict(errno) : UDP_SENT;
}

/* Plain datagrams from *at on; *at moves over what is sent or lost. The first failure's verdict, or
 * UDP_SENT; sendmmsg reports an error only if its first message meets it, so a short count means:
 * ask again from there. */
static enum udp_sent send_plain_run(struct udp_linux *u, const struct train *t, size_t *at) {
    struct sockaddr_storage to;
    socklen_t to_len = sockaddr_from(&to, &t->to.udp.remote);
    struct mmsghdr v[TX_MSGS];
    struct iovec iov[TX_MSGS];
    struct udp_control_out said;
    unsigned count = 0;
    udp_control_write(&said, t, &u->locals, false);
    for (size_t p = *at; p < t->len && count < TX_MSGS; p += t->segment_bytes, count++) {
        size_t left = t->len - p;
        iov[count] = (struct iovec){t->buf + p, left < t->segment_bytes ? left : t->segment_bytes};
        v[count].msg_len = 0;
        v[count].msg_hdr = (struct msghdr){
            .msg_name = &to, .msg_namelen = to_len, .msg_iov = &iov[count], .msg_iovlen = 1};
        udp_control_attach(&v[count].msg_hdr, &said, said.len);
    }
    int n;
    do
        n = u->sys->sendmmsg(u->fd, v, count, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && source_may_be_gone(&said, errno)) {
        for (unsigned i = 0; i < count; i++)
            udp_control_attach(&v[i].msg_hdr, &said, 0);
        n = u->sys->sendmmsg(u->fd, v, count, MSG_DONTWAIT);
        if (n >= 0)
            local_addrs_forget(&u->locals, said.source);
    }
    if (n < 0)
        return udp_bsd_verdict(errno);
    for (int i = 0; i < n; i++)
        *at += iov[i].iov_len;
    return UDP_SENT;
}

/* False when the socket is full; *at is then the first unsent byte. `worked` is set once the kernel
 * has taken a datagram. */
static bool send_plain(struct udp_linux *u, const struct train *t, size_t *at, bool *worked) {
    bool reported = false;
    while (*at < t->len) {
        size_t left = t->len - *at;
        size_t first = left < t->segment_bytes ? left : t->segment_bytes;
        switch (send_plain_run(u, t, at)) {
        case UDP_SENT:
            *worked =
                *worked || !reported; /* after one that was too big, a short one proves nothing */
            break;
        case UDP_WOULD_BLOCK:
            return false;
        case UDP_TOO_BIG:
            if (!reported)
                report_too_big(u, t, first);
            reported = true;
            *at += first; /* a shorter last one may still fit */
            break;
        case UDP_REFUSED:
        case UDP_LOST:
            *at = t->len; /* the rest would meet the same route or firewall */
            break;
        }
    }
    return true;
}

static void set_ecn(struct udp_linux *u, uint8_t ecn) {
    const uint8_t field = ecn & ECN_MASK;
    if (field != u->ecn && u->base.caps.ecn &&
        udp_bsd_set_ecn(u->fd, u->base.bound.kind == ADDR_IPV6, field))
        u->ecn = field;
}

/* False when the socket is full; *at is then the first unsent byte. */
static bool transmit(struct udp_linux *u, const struct train *t, size_t *at) {
    bool worked = false;
    set_ecn(u, t->ecn);
    if (t->len - *at > t->segment_bytes) {
        if (!u->base.caps.gso)
            return send_plain(u, t, at, &worked);
        switch (send_whole(u, t, *at, true)) {
        case UDP_WOULD_BLOCK:
            return false;
        case UDP_TOO_BIG:
            report_too_big(u, t, t->segment_bytes);
            break;
        case UDP_REFUSED: {
            /* Kernels before 6.14 also say EINVAL when the segments are larger than the device's
             * MTU, and any says it for a bad address. Only if the same bytes go out plain was
             * UDP_SEGMENT itself the trouble. */
            bool done = send_plain(u, t, at, &worked);
            if (worked)
                u->base.caps.gso = false;
            return done;
        }
        case UDP_SENT:
        case UDP_LOST:
            break;
        }
    } else {
        enum udp_sent s = send_whole(u, t, *at, false);
        if (s == UDP_WOULD_BLOCK)
            return false;
        if (s == UDP_TOO_BIG)
            report_too_big(u, t, t->len - *at);
    }
    *at = t->len;
    return true;
}

/* ---- the loop ---- */

static void on_poll(uv_poll_t *p, int status, int events);

static void watch(struct udp_linux *u) {
    int r = uv_poll_start(&u->poll, UV_READABLE | (u->blocked ? UV_WRITABLE : 0), on_poll);
    assert(r == 0);
    (void)r;
}

static void on_poll(uv_poll_t *p, int status, int events) {
    struct udp_linux *u = p->data;
    if (status < 0) {
        /* libuv stops the handle on POLLERR: some earlier datagram met an ICMP error. Take it and
         * go on. */
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
        for (unsigned i = 0; i < RX_ROUNDS && receive_round(u); i++)
            ;
}

static int linux_send(struct udp *base, const struct train *t) {
    struct udp_linux *u = as_linux(base);
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

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void linux_close(struct udp *base) {
    struct udp_linux *u = as_linux(base);
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd); /* at once, so that the port is free again */
}

static const struct udp_ops linux_ops = {linux_send, linux_close};

/* ---- opening ---- */

/* What Linux alone has. */
static void set_options(struct udp_linux *u) {
    struct udp_caps *c = &u->base.caps;
    int value = 0, on = 1;
    socklen_t len = sizeof value;
    c->gso = getsockopt(u->fd, SOL_UDP, UDP_SEGMENT, &value, &len) == 0;
    c->gro = setsockopt(u->fd, SOL_UDP, UDP_GRO, &on, sizeof on) == 0;
}

int udp_native_open(struct udp **out, uv_loop_t *loop, const struct addr *at,
                    const struct udp *base) {
    struct udp_linux *u = calloc(1, sizeof *u);
    if (!u)
        return ERR_NOMEM;
    u->base = *base;
    u->base.ops = &linux_ops;
    u->sys = &real_sys;
    int r = u->fd = udp_bsd_open(at->kind == ADDR_IPV6);
    if (r < 0)
        goto out;
    udp_bsd_options(u->fd, at, &u->base.caps);
    set_options(u);
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
