/* signals.h: SIGTERM and SIGINT end the daemon, SIGHUP reads the settings again. A SIGHUP that is
 * ignored at the start (nohup) stays ignored.
 */
#ifndef MESHD_NODE_DAEMON_OS_SIGNALS_H
#define MESHD_NODE_DAEMON_OS_SIGNALS_H

#include <uv.h>

enum { SIGNALS = 3 };

struct signals {
    uv_signal_t each[SIGNALS];
    void (*end)(void *ctx);
    void (*reload)(void *ctx);
    void *ctx;
};

/* `s` stays where it is until its handles are closed. */
void signals_open(struct signals *s, uv_loop_t *loop, void (*end)(void *ctx),
                  void (*reload)(void *ctx), void *ctx);
void signals_close(struct signals *s); /* the loop must run once more */

#endif
