/* support_at.h: a hop to be named where it is used: by a UDP socket of ours (0 where nobody asks),
 * an address. */
#ifndef MESHD_TESTS_SUPPORT_AT_H
#define MESHD_TESTS_SUPPORT_AT_H

#include "net/base/hop.h"

#define AT_SOCKET(address, number)                                                                 \
    (&(struct hop){.kind = HOP_UDP, .udp = {.local = (number), .remote = *(address)}})
#define AT(address) AT_SOCKET(address, 0)

#endif
