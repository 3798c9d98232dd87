/* interrupt.h: SIGINT, SIGTERM and SIGHUP as a readable file descriptor, so that a poll() sees them
 * without a race; and whether the terminal has another size.
 */
#ifndef MESHD_NET_OS_INTERRUPT_H
#define MESHD_NET_OS_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* The first signal makes the descriptor readable; a second one ends the process at once, with 130.
 * A SIGHUP that is ignored (nohup) stays so. */
void interrupt_catch(void);
int interrupt_fd(void); /* -1 if nothing is caught */
/* Whether a signal has come since the last interrupt_clear. */
bool interrupt_seen(void);
/* It was heard: waiting is possible again. The next signal is the second one all the same. */
void interrupt_clear(void);
/* Sleeps; false if interrupted. */
bool interrupt_sleep(uint64_t us);

/* From now on a change of the terminal's size ends a poll() with EINTR. */
void interrupt_catch_resize(void);
/* True once after each change. */
bool interrupt_resized(void);

#endif
