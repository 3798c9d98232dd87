/* local_addrs.h: the addresses of this machine to which datagrams have come on one socket that is
 * bound to none, numbered, so that the answer leaves from the address that was asked. A table of
 * LOCAL_ADDRS_MAX; when it is full, the address used longest ago gives way (a machine's temporary
 * IPv6 addresses change daily), and its number is never given again soon: what names it then leaves
 * as the kernel decides. Value struct, no IO; all zeroes is empty.
 */
#ifndef MESHD_NET_IO_LOCAL_ADDRS_H
#define MESHD_NET_IO_LOCAL_ADDRS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/addr.h"

enum { LOCAL_ADDRS_MAX = 32, LOCAL_NUMBER_BITS = 26 };

struct local_addrs {
    struct {
        struct addr addr; /* port 0 */
        uint32_t generation;
        uint64_t used;
    } v[LOCAL_ADDRS_MAX];
    uint64_t uses;
    uint32_t last; /* the one found last */
};

/* The number of this address, above 0 and below 2^LOCAL_NUMBER_BITS. */
uint32_t local_addrs_number(struct local_addrs *t, const struct addr *a);
/* NULL: 0, given away, or forgotten. */
const struct addr *local_addrs_find(const struct local_addrs *t, uint32_t number);
/* The machine does not have it any more. */
void local_addrs_forget(struct local_addrs *t, uint32_t number);

#endif
