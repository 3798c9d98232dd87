/* fileio_run.h: one file operation, run to its end on a worker thread with blocking calls (the
 * semantics are those of node/disk/file_op.h). Touches nothing but the operation, its slot and the
 * file system.
 */
#ifndef MESHD_NODE_DAEMON_DISK_FILEIO_RUN_H
#define MESHD_NODE_DAEMON_DISK_FILEIO_RUN_H

#include <stdint.h>

#include "net/os/dir.h"
#include "node/daemon/disk/odirect.h"
#include "node/daemon/disk/partials.h"
#include "node/disk/file_op.h"

struct file_slot {
    struct os_file file;
    struct os_dir dir;                  /* the destination directory; not open for a source */
    char temp[PARTIALS_NAME_MAX];       /* the temporary's name; empty: it has none */
    char name[FILE_NAME_MAX_BYTES + 1]; /* the final one */
    uint64_t pushed;                    /* bytes whose write-out was started */
    struct direct direct;               /* in use for large files */
};

struct file_env { /* what operations need to know of the process */
    struct os_dir partials;
    unsigned umask; /* the user's, for the modes of received files */
    bool can_link;  /* a file without a name can be given one */
};

void file_slot_init(struct file_slot *s);
/* Sets op->err and the operation's results. */
void file_op_run(struct file_op *op, struct file_slot *s, const struct file_env *env);
/* Closes what is open and removes the temporary. */
void file_slot_drop(struct file_slot *s, uint32_t number, const struct file_env *env);

#endif
