/* support_talk.h: clients of a node's control API, byte by byte or whole requests, in a world of
 * nodes (support_world.h): each node may have one control API, each of those several connections.
 */
#ifndef MESHD_TESTS_SUPPORT_TALK_H
#define MESHD_TESTS_SUPPORT_TALK_H

#include <jansson.h>

#include "node/api/rpc/control_proto.h"
#include "node/control/control.h"
#include "support_world.h"

struct talk { /* one connection */
    struct world *w;
    unsigned node;
    struct control *c;
    uint32_t conn;
    struct proto_writer out;
    struct proto_reader in;
    json_t *notes;   /* notifications' params, in order */
    json_t *answers; /* [error, result] by id */
    uint32_t last_id;
    bool deaf;   /* reads nothing */
    bool closed; /* by the server */
};

/* The control API of node i, told of its events from here on. */
struct control *talk_serve(struct world *w, unsigned i);
void talk_unserve(struct world *w, unsigned i, struct control *c);

void talk_open(struct talk *t, struct world *w, unsigned node, struct control *c);
void talk_close(struct talk *t);

/* Raw bytes. What control_input says. */
int talk_bytes(struct talk *t, const void *bytes, size_t len);
/* Opens a request; talk_send closes its map of arguments and sends it. */
struct proto_writer *talk_ask(struct talk *t, const char *method);
uint32_t talk_send(struct talk *t);
/* Runs the world until the answer to `id` is there, at most `us`. [error, result], or NULL. */
json_t *talk_answer(struct talk *t, uint32_t id, uint64_t us);
/* The result of a request that must succeed; of one that must not, its error. Give it back. */
json_t *talk_result(struct talk *t);
json_t *talk_error(struct talk *t);
/* Asserts that it fails with this code. */
void talk_fails(struct talk *t, const char *code);
/* The next notification of a kind, waited for at most `us`; NULL if none comes. */
json_t *talk_notice(struct talk *t, const char *kind, uint64_t us);
/* Carries out what waits, and lets every connection of `all` read, once. */
void talk_turn(struct control *c, uint64_t now_us, struct talk **all, unsigned count);
json_t *talk_json(const msgpack_object *o);

#endif
