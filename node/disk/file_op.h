/* file_op.h: what the node core wants done with files. The core never opens a file: it hands out
 * operations, the environment runs them (meshd on libuv's worker pool, meshsim on a virtual disk)
 * and gives them back finished. One operation of a file is out at a time unless said otherwise
 * (READs of one file may overlap in flight but are hashed by the core's order: so the core keeps
 * one out per file).
 *
 * The core names open files by slot numbers of its own; the environment keeps what is behind them.
 * Bytes travel in blocks (net/base/block.h); the worker touches only the spans' bytes and `hash`,
 * both of which the core leaves alone until the operation is back.
 *
 * Safety: source paths come from the local user. Destination names come from a peer, were checked
 * by the core (one component, no '/', no NUL, not "." or ".."), and are opened relative to the
 * destination directory without following symlinks.
 */
#ifndef MESHD_NODE_DISK_FILE_OP_H
#define MESHD_NODE_DISK_FILE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/tree/treehash.h"
#include "net/base/block.h"
#include "node/api/cause.h"

enum file_op_kind {
    /* path: open a regular file for reading; gives size, mode, mtime. Errors: ERR_NOT_FOUND,
     * ERR_PERM, ERR_UNSUPPORTED (a directory or device), ERR_UNSIZED (says 0 bytes, and has some),
     * ERR_IO */
    FILE_OP_OPEN,
    /* slot, offset, spans[0..nspans): fill them (whole span unless the end of the file comes);
     * `bytes` = read; hash is updated with them in order if not NULL */
    FILE_OP_READ,
    /* path: a destination directory; creates it and its parents (0700) if missing, for good
     * (synced); `size` = bytes needed: ERR_DISK if the file system has some free, but less;
     * ERR_NOT_FOUND/ERR_PERM */
    FILE_OP_PREPARE,
    /* path + name: ERR_EXISTS if there is anything of that name in directory `path`, also a
     * dangling link; no slot */
    FILE_OP_CHECK,
    /* path + name + size: a temporary file, without a name where the system can do that and it is
     * small, else hidden (".meshd-" + random hex + ".part", O_EXCL), 0600, in directory `path` for
     * final name `name`; ERR_EXISTS if `name` is there already; ERR_DISK, ERR_PERM, ERR_IO. The
     * tag in `id` makes the temporary's name */
    FILE_OP_CREATE,
    /* slot, offset, spans: write them all; hash updated if not NULL. ERR_DISK, ERR_IO */
    FILE_OP_WRITE,
    /* slot: set mode and mtime, fsync, then give it the final name without replacing anything
     * (ERR_EXISTS): whenever the process dies, the name is not there or is the whole file's (at
     * the latest when meshd starts again); the slot is closed. The name is safe after
     * FILE_OP_SYNC_DIR. After an error a FILE_OP_CLOSE follows, which removes the temporary if it
     * is still there and is harmless if not */
    FILE_OP_COMMIT,
    /* slot: close; a temporary is removed. Of a file opened by FILE_OP_OPEN: size, mtime_s,
     * mtime_ns are looked at again before (the core has put the old ones there), which shows a
     * file that was written while it was read */
    FILE_OP_CLOSE,
    /* path: fsync the directory, once for all files committed in it. ERR_IO */
    FILE_OP_SYNC_DIR,
    /* the store's barrier (node/base/store.h): what was committed before this operation was handed
     * out survives a power cut. id: STORE_SYNC_SCRUB. ERR_IO, ERR_DISK */
    FILE_OP_STORE_SYNC,
};

static inline bool file_op_has_slot(enum file_op_kind k) {
    return k != FILE_OP_PREPARE && k != FILE_OP_CHECK && k != FILE_OP_SYNC_DIR &&
           k != FILE_OP_STORE_SYNC;
}

enum { FILE_OP_SPANS = 16, FILE_SLOTS_MAX = 4096, FILE_NAME_MAX_BYTES = 255 };

struct file_op {
    enum file_op_kind kind;
    uint32_t slot;    /* which open file; chosen by the core, < FILE_SLOTS_MAX */
    const char *path; /* owned by the core, alive until the operation is back */
    const char *name;
    uint64_t id;
    uint64_t offset, size;
    uint32_t mode; /* permission bits 0777 */
    int64_t mtime_s;
    uint32_t mtime_ns;
    struct span spans[FILE_OP_SPANS]; /* references held by the core */
    unsigned nspans;
    struct treehash *hash; /* updated by whoever runs the operation; NULL: none */
    /* result */
    int err;
    enum limit limit; /* of the system's, that err is about */
    uint64_t bytes;
    /* core's own */
    uint64_t owner; /* node/base/owner.h */
    uint32_t item;  /* the owner's: which of its files this is about */
    struct file_op *next;
};

#endif
