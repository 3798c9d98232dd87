/* notify.h: tells a service manager how far we are (sd_notify(3), Type=notify), without its
 * library. */
#ifndef MESHD_NODE_DAEMON_NOTIFY_H
#define MESHD_NODE_DAEMON_NOTIFY_H

/* Sends `state` ("READY=1", "STOPPING=1") to $NOTIFY_SOCKET, a path or "@abstract"; nothing if it
 * is not set. Never blocks, never fails: a manager that does not listen is its own trouble. */
void notify_state(const char *state);

#endif
