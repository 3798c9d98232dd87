/* host_clock.h: what a host's clocks show as the world's time passes: a monotonic clock that may
 * run a little fast or slow and stands still while the host is suspended (as CLOCK_MONOTONIC does),
 * and a wall clock that is off by some amount. Value struct; all zeroes runs with the world.
 */
#ifndef MESHD_SIM_ENGINE_HOST_CLOCK_H
#define MESHD_SIM_ENGINE_HOST_CLOCK_H

#include <stdint.h>

enum { HCLOCK_DRIFT_MAX_PPB = 500000000 }; /* half speed to one and a half */

struct hclock {
    uint64_t base_ns, local_ns; /* the world's time and what the clock showed at it */
    int64_t drift_ppb;
    int64_t wall_offset_us; /* what the wall clock is wrong by */
};

/* What the monotonic clock shows; now_ns not before the last change. */
uint64_t hclock_at_ns(const struct hclock *c, uint64_t now_ns);
/* The first moment at which it shows local_ns; UINT64_MAX if that is beyond the end of time. */
uint64_t hclock_when_ns(const struct hclock *c, uint64_t local_ns);
/* From now on it runs with this drift, within HCLOCK_DRIFT_MAX_PPB. */
void hclock_drift(struct hclock *c, uint64_t now_ns, int64_t drift_ppb);
/* It has been standing still since stopped_ns, and goes on now. */
void hclock_resume(struct hclock *c, uint64_t stopped_ns, uint64_t now_ns);

#endif
