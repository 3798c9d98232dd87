/* measure.h: which provider of packet encryption is the fastest on this machine; asked once at
 * start. The candidates take turns in short pieces and the best piece of each counts, so that
 * whatever else runs does not decide. About 3 ms.
 */
#ifndef MESHD_NODE_DAEMON_MEASURE_H
#define MESHD_NODE_DAEMON_MEASURE_H

#include "crypto/aead/aead.h"

/* Of ipsec-mb (libcrypto where the build or the CPU has no ipsec-mb) and libsodium, by the suite
 * that two of our kind choose, in packets of 1,400 bytes. *bytes_per_us (may be NULL) is the speed
 * of the one chosen. */
enum aead_provider measure_aead(unsigned *bytes_per_us);

#endif
