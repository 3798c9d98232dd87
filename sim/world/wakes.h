/* wakes.h: when each host wants to be woken, the earliest first: a 4-ary heap of hosts in which one
 * can be moved. A node's deadline moves with every turn, mostly further away (an answer came), so
 * in a heap that only forgets what it gives, nearly every turn would leave behind a wake for
 * nothing.
 *
 * As in sim/engine/heap.h the key is (time, host, sequence), so that both together have one order.
 */
#ifndef MESHD_SIM_WORLD_WAKES_H
#define MESHD_SIM_WORLD_WAKES_H

#include <stdint.h>

struct wake {
    uint64_t time_ns;
    uint32_t host, seq;
};

struct wakes { /* all zeroes is empty */
    struct wake *list;
    uint32_t count, cap;
    uint32_t *places, place_cap; /* by host: 1 + its place in the list; 0: none */
};

void wakes_clear(struct wakes *ws);
/* In place of the one that its host has, if it has one. Aborts when out of memory. */
void wakes_set(struct wakes *ws, const struct wake *w);
void wakes_drop(struct wakes *ws, uint32_t host);     /* nothing if it has none */
const struct wake *wakes_top(const struct wakes *ws); /* NULL: nobody wants to be woken */

#endif
