/* file_send.h: the sending side of a transfer (wire form: node/file/manifest/manifest.h).
 *
 * Sources are opened once before the peer is bothered, for their sizes, and closed again; then the
 * offer goes out, and once the peer has said yes, what the window of files reads
 * (node/file/source.h).
 *
 * Many names are looked at, and their offers written, in steps: SEND_STEP_BYTES of all senders
 * between two node_timeouts.
 */
#ifndef MESHD_NODE_FILE_FILE_SEND_H
#define MESHD_NODE_FILE_FILE_SEND_H

#include "node/channel/reply.h"
#include "node/file/manifest/manifest_out.h"
#include "node/file/source.h"
#include "node/file/transfer/transfer.h"

struct dials;
struct watch;

enum {
    SEND_PRIORITY = 5, /* files go after words */
    /* Of a step: bytes of names looked at, SEND_NAME_BYTES more for each, and bytes of offers
     * written. At most 2 ms of work. */
    SEND_STEP_BYTES = 128 << 10,
    SEND_NAME_BYTES = 64,
    SEND_NAMES_AT_ONCE = 1000,  /* of more, all are looked at in later steps */
    SEND_AGAIN_MAX = 3,         /* offers on further sessions, after one that was dead */
    SEND_STOP_US = 5 * 1000000, /* a peer that stopped reading says why within this */
};

struct senders { /* zeroes but for the first three and pool.blocks_max = nobody sends */
    struct transfers *files;
    struct dials *dials;
    struct watch *watch;
    struct source_pool pool;
    bool more;                    /* one has a step to make at once */
    size_t step_bytes, step_most; /* work since the last node_timeout; the most of a step */
};

struct file_send { /* a transfer's `side` */
    struct senders *all;
    char **paths; /* one allocation with their text */
    char *name;   /* of the only file, if it is not as its path ends; else NULL */
    uint32_t *mtime_ns;
    uint32_t named;            /* how many of them the manifest has */
    uint32_t opened, closed;   /* first pass over the sources: asked for, and finished */
    struct manifest_out offer; /* on its way */
    uint64_t files_bytes;      /* what the files take in it */
    uint64_t offer_bytes;      /* its body */
    bool offered;              /* all of it is the stream's */
    unsigned again;            /* how often it was offered again, since the session was dead */
    struct reply_in reply;
    bool accepted, stopped;
    struct sources sources;
};

/* `t` is new. Paths are taken over, also on an error; their names are looked at, sources opened.
 * ERR_USAGE (two files of one name, or none), ERR_NOMEM: then the caller fails t, of which nobody
 * has heard. More than SEND_NAMES_AT_ONCE names are looked at in steps: then the transfer fails for
 * these reasons. */
int file_send_start(struct senders *all, struct transfer *t,
                    const struct send_order *order) MUST_USE;
/* It is CONNECTING, and the session is there: the offer goes out. */
void file_send_offer(struct transfers *files, struct transfer *t, struct contact *c);

#endif
