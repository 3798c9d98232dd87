/* reply.h: what a receiver answers on a channel, framed as a blob (node/channel/delimited.h):
 *
 *   {"ok": true}                    yes; or for a message: it is stored
 *   {"ok": true, "files": n}        the end of a file transfer: n files verified and on disk
 *   {"err": number, "file": name, "limit": number, "max": n}
 *                                   no; number as in crypto/base/err.h; file: which one; limit:
 *                                   which one of node/api/cause.h was met, and how large it is. All
 *                                   but the first may be missing
 */
#ifndef MESHD_NODE_CHANNEL_REPLY_H
#define MESHD_NODE_CHANNEL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/event.h"
#include "node/api/cause.h"
#include "node/channel/delimited.h"

struct turn;

enum { REPLY_FILE_MAX = 255, REPLY_MAX_BYTES = 1024 };

struct reply {
    int err; /* 0: ok */
    bool has_files;
    uint32_t files;
    char file[REPLY_FILE_MAX + 1]; /* peer-supplied: escape before showing; empty: none */
    enum limit limit;              /* with err; LIMIT_NONE: none, or one not known here */
    uint64_t max;                  /* of the limit; 0: not said */
};

/* Blob with its length prefix. ERR_NOMEM. *len <= REPLY_MAX_BYTES. */
int reply_encode(const struct reply *r, uint8_t out[static REPLY_MAX_BYTES], size_t *len) MUST_USE;
/* The blob's body. ERR_PROTO, ERR_NOMEM. */
int reply_decode(struct reply *r, const uint8_t *in, size_t len) MUST_USE;

struct reply_in { /* one that is on its way on a stream of ours */
    struct session_ref session;
    uint64_t stream;
    struct blob_in blob;
};

void reply_in_init(struct reply_in *in, struct session_ref s, uint64_t stream);
void reply_in_clear(struct reply_in *in);
/* Takes what the stream has of the next answer. 0: it is in *r. ERR_AGAIN: it is not whole yet;
 * ERR_CLOSED: the stream has ended without one; ERR_PROTO, ERR_NOMEM: it is none, or finds no
 * memory. */
int reply_in_next(struct reply_in *in, struct turn *turn, struct reply *r) MUST_USE;

#endif
