/* control_kinds.h: a set of kinds of events, of which there may be any number: what a connection
 * has subscribed to.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_KINDS_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/event.h"

enum { KINDS_WORDS = (NODE_EVENT_KINDS + 63) / 64 };

struct kinds { /* zeroes: none */
    uint64_t words[KINDS_WORDS];
};

static inline void kinds_add(struct kinds *s, unsigned kind) {
    s->words[kind / 64] |= UINT64_C(1) << kind % 64;
}

static inline bool kinds_has(const struct kinds *s, unsigned kind) {
    return s->words[kind / 64] >> kind % 64 & 1;
}

static inline struct kinds kinds_all(void) {
    struct kinds s = {{0}};
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        kinds_add(&s, k);
    return s;
}

#endif
