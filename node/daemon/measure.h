/* measure.h: which tree hash is faster on this machine: about 2 ms each, once at start. */
#ifndef MESHD_NODE_DAEMON_MEASURE_H
#define MESHD_NODE_DAEMON_MEASURE_H

#include "crypto/treehash.h"

/* *bytes_per_us (may be NULL) is the speed of the one chosen. */
enum treehash_alg measure_hash(unsigned *bytes_per_us);

#endif
