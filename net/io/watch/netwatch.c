#include "net/io/watch/netwatch_impl.h"

#include <stdlib.h>
#include <string.h>

/* ---- looking ---- */
static uint64_t mix(uint64_t h, const void *data, size_t len) { /* FNV-1a */
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* The same for the same addresses in whatever order. */
static uint64_t addrs_now(void) {
    uv_interface_address_t *list;
    int count;
    uint64_t sum = 0;
    if (uv_interface_addresses(&list, &count) != 0)
        return 0;
    for (int i = 0; i < count; i++) {
        uint64_t h = mix(UINT64_C(0xcbf29ce484222325), list[i].name, strlen(list[i].name));
        if (list[i].address.address4.sin_family == AF_INET)
            h = mix(h, &list[i].address.address4.sin_addr,
                    sizeof list[i].address.address4.sin_addr);
        else
            h = mix(h, &list[i].address.address6.sin6_addr,
                    sizeof list[i].address.address6.sin6_addr);
        sum += h;
    }
    uv_free_interface_addresses(list, count);
    return sum;
}

static int64_t wall_ahead_ms(void) {
    uv_timeval64_t t;
    if (uv_gettimeofday(&t) != 0)
        return 0;
    return t.tv_sec * 1000 + t.tv_usec / 1000 - (int64_t)(uv_hrtime() / 1000000);
}

static void look(struct netwatch *w, unsigned *news) {
    const uint64_t addrs = addrs_now();
    const int64_t ahead_ms = wall_ahead_ms();
    *news |= addrs != w->addrs_seen ? NETWATCH_ADDRS : 0;
    *news |= ahead_ms > w->wall_ahead_ms + NETWATCH_SLEPT_MS ? NETWATCH_SLEPT : 0;
    w->addrs_seen = addrs;
    w->wall_ahead_ms = ahead_ms;
}

static void on_poll(uv_timer_t *t) {
    struct netwatch *w = t->data;
    unsigned news = 0;
    look(w, &news);
    if (news)
        w->changed(w->ctx, news);
}

/* ---- life ---- */
int netwatch_open(struct netwatch **out, uv_loop_t *loop, void (*changed)(void *ctx, unsigned news),
                  void *ctx) {
    unsigned first = 0;
    struct netwatch *w = calloc(1, sizeof *w);
    *out = w;
    if (!w)
        return ERR_NOMEM;
    w->changed = changed;
    w->ctx = ctx;
    w->links_fd = w->wakes_fd = -1;
    (void)uv_timer_init(loop, &w->timer);
    w->timer.data = w;
    w->handles = 1;
    w->polling = !netwatch_native_open(w, loop);
    if (!w->polling)
        return 0;
    look(w, &first);
    (void)uv_timer_start(&w->timer, on_poll, NETWATCH_POLL_MS, NETWATCH_POLL_MS);
    return 0;
}

void netwatch_close(struct netwatch *w) {
    if (!w)
        return;
    netwatch_native_close(w);
    uv_close((uv_handle_t *)&w->timer, netwatch_on_closed);
}
