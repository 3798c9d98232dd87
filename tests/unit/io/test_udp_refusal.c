/* The UDP edge when the kernel refuses, takes a part, or has lost an address: what it says,
 * and that no datagram is lost or sent twice for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/base/limits.h"
#include "net/io/sockaddr.h"
#include "net/io/udp_impl.h"
#include "support_udp.h"

/* ---- which of our addresses ---- */

/* The loopback network is all ours: an answer comes from the very address that was asked. */
static void an_answer_leaves_from_the_address_that_was_asked(void **s) {
    (void)s;
    struct world w = {.late = false};
    assert_int_equal(uv_loop_init(&w.loop), 0);
    const struct addr any = {.kind = ADDR_IPV4}, at = loopback(false);
    assert_int_equal(udp_open(&w.a.udp, &w.loop, UDP_AUTO, &at, 7, &end_callbacks, &w.a), 0);
    assert_int_equal(udp_open(&w.b.udp, &w.loop, UDP_AUTO, &any, 8, &end_callbacks, &w.b), 0);
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
    assert_int_equal(udp_open(&w.a.udp, &w.loop, UDP_AUTO, &at, 7, &end_callbacks, &w.a), 0);
    assert_int_equal(udp_open(&w.b.udp, &w.loop, UDP_AUTO, &any, 8, &end_callbacks, &w.b), 0);
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

/* The path's MTU falls in mid-run, and the last datagram of a train is short enough to pass: that
 * says nothing about UDP_SEGMENT, which goes on being used. */
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
