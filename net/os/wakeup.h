/* wakeup.h: a timer finer than libuv's milliseconds, where the system has one: a descriptor that
 * becomes readable at an absolute time of clock_now_us. At 2 Gbit/s a pacer is a quarter of a
 * megabyte behind after one millisecond.
 */
#ifndef MESHD_NET_OS_WAKEUP_H
#define MESHD_NET_OS_WAKEUP_H

#include <stdbool.h>
#include <stdint.h>

/* To be watched for reading; -1: this system has none, or none is left (errno says; ENOSYS for the
 * former). Closed with wakeup_close. */
int wakeup_open(void);
#define WAKEUP_NEVER UINT64_MAX /* disarms */
void wakeup_set(int wakeup, uint64_t deadline_us);
/* Called when it is readable. False: it was armed anew in between, and has not expired. */
bool wakeup_expired(int wakeup);
void wakeup_close(int wakeup);

#endif
