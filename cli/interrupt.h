/* interrupt.h: SIGINT and SIGTERM as a readable file descriptor, so that a poll() sees them without
 * a race. */
#ifndef MESHD_CLI_INTERRUPT_H
#define MESHD_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* The first signal makes the descriptor readable; a second one, if nobody looked at the first, ends
 * the process. */
void interrupt_catch(void);
int interrupt_fd(void); /* -1 if nothing is caught */
/* Whether a signal has come since the last interrupt_clear. */
bool interrupt_seen(void);
void interrupt_clear(void);
/* Sleeps; false if interrupted. */
bool interrupt_sleep(uint64_t us);

#endif
