#include "crypto/noise/replay.h"

#include <stddef.h>
#include <string.h>

static size_t words(const struct replay *r) {
    return r->room ? REPLAY_WIDE_WORDS : REPLAY_WORDS;
}

static uint64_t word(const struct replay *r, uint64_t n) {
    return r->room ? r->room->words[n % REPLAY_WIDE_WORDS] : r->bits[n % REPLAY_WORDS];
}

static uint64_t *word_at(struct replay *r, uint64_t n) {
    return r->room ? &r->room->words[n % REPLAY_WIDE_WORDS] : &r->bits[n % REPLAY_WORDS];
}

/* The ring has one word more than the window, so that the oldest counter still judged never shares
 * its word with the newest. UINT64_MAX cannot be held (newest is one higher); no sender gets there.
 */
static bool in_reach(const struct replay *r, uint64_t counter) {
    if (counter == UINT64_MAX)
        return false;
    return counter >= r->newest || r->newest - 1 - counter <= 64 * (words(r) - 1);
}

bool replay_check(const struct replay *r, uint64_t counter) {
    if (!in_reach(r, counter))
        return false;
#ifdef MESHD_PLANT_REPLAY /* a bug on purpose, only in meshsim-planted (tests/sim) */
    if (counter + 1 == r->newest)
        return true;
#endif
    return counter >= r->newest || !(word(r, counter / 64) >> (counter % 64) & 1);
}

void replay_mark(struct replay *r, uint64_t counter) {
    if (!in_reach(r, counter))
        return;
    if (counter >= r->newest) {
        uint64_t from = r->newest > 0 ? (r->newest - 1) / 64 : 0;
        uint64_t steps = counter / 64 - from; /* words entered, all of them stale */
        if (steps > words(r))
            steps = words(r);
        for (uint64_t i = 0; i < steps; i++)
            *word_at(r, counter / 64 - i) = 0;
        r->newest = counter + 1;
    }
    *word_at(r, counter / 64) |= UINT64_C(1) << (counter % 64);
}

/* How many words the small window has that were ever entered. */
static uint64_t entered(const struct replay *r) {
    if (r->newest == 0)
        return 0;
    const uint64_t n = (r->newest - 1) / 64 + 1;
    return n < REPLAY_WORDS ? n : REPLAY_WORDS;
}

/* A word that is not entered yet is cleared when it is; so whatever is not copied counts as
 * seen. */
void replay_widen(struct replay *r, struct replay_room *room) {
    if (r->room)
        return;
    memset(room, r->newest == 0 ? 0 : 0xff, sizeof *room);
    for (uint64_t i = 0; i < entered(r); i++) {
        const uint64_t n = (r->newest - 1) / 64 - i;
        room->words[n % REPLAY_WIDE_WORDS] = r->bits[n % REPLAY_WORDS];
    }
    r->room = room;
}

struct replay_room *replay_narrow(struct replay *r) {
    struct replay_room *room = r->room;
    if (!room)
        return NULL;
    for (uint64_t i = 0; i < entered(r); i++) {
        const uint64_t n = (r->newest - 1) / 64 - i;
        r->bits[n % REPLAY_WORDS] = room->words[n % REPLAY_WIDE_WORDS];
    }
    r->room = NULL;
    return room;
}
