/* contact_info.h: what a node says of a contact to whoever asks. */
#ifndef MESHD_NODE_PEOPLE_CONTACT_INFO_H
#define MESHD_NODE_PEOPLE_CONTACT_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "net/endpoint.h"
#include "node/api/cause.h"
#include "node/base/limits.h"
#include "node/base/relay_addr.h"

enum contact_state {
    CONTACT_OFFLINE,    /* it did not answer when it was dialled last, or has said goodbye */
    CONTACT_CONNECTING, /* it is being dialled */
    CONTACT_IDLE,       /* nobody has needed it for so long that the session has ended */
    CONTACT_SILENT,     /* a session is up, but the peer does not answer */
    CONTACT_ONLINE,     /* a session is up */
};
const char *contact_state_name(enum contact_state s);
/* What the user has said of a contact's ways; CONTACT_PATH_NODE: nothing, so the node's policy
 * holds. As stored. */
enum contact_path {
    CONTACT_PATH_NODE,
    CONTACT_PATH_AUTO,
    CONTACT_PATH_RELAY_ONLY,
    CONTACT_PATH_DIRECT_ONLY,
};

enum contact_via { VIA_NONE, VIA_DIRECT, VIA_RELAY, VIA_PIPE };

enum { CONTACT_PATHS_MAX = 8, CONTACT_WHY_MAX = 160 };

struct contact_path_shown {
    enum contact_via via;
    struct addr addr;        /* the peer's, or the relay's */
    struct node_id relay;    /* zeroes: none */
    const char *state, *why; /* static */
    bool active;
    uint64_t srtt_us; /* 0: not measured */
    unsigned loss_permille;
    uint16_t mtu_bytes; /* 0: not known */
};

struct contact_reach { /* how it is reached; node/mesh fills it */
    enum contact_via via;
    char why[CONTACT_WHY_MAX]; /* not directly, or not at all: a sentence, or empty */
    struct contact_path_shown paths[CONTACT_PATHS_MAX];
    unsigned path_count;
};

struct contact_info {
    char name[PETNAME_MAX + 1];
    struct node_id id;
    bool paired;                 /* a pairing secret exists */
    bool online;                 /* a session is up */
    struct session_info session; /* if online */
    enum contact_state state;
    uint64_t quiet_us; /* nothing was heard of it for so long; UINT64_MAX: since the start */
    struct addr addrs[PEER_ADDRS_MAX];
    unsigned addr_count;
    const struct relay_set *relays; /* NULL: none; valid until the turn ends */
    enum contact_path path_own;
    enum path_policy path; /* that holds: its own, or the node's */
    int denied;            /* offline: why their node does not let this one in; 0: not said */
    struct contact_reach reach;
    /* What node/message knows of it. */
    uint32_t queued; /* messages waiting in the outbox */
    int refused;     /* why the peer does not take them now; 0: it has not said so */
    struct cause refused_why;
    bool full;              /* its own messages find no room here */
    uint64_t message_bytes; /* what they take, for the quota */
};

#endif
