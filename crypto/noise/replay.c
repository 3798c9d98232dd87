#include "crypto/noise/replay.h"

#include <stddef.h>

static size_t word_of(uint64_t counter) {
    return (size_t)(counter / 64 % REPLAY_WORDS);
}

/* The ring has one word more than the window, so that the oldest counter still judged never shares
 * its word with the newest. UINT64_MAX cannot be held (newest is one higher); no sender gets there.
 */
static bool in_reach(const struct replay *r, uint64_t counter) {
    if (counter == UINT64_MAX)
        return false;
    return counter >= r->newest || r->newest - 1 - counter <= REPLAY_WINDOW_PKTS;
}

bool replay_check(const struct replay *r, uint64_t counter) {
    if (!in_reach(r, counter))
        return false;
#ifdef MESHD_PLANT_REPLAY /* a bug on purpose, only in the test binary meshsim-planted (tests/sim) */
    if (counter + 1 == r->newest)
        return true;
#endif
    return counter >= r->newest || !(r->bits[word_of(counter)] >> (counter % 64) & 1);
}

void replay_mark(struct replay *r, uint64_t counter) {
    if (!in_reach(r, counter))
        return;
    if (counter >= r->newest) {
        uint64_t from = r->newest > 0 ? (r->newest - 1) / 64 : 0;
        uint64_t steps = counter / 64 - from; /* words entered, all of them stale */
        if (steps > REPLAY_WORDS)
            steps = REPLAY_WORDS;
        for (uint64_t i = 0; i < steps; i++)
            r->bits[(counter / 64 - i) % REPLAY_WORDS] = 0;
        r->newest = counter + 1;
    }
    r->bits[word_of(counter)] |= UINT64_C(1) << (counter % 64);
}
