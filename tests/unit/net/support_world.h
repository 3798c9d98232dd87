/* support_world.h: a session over the virtual link of support_pair.h, whose streams are written,
 * read and checked byte by byte.
 */
#ifndef MESHD_TESTS_SUPPORT_WORLD_H
#define MESHD_TESTS_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "net/transport/transport.h"
#include "support_pair.h"

enum { IDS = 4096, MS = 1000 };

/* Two endpoints and, for each side, what it has read of every stream. Byte `i` of stream `id` from
 * side `s` is always the same, so every reader checks what it reads. */
struct world {
    struct pair *p;
    struct session_ref s[2];
    uint64_t read[2][IDS], written[2][IDS];
    bool fin[2][IDS];
    unsigned fins[2];
    bool deaf[2];   /* does not read */
    uint64_t whole; /* what is written to each stream that becomes writable again, then a FIN */
    uint64_t first_us[2][IDS];
};

struct world *world_new(uint64_t seed);
/* The same in two steps, for who changes the link before the handshake; w is all zeroes. */
void world_begin(struct world *w, uint64_t seed);
void world_connect(struct world *w);
void world_free(struct world *w);
void world_run(struct world *w, uint64_t us);
/* NULL: detached. */
struct transport *world_tp(struct world *w, int side);
uint64_t world_open(struct world *w, int side);
/* Writes until `total` bytes are in or the buffer is full; true once they all are. */
bool world_feed(struct world *w, int side, uint64_t id, uint64_t total);
void world_finish(struct world *w, int side, uint64_t id);
/* All that is there, checked; who is not deaf does so by itself. */
void world_read(struct world *w, int side, uint64_t id);
/* From side 0 to side 1, to the end, within limit_us or a failed test. */
void world_send_all(struct world *w, uint64_t id, uint64_t total, uint64_t limit_us);
void world_nobody_hung_up(const struct world *w);
/* What may be on its way never exceeds what the receiver has granted. */
void world_credit_is_kept(struct world *w);

#endif
