/* keyfile.h: the identity file on disk: STATE/identity, 0600, ours. Made once, never overwritten; a
 * file others can read is refused, since the identity in it may no longer be ours alone.
 */
#ifndef MESHD_NODE_DAEMON_DISK_KEYFILE_H
#define MESHD_NODE_DAEMON_DISK_KEYFILE_H

#include "crypto/identity/identity.h"
#include "node/daemon/disk/statedir.h"
#include "node/daemon/os/log.h"

/* Reads it, or makes a fresh one where there is no database either: one without its identity is
 * refused. `state_dir` is for messages. Says why not in the log, with the way out: ERR_PERM,
 * ERR_FORMAT, ERR_NOT_FOUND, ERR_DISK, ERR_IO. */
int keyfile_load(struct identity *out, const struct statedir *s, const char *state_dir,
                 const struct rng *rng, const struct log *log) MUST_USE;

#endif
