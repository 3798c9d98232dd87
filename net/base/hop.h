/* hop.h: what a datagram comes by and is answered by: a UDP socket of ours and an address, a flow
 * through a relay, or a connection of a byte pipe. Everything above the edge hands hops on whole;
 * what is in one is asked here, with one switch over all kinds a question.
 *
 * A hop without a kind, and one of a kind that is not known here, is no place: it equals nothing,
 * not even itself. Value struct; all zeroes is HOP_NONE.
 */
#ifndef MESHD_NET_BASE_HOP_H
#define MESHD_NET_BASE_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/base/addr.h"
#include "net/base/ref.h"

/* The kinds' numbers stand before the bytes of hop_write, where those of enum addr_kind stand,
 * too. */
enum hop_kind { HOP_NONE = 0, HOP_UDP = 1, HOP_RELAY = 2, HOP_PIPE = 3 };

/* Where a datagram came in: the low bits are the number of our socket, the others which of its
 * addresses, known to the edge alone. Two equal ones are one place. */
#define LOCAL_ANY UINT32_MAX
enum { LOCAL_SOCKET_BITS = 5, LOCAL_SOCKETS_MAX = 1 << LOCAL_SOCKET_BITS };

struct hop {
    uint8_t kind; /* enum hop_kind: which of these it is */
    union {
        struct {
            uint32_t local; /* LOCAL_ANY: by whatever socket gets there */
            struct addr remote;
        } udp;
        struct {
            struct peer_ref by;
            uint32_t flow; /* one of the relay's */
        } relay;
        struct {
            uint64_t id; /* never given twice */
        } pipe;
    };
};

enum { HOP_BYTES_MAX = 23 };

struct hop hop_udp(const struct addr *remote, uint32_t local);
/* The same place at the other end, by whatever socket of ours. */
struct hop hop_by_any_socket(const struct hop *h);
bool hop_equal(const struct hop *a, const struct hop *b);
/* The other end is the same, whatever ours is. */
bool hop_same_place(const struct hop *a, const struct hop *b);
/* `at` is the hop, or one of those that it stands for (LOCAL_ANY). */
bool hop_covers(const struct hop *h, const struct hop *at);
/* The other end is this address, and nobody stands between. */
bool hop_is_to(const struct hop *h, const struct addr *a);
/* The address at the other end, of kind ADDR_NONE if it has none. */
const struct addr *hop_addr(const struct hop *h);
/* The socket of ours it is bound to; -1: none. */
static inline int hop_socket(const struct hop *h) {
    return h->kind == HOP_UDP && h->udp.local != LOCAL_ANY
               ? (int)(h->udp.local & (LOCAL_SOCKETS_MAX - 1))
               : -1;
}

/* What a cookie is bound to, who holds it has been reached there: bytes that are the same for two
 * hops only if those are the same place. Returns how many; never 0. */
size_t hop_write(const struct hop *h, uint8_t out[static HOP_BYTES_MAX]);
/* Whose it is, as far as a bound for each source counts: a number for an IPv4 address, an IPv6 /56
 * (what one customer gets, RFC 6177; hosts on a link share its prefix, so there the interface
 * counts), a relay, a connection. Never 0. */
uint64_t hop_source(const struct hop *h);

#endif
