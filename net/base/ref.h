/* ref.h: by what peers and sessions are named outside the tables that hold them: a place, and whose
 * turn there. Value structs. */
#ifndef MESHD_NET_BASE_REF_H
#define MESHD_NET_BASE_REF_H

#include <stdbool.h>
#include <stdint.h>

struct peer_ref { /* a peer known to this endpoint; {0,0} is none */
    uint32_t index, generation;
};
struct session_ref { /* one session with a peer; stale once that session has ended */
    uint32_t index, serial;
};
static inline bool session_ref_equal(struct session_ref a, struct session_ref b) {
    return a.index == b.index && a.serial == b.serial;
}

#endif
