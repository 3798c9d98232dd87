/* oserr.h: the operating system's errno as one of our errors. */
#ifndef MESHD_NET_OS_OSERR_H
#define MESHD_NET_OS_OSERR_H

#include <errno.h>

#include "crypto/base/err.h"

static inline int oserr(int err) {
    switch (err) {
    case 0:
        return 0;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: /* a symlink where none is followed */
        return ERR_PERM;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_DISK;
    case ENOMEM:
        return ERR_NOMEM;
    case EMFILE:
    case ENFILE:
        return ERR_FULL;
    case EISDIR:
        return ERR_UNSUPPORTED;
    default:
        return ERR_IO;
    }
}

#endif
