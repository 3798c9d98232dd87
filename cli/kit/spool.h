/* spool.h: standard input as a file that meshd can read by a path. A transfer's size is part of its
 * offer, so the whole input is copied first, into a file without a name in $TMPDIR, /var/tmp or
 * /tmp: only processes of this user can open it, as /proc/PID/fd/N, and it is gone with the last of
 * them, however they end. Memory is bounded.
 */
#ifndef MESHD_CLI_KIT_SPOOL_H
#define MESHD_CLI_KIT_SPOOL_H

#include "cli/kit/app.h"

enum { SPOOL_PATH_MAX = 64 };

/* Reads standard input to its end. 0 with the path, which holds while this process lives, and the
 * size; or the exit code, reported. */
int spool_stdin(struct app *a, char path[static SPOOL_PATH_MAX], uint64_t *bytes);

#endif
