/* netwatch.h: has this machine another address or route than before, or has it slept? Linux tells:
 * rtnetlink about addresses and routes, and a timer on the wall clock that is cancelled when that
 * jumps, as it does on waking. So a machine where nothing happens is not woken by it. Elsewhere, or
 * where Linux gives none of that, interfaces and clocks are looked at every NETWATCH_POLL_MS.
 *
 * What happens together is told together, NETWATCH_SETTLE_MS after the first of it: a network comes
 * in many steps.
 */
#ifndef MESHD_NET_IO_WATCH_NETWATCH_H
#define MESHD_NET_IO_WATCH_NETWATCH_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "crypto/base/err.h"

enum {
    NETWATCH_SETTLE_MS = 300,
    NETWATCH_POLL_MS = 10 * 1000,
    /* clocks that stand still while the machine sleeps are this much behind: it has slept */
    NETWATCH_SLEPT_MS = 1000,
};
enum netwatch_news {                     /* bits */
                     NETWATCH_ADDRS = 1, /* addresses may be others: look */
                     NETWATCH_ROUTE = 2, /* the default route is another */
                     NETWATCH_SLEPT = 4,
};

struct netwatch;

/* `changed` is called from the loop. ERR_NOMEM. */
int netwatch_open(struct netwatch **out, uv_loop_t *loop, void (*changed)(void *ctx, unsigned news),
                  void *ctx) MUST_USE;
void netwatch_close(struct netwatch *w); /* NULL is legal; the memory comes back from the loop */

#endif
