/* datagram.h: one that came inside a session, as its reader gets it. */
#ifndef MESHD_NODE_CALL_DATAGRAM_H
#define MESHD_NODE_CALL_DATAGRAM_H

#include <stdint.h>

#include "crypto/identity/identity.h"
#include "net/base/limits.h"
#include "node/base/limits.h"

enum {
    NODE_DATAGRAMS_MAX = 64, /* unread ones; beyond, one is dropped and counted */
    NODE_DATAGRAM_MAX_BYTES = DATAGRAM_MAX_BYTES - 1, /* a tag names its channel */
};
struct node_datagram {
    char contact[PETNAME_MAX + 1]; /* what it was called when this came */
    struct node_id node;
    uint32_t len;
    uint8_t data[NODE_DATAGRAM_MAX_BYTES]; /* peer-supplied */
};

#endif
