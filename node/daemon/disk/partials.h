/* partials.h: the list of unfinished received files, so that a daemon that was killed does not
 * leave them behind for ever: STATE/partials/ holds one symbolic link per open temporary, named by
 * its slot, pointing at it. A link is made in one step, needs no rewriting, and is never followed:
 * only its text is read, and only a regular file of ours whose name is of our temporaries' form is
 * removed; or an empty one, if it was noted as the place of a final name.
 */
#ifndef MESHD_NODE_DAEMON_DISK_PARTIALS_H
#define MESHD_NODE_DAEMON_DISK_PARTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os/dir.h"
#include "node/daemon/os/log.h"

enum { PARTIALS_NAME_MAX = 48 };

/* Opens STATE/partials (made if missing) and removes what an earlier run left. *out is for the
 * calls below. Says why not in the log: ERR_PERM, ERR_NOT_FOUND (no directory), ERR_IO,
 * ERR_DISK. */
int partials_open(struct os_dir *out, struct os_dir state, const char *state_dir,
                  const struct log *log) MUST_USE;
void partials_add(struct os_dir partials, uint32_t slot, const char *dir, const char *name);
/* The slot's file is about to get its final name by way of an empty one (fileio_run): noted beside
 * the temporary. Killed in between, the empty one is removed too. */
void partials_add_place(struct os_dir partials, uint32_t slot, const char *name);
void partials_remove(struct os_dir partials, uint32_t slot); /* both */

/* The temporary's name for a tag: ".meshd-" + 16 hex digits + ".part". */
void partials_name(char out[static PARTIALS_NAME_MAX], uint64_t tag);
bool partials_is_name(const char *name);

#endif
