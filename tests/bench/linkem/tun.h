/* tun.h: a TUN device in a network namespace, with an IPv4 address, up. */
#ifndef MESHD_BENCH_TUN_H
#define MESHD_BENCH_TUN_H

#include <stdint.h>

struct tun_config {
    const char *ns;      /* its name under /run/netns */
    const char *name;    /* of the device */
    uint32_t addr, mask; /* network byte order */
    int mtu;
};

/* A non-blocking descriptor: one read is one IP packet, one write too. The device lasts as long as
 * the descriptor. The calling thread's namespace is as before. Negative: it has been said on
 * standard error why. */
int tun_open(const struct tun_config *cfg);

#endif
