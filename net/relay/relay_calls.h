/* relay_calls.h: how often somebody is called. Ids cost nothing, so what one source (hop_source)
 * offers to one client has a bound of its own, whoever it says that it is: RELAY_CALLS_BURST flows
 * at once, then one in RELAY_CALL_US. Else one address could make a client hear of nothing but
 * flows that nobody means.
 *
 * A table of those who owe something, found by a keyed hash; where there is no room the one that
 * owes least gives way. Value struct; relay_calls_init sets the secret.
 */
#ifndef MESHD_NET_RELAY_RELAY_CALLS_H
#define MESHD_NET_RELAY_RELAY_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/rng.h"
#include "net/relay/relay_index.h"
#include "net/relay/relay_rate.h"

enum {
    RELAY_CALLS_BURST = 16,
    RELAY_CALL_US = 1000 * 1000,
    RELAY_CALLS_SETS = 512,
    RELAY_CALLS_WAYS = 4, /* pairs with the same hash; the table has 2,048: 48 KiB */
};

struct relay_call {
    uint64_t source;
    uint32_t client;
    struct relay_rate rate;
};

struct relay_calls {
    struct relay_index hash; /* its secret alone */
    struct relay_call *list; /* NULL until the first */
};

void relay_calls_init(struct relay_calls *t, const struct rng *rng);
void relay_calls_clear(struct relay_calls *t);
size_t relay_calls_memory(const struct relay_calls *t);
/* One more from this source to the client at this place. False: not now; nothing is taken. Without
 * memory nobody has a bound. */
bool relay_calls_take(struct relay_calls *t, uint64_t now_us, uint64_t source,
                      uint32_t client) MUST_USE;

#endif
