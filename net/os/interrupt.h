/* interrupt.h: SIGINT, SIGTERM and SIGHUP end a wait, without a race; and so does a change of the
 * terminal's size.
 */
#ifndef MESHD_NET_OS_INTERRUPT_H
#define MESHD_NET_OS_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os/connection.h"

/* The first signal ends waits; a second one ends the process at once, with 130.
 * A SIGHUP that is ignored (nohup) stays so. */
void interrupt_catch(void);
/* Whether a signal has come since the last interrupt_clear. */
bool interrupt_seen(void);
/* It was heard: waiting is possible again. The next signal is the second one all the same. */
void interrupt_clear(void);
/* Sleeps; false if interrupted. */
bool interrupt_sleep(uint64_t us);

/* Waits until the connection can be read from (or written to), at most `ms` (-1: for ever). *ready:
 * it can, or has failed. Not ready and 0: interrupted, another size, or too late. Else an errno. */
int interrupt_wait(struct os_connection c, bool writing, int ms, bool *ready) MUST_USE;
/* Reads from standard input once it has something. EINTR: interrupted. *got 0: its end. */
int interrupt_read_stdin(void *out, size_t cap, size_t *got) MUST_USE;

/* From now on a change of the terminal's size ends a wait. */
void interrupt_catch_resize(void);
/* True once after each change. */
bool interrupt_resized(void);

#endif
