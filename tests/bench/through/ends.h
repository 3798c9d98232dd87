/* ends.h: the two ends of a pair that talks through a relay, each a UDP socket in a network
 * namespace, and the packets of known form that go from `a` to `b`. What comes to an end and is not
 * such a packet is the business of whoever made the pair: what a relay says to its clients.
 *
 * A packet: head (the relay's, 0..8 bytes) | 04 000000 | pair u32 | serial u64 | sent_ns u64 |
 * zeroes. Its beginning is that of a sealed packet, which some relays look at.
 */
#ifndef MESHD_BENCH_RELAY_ENDS_H
#define MESHD_BENCH_RELAY_ENDS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_MAX_BYTES = 8, PACKET_MIN_BYTES = 24, PAIRS_MAX = 256, RUN_MAX_BYTES = 65536 };

struct end {
    int fd;
    struct sockaddr_in at;
    /* A datagram that is no packet of ours; NULL: nobody minds. */
    void (*other)(void *ctx, uint8_t *buf, size_t len, const struct sockaddr_in *from);
    void *ctx;
};

struct pair {
    struct end a, b;
    struct sockaddr_in to; /* where a sends */
    uint8_t head[HEAD_MAX_BYTES];
    size_t head_bytes, head_in_bytes; /* before the packet, at a and at b */
    uint64_t next;                    /* serial of the next packet */
    uint64_t seen;                    /* all below it came, or are given up */
    uint64_t received, heard_ns;
};

uint64_t clock_ns(void);
_Noreturn void die(const char *what);

/* Opens the sockets, a's in the namespace `ns_a` at addr_a and so on; ports are the kernel's. Ends
 * the program if that fails. */
void pair_open(struct pair *p, const char *ns_a, const struct in_addr *addr_a, const char *ns_b,
               const struct in_addr *addr_b);
void pair_close(struct pair *p);
/* One datagram that is no packet of ours. */
void end_send(const struct end *e, const struct sockaddr_in *to, const void *data, size_t len);
/* `count` packets of `bytes` as one run, from pair `number`. */
void pair_send(struct pair *p, uint32_t number, unsigned count, size_t bytes);

/* What came for pair `number` at b and a, without waiting. For each packet that is the pair's own,
 * `each` (may be NULL) gets the time it was under way. A packet of another pair, or one that came
 * at a, ends the program: a relay that mixes up pairs is not measured. */
typedef void packet_fn(void *ctx, uint64_t took_ns);
void pair_receive(struct pair *p, uint32_t number, size_t bytes, packet_fn *each, void *ctx);

#endif
