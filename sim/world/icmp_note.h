/* icmp_note.h: what a router or a host says of a datagram that it does not forward or take (RFC
 * 792, RFC 4443): a value. Who says it when, and how it finds back, is icmp.c's.
 */
#ifndef MESHD_SIM_WORLD_ICMP_NOTE_H
#define MESHD_SIM_WORLD_ICMP_NOTE_H

#include <stdint.h>

#include "net/base/addr.h"

enum icmp_kind {
    ICMP_TOO_BIG, /* type 3 code 4; IPv6: type 2 */
    ICMP_NO_HOST, /* nobody has the address: 3/1; 1/3 */
    ICMP_NO_PORT, /* nobody reads there: 3/3; 1/4. Nodes do not act on this and the one above */
    ICMP_KINDS
};
const char *icmp_name(enum icmp_kind k); /* "too_big", ... */

enum { ICMP_HEAD_BYTES = 64 };

struct icmp_note {
    enum icmp_kind kind;
    uint32_t host, nic;       /* who gets it, by which interface */
    uint32_t mtu_bytes;       /* too big: of the link, the whole IP packet */
    struct addr router;       /* its source; private if it comes from within the host's own site */
    struct addr from, to;     /* of the quoted packet */
    uint32_t bytes, head_len; /* its UDP payload; how much of that is quoted */
    uint8_t head[ICMP_HEAD_BYTES];
};

#endif
