/* netwatch_impl.h: what the files of the watch share: netwatch.c looks, netwatch_linux.c is told,
 * and both give what they see to netwatch_news.c, which tells the user. */
#ifndef MESHD_NET_IO_WATCH_NETWATCH_IMPL_H
#define MESHD_NET_IO_WATCH_NETWATCH_IMPL_H

#include <stdbool.h>

#include "net/io/watch/netwatch.h"

struct netwatch {
    void (*changed)(void *ctx, unsigned news);
    void *ctx;
    uv_timer_t timer; /* until what has happened is told; or, polling, until the next look */
    bool polling;
    unsigned news;
    unsigned handles; /* that are not closed yet */
    /* polling: what was seen last */
    uint64_t addrs_seen;
    int64_t wall_ahead_ms;
    /* Linux */
    uv_poll_t links, wakes;
    int links_fd, wakes_fd;
    uint64_t route_seen;
    int64_t boot_ahead_ms;
};

/* ---- netwatch_news.c ---- */
void netwatch_tell(struct netwatch *w, unsigned news);
/* Of each handle: with the last one the memory goes. */
void netwatch_on_closed(uv_handle_t *h);

/* ---- netwatch_linux.c, or, by the build, netwatch_posix.c ---- */
/* What tells without being asked. False: the kernel gives nothing of it. */
bool netwatch_native_open(struct netwatch *w, uv_loop_t *loop);
void netwatch_native_close(struct netwatch *w);

#ifdef MESHD_LINUX
/* What a batch of rtnetlink messages is about. *route: of which default route was heard last, a
 * hash; changed if another was. */
unsigned netwatch_linux_read(const uint8_t *buf, size_t len, uint64_t *route);
#endif

#endif
