/* path_policy.h: by what a peer may be reached, and reach us. */
#ifndef MESHD_NET_BASE_PATH_POLICY_H
#define MESHD_NET_BASE_PATH_POLICY_H

enum path_policy {
    PATH_AUTO,
    /* Through relays alone: nothing is sent to an address of the peer's, and nothing that comes
     * from one is taken. That of a relay itself is none of the peer's. */
    PATH_RELAY_ONLY,
    PATH_DIRECT_ONLY, /* never through a relay */
};

#endif
