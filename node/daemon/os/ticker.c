#include "node/daemon/os/ticker.h"

#include <stdlib.h>

#ifdef __linux__
#include <sys/timerfd.h>
#include <unistd.h>
#else
#include "node/daemon/os/clock.h"
#endif

struct ticker {
    void (*fired)(void *ctx);
    void *ctx;
    uint64_t armed_us;
#ifdef __linux__
    uv_poll_t handle;
    int fd;
#else
    uv_timer_t handle;
#endif
};

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

#ifdef __linux__

static void on_expired(uv_poll_t *p, int status, int events) {
    struct ticker *t = p->data;
    uint64_t count;
    (void)events;
    if (status < 0 || read(t->fd, &count, sizeof count) != sizeof count)
        return; /* armed anew between the wake-up and now */
    t->armed_us = TICKER_NEVER;
    t->fired(t->ctx);
}

static int start(struct ticker *t, uv_loop_t *loop) {
    t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (t->fd < 0)
        return -1;
    if (uv_poll_init(loop, &t->handle, t->fd) != 0) {
        close(t->fd);
        return -1;
    }
    t->handle.data = t;
    (void)uv_poll_start(&t->handle, UV_READABLE, on_expired);
    return 0;
}

static void set(struct ticker *t, uint64_t deadline_us) {
    struct itimerspec when = {0}; /* all zeroes disarms */
    if (deadline_us != TICKER_NEVER) {
        when.it_value.tv_sec = (time_t)(deadline_us / 1000000);
        when.it_value.tv_nsec = (long)(deadline_us % 1000000) * 1000;
        if (deadline_us == 0)
            when.it_value.tv_nsec = 1;
    }
    (void)timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void stop(struct ticker *t) {
    close(t->fd);
}

#else

static void on_expired(uv_timer_t *h) {
    struct ticker *t = h->data;
    t->armed_us = TICKER_NEVER;
    t->fired(t->ctx);
}

static int start(struct ticker *t, uv_loop_t *loop) {
    (void)uv_timer_init(loop, &t->handle);
    t->handle.data = t;
    return 0;
}

static void set(struct ticker *t, uint64_t deadline_us) {
    uint64_t now_us = clock_now_us();
    if (deadline_us == TICKER_NEVER) {
        uv_timer_stop(&t->handle);
        return;
    }
    uv_update_time(t->handle.loop);
    uint64_t ms = deadline_us > now_us ? (deadline_us - now_us + 999) / 1000 : 0;
    (void)uv_timer_start(&t->handle, on_expired, ms, 0);
}

static void stop(struct ticker *t) {
    uv_timer_stop(&t->handle);
}

#endif

int ticker_open(struct ticker **out, uv_loop_t *loop, void (*fired)(void *ctx), void *ctx) {
    struct ticker *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return ERR_NOMEM;
    t->fired = fired;
    t->ctx = ctx;
    t->armed_us = TICKER_NEVER;
    if (start(t, loop) != 0) {
        free(t);
        return ERR_IO;
    }
    *out = t;
    return 0;
}

void ticker_arm(struct ticker *t, uint64_t deadline_us) {
    if (deadline_us == t->armed_us)
        return;
    t->armed_us = deadline_us;
    set(t, deadline_us);
}

void ticker_close(struct ticker *t) {
    if (!t)
        return;
    uv_close((uv_handle_t *)&t->handle, on_closed);
    stop(t);
}
