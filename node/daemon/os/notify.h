/* notify.h: tells a service manager how far we are (sd_notify(3), Type=notify), without its
 * library. */
#ifndef MESHD_NODE_DAEMON_OS_NOTIFY_H
#define MESHD_NODE_DAEMON_OS_NOTIFY_H

#include <stdint.h>

/* Sends `state` ("READY=1", "STOPPING=1") to $NOTIFY_SOCKET, a path or "@abstract"; nothing if it
 * is not set. Never blocks, never fails: a manager that does not listen is its own trouble. */
void notify_state(const char *state);
/* The settings are being read again; "READY=1" follows. */
void notify_reloading(uint64_t now_us);

#endif
