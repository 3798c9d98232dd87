#include "sim/measure/hist.h"

#include <math.h>

enum { LOWEST = -30, HIGHEST = 60 };

unsigned hist_bucket(double v) {
    int exponent;
    if (!(v > 0))
        return 0;
    const double half = frexp(v, &exponent); /* v = half x 2^exponent, half in [0.5, 1) */
    exponent--;
    if (exponent < LOWEST)
        return 0;
    if (exponent >= HIGHEST)
        return HIST_BUCKETS - 1;
    const unsigned step = (unsigned)((half * 2 - 1) * HIST_STEPS);
    return 1 + (unsigned)(exponent - LOWEST) * HIST_STEPS +
           (step < HIST_STEPS ? step : HIST_STEPS - 1);
}

double hist_value(unsigned bucket) {
    if (bucket == 0)
        return 0;
    const unsigned n = bucket - 1;
    const double lo = 1 + (double)(n % HIST_STEPS) / HIST_STEPS,
                 hi = 1 + (double)(n % HIST_STEPS + 1) / HIST_STEPS;
    return ldexp(sqrt(lo * hi), (int)(n / HIST_STEPS) + LOWEST);
}
