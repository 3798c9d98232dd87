/* relay_load.h: how loaded a relay is, 0 to 255, of what it measures: what it forwards against its
 * capacity, how long datagrams wait against the bound of that, and what its environment says. Once
 * a second while anything is forwarded; it follows what rises at half, what falls at a quarter, and
 * is told anew when it has changed by RELAY_LOAD_STEP: those who use the relay RELAY_LOAD_US after
 * the last time at the earliest, those who only have a reservation RELAY_LOAD_IDLE_US. Value
 * struct; all zeroes is idle.
 */
#ifndef MESHD_NET_RELAY_RELAY_LOAD_H
#define MESHD_NET_RELAY_RELAY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct relay_load {
    uint64_t bytes;   /* forwarded since the last look */
    uint64_t look_us; /* the next look; 0: none is due, nothing happens */
    uint64_t looked_us, told_us, told_idle_us;
    uint8_t load, told, told_idle, busy;
};

enum relay_load_news { RELAY_LOAD_NO_NEWS, RELAY_LOAD_TO_USERS, RELAY_LOAD_TO_ALL };

struct relay_load_bounds {
    uint64_t bytes_per_s; /* 0: no bound, not measured */
    uint64_t late_us;
};

/* So much was forwarded. */
void relay_load_add(struct relay_load *l, uint64_t now_us, uint64_t bytes);
/* At look_us or later: `wait_us` is how long trains have waited on the average since the last look.
 * Whom it is time to tell. */
enum relay_load_news relay_load_look(struct relay_load *l, uint64_t now_us,
                                     const struct relay_load_bounds *b, uint64_t wait_us);

#endif
