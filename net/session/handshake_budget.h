/* handshake_budget.h: how much X25519 may be asked for by those who have proved their address.
 *
 * A cookie proves an address, not good will: somebody who owns one could have every INITIATION
 * read. So each source (hop_source: an IPv4 address, what one customer gets of IPv6) has a token
 * bucket, and all together have one more: a share of one core. Buckets are kept as one time each
 * (GCRA, ITU-T I.371): the time at which all that was taken is paid off. A source that owes nothing
 * needs no entry; when the table is full, the source that owes least gives way, so that only the
 * bucket for all holds whoever owns more sources than the table has places. Asked only under load,
 * after the cookie: an address that is not proved must not use up its owner's bucket.
 */
#ifndef MESHD_NET_SESSION_HANDSHAKE_BUDGET_H
#define MESHD_NET_SESSION_HANDSHAKE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/hop.h"

struct budget_source {
    uint64_t key; /* of hop_source */
    uint64_t paid_us;
};

struct handshake_budget { /* all zeroes: nothing taken */
    uint64_t paid_us;
    struct budget_source *sources; /* HANDSHAKE_SOURCES_MAX; NULL until the first is asked for */
};

/* One handshake for whom this is. False: not now; nothing is taken. Also without memory. */
bool handshake_budget_take(struct handshake_budget *b, uint64_t now_us, const struct hop *from);
void handshake_budget_clear(struct handshake_budget *b);

#endif
