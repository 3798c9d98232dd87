/* ecn_field.h: marks as they are in the IP header and in the counts of an ACK_ECN frame. */
#ifndef MESHD_NET_BASE_ECN_FIELD_H
#define MESHD_NET_BASE_ECN_FIELD_H

#include <stdbool.h>
#include <stdint.h>

/* The field in the IP header, RFC 3168 §5. */
enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

struct ecn_counts { /* packets */
    uint64_t ect0, ect1, ce;
};

static inline bool ecn_has_counts(const struct ecn_counts *c) {
    return (c->ect0 | c->ect1 | c->ce) != 0;
}

#endif
