#include "node/daemon/os/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static void on_signal(uv_signal_t *h, int number) {
    struct signals *s = h->data;
    (number == SIGHUP ? s->reload : s->end)(s->ctx);
}

static bool is_ignored(int number) {
    struct sigaction old;
    return sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

void signals_open(struct signals *s, uv_loop_t *loop, void (*end)(void *ctx),
                  void (*reload)(void *ctx), void *ctx) {
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    s->end = end;
    s->reload = reload;
    s->ctx = ctx;
    for (unsigned i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(loop, &s->each[i]);
        s->each[i].data = s;
        if (numbers[i] != SIGHUP || !is_ignored(SIGHUP))
            (void)uv_signal_start(&s->each[i], on_signal, numbers[i]);
    }
}

void signals_close(struct signals *s) {
    for (unsigned i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&s->each[i], NULL);
}
