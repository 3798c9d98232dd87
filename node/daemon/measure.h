/* measure.h: which tree hash and which provider of packet encryption are faster on this machine; asked once at start.
 * The candidates take turns in short pieces and the best piece of each counts, so that whatever else runs does not
 * decide. About 3 ms each.
 */
#ifndef MESHD_NODE_DAEMON_MEASURE_H
#define MESHD_NODE_DAEMON_MEASURE_H

#include "crypto/aead.h"
#include "crypto/treehash.h"

/* *bytes_per_us (may be NULL) is the speed of the one chosen. */
enum treehash_alg measure_hash(unsigned *bytes_per_us);
/* Of the providers in this build, by the suite that two of our kind choose, in packets of 1,400 bytes. */
enum aead_provider measure_aead(unsigned *bytes_per_us);

#endif
