/* udp_impl.h: what udp.c and the two implementations share; nobody else includes it, but for the
 * tests of what happens when the kernel refuses.
 */
#ifndef MESHD_NET_IO_UDP_IMPL_H
#define MESHD_NET_IO_UDP_IMPL_H

#include "net/io/udp.h"

struct udp_ops {
    int (*send)(struct udp *u, const struct train *t);
    void (*close)(struct udp *u);
};

struct udp { /* first member of both implementations */
    const struct udp_ops *ops;
    uint32_t local;
    struct udp_callbacks cb;
    void *ctx;
    struct addr bound;
    struct udp_caps caps;
};

/* `base` brings local, cb and ctx. Errors as udp_open. Native is udp_linux.c, or udp_posix.c: the
 * build has one of them. */
int udp_native_open(struct udp **out, uv_loop_t *loop, const struct addr *at,
                    const struct udp *base) MUST_USE;
int udp_uv_open(struct udp **out, uv_loop_t *loop, const struct addr *at,
                const struct udp *base) MUST_USE;

/* The error of udp_open for a libuv error number (which is -errno on POSIX). */
int udp_open_error(int uv_err);

/* Path MTU is found by our own probes (RFC 8899 §3): datagrams leave with DF and the kernel's idea
 * of the path is ignored, where the platform can do that. False: it cannot, and what is too large
 * is cut. */
bool udp_dont_fragment(uv_os_fd_t fd, bool ipv6);

#ifdef MESHD_LINUX
struct mmsghdr;
struct msghdr;
struct udp_linux_sys { /* the two calls that fail in interesting ways */
    ssize_t (*sendmsg)(int fd, const struct msghdr *m, int flags);
    int (*sendmmsg)(int fd, struct mmsghdr *v, unsigned n, int flags);
};
/* For tests; `sys` must outlive the socket. */
void udp_linux_set_sys(struct udp *u, const struct udp_linux_sys *sys);
#endif

#endif
