/* path_policy.h: by which ways packets of a peer may go. */
#ifndef MESHD_NET_BASE_PATH_POLICY_H
#define MESHD_NET_BASE_PATH_POLICY_H

enum path_policy {
    PATH_AUTO,        /* its addresses and relays, whatever is best */
    PATH_RELAY_ONLY,  /* not one packet goes to or comes from an address of the peer */
    PATH_DIRECT_ONLY, /* no relay */
};

#endif
