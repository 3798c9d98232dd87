/* uverr.h: libuv's error numbers, which are its own on some systems, as errno. */
#ifndef MESHD_NODE_DAEMON_OS_UVERR_H
#define MESHD_NODE_DAEMON_OS_UVERR_H

#include <errno.h>
#include <uv.h>

/* EIO for what has no name here. */
static inline int uverr_errno(int uv) {
    switch (uv) {
    case 0:
        return 0;
    case UV_EACCES:
        return EACCES;
    case UV_EADDRINUSE:
        return EADDRINUSE;
    case UV_EEXIST:
        return EEXIST;
    case UV_EINVAL:
        return EINVAL;
    case UV_EISDIR:
        return EISDIR;
    case UV_ELOOP:
        return ELOOP;
    case UV_EMFILE:
        return EMFILE;
    case UV_ENAMETOOLONG:
        return ENAMETOOLONG;
    case UV_ENFILE:
        return ENFILE;
    case UV_ENOENT:
        return ENOENT;
    case UV_ENOMEM:
        return ENOMEM;
    case UV_ENOSPC:
        return ENOSPC;
    case UV_ENOTDIR:
        return ENOTDIR;
    case UV_EPERM:
        return EPERM;
    case UV_EROFS:
        return EROFS;
    default:
        return EIO;
    }
}

#endif
