/* clock.h: the clocks, in microseconds. Only programs read them; the core is told. */
#ifndef MESHD_NET_OS_CLOCK_H
#define MESHD_NET_OS_CLOCK_H

#include <stdint.h>

uint64_t clock_now_us(void);  /* monotonic; its zero is the system's affair */
uint64_t clock_wall_us(void); /* since 1970, UTC */
uint64_t clock_busy_us(void); /* processor time of this thread */

#endif
