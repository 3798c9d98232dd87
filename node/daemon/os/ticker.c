#include "node/daemon/os/ticker.h"

#include <errno.h>
#include <stdlib.h>

#include "net/os/clock.h"
#include "net/os/wakeup.h"

struct ticker {
    void (*fired)(void *ctx);
    void *ctx;
    uint64_t armed_us;
    int wakeup; /* -1: the system has none, and the loop's serves */
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_timer_t timer;
    } uv;
};

static void on_closed(uv_handle_t *h) {
    free(h->data);
}

static void fire(struct ticker *t) {
    t->armed_us = TICKER_NEVER;
    t->fired(t->ctx);
}

/* ---- on the system's timer ---- */

static void on_readable(uv_poll_t *p, int status, int events) {
    struct ticker *t = p->data;
    (void)events;
    if (status >= 0 && wakeup_expired(t->wakeup))
        fire(t);
}

static int watch(struct ticker *t, uv_loop_t *loop) {
    if (uv_poll_init(loop, &t->uv.poll, t->wakeup) != 0) {
        wakeup_close(t->wakeup);
        return -1;
    }
    t->uv.poll.data = t;
    (void)uv_poll_start(&t->uv.poll, UV_READABLE, on_readable);
    return 0;
}

/* ---- on the loop's ---- */

static void on_expired(uv_timer_t *h) {
    fire(h->data);
}

static void set_ms(struct ticker *t, uint64_t deadline_us) {
    const uint64_t now_us = clock_now_us();
    if (deadline_us == TICKER_NEVER) {
        uv_timer_stop(&t->uv.timer);
        return;
    }
    uv_update_time(t->uv.timer.loop);
    const uint64_t ms = deadline_us > now_us ? (deadline_us - now_us + 999) / 1000 : 0;
    (void)uv_timer_start(&t->uv.timer, on_expired, ms, 0);
}

/* ---- either ---- */

static int start(struct ticker *t, uv_loop_t *loop) {
    t->wakeup = wakeup_open();
    if (t->wakeup >= 0)
        return watch(t, loop);
    if (errno != ENOSYS)
        return -1;
    (void)uv_timer_init(loop, &t->uv.timer);
    t->uv.timer.data = t;
    return 0;
}

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
    if (t->wakeup >= 0)
        wakeup_set(t->wakeup, deadline_us);
    else
        set_ms(t, deadline_us);
}

void ticker_close(struct ticker *t) {
    if (!t)
        return;
    const int wakeup = t->wakeup;
    uv_close(&t->uv.handle, on_closed);
    if (wakeup >= 0)
        wakeup_close(wakeup);
}
