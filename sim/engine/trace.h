/* trace.h: the fingerprint of a run: BLAKE2b-256 over every datagram's fate and every node event,
 * in order. A short digest of the running hash is kept per simulated second, so that two runs that
 * should be one can be compared second by second. Contents are not in it, only times, hosts,
 * lengths and kinds: so it is the same on machines that choose different ciphers.
 */
#ifndef MESHD_SIM_ENGINE_TRACE_H
#define MESHD_SIM_ENGINE_TRACE_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_BYTES = 32, TRACE_SECONDS_MAX = 1 << 20 };

struct trace { /* trace_clear when done */
    crypto_generichash_state state;
    uint64_t start_ns, records;
    uint64_t *seconds; /* digest at the end of each second */
    size_t second_count;
    uint32_t second_cap;
};

struct trace_record {
    uint64_t time_ns;
    uint32_t source, target, length;
    uint16_t
        kind; /* a fate, TRACE_ICMP + an icmp_kind, or TRACE_NODE_EVENT + a node event's kind */
    uint64_t detail; /* of a datagram: the source's interface << 8 | the target's */
};
enum { TRACE_ICMP = 128, TRACE_NODE_EVENT = 256 };

void trace_init(struct trace *t, uint64_t start_ns);
void trace_clear(struct trace *t);
void trace_add(struct trace *t, const struct trace_record *r);
void trace_hash(const struct trace *t, uint8_t out[static TRACE_BYTES]);
/* The first second (from 0) in which two runs differ; false if none of the whole seconds does. */
bool trace_first_difference(const struct trace *a, const struct trace *b, uint64_t *second);

#endif
