/* turn.h: what all parts of a node share in a turn: the time, the world, the endpoint, who this
 * node is, the events told so far, and the other parts (node/base/part.h).
 *
 * Each room of node/ has a struct of its own, which knows the turn and the rooms below; none knows
 * the node (node/node.c), which only holds them together. One value of now_us a turn, set by the
 * node before it calls into a part.
 */
#ifndef MESHD_NODE_BASE_TURN_H
#define MESHD_NODE_BASE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"
#include "node/api/cause.h"
#include "node/base/env.h"
#include "node/base/event_queue.h"
#include "node/base/part.h"

struct endpoint;

struct turn {
    struct env env;
    struct endpoint *ep;
    struct node_id id; /* of this node, */
    struct dh_public transport;
    uint64_t now_us;
    uint64_t wall_us, wall_at_us; /* wall clock as told, and when */
    bool lazy;                    /* dials no contact but for what somebody wants of it */
    bool shut;                    /* it ends: nothing is started any more */
    bool unheard;                 /* something has come since the endpoint was asked for events */
    struct cause met;             /* the limit that was met last, until somebody asks */
    struct news news;
    struct parts parts;
};

uint64_t turn_wall_us(const struct turn *turn);
void turn_log(const struct turn *turn, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Notes that a limit was met, for turn_why; gives its error. */
int turn_met(struct turn *turn, enum limit limit, uint64_t max) MUST_USE;
/* The cause of an error of this turn, with the limit that was met. It is forgotten. */
struct cause turn_why(struct turn *turn, int err);
/* A new event, as news_add gives it. `contact` may be NULL. */
struct node_event *turn_tell(struct turn *turn, enum node_event_kind kind, const char *contact);

#endif
