/* relay_signals.h: what a relay has to tell its clients, in order, without the bytes. A ring that
 * grows to RELAY_SIGNALS_MAX. Value struct; all zeroes is empty. */
#ifndef MESHD_NET_RELAY_RELAY_SIGNALS_H
#define MESHD_NET_RELAY_RELAY_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct relay_signal {
    uint32_t client, serial; /* who had this place when it was said */
    uint32_t request, flow;
    uint16_t lifetime_s;
    uint8_t op, reason;
};

struct relay_signals {
    struct relay_signal *ring;
    uint32_t cap, first, count;
};

void relay_signals_clear(struct relay_signals *s);
/* False: full, or no memory. */
bool relay_signals_push(struct relay_signals *s, const struct relay_signal *x) MUST_USE;
bool relay_signals_pop(struct relay_signals *s, struct relay_signal *out) MUST_USE;
size_t relay_signals_memory(const struct relay_signals *s);

#endif
