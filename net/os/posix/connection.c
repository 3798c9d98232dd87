/* connection.c: POSIX's sockets in the file system. */
#include "net/os/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* systems without it have SO_NOSIGPIPE */
#endif

size_t os_connection_path_max(void) {
    return sizeof((struct sockaddr_un *)0)->sun_path - 1;
}

int os_connection_open(struct os_connection *out, const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    *out = OS_CONNECTION_NONE;
    if (len >= sizeof to.sun_path)
        return ENAMETOOLONG;
    memcpy(to.sun_path, path, len + 1);
    out->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (out->fd < 0)
        return errno;
    (void)fcntl(out->fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(out->fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
    (void)setsockopt(out->fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    if (connect(out->fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return 0;
    const int err = errno;
    os_connection_close(out);
    return err;
}

void os_connection_close(struct os_connection *c) {
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

#ifdef SO_PEERCRED
int os_connection_user(struct os_connection c, uint64_t *user) {
#ifdef __OpenBSD__
    struct sockpeercred cred;
#else
    struct ucred cred;
#endif
    socklen_t len = sizeof cred;
    if (getsockopt(c.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
        return errno;
    *user = cred.uid;
    return 0;
}
#else
int os_connection_user(struct os_connection c, uint64_t *user) {
    uid_t uid;
    gid_t gid;
    if (getpeereid(c.fd, &uid, &gid) != 0)
        return errno;
    *user = uid;
    return 0;
}
#endif

/* 0 with *done, or the errno. */
static int result(ssize_t n, size_t *done) {
    *done = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return 0;
    return errno == EWOULDBLOCK ? EAGAIN : errno;
}

int os_connection_send(struct os_connection c, const void *bytes, size_t len, size_t *sent) {
    ssize_t n;
    do
        n = send(c.fd, bytes, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return result(n, sent);
}

int os_connection_receive(struct os_connection c, void *out, size_t cap, size_t *got) {
    ssize_t n;
    do
        n = recv(c.fd, out, cap, 0);
    while (n < 0 && errno == EINTR);
    return result(n, got);
}
