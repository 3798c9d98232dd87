/* trouble.h: what the operating system refused at the start, as one sentence for whoever started
 * us: what cannot be done, with which path, the cause and what mends it.
 */
#ifndef MESHD_NODE_DAEMON_OS_TROUBLE_H
#define MESHD_NODE_DAEMON_OS_TROUBLE_H

#include "node/daemon/os/log.h"

/* "cannot DOING PATH: CAUSE; REMEDY", an error in the log. `option` is the one that chooses another
 * place ("--state"), or NULL. Returns `err`, an errno, as one of ours. */
int trouble_put(const struct log *log, const char *doing, const char *path, int err,
                const char *option) MUST_USE;

/* A path as a word of a command in such a sentence, to be copied (node/api/quote); "..." if it is
 * too long. */
enum { TROUBLE_WORD_MAX = 1024 };
void trouble_word(char out[static TROUBLE_WORD_MAX], const char *path);

#endif
