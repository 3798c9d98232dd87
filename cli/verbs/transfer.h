/* transfer.h: what send, recv and transfers share. */
#ifndef MESHD_CLI_VERBS_TRANSFER_H
#define MESHD_CLI_VERBS_TRANSFER_H

#include "cli/kit/app.h"

/* The daemon's working directory is not ours: resolves the path's directory, or the path itself if
 * it is a directory. What the last component is a link to is left to whoever opens it. 0 or the
 * exit code, reported. */
int transfer_path(struct app *a, const char *path, char out[static PATH_TEXT_MAX]);
/* The same for a directory to receive into: one that is no directory, or that we could not write
 * to, is told now and not when a transfer comes. One that is missing is made by meshd then, if its
 * parent is there, which is said. */
int transfer_dir(struct app *a, const char *path, char out[static PATH_TEXT_MAX]);
/* It goes on without us: says so, and how to stop it; with --json, as it stands now. Gives the exit
 * code. */
int transfer_detached(struct app *a, uint64_t id);
/* A transfer, as a rule an ended one, for people or, with --json, as an object with bytes, seconds,
 * files. A failed one is reported like any error, and has "error". Gives the exit code. */
int transfer_report(struct app *a, const msgpack_object *transfer);
/* "meshctl: WHAT plan.txt and 2 more, 1.20 MB (1200000 bytes) from bobMORE" on standard error. */
void transfer_say(const char *what, const msgpack_object *transfer, const char *more);

#endif
