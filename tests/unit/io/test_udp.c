/* The UDP edge over loopback, both kinds, and what it does when the kernel refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/base/ecn_field.h"
#include "net/base/limits.h"
#include "net/io/sockaddr.h"
#include "net/io/udp.h"
#include "net/io/udp_impl.h"

enum { SEEN_MAX = 4096 };

struct end {
    struct udp *udp;
    unsigned datagrams, batches, writables, too_bigs;
    size_t bytes, too_big_bytes;
    size_t sizes[SEEN_MAX];
    uint8_t first_byte[SEEN_MAX];
    struct addr from;
    uint32_t local;
    unsigned ecn[4];
};

struct world {
    uv_loop_t loop;
    struct end a, b;
    bool late;
};

static uint8_t train_buf[TRAIN_MAX_BYTES];

static void on_datagram(void *ctx, const struct hop *from, uint8_t ecn, uint8_t *buf, size_t len) {
    struct end *e = ctx;
    assert_true(e->datagrams < SEEN_MAX);
    e->sizes[e->datagrams] = len;
    e->first_byte[e->datagrams++] = buf[0];
    e->bytes += len;
    e->from = from->udp.remote;
    e->ecn[ecn & ECN_MASK]++;
    e->local = from->udp.local;
    memset(buf, 0xee, len); /* it is ours to scribble on: must not disturb the next datagram */
}
static void on_batch_end(void *ctx) {
    ((struct end *)ctx)->batches++;
}
static void on_writable(void *ctx, uint32_t socket) {
    (void)socket;
    ((struct end *)ctx)->writables++;
}
static void on_too_big(void *ctx, const struct addr *to, size_t bytes) {
    struct end *e = ctx;
    assert_int_not_equal(to->port, 0);
    e->too_bigs++;
    e->too_big_bytes = bytes;
}
static void on_train(void *ctx, const struct train_in *r) {
    for (size_t at = 0; at < r->len; at += r->segment_bytes)
        on_datagram(ctx, &r->from, r->ecn, r->buf + at, train_in_bytes_at(r, at));
}

static const struct udp_callbacks callbacks = {on_train, on_batch_end, on_writable, on_too_big};

static struct addr loopback(bool ipv6) {
    if (ipv6)
        return (struct addr){.kind = ADDR_IPV6, .ip = {[15] = 1}};
    return (struct addr){.kind = ADDR_IPV4, .ip = {127, 0, 0, 1}};
}

static int open_world(struct world *w, enum udp_kind kind, bool ipv6) {
    memset(w, 0, sizeof *w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    struct addr at = loopback(ipv6);
    int r = udp_open(&w->a.udp, &w->loop, kind, &at, 7, &callbacks, &w->a);
    if (r == 0)
        r = udp_open(&w->b.udp, &w->loop, kind, &at, 8, &callbacks, &w->b);
    return r;
}

static void close_world(struct world *w) {
    udp_close(w->a.udp);
    udp_close(w->b.udp);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void on_late(uv_timer_t *t) {
    ((struct world *)t->data)->late = true;
}

/* Runs the loop until *what reaches n, for 5 s at most. */
static void run_until(struct world *w, const unsigned *what, unsigned n) {
    uv_timer_t t;
    w->late = false;
    uv_timer_init(&w->loop, &t);
    t.data = w;
    uv_timer_start(&t, on_late, 5000, 0);
    while (*what < n && !w->late)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&t, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(*what, n);
}

/* A train whose segments each begin with their number. */
static struct train make_train(struct world *w, uint16_t segment, size_t len) {
    struct train t = {.buf = train_buf,
                      .len = len,
                      .segment_bytes = segment,
                      .to = {.kind = HOP_UDP, .udp.local = LOCAL_ANY}};
    memset(train_buf, 0xaa, len);
    for (size_t at = 0, i = 0; at < len; at += segment, i++)
        train_buf[at] = (uint8_t)i;
    udp_address(w->b.udp, &t.to.udp.remote);
    return t;
}

static void expect_segments(const struct end *e, unsigned count, size_t segment, size_t last) {
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(e->sizes[i], i + 1 == count ? last : segment);
        assert_int_equal(e->first_byte[i], i & 0xff);
    }
}

static void train_of_64_arrives_whole(enum udp_kind kind, bool ipv6) {
    struct world w;
    if (open_world(&w, kind, ipv6) != 0) {
        assert_true(ipv6); /* a machine without IPv6 */
        close_world(&w);
        return;
    }
    struct train t = make_train(&w, 1000, 63 * 1000 + 417);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 64);
    expect_segments(&w.b, 64, 1000, 417);
    struct addr a;
    udp_address(w.a.udp, &a);
    assert_int_equal(w.b.from.kind, a.kind);
    assert_int_equal(w.b.from.port, a.port);
    assert_memory_equal(w.b.from.ip, a.ip, 16);
    assert_int_equal(w.b.local, 8);
    assert_true(w.b.batches >= 1 && w.b.batches <= 64);
    close_world(&w);
}
static void linux_train_ipv4(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_AUTO, false);
}
static void linux_train_ipv6(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_AUTO, true);
}
static void portable_train_ipv4(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_PORTABLE, false);
}
static void portable_train_ipv6(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_PORTABLE, true);
}

static void largest_datagram(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 65507, 65507);
    for (unsigned i = 1; i <= 10; i++) {
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        run_until(&w, &w.b.datagrams, i);
        assert_int_equal(w.b.sizes[i - 1], 65507);
    }
    assert_int_equal(w.a.too_bigs, 0);
    close_world(&w);
}
static void linux_largest_datagram(void **s) {
    (void)s;
    largest_datagram(UDP_AUTO);
}
static void portable_largest_datagram(void **s) {
    (void)s;
    largest_datagram(UDP_PORTABLE);
}

/* Many trains before the receiver gets a turn: the buffers asked for hold them, in order. */
static void burst_is_received_in_order(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 1200, 50 * 1200);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 500);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(w.b.first_byte[i], i % 50);
    close_world(&w);
}
static void linux_burst(void **s) {
    (void)s;
    burst_is_received_in_order(UDP_AUTO);
}
static void portable_burst(void **s) {
    (void)s;
    burst_is_received_in_order(UDP_PORTABLE);
}

static void an_unreachable_network_is_not_an_error(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 1000, 3000);
    /* From a loopback address nothing else can be reached (EINVAL); port 0 is nobody's (EINVAL);
     * the other family. */
    t.to.udp.remote = (struct addr){.kind = ADDR_IPV4, .port = 9, .ip = {192, 0, 2, 1}};
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    t.to.udp.remote = loopback(false);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    t.to.udp.remote = loopback(true);
    t.to.udp.remote.port = 9;
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    /* A closed port answers with ICMP; the socket goes on. */
    t.to.udp.remote = loopback(false);
    t.to.udp.remote.port = 1;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(udp_send(w.a.udp, &t), 0);
    struct udp_caps before, after;
    udp_caps(w.b.udp, &before);
    udp_caps(w.a.udp, &after);
    assert_int_equal(before.gso, after.gso);
    t = make_train(&w, 1000, 3000);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 3);
    close_world(&w);
}
static void linux_unreachable(void **s) {
    (void)s;
    an_unreachable_network_is_not_an_error(UDP_AUTO);
}
static void portable_unreachable(void **s) {
    (void)s;
    an_unreachable_network_is_not_an_error(UDP_PORTABLE);
}

/* Trains with and without a mark in turn: each datagram says how it was sent, where the kind of socket can. */
static void marks_arrive(enum udp_kind kind, bool ipv6) {
    struct world w;
    if (open_world(&w, kind, ipv6) != 0) {
        assert_true(ipv6); /* a machine without IPv6 */
        close_world(&w);
        return;
    }
    struct udp_caps c;
    udp_caps(w.a.udp, &c);
    static const uint8_t fields[] = {ECN_ECT0, ECN_ECT0, ECN_NOT_ECT, ECN_CE, ECN_ECT0, ECN_ECT1};
    unsigned want[4] = {0}, sent = 0;
    for (unsigned i = 0; i < sizeof fields; i++) {
        struct train t = make_train(&w, 1000, i % 2 == 0 ? 5000 : 700);
        t.ecn = fields[i];
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        sent += i % 2 == 0 ? 5 : 1;
        want[c.ecn ? fields[i] : ECN_NOT_ECT] += i % 2 == 0 ? 5 : 1;
    }
    run_until(&w, &w.b.datagrams, sent);
    assert_memory_equal(w.b.ecn, want, sizeof want);
    close_world(&w);
}
static void linux_marks_ipv4(void **s) {
    (void)s;
    marks_arrive(UDP_AUTO, false);
}
static void linux_marks_ipv6(void **s) {
    (void)s;
    marks_arrive(UDP_AUTO, true);
}
static void portable_marks(void **s) {
    (void)s;
    marks_arrive(UDP_PORTABLE, false);
}

static void bind_errors_have_names(void **s) {
    (void)s;
    struct world w;
    assert_int_equal(open_world(&w, UDP_AUTO, false), 0);
    for (int kind = UDP_AUTO; kind <= UDP_PORTABLE; kind++) {
        struct udp *u;
        struct addr at;
        udp_address(w.a.udp, &at);
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &callbacks, &w.a),
                         ERR_EXISTS);
        at = (struct addr){.kind = ADDR_IPV4, .ip = {192, 0, 2, 1}};
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &callbacks, &w.a),
                         ERR_USAGE);
        at.kind = ADDR_NONE;
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &callbacks, &w.a),
                         ERR_USAGE);
        assert_null(u);
    }
    close_world(&w);
}

static void addresses_survive_the_kernels_form(void **s) {
    (void)s;
    static const struct addr cases[] = {
        {.kind = ADDR_IPV4, .port = 65535, .ip = {10, 1, 2, 3}},
        {.kind = ADDR_IPV6, .port = 1, .ip = {0x20, 1, 0xd, 0xb8, [15] = 9}},
        {.kind = ADDR_IPV6, .port = 2, .scope = 3, .ip = {0xfe, 0x80, [15] = 9}},
    };
    struct sockaddr_storage sa;
    struct addr got;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(sockaddr_from(&sa, &cases[i]) > 0);
        assert_true(sockaddr_to(&got, (struct sockaddr *)&sa));
        assert_memory_equal(&got.ip, &cases[i].ip, 16);
        assert_int_equal(got.kind, cases[i].kind);
        assert_int_equal(got.port, cases[i].port);
        assert_int_equal(got.scope, cases[i].scope);
    }
    struct addr mapped = {
        .kind = ADDR_IPV6, .port = 5, .ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7}};
    assert_true(sockaddr_from(&sa, &mapped) > 0);
    assert_true(sockaddr_to(&got, (struct sockaddr *)&sa));
    assert_int_equal(got.kind, ADDR_IPV4);
    assert_memory_equal(got.ip, ((uint8_t[16]){192, 0, 2, 7}), 16);
    struct addr none = {0};
    assert_int_equal(sockaddr_from(&sa, &none), 0);
    assert_false(sockaddr_to(&got, (struct sockaddr *)&sa));
}

/* ---- which of our addresses ---- */

/* The loopback network is all ours: an answer comes from the very address that was asked. */
static void an_answer_leaves_from_the_address_that_was_asked(void **s) {
    (void)s;
    struct world w = {.late = false};
    assert_int_equal(uv_loop_init(&w.loop), 0);
    const struct addr any = {.kind = ADDR_IPV4}, at = loopback(false);
    assert_int_equal(udp_open(&w.a.udp, &w.loop, UDP_AUTO, &at, 7, &callbacks, &w.a), 0);
    assert_int_equal(udp_open(&w.b.udp, &w.loop, UDP_AUTO, &any, 8, &callbacks, &w.b), 0);
    struct udp_caps caps;
    udp_caps(w.b.udp, &caps);
    assert_true(caps.sources);
    udp_caps(w.a.udp, &caps);
    assert_false(caps.sources); /* it is bound to one */
    struct addr b;
    udp_address(w.b.udp, &b);
    uint32_t seen[4] = {0};
    unsigned answers = 0;
    for (unsigned round = 0; round < 2; round++)
        for (uint8_t host = 1; host <= 3; host++)
            for (unsigned segments = 1; segments <= 3; segments += 2) {
                struct train t = make_train(&w, 300, 300);
                memcpy(t.to.udp.remote.ip, ((uint8_t[4]){127, 0, 0, host}), 4);
                t.to.udp.remote.port = b.port;
                const unsigned before = w.b.datagrams;
                assert_int_equal(udp_send(w.a.udp, &t), 0);
                run_until(&w, &w.b.datagrams, before + 1);
                assert_int_equal(w.b.local % LOCAL_SOCKETS_MAX, 8);
                assert_true(seen[host] == 0 || seen[host] == w.b.local); /* one place, one number */
                seen[host] = w.b.local;
                t.len = segments * 300;
                udp_address(w.a.udp, &t.to.udp.remote);
                t.to.udp.local = w.b.local;
                assert_int_equal(udp_send(w.b.udp, &t), 0);
                answers += segments;
                run_until(&w, &w.a.datagrams, answers);
                assert_memory_equal(w.a.from.ip, ((uint8_t[4]){127, 0, 0, host}), 4);
            }
    assert_true(seen[1] != seen[2] && seen[2] != seen[3] && seen[1] != seen[3]);
    close_world(&w);
}

#ifdef MESHD_LINUX

/* Nobody but the kernel knows whether an address is still there. */
static bool gone;    /* every send that names a source fails, */
static int gone_err; /* so; which error it is depends on the routes that are left */

static bool names_a_source(const struct msghdr *m) {
    struct msghdr copy = *m;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&copy); c; c = CMSG_NXTHDR(&copy, c))
        if (c->cmsg_level == IPPROTO_IP)
            return true;
    return false;
}

static ssize_t source_gone_sendmsg(int fd, const struct msghdr *m, int flags) {
    if (gone && names_a_source(m)) {
        errno = gone_err;
        return -1;
    }
    return sendmsg(fd, m, flags);
}

static int source_gone_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags) {
    if (gone && names_a_source(&v->msg_hdr)) {
        errno = gone_err;
        return -1;
    }
    return sendmmsg(fd, v, n, flags);
}

static void not_insisted_on(int err) {
    static const struct udp_linux_sys sys = {source_gone_sendmsg, source_gone_sendmmsg};
    struct world w = {.late = false};
    gone_err = err;
    assert_int_equal(uv_loop_init(&w.loop), 0);
    const struct addr any = {.kind = ADDR_IPV4}, at = loopback(false);
    assert_int_equal(udp_open(&w.a.udp, &w.loop, UDP_AUTO, &at, 7, &callbacks, &w.a), 0);
    assert_int_equal(udp_open(&w.b.udp, &w.loop, UDP_AUTO, &any, 8, &callbacks, &w.b), 0);
    udp_linux_set_sys(w.b.udp, &sys);
    struct addr b;
    udp_address(w.b.udp, &b);
    struct train t = make_train(&w, 300, 300);
    memcpy(t.to.udp.remote.ip, ((uint8_t[4]){127, 0, 0, 9}), 4);
    t.to.udp.remote.port = b.port;
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 1);
    udp_address(w.a.udp, &t.to.udp.remote);
    t.to.udp.local = w.b.local;
    for (unsigned i = 1; i <= 3; i++) {
        gone = i < 3;
        t.len = i == 1 ? 900 : 300;
        assert_int_equal(udp_send(w.b.udp, &t), 0);
        run_until(&w, &w.a.datagrams, 2 + i);
        assert_memory_equal(w.a.from.ip, ((uint8_t[4]){127, 0, 0, 1}), 4); /* the kernel's choice */
    }
    struct udp_caps caps;
    udp_caps(w.b.udp, &caps);
    assert_true(caps.gso); /* it was not that */
    close_world(&w);
}

static void an_address_that_has_gone_is_not_insisted_on(void **s) {
    (void)s;
    static const int errors[] = {EINVAL, EADDRNOTAVAIL, ENETUNREACH};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        not_insisted_on(errors[i]);
}

/* ---- a kernel that refuses: a script of answers, then the real calls ---- */

static struct script {
    int gso_err;         /* every UDP_SEGMENT send fails with this */
    unsigned gso_agains; /* so many fail with EAGAIN first */
    unsigned mmsg_take;  /* a sendmmsg takes at most so many (0: all) */
    unsigned mmsg_every_other_again;
    size_t mtu; /* plain datagrams above fail with EMSGSIZE (0: none) */
    unsigned gso_calls, mmsg_calls;
} script;

static ssize_t scripted_sendmsg(int fd, const struct msghdr *m, int flags) {
    if (m->msg_controllen == 0 || names_a_source(m)) {
        if (script.mtu && m->msg_iov->iov_len > script.mtu) {
            errno = EMSGSIZE;
            return -1;
        }
        return sendmsg(fd, m, flags);
    }
    script.gso_calls++;
    if (script.gso_agains > 0) {
        script.gso_agains--;
        errno = EAGAIN;
        return -1;
    }
    if (script.gso_err) {
        errno = script.gso_err;
        return -1;
    }
    return sendmsg(fd, m, flags);
}

static int scripted_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags) {
    if (script.mmsg_calls++ % 2 == 1 && script.mmsg_every_other_again) {
        errno = EAGAIN;
        return -1;
    }
    if (script.mmsg_take && n > script.mmsg_take)
        n = script.mmsg_take;
    for (unsigned i = 0; script.mtu && i < n; i++) {
        if (v[i].msg_hdr.msg_iov->iov_len <= script.mtu)
            continue;
        if (i == 0) {
            errno = EMSGSIZE;
            return -1;
        }
        n = i;
    }
    return sendmmsg(fd, v, n, flags);
}

static const struct udp_linux_sys scripted = {scripted_sendmsg, scripted_sendmmsg};

static bool open_scripted(struct world *w) {
    assert_int_equal(open_world(w, UDP_AUTO, false), 0);
    memset(&script, 0, sizeof script);
    udp_linux_set_sys(w->a.udp, &scripted);
    struct udp_caps c;
    udp_caps(w->a.udp, &c);
    return c.gso; /* false: a kernel without it has nothing to fall back from */
}

static bool gso_on(const struct world *w) {
    struct udp_caps c;
    udp_caps(w->a.udp, &c);
    return c.gso;
}

static void gso_that_fails_in_mid_run_is_given_up(void **s) {
    (void)s;
    static const int errors[] = {EIO, EINVAL, EOPNOTSUPP};
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        if (open_scripted(&w)) {
            struct train t = make_train(&w, 1000, 20500);
            assert_int_equal(udp_send(w.a.udp, &t), 0);
            script.gso_err = errors[i];
            assert_int_equal(udp_send(w.a.udp, &t), 0);
            assert_int_equal(udp_send(w.a.udp, &t), 0);
            assert_int_equal(script.gso_calls, 2); /* the third train did not try */
            assert_false(gso_on(&w));
            run_until(&w, &w.b.datagrams, 63);
            for (unsigned k = 0; k < 63; k++)
                assert_int_equal(w.b.first_byte[k], k % 21);
        }
        close_world(&w);
    }
}

/* Kernels before 6.14 say EINVAL for UDP_SEGMENT above the device's MTU. */
static void segments_above_the_mtu_are_not_gso_s_fault(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        script.gso_err = EINVAL;
        script.mtu = 900;
        struct train t = make_train(&w, 1000, 5000);
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        assert_true(gso_on(&w));
        assert_int_equal(w.a.too_bigs, 1);
        assert_int_equal(w.a.too_big_bytes, 1000);
    }
    close_world(&w);
}

/* The path's MTU falls in mid-run, and the last datagram of a train is short enough to pass: that says nothing about
 * UDP_SEGMENT, which goes on being used. */
static void a_short_datagram_does_not_prove_gso_wrong(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        struct train t = make_train(&w, 1000, 4500);
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        run_until(&w, &w.b.datagrams, 5);
        script.gso_err = EINVAL;
        script.mtu = 900;
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        run_until(&w, &w.b.datagrams, 6);
        assert_int_equal(w.b.sizes[5], 500);
        assert_int_equal(w.a.too_bigs, 1);
        assert_true(gso_on(&w));
        script.gso_err = 0;
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        assert_int_equal(script.gso_calls, 3);
        run_until(&w, &w.b.datagrams, 11);
    }
    close_world(&w);
}

static void too_big_names_the_segment_size(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        script.gso_err = EMSGSIZE;
        struct train t = make_train(&w, 1300, 13000);
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        assert_int_equal(w.a.too_bigs, 1);
        assert_int_equal(w.a.too_big_bytes, 1300);
        assert_true(gso_on(&w));
        script.mtu = 1400;
        t = make_train(&w, 1500, 1500);
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        assert_int_equal(w.a.too_bigs, 2);
        assert_int_equal(w.a.too_big_bytes, 1500);
    }
    close_world(&w);
}

static void a_full_socket_keeps_the_train(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        script.gso_agains = 3;
        struct train t = make_train(&w, 1000, 40000);
        assert_int_equal(udp_send(w.a.udp, &t), ERR_AGAIN);
        memset(train_buf, 0x55, sizeof train_buf); /* it was copied */
        assert_int_equal(w.a.writables, 0);
        run_until(&w, &w.a.writables, 1);
        run_until(&w, &w.b.datagrams, 40);
        expect_segments(&w.b, 40, 1000, 1000);
    }
    close_world(&w);
}

static void a_partial_sendmmsg_is_resumed_exactly(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        script.gso_err = EIO;
        script.mmsg_take = 7;
        struct train t = make_train(&w, 1000, 40100);
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        run_until(&w, &w.b.datagrams, 41);
        expect_segments(&w.b, 41, 1000, 100);
        /* ... and when the socket fills up after each piece */
        w.b.datagrams = 0;
        script.mmsg_every_other_again = 1;
        script.mmsg_calls = 0;
        t = make_train(&w, 1000, 40100);
        assert_int_equal(udp_send(w.a.udp, &t), ERR_AGAIN);
        run_until(&w, &w.a.writables, 1);
        run_until(&w, &w.b.datagrams, 41);
        expect_segments(&w.b, 41, 1000, 100);
    }
    close_world(&w);
}

static void closing_while_a_train_waits_is_clean(void **s) {
    (void)s;
    struct world w;
    if (open_scripted(&w)) {
        script.gso_agains = 1000;
        struct train t = make_train(&w, 1000, 40000);
        assert_int_equal(udp_send(w.a.udp, &t), ERR_AGAIN);
    }
    close_world(&w);
}
#endif

static void datagrams_are_not_cut_and_it_is_said(void **s) {
    (void)s;
    for (int kind = UDP_AUTO; kind <= UDP_PORTABLE; kind++)
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            struct world w;
            if (open_world(&w, (enum udp_kind)kind, ipv6) == 0) {
                struct udp_caps caps;
                udp_caps(w.a.udp, &caps);
                assert_true(caps.dont_fragment);
            }
            close_world(&w);
        }
    assert_false(udp_dont_fragment(-1, false)); /* what fails is not said to work */
    assert_false(udp_dont_fragment(-1, true));
}

static void buffers_are_what_was_asked_for_or_said_to_be_capped(void **s) {
    (void)s;
    struct world w;
    assert_int_equal(open_world(&w, UDP_AUTO, false), 0);
    struct udp_caps c;
    udp_caps(w.a.udp, &c);
    assert_true(c.recv_buffer_bytes > 0 && c.send_buffer_bytes > 0);
    assert_int_equal(c.buffers_capped, c.recv_buffer_bytes < UDP_BUFFER_BYTES ||
                                           c.send_buffer_bytes < UDP_BUFFER_BYTES);
    close_world(&w);
}
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_train_ipv4),
        cmocka_unit_test(linux_train_ipv6),
        cmocka_unit_test(portable_train_ipv4),
        cmocka_unit_test(portable_train_ipv6),
        cmocka_unit_test(linux_largest_datagram),
        cmocka_unit_test(portable_largest_datagram),
        cmocka_unit_test(linux_burst),
        cmocka_unit_test(portable_burst),
        cmocka_unit_test(linux_unreachable),
        cmocka_unit_test(portable_unreachable),
        cmocka_unit_test(linux_marks_ipv4),
        cmocka_unit_test(linux_marks_ipv6),
        cmocka_unit_test(portable_marks),
        cmocka_unit_test(bind_errors_have_names),
        cmocka_unit_test(addresses_survive_the_kernels_form),
        cmocka_unit_test(buffers_are_what_was_asked_for_or_said_to_be_capped),
        cmocka_unit_test(datagrams_are_not_cut_and_it_is_said),
        cmocka_unit_test(an_answer_leaves_from_the_address_that_was_asked),
#ifdef MESHD_LINUX
        cmocka_unit_test(gso_that_fails_in_mid_run_is_given_up),
        cmocka_unit_test(segments_above_the_mtu_are_not_gso_s_fault),
        cmocka_unit_test(a_short_datagram_does_not_prove_gso_wrong),
        cmocka_unit_test(too_big_names_the_segment_size),
        cmocka_unit_test(a_full_socket_keeps_the_train),
        cmocka_unit_test(an_address_that_has_gone_is_not_insisted_on),
        cmocka_unit_test(a_partial_sendmmsg_is_resumed_exactly),
        cmocka_unit_test(closing_while_a_train_waits_is_clean),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
