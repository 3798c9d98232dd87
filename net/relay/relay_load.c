#include "net/relay/relay_load.h"

#include "net/relay/relay_limits.h"

enum { LOOK_US = 1000 * 1000, LOAD_MAX = 255 };

void relay_load_add(struct relay_load *l, uint64_t now_us, uint64_t bytes) {
    l->bytes += bytes;
    if (l->look_us != 0)
        return;
    l->looked_us = now_us;
    l->look_us = now_us + LOOK_US;
}

static uint8_t part(uint64_t of, uint64_t whole) { /* of 255, at most that */
    return (uint8_t)(of >= whole ? LOAD_MAX : of * LOAD_MAX / whole);
}

static uint8_t greater(uint8_t a, uint8_t b) {
    return a > b ? a : b;
}

static uint8_t change(const struct relay_load *l, uint8_t since) {
    return l->load > since ? l->load - since : since - l->load;
}

static bool due(uint64_t now_us, uint64_t last_us, uint64_t every_us) {
    return last_us == 0 || now_us >= last_us + every_us;
}

/* What is told to all is told to those who use it, too. */
static enum relay_load_news news(struct relay_load *l, uint64_t now_us) {
    if (change(l, l->told_idle) >= RELAY_LOAD_STEP &&
        due(now_us, l->told_idle_us, RELAY_LOAD_IDLE_US)) {
        l->told = l->told_idle = l->load;
        l->told_us = l->told_idle_us = now_us;
        return RELAY_LOAD_TO_ALL;
    }
    if (change(l, l->told) < RELAY_LOAD_STEP || !due(now_us, l->told_us, RELAY_LOAD_US))
        return RELAY_LOAD_NO_NEWS;
    l->told = l->load;
    l->told_us = now_us;
    return RELAY_LOAD_TO_USERS;
}

enum relay_load_news relay_load_look(struct relay_load *l, uint64_t now_us,
                                     const struct relay_load_bounds *b, uint64_t wait_us) {
    const uint64_t us = now_us > l->looked_us ? now_us - l->looked_us : 1;
    uint8_t now = greater(l->busy, part(wait_us, b->late_us));
    if (b->bytes_per_s > 0)
        now = greater(now, part(l->bytes * 1000000 / us, b->bytes_per_s));
    if (now > l->load)
        l->load = (uint8_t)(l->load + (now - l->load + 1) / 2);
    else
        l->load = (uint8_t)(l->load - (l->load - now + 3) / 4);
    const bool quiet = l->bytes == 0;
    l->bytes = 0;
    l->looked_us = now_us;
    const enum relay_load_news n = news(l, now_us);
    const bool settled = quiet && l->load <= l->busy && change(l, l->told) < RELAY_LOAD_STEP;
    if (!settled)
        l->look_us = now_us + LOOK_US;
    else if (change(l, l->told_idle) < RELAY_LOAD_STEP)
        l->look_us = 0;
    else
        l->look_us = l->told_idle_us + RELAY_LOAD_IDLE_US;
    return n;
}
