/* timer.h: which of many entities has the next deadline: an indexed 4-ary min-heap of
 * (deadline, id). ids are small integers given by the owner (slot numbers); setting a deadline is
 * O(log n), asking for the earliest O(1), an entity without a deadline costs 4 bytes. Ties are
 * broken by id, so that the order never depends on history (the simulator compares runs).
 */
#ifndef MESHD_NET_BASE_TIMER_H
#define MESHD_NET_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"

#define TIME_NEVER UINT64_MAX

struct timer_heap { /* private to timer.c; all zeroes is empty */
    struct timer_entry *heap;
    uint32_t *where; /* id -> heap position + 1; 0 = not in the heap */
    uint32_t count, heap_cap, where_cap;
};

void timer_clear(struct timer_heap *t);
/* Sets, moves or (TIME_NEVER) removes the deadline of `id`. ERR_NOMEM leaves it as it was; removing
 * never fails. */
int timer_set(struct timer_heap *t, uint32_t id, uint64_t deadline_us) MUST_USE;
uint64_t timer_next_us(const struct timer_heap *t); /* TIME_NEVER if empty */
/* Removes and gives the earliest entry whose deadline is <= now; false if none. */
bool timer_pop(struct timer_heap *t, uint64_t now_us, uint32_t *id);

#endif
