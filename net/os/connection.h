/* connection.h: a stream to another process of this machine, by the path of its socket; not
 * blocking, closed on exec. Every call gives 0 or an errno.
 */
#ifndef MESHD_NET_OS_CONNECTION_H
#define MESHD_NET_OS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct os_connection {
    int fd; /* the system's affair */
};
#define OS_CONNECTION_NONE ((struct os_connection){-1})

static inline bool os_connection_is_open(struct os_connection c) {
    return c.fd >= 0;
}

/* Bytes of a path, without the NUL, that fit. */
size_t os_connection_path_max(void);
/* EAGAIN: the listener's queue is full; it may be tried again. ENAMETOOLONG. What was opened is
 * closed again after an error. */
int os_connection_open(struct os_connection *out, const char *path) MUST_USE;
void os_connection_close(struct os_connection *c); /* idempotent */
/* Whose process is at the other end, from the kernel (net/os/process.h). */
int os_connection_user(struct os_connection c, uint64_t *user) MUST_USE;
/* EAGAIN: not now. *sent, *got: so many bytes; none got and no error: the other end has closed. */
int os_connection_send(struct os_connection c, const void *bytes, size_t len,
                       size_t *sent) MUST_USE;
int os_connection_receive(struct os_connection c, void *out, size_t cap, size_t *got) MUST_USE;

#endif
