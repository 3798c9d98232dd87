/* replay.h: sliding window against replayed packets, after RFC 6479 (blocks of a bitmap in a ring,
 * advanced by clearing whole words). Value struct of about 1 KiB, zero-initialised = empty.
 *
 * That is enough for one path. Packets of a quick and a slow path come in an order in which the
 * slow one's are late by what the quick one carries meanwhile: 12,700 packets at 1 Gbit/s and 150
 * ms. So while there is traffic the owner lends room for a window of four times as many, which an
 * idle session need not have.
 */
#ifndef MESHD_CRYPTO_NOISE_REPLAY_H
#define MESHD_CRYPTO_NOISE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REPLAY_WINDOW_PKTS = 8192, /* counters this far behind the newest are still judged */
    REPLAY_WORDS = REPLAY_WINDOW_PKTS / 64 + 1,
    REPLAY_WIDE_PKTS = 32768, /* with room lent */
    REPLAY_WIDE_WORDS = REPLAY_WIDE_PKTS / 64 + 1,
};

struct replay_room {
    uint64_t words[REPLAY_WIDE_WORDS];
};

struct replay {
    uint64_t newest;          /* highest counter accepted + 1; 0 = none */
    struct replay_room *room; /* the window, if it is not NULL; else: */
    uint64_t bits[REPLAY_WORDS];
};

/* True if `counter` has not been accepted and is not too old. Does not change the window: a packet
 * is only marked once it has authenticated. */
bool replay_check(const struct replay *r, uint64_t counter);
/* Marks it. Asserts nothing about order; marking twice is harmless. */
void replay_mark(struct replay *r, uint64_t counter);
/* From now on the window is in `room`, the caller's: what was too old for it before stays so. */
void replay_widen(struct replay *r, struct replay_room *room);
/* Back to the window of its own. Gives the room back; NULL: there was none. */
struct replay_room *replay_narrow(struct replay *r);

#endif
