#include "sim/engine/host_clock.h"

#include <assert.h>

#include "sim/engine/muldiv.h"

static const uint64_t unit = 1000000000;

static uint64_t speed(const struct hclock *c) {
    return (uint64_t)((int64_t)unit + c->drift_ppb);
}

uint64_t hclock_at_ns(const struct hclock *c, uint64_t now_ns) {
    assert(now_ns >= c->base_ns);
    if (c->drift_ppb == 0)
        return c->local_ns + (now_ns - c->base_ns);
    return c->local_ns + muldiv(now_ns - c->base_ns, speed(c), unit);
}

uint64_t hclock_when_ns(const struct hclock *c, uint64_t local_ns) {
    if (local_ns <= c->local_ns)
        return c->base_ns;
    uint64_t left = local_ns - c->local_ns;
    if (c->drift_ppb != 0)
        left = muldiv_up(left, unit, speed(c));
    return left > UINT64_MAX - c->base_ns ? UINT64_MAX : c->base_ns + left;
}

void hclock_drift(struct hclock *c, uint64_t now_ns, int64_t drift_ppb) {
    assert(drift_ppb >= -HCLOCK_DRIFT_MAX_PPB && drift_ppb <= HCLOCK_DRIFT_MAX_PPB);
    c->local_ns = hclock_at_ns(c, now_ns);
    c->base_ns = now_ns;
    c->drift_ppb = drift_ppb;
}

void hclock_resume(struct hclock *c, uint64_t stopped_ns, uint64_t now_ns) {
    c->local_ns = hclock_at_ns(c, stopped_ns);
    c->base_ns = now_ns;
}
