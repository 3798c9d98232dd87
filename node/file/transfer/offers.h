/* offers.h: room for incoming offers, so that no contact keeps the others out: each has a share of
 * the places and of the memory that offers take. When all together reach the bound, the contact
 * that holds the most gives way, if it holds more than the one that asks: with its newest offer
 * that waits, else with a transfer whose bytes have stopped coming. A transfer that moves, and be
 * it a few bytes a second, is left alone, but for one case: a contact that has none takes the
 * newest one's place. Whoever gives way is told ERR_FULL.
 *
 * It judges a list of what there is, and knows nothing of transfers: who asks ends what gives way.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_OFFERS_H
#define MESHD_NODE_FILE_TRANSFER_OFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/api/cause.h"

enum {
    OFFERS_MAX = 48, /* incoming ones; beyond, and so that we can always send: ERR_FULL */
    OFFERS_MAX_PER_CONTACT = 32,
    OFFERS_BYTES_MAX = 64 << 20,             /* memory for the names and sizes in all of them */
    OFFERS_BYTES_MAX_PER_CONTACT = 24 << 20, /* the largest offer takes 20 MiB */
};

/* How readily an offer gives way. */
enum offer_stand {
    OFFER_GONE,  /* it takes nothing */
    OFFER_GIVES, /* it has given way just now, and is not waited for: its contact still holds it */
    OFFER_ENDS,  /* it has ended, but its operations are out: so nobody fills the table by breaking
                  * off one after the other while a disk is slow */
    OFFER_MOVES,
    OFFER_STALLS,
    OFFER_WAITS, /* for accept */
};

struct offer {
    uint32_t contact; /* serial */
    size_t bytes;     /* of memory */
    enum offer_stand stand;
};

struct offers { /* caller's: what has come, the oldest first */
    struct offer *list;
    unsigned count;
};

enum offers_verdict {
    OFFERS_ROOM,
    OFFERS_GIVE_WAY, /* the one at `at`: once it is OFFER_GIVES or OFFER_GONE, ask again */
    OFFERS_FULL,
};

struct offers_word {
    unsigned at;
    enum limit limit; /* which is met, if there is no room, and how much it is */
    uint64_t max;
};

/* For one more of `contact` that takes so many bytes. */
enum offers_verdict offers_judge(const struct offers *o, uint32_t contact, size_t bytes,
                                 struct offers_word *word);

#endif
