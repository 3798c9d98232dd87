/* fileio.h: runs the core's file operations on libuv's worker pool, one at a time per open file,
 * and gives them back on the loop's thread. Owns the table of open files.
 */
#ifndef MESHD_NODE_DAEMON_DISK_FILEIO_H
#define MESHD_NODE_DAEMON_DISK_FILEIO_H

#include <uv.h>

#include "net/os/dir.h"
#include "node/daemon/os/log.h"
#include "node/disk/file_op.h"

struct fileio;

struct fileio_setup {
    struct os_dir state;   /* STATE, for the list of temporaries */
    const char *state_dir; /* likewise, for messages */
    unsigned umask;        /* the user's, for the modes of received files */
    /* A finished operation. */
    void (*done)(void *ctx, struct file_op *op);
    /* After one or several of them; may submit others. */
    void (*all_done)(void *ctx);
    void *ctx;
};

/* Removes what an earlier run left unfinished. ERR_NOMEM, ERR_PERM, ERR_DISK, ERR_IO. */
int fileio_open(struct fileio **out, uv_loop_t *loop, const struct fileio_setup *setup,
                const struct log *log) MUST_USE;
/* Starts with the next flush at the latest: small operations are handed to a thread several at a
 * time. */
void fileio_submit(struct fileio *f, struct file_op *op);
void fileio_flush(struct fileio *f);
/* Operations not yet given back. */
unsigned fileio_pending(const struct fileio *f);
/* Closes every file and removes temporaries. Nothing may be pending. */
void fileio_close(struct fileio *f);

#endif
