/* netwatch_linux.c: rtnetlink, and a timer that is cancelled when the wall clock jumps. */
#include "net/io/watch/netwatch_impl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 16384, READS_MAX = 64 };

/* ---- addresses and routes ---- */

/* Where a default route of the main table leads: gateway, interface and metric. 0: it is none. */
static uint64_t default_route(const uint8_t *body, size_t len) {
    struct rtmsg rt;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    if (len < sizeof rt)
        return 0;
    memcpy(&rt, body, sizeof rt);
    if (rt.rtm_dst_len != 0 || rt.rtm_table != RT_TABLE_MAIN || rt.rtm_type != RTN_UNICAST)
        return 0;
    for (size_t at = NLMSG_ALIGN(sizeof rt); at + sizeof(struct rtattr) <= len;) {
        struct rtattr a;
        memcpy(&a, body + at, sizeof a);
        if (a.rta_len < sizeof a || a.rta_len > len - at)
            break;
        if (a.rta_type == RTA_GATEWAY || a.rta_type == RTA_OIF || a.rta_type == RTA_PRIORITY)
            for (size_t i = 0; i < a.rta_len; i++)
                h = (h ^ body[at + i]) * UINT64_C(0x100000001b3);
        at += RTA_ALIGN(a.rta_len);
    }
    return h ? h : 1;
}

unsigned netwatch_linux_read(const uint8_t *buf, size_t len, uint64_t *route) {
    unsigned news = 0;
    for (size_t at = 0; at + sizeof(struct nlmsghdr) <= len;) {
        struct nlmsghdr m;
        memcpy(&m, buf + at, sizeof m);
        if (m.nlmsg_len < sizeof m || m.nlmsg_len > len - at)
            break;
        const uint8_t *body = buf + at + NLMSG_HDRLEN;
        const size_t body_len = m.nlmsg_len - NLMSG_HDRLEN;
        if (m.nlmsg_type == RTM_NEWADDR || m.nlmsg_type == RTM_DELADDR ||
            m.nlmsg_type == RTM_NEWLINK) { /* an address counts once its link has a carrier */
            news |= NETWATCH_ADDRS;
        } else if (m.nlmsg_type == RTM_NEWROUTE) {
            const uint64_t to = default_route(body, body_len);
            news |= to != 0 && to != *route ? NETWATCH_ROUTE : 0;
            *route = to ? to : *route;
        }
        at += NLMSG_ALIGN(m.nlmsg_len);
    }
    return news;
}

static void on_links(uv_poll_t *p, int status, int events) {
    struct netwatch *w = p->data;
    uint8_t buf[READ_BYTES];
    unsigned news = 0;
    (void)events;
    for (unsigned i = 0; status >= 0 && i < READS_MAX; i++) {
        const ssize_t n = recv(w->links_fd, buf, sizeof buf, 0);
        if (n < 0 && errno == ENOBUFS) /* more than it keeps: whatever it was is missing */
            news |= NETWATCH_ADDRS | NETWATCH_ROUTE;
        else if (n <= 0)
            break;
        else
            news |= netwatch_linux_read(buf, (size_t)n, &w->route_seen);
    }
    netwatch_tell(w, news);
}

static int links_open(void) {
    struct sockaddr_nl to = {.nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                          RTMGRP_IPV4_ROUTE};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- sleep ---- */

static int64_t clock_ms(clockid_t id) {
    struct timespec t = {0};
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t boot_ahead_ms(void) {
    return clock_ms(CLOCK_BOOTTIME) - clock_ms(CLOCK_MONOTONIC);
}

/* The last second the kernel has, 2262: no clock can be set so far. One in 2038 would be over for
 * whoever lives then, or whose clock says so, and over again as often as it is set. */
enum { WAKES_32 = sizeof(time_t) < 8 };
#define WAKES_S (WAKES_32 ? (time_t)INT32_MAX : (time_t)(INT64_MAX / 1000000000))

/* It never expires; a read fails with ECANCELED when the wall clock has jumped. */
static bool wakes_arm(int fd) {
    const struct itimerspec when = {.it_value.tv_sec = WAKES_S};
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) == 0 ||
           errno == ECANCELED;
}

static void on_wakes(uv_poll_t *p, int status, int events) {
    struct netwatch *w = p->data;
    uint64_t count;
    (void)events;
    if (status < 0 || (read(w->wakes_fd, &count, sizeof count) < 0 && errno == EAGAIN))
        return;
    const int64_t ahead_ms = boot_ahead_ms();
    if (ahead_ms > w->boot_ahead_ms + NETWATCH_SLEPT_MS)
        netwatch_tell(w, NETWATCH_SLEPT);
    w->boot_ahead_ms = ahead_ms;
    if (!wakes_arm(w->wakes_fd))
        (void)uv_poll_stop(p);
}

static int wakes_open(void) {
    const int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd >= 0 && !wakes_arm(fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- life ---- */

static bool watch_fd(struct netwatch *w, uv_loop_t *loop, uv_poll_t *p, int *fd, uv_poll_cb cb) {
    if (*fd >= 0 && uv_poll_init(loop, p, *fd) == 0) {
        p->data = w;
        w->handles++;
        (void)uv_poll_start(p, UV_READABLE, cb);
        return true;
    }
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return false;
}

bool netwatch_native_open(struct netwatch *w, uv_loop_t *loop) {
    w->boot_ahead_ms = boot_ahead_ms();
    w->links_fd = links_open();
    w->wakes_fd = wakes_open();
    const bool links = watch_fd(w, loop, &w->links, &w->links_fd, on_links);
    const bool wakes = watch_fd(w, loop, &w->wakes, &w->wakes_fd, on_wakes);
    if (links && wakes)
        return true;
    netwatch_native_close(w);
    return false;
}

void netwatch_native_close(struct netwatch *w) {
    int *fds[] = {&w->links_fd, &w->wakes_fd};
    uv_poll_t *polls[] = {&w->links, &w->wakes};
    for (unsigned i = 0; i < 2; i++) {
        if (*fds[i] < 0)
            continue;
        (void)uv_poll_stop(polls[i]);
        uv_close((uv_handle_t *)polls[i], netwatch_on_closed);
        close(*fds[i]);
        *fds[i] = -1;
    }
}
