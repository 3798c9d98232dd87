/* support_sniff.h: somebody who listens in on a pair and keeps what side 0 begins a session with.
 */
#ifndef MESHD_TESTS_SUPPORT_SNIFF_H
#define MESHD_TESTS_SUPPORT_SNIFF_H

#include "net/wire/handshake_msg.h"
#include "support_pair.h"

struct sniffed {
    bool swallow, drop_data; /* what side 0 sends is kept, and does not arrive */
    unsigned count;
    uint8_t msg[INITIATION_BYTES]; /* the last one */
};

extern const struct addr elsewhere; /* where neither side is */

/* From here on, with nothing kept yet. */
void listen_in(struct pair *p, struct sniffed *f);
/* Whether a session comes up that this side wants. */
bool comes_up(struct pair *p, int side);

#endif
