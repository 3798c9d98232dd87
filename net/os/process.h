/* process.h: what the process sets for itself before it holds a secret. */
#ifndef MESHD_NET_OS_PROCESS_H
#define MESHD_NET_OS_PROCESS_H

#include <stdint.h>

/* Descriptors 0, 1 and 2 that are closed become /dev/null: or the next file opened would get such a
 * number, and what is written to standard error would land in it. Before anything is opened. */
void process_keep_stdio(void);

/* No core files and no tracing by other processes of the user (MESHD_DEBUG_DUMPABLE=1 leaves both
 * on), as many open files as the system allows, SIGPIPE and SIGTTOU ignored, and umask 077: returns
 * the one there was. */
unsigned process_prepare(void);

/* What process_prepare asks of the system in question: nobody else of the user looks into our
 * memory. Nothing where there is no such thing. */
void process_forbid_tracing(void);

/* Sets it, and gives the one there was. */
unsigned process_umask(unsigned mask);
unsigned long process_id(void);
uint64_t process_user(void); /* the user whose rights we have; files have such an owner */

/* Open files without which nothing works: libuv aborts where it cannot open its own few. */
enum { PROCESS_FILES_MIN = 64 };
/* How many may be open, if those are fewer; 0: enough. */
unsigned long process_files_missing(void);

#endif
