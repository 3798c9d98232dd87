/* child.h: a process of our own making that runs a function and tells its parent bytes, so that
 * whatever becomes of it is an outcome like any other. Where a system cannot divide a process,
 * there is none.
 */
#ifndef MESHD_NET_OS_CHILD_H
#define MESHD_NET_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "crypto/base/err.h"

struct os_child { /* zeroes: none */
    long id;
    int fd; /* the system's affair */
};

/* Runs `body` in a child, which ends with it; what it prints to `out` is read here. 0 or an
 * errno. */
int os_child_start(struct os_child *c, void (*body)(const void *arg, FILE *out),
                   const void *arg) MUST_USE;
/* What has come; EAGAIN: nothing now. None and no error: it has closed its end. */
int os_child_read(struct os_child *c, void *out, size_t cap, size_t *got) MUST_USE;
/* Waits until any of them (NULL is none) has something to read, at most `ms`. */
enum { OS_CHILDREN_MAX = 512 };
void os_child_wait(struct os_child *const children[], unsigned count, int ms);
struct os_ending {
    bool by_signal;
    int number; /* of the signal, or the exit code */
};
/* Ends it, if `kill`, and waits for its end. */
struct os_ending os_child_end(struct os_child *c, bool kill);

#endif
