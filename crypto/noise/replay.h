/* replay.h: sliding window against replayed packets, after RFC 6479 (blocks of a bitmap in a ring,
 * advanced by clearing whole words). Value struct of about 1 KiB, zero-initialised = empty.
 */
#ifndef MESHD_CRYPTO_NOISE_REPLAY_H
#define MESHD_CRYPTO_NOISE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REPLAY_WINDOW_PKTS = 8192, /* counters this far behind the newest are still judged */
    REPLAY_WORDS = REPLAY_WINDOW_PKTS / 64 + 1,
};

struct replay {
    uint64_t newest; /* highest counter accepted + 1; 0 = none */
    uint64_t bits[REPLAY_WORDS];
};

/* True if `counter` has not been accepted and is not too old. Does not change the window: a packet
 * is only marked once it has authenticated. */
bool replay_check(const struct replay *r, uint64_t counter);
/* Marks it. Asserts nothing about order; marking twice is harmless. */
void replay_mark(struct replay *r, uint64_t counter);

#endif
