/* support_raw.h: a contact that does with its streams what no node does: bytes as the test wants
 * them, and pauses in between.
 */
#ifndef MESHD_TESTS_SUPPORT_RAW_H
#define MESHD_TESTS_SUPPORT_RAW_H

#include "node/channel/delimited.h"
#include "node/node_int.h"
#include "support_world.h"

struct reply;

struct raw {
    struct world *w;
    unsigned from;
    struct session_ref session;
    uint64_t stream;
    struct blob_in in; /* an answer that comes */
    bool fin;
};

/* A stream of node `from` to node `to`, which calls it "n<from>". */
struct raw raw_open(struct world *w, unsigned from, unsigned to);
/* Gives the stream all of it, while the world runs; false: it was reset or stopped, or nothing went
 * on for 10 s. */
bool raw_write(struct raw *r, const void *bytes, size_t len);
/* An offer as it goes over the stream, heap: `count` files of `size` bytes with names of name_len
 * bytes (at least 8), which begin with `salt`. */
uint8_t *raw_offer(uint32_t count, size_t name_len, uint64_t size, char salt, size_t *len);
/* From now on answers are kept, of one such stream at a time, which must not move in memory;
 * raw_deaf ends it. */
void raw_listen(struct raw *r);
void raw_deaf(struct raw *r);
/* The next answer; false: none within 5 s, or something that is none. */
bool raw_reply(struct raw *r, struct reply *out);
void raw_finish(struct raw *r);

#endif
