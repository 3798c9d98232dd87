/* peer_setup.h: what the endpoint has to know of a peer to let it in and to reach it. Holds
 * secrets.
 */
#ifndef MESHD_NET_SESSION_PEER_SETUP_H
#define MESHD_NET_SESSION_PEER_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/types.h"
#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "net/base/path_policy.h"

enum {
    PEER_ADDRS_MAX = 8,
    PEER_PSKS_MAX = 2,
    PEER_PLACES_MAX = 4, /* beside the addresses: flows through relays */
};

struct peer_setup {
    struct node_id id;
    struct dh_public transport;
    struct psk psks[PEER_PSKS_MAX]; /* tried in turn; the first is the pairing secret, if any */
    unsigned psk_count;             /* 0: no psk (all zeroes is used) */
    bool pairing; /* psks[psk_count - 1] is a ticket's one-time secret: a session made with
                   * it gives EP_PAIRED and a new pairing secret */
    struct addr addrs[PEER_ADDRS_MAX];
    unsigned addr_count;
    uint64_t cert_seq; /* of the certificate of `transport`, as EP_PEER_KEY or EP_PAIRED told it; 0:
                        * not known yet. Another key needs a greater one */
    enum path_policy path;
    uint64_t owner; /* whose it is with the user: given back in every event of this peer */
};

#endif
