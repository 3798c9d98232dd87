/* A TUN device, named, addressed and brought up by ioctl, in another network namespace. */
#include "tests/bench/linkem/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of the kernel's queue into the device. It must never be what drops a packet: the emulated
 * bottleneck is behind it. */
enum { TX_QUEUE_PKTS = 20000 };

static int complain(const char *what, const char *which) {
    fprintf(stderr, "linkem: %s %s: %s\n", what, which, strerror(errno));
    return -1;
}

static int set_addr(int sock, struct ifreq *r, unsigned long request, uint32_t addr) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = addr};
    memcpy(&r->ifr_addr, &in, sizeof in);
    return ioctl(sock, request, r);
}

/* Without IPv6 a device that nobody uses is silent. A kernel without it has no such file. */
static void no_ipv6(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1", 1) != 1)
        complain("cannot write", path);
    close(fd);
}

static int configure(const struct tun_config *cfg, struct ifreq *r) {
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return -1;
    no_ipv6(cfg->name);
    r->ifr_mtu = cfg->mtu;
    int rc = ioctl(sock, SIOCSIFMTU, r);
    r->ifr_qlen = TX_QUEUE_PKTS;
    if (rc == 0)
        rc = ioctl(sock, SIOCSIFTXQLEN, r);
    if (rc == 0)
        rc = set_addr(sock, r, SIOCSIFADDR, cfg->addr);
    if (rc == 0)
        rc = set_addr(sock, r, SIOCSIFNETMASK, cfg->mask);
    r->ifr_flags = IFF_UP | IFF_RUNNING | IFF_POINTOPOINT;
    if (rc == 0)
        rc = ioctl(sock, SIOCSIFFLAGS, r);
    int saved = errno;
    close(sock);
    errno = saved;
    return rc;
}

static int open_here(const struct tun_config *cfg) {
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", cfg->name);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return complain("cannot open", "/dev/net/tun");
    if (ioctl(fd, TUNSETIFF, &r) == 0 && configure(cfg, &r) == 0)
        return fd;
    complain("cannot make the device in namespace", cfg->ns);
    close(fd);
    return -1;
}

int tun_open(const struct tun_config *cfg) {
    char path[256];
    int fd = -1, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/run/netns/%s", cfg->ns);
    int there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0) {
        complain("cannot enter namespace", cfg->ns);
    } else {
        fd = open_here(cfg);
        if (setns(home, CLONE_NEWNET) != 0) {
            complain("cannot leave namespace", cfg->ns);
            close(fd);
            fd = -1;
        }
    }
    if (there >= 0)
        close(there);
    if (home >= 0)
        close(home);
    return fd;
}
