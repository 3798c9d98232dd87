/* env.h: what the world gives a node: randomness, storage, and somebody who takes its log lines. */
#ifndef MESHD_NODE_BASE_ENV_H
#define MESHD_NODE_BASE_ENV_H

#include "crypto/base/rng.h"
#include "node/base/store.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct env { /* copied by the node at its creation */
    struct rng rng;
    struct store store;
    void (*log)(void *ctx, enum log_level level, const char *line); /* may be NULL */
    void *log_ctx;
};

#endif
