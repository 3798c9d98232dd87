#include "node/mesh/keepalive.h"

#include <stdbool.h>

static const uint8_t steps_s[KEEPALIVE_STEPS] = {25, 40, 60, 85, 110};

uint64_t keepalive_us(const struct keepalive *k) {
    return (uint64_t)steps_s[k->step] * 1000000;
}

uint64_t keepalive_drawn_us(const struct keepalive *k, uint64_t draw) {
    const uint64_t us = keepalive_us(k);
    return us - draw % (us / 10 + 1);
}

void keepalive_well(struct keepalive *k, uint64_t now_us) {
    if (k->well < KEEPALIVE_SURE)
        k->well++;
    const unsigned next = k->step + 1u;
    const bool bad = k->bad != 0 && next >= k->bad && now_us < k->wary_us;
    if (k->well < KEEPALIVE_SURE || next >= KEEPALIVE_STEPS || bad)
        return;
    k->step++;
    k->well = 0;
}

void keepalive_harm(struct keepalive *k, uint64_t now_us) {
    k->well = 0;
    if (k->step == 0)
        return;
    k->bad = k->step;
    k->step--;
    k->wary_us = now_us + (uint64_t)KEEPALIVE_WARY_S * 1000000;
}
