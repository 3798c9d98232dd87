/* ticker.h: one timer with an absolute deadline in monotonic us: the system's (net/os/wakeup.h),
 * since libuv's own count milliseconds, and at 2 Gbit/s a pacer is a quarter of a megabyte behind
 * after one. Where the system has none it is libuv's all the same.
 */
#ifndef MESHD_NODE_DAEMON_OS_TICKER_H
#define MESHD_NODE_DAEMON_OS_TICKER_H

#include <stdint.h>
#include <uv.h>

#include "crypto/base/err.h"

struct ticker;

#define TICKER_NEVER UINT64_MAX

int ticker_open(struct ticker **out, uv_loop_t *loop, void (*fired)(void *ctx), void *ctx) MUST_USE;
/* In place of what was armed before; a deadline in the past fires on the next turn. TICKER_NEVER
 * disarms. */
void ticker_arm(struct ticker *t, uint64_t deadline_us);
void ticker_close(struct ticker *t); /* asynchronous inside; NULL is fine */

#endif
