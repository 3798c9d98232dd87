/* statedir.h: the directory where a node keeps its identity and its database: made 0700, owned by
 * us, locked by one daemon at a time.
 */
#ifndef MESHD_NODE_DAEMON_DISK_STATEDIR_H
#define MESHD_NODE_DAEMON_DISK_STATEDIR_H

#include "net/os/dir.h"
#include "node/daemon/os/log.h"

struct statedir {
    struct os_dir dir;
    struct os_file lock;
};

/* Makes `path` and its parents where missing, and takes the lock. Says why not in the log:
 * ERR_EXISTS (another daemon has it), ERR_PERM (it or the database in it is not ours, or others can
 * reach it), ERR_IO. */
int statedir_open(struct statedir *s, const char *path, const struct log *log) MUST_USE;
void statedir_close(struct statedir *s);
/* Whether a file of dir may hold secrets: a regular one, ours, nobody else's access. ERR_PERM, with
 * the remedy in the log. */
int statedir_check_secret(const struct os_info *info, const char *dir, const char *name,
                          const struct log *log) MUST_USE;

/* mkdir -p with 0700, each in its parent for good (fsync). errno is set; ERR_PERM, ERR_DISK,
 * ERR_NOT_FOUND (a part is not a directory), ERR_IO. */
int statedir_make(const char *path) MUST_USE;

#endif
