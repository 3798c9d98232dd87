/* transfer_info.h: what a node says of a transfer to whoever asks, and what it is asked for. */
#ifndef MESHD_NODE_FILE_TRANSFER_TRANSFER_INFO_H
#define MESHD_NODE_FILE_TRANSFER_TRANSFER_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/identity/identity.h"
#include "node/api/cause.h"
#include "node/base/limits.h"

enum accept_rule { ACCEPT_ASK, ACCEPT_CONTACTS }; /* ask: by hand or by a waiting recv */

enum transfer_state {
    TRANSFER_CONNECTING, /* sender: no session yet */
    TRANSFER_OPENING,    /* sender: sources are being opened */
    TRANSFER_OFFERED,    /* sender: waits for the peer's yes. receiver: waits for accept */
    TRANSFER_RUNNING,
    TRANSFER_VERIFYING, /* all bytes are there: hash, fsync, rename */
    TRANSFER_DONE,
    TRANSFER_FAILED,
};
const char *transfer_state_name(enum transfer_state s);

struct transfer_info {
    uint64_t id;
    bool outgoing;
    char contact[PETNAME_MAX + 1]; /* what it is called now, or was when it was removed */
    struct node_id node;           /* who that is */
    enum transfer_state state;
    int err;
    struct cause cause; /* of err */
    char detail[256];   /* what the error is about: a file name, or empty. UTF-8, perhaps a peer's
                         * words: escape before showing */
    uint32_t files, files_done;
    uint64_t bytes_total, bytes_done;
    uint64_t wall_us; /* when it began */
    uint64_t started_us, ended_us;
    uint64_t accepted_us; /* the peer's or our yes; 0: not yet */
    char dir[1024];       /* receiver: destination directory */
    uint64_t
        rule; /* receiver: which node_recv_start took it; 0: accepted by hand, or as configured */
};
struct send_order {
    const char *contact;
    char **paths;
    unsigned count;
    const char *name; /* what the only file is called there; NULL: as its path ends */
    uint64_t timeout_us;
};

#endif
