#include "net/relay/relay_calls.h"

#include "crypto/base/mem.h"

void relay_calls_init(struct relay_calls *t, const struct rng *rng) {
    *t = (struct relay_calls){0};
    rng_fill(rng, t->hash.secret, sizeof t->hash.secret);
}

void relay_calls_clear(struct relay_calls *t) {
    mem_free(t->list);
    *t = (struct relay_calls){0};
}

size_t relay_calls_memory(const struct relay_calls *t) {
    return t->list ? RELAY_CALLS_SETS * RELAY_CALLS_WAYS * sizeof *t->list : 0;
}

/* Its entry, or the one of its set that owes least. */
static struct relay_call *find(struct relay_calls *t, uint64_t source, uint32_t client) {
    const uint64_t key[2] = {source, client};
    const uint32_t set = relay_index_hash(&t->hash, key, sizeof key) % RELAY_CALLS_SETS;
    struct relay_call *first = &t->list[set * RELAY_CALLS_WAYS], *least = first;
    for (struct relay_call *c = first; c < first + RELAY_CALLS_WAYS; c++) {
        if (c->source == source && c->client == client)
            return c;
        if (c->rate.paid_ns < least->rate.paid_ns)
            least = c;
    }
    return least;
}

bool relay_calls_take(struct relay_calls *t, uint64_t now_us, uint64_t source, uint32_t client) {
    enum { AHEAD_US = (RELAY_CALLS_BURST - 1) * RELAY_CALL_US };
    if (!t->list)
        t->list = mem_calloc(RELAY_CALLS_SETS * (size_t)RELAY_CALLS_WAYS, sizeof *t->list);
    if (!t->list)
        return true;
    struct relay_call *c = find(t, source, client);
    if (c->source != source || c->client != client)
        *c = (struct relay_call){.source = source, .client = client};
    if (!relay_rate_may(&c->rate, now_us, AHEAD_US))
        return false;
    relay_rate_take_ns(&c->rate, now_us, RELAY_CALL_US * UINT64_C(1000));
    return true;
}
