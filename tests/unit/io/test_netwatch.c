/* What rtnetlink says about addresses and routes, and what of it is news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifdef MESHD_LINUX
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "net/io/watch/netwatch_impl.h"

struct batch {
    uint8_t buf[2048];
    size_t len;
};

static void add(struct batch *b, uint16_t type, const void *body, size_t len) {
    const struct nlmsghdr m = {.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len), .nlmsg_type = type};
    memset(b->buf + b->len, 0, NLMSG_ALIGN(m.nlmsg_len));
    memcpy(b->buf + b->len, &m, sizeof m);
    memcpy(b->buf + b->len + NLMSG_HDRLEN, body, len);
    b->len += NLMSG_ALIGN(m.nlmsg_len);
}

static void add_route(struct batch *b, uint16_t type, uint8_t dst_len, uint8_t table,
                      uint32_t gateway) {
    uint8_t body[sizeof(struct rtmsg) + RTA_LENGTH(4)] = {0};
    const struct rtmsg rt = {.rtm_dst_len = dst_len, .rtm_table = table, .rtm_type = RTN_UNICAST};
    const struct rtattr a = {.rta_len = RTA_LENGTH(4), .rta_type = RTA_GATEWAY};
    memcpy(body, &rt, sizeof rt);
    memcpy(body + NLMSG_ALIGN(sizeof rt), &a, sizeof a);
    memcpy(body + NLMSG_ALIGN(sizeof rt) + RTA_LENGTH(0), &gateway, sizeof gateway);
    add(b, type, body, sizeof body);
}

static unsigned read_of(const struct batch *b, uint64_t *route) {
    return netwatch_linux_read(b->buf, b->len, route);
}

static void addresses_and_links_are_to_be_looked_at(void **state) {
    (void)state;
    static const uint16_t types[] = {RTM_NEWADDR, RTM_DELADDR, RTM_NEWLINK, RTM_NEWNEIGH};
    const struct ifaddrmsg body = {.ifa_family = AF_INET};
    for (unsigned i = 0; i < 4; i++) {
        struct batch b = {.len = 0};
        uint64_t route = 0;
        add(&b, types[i], &body, sizeof body);
        assert_int_equal(read_of(&b, &route), i < 3 ? NETWATCH_ADDRS : 0);
    }
}

static void another_default_route_is_news_once(void **state) {
    (void)state;
    uint64_t route = 0;
    struct batch first = {.len = 0}, other = {.len = 0}, local = {.len = 0}, gone = {.len = 0};
    add_route(&first, RTM_NEWROUTE, 0, RT_TABLE_MAIN, 1);
    add_route(&other, RTM_NEWROUTE, 0, RT_TABLE_MAIN, 2);
    add_route(&local, RTM_NEWROUTE, 24, RT_TABLE_MAIN, 3);
    add_route(&local, RTM_NEWROUTE, 0, RT_TABLE_LOCAL, 3);
    add_route(&gone, RTM_DELROUTE, 0, RT_TABLE_MAIN, 1);
    assert_int_equal(read_of(&first, &route), NETWATCH_ROUTE);
    assert_int_equal(read_of(&first, &route), 0); /* a lease that was renewed */
    assert_int_equal(read_of(&local, &route), 0);
    assert_int_equal(read_of(&gone, &route), 0); /* without one nobody is reached */
    assert_int_equal(read_of(&other, &route), NETWATCH_ROUTE);
    assert_int_equal(read_of(&first, &route), NETWATCH_ROUTE);
}

/* Whatever lengths it names, nothing behind the end is read. */
static void cut_and_wrong_messages_are_passed_over(void **state) {
    (void)state;
    struct batch b = {.len = 0};
    uint64_t route = 0;
    add_route(&b, RTM_NEWROUTE, 0, RT_TABLE_MAIN, 1);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(netwatch_linux_read(b.buf, len, &route), 0);
    for (unsigned at = 0; at < b.len; at++)
        for (unsigned v = 0; v < 256; v++) {
            struct batch c = b;
            uint64_t any = 0;
            c.buf[at] = (uint8_t)v;
            (void)read_of(&c, &any);
        }
}

static void count(void *ctx, unsigned news) {
    *(unsigned *)ctx += news;
}

/* Nothing is told at once, nor after the end. */
static void it_opens_and_closes(void **state) {
    (void)state;
    uv_loop_t loop;
    struct netwatch *w;
    unsigned news = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(netwatch_open(&w, &loop, count, &news), 0);
    netwatch_tell(w, NETWATCH_ADDRS);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(news, 0);
    netwatch_close(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(news, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

#ifdef MESHD_TEST_WRAP
/* ---- calls that stand in front of the system's ---- */
static struct {
    time_t ahead_s; /* the wall clock, against the real one */
    unsigned armed;
    int links[2]; /* in place of rtnetlink's socket, if there are any */
    unsigned overflows;
} os = {.links = {-1, -1}};

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
                           struct itimerspec *old);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
                           struct itimerspec *old) {
    struct itimerspec at = *when;
    at.it_value.tv_sec -= os.ahead_s;
    os.armed++;
    return (int)syscall(SYS_timerfd_settime, fd, flags, &at, old);
}

int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol) {
    return family == AF_NETLINK && os.links[0] >= 0
               ? os.links[0]
               : (int)syscall(SYS_socket, family, type, protocol);
}

int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *to, socklen_t len) {
    return fd == os.links[0] ? 0 : (int)syscall(SYS_bind, fd, to, len);
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags) {
    if (fd == os.links[0] && os.overflows > 0) {
        os.overflows--;
        errno = ENOBUFS;
        return -1;
    }
    return syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL);
}

static void end_run(uv_timer_t *t) {
    uv_stop(t->loop);
}

/* What is told within `ms`. */
static unsigned news_within(uint64_t ms, int write_fd) {
    uv_loop_t loop;
    uv_timer_t end;
    struct netwatch *w;
    unsigned news = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(netwatch_open(&w, &loop, count, &news), 0);
    assert_int_equal(uv_timer_init(&loop, &end), 0);
    assert_int_equal(uv_timer_start(&end, end_run, ms, 0), 0);
    assert_true(write_fd < 0 || write(write_fd, "", 1) == 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    const unsigned told = news;
    netwatch_close(w);
    uv_close((uv_handle_t *)&end, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return told;
}

/* Nor does it keep the loop busy. */
static void a_clock_that_is_years_ahead_is_no_news(void **state) {
    (void)state;
    static const time_t years[] = {-50, 0, 12, 50, 200};
    for (unsigned i = 0; i < 5; i++) {
        os.ahead_s = years[i] * 365 * 86400;
        os.armed = 0;
        (void)news_within(20, -1);
        assert_int_equal(os.armed, 1);
    }
    os.ahead_s = 0;
}

static void what_the_system_could_not_keep_may_be_anything(void **state) {
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, os.links), 0);
    const int other = os.links[1];
    os.overflows = 1;
    assert_int_equal(news_within(NETWATCH_SETTLE_MS + 200, other), NETWATCH_ADDRS | NETWATCH_ROUTE);
    assert_int_equal(os.overflows, 0);
    os.links[0] = -1;
    close(other);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_links_are_to_be_looked_at),
        cmocka_unit_test(another_default_route_is_news_once),
        cmocka_unit_test(cut_and_wrong_messages_are_passed_over),
        cmocka_unit_test(it_opens_and_closes),
#ifdef MESHD_TEST_WRAP
        cmocka_unit_test(a_clock_that_is_years_ahead_is_no_news),
        cmocka_unit_test(what_the_system_could_not_keep_may_be_anything),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
#include <stdio.h>

int main(void) {
    puts("skipped: this build asks no rtnetlink");
    return 77;
}
#endif
