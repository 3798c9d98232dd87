/* offers.h: room for incoming offers, so that no contact keeps the others out: each has a share of
 * the places and of the memory that offers take. When all together reach the bound, the contact that
 * holds the most gives way, if it holds more than the one that asks: with its newest offer that
 * waits, else with a transfer whose bytes have stopped coming (file_recv_stalls). A transfer that
 * moves, and be it a few bytes a second, is left alone, but for one case: a contact that has none
 * takes the newest one's place. Whoever gives way is told ERR_FULL.
 */
#ifndef MESHD_NODE_FILE_OFFERS_H
#define MESHD_NODE_FILE_OFFERS_H

#include <stddef.h>

#include "crypto/base/err.h"

enum {
    OFFERS_MAX = 48, /* incoming ones; beyond, and so that we can always send: ERR_FULL */
    OFFERS_MAX_PER_CONTACT = 32,
    OFFERS_BYTES_MAX = 64 << 20,             /* memory for the names and sizes in all of them */
    OFFERS_BYTES_MAX_PER_CONTACT = 24 << 20, /* the largest offer takes 20 MiB */
    TRANSFER_STALL_US = 60 * 1000000,        /* without so many bytes it may have to give way */
    TRANSFER_STALL_BYTES = 16 << 10,
};

struct contact;
struct transfers;

/* For an offer of `c` that takes so many bytes; another contact's may have to go. ERR_FULL. */
int offers_make_room(struct transfers *files, const struct contact *c, size_t bytes) MUST_USE;

#endif
