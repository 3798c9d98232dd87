/* posix.h: what POSIX's files and directories share; for this folder alone. */
#ifndef MESHD_NET_OS_POSIX_POSIX_H
#define MESHD_NET_OS_POSIX_POSIX_H

#include "net/os/file.h"

struct stat;

/* open(2)'s flags for those of enum os_open. */
int os_flags(unsigned how);
/* What a stat call that gave `r` has said: 0 with *out, or errno. */
int os_stat_result(int r, const struct stat *st, struct os_info *out);

#endif
