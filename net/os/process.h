/* process.h: what the process sets for itself before it holds a secret. */
#ifndef MESHD_NODE_DAEMON_OS_PROCESS_H
#define MESHD_NODE_DAEMON_OS_PROCESS_H

#include <sys/types.h>

/* Descriptors 0, 1 and 2 that are closed become /dev/null: or the next file opened would get such a
 * number, and what is written to standard error would land in it. Before anything is opened. */
void process_keep_stdio(void);

/* No core files and no tracing by other processes of the user (MESHD_DEBUG_DUMPABLE=1 leaves both
 * on), as many open files as the system allows, SIGPIPE and SIGTTOU ignored, and umask 077: returns the one
 * there was. */
mode_t process_prepare(void);

/* Open files without which nothing works: libuv aborts where it cannot open its own few. */
enum { PROCESS_FILES_MIN = 64 };
/* How many may be open, if those are fewer; 0: enough. */
unsigned long process_files_missing(void);

#endif
