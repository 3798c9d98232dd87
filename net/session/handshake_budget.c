#include "net/session/handshake_budget.h"

#include "crypto/base/mem.h"
#include "net/base/limits.h"

/* What one more would make of it; false: that is more than `burst` ahead of time. */
static bool owes(uint64_t *paid_us, uint64_t now_us, uint64_t interval_us, uint64_t burst) {
    const uint64_t from_us = *paid_us > now_us ? *paid_us : now_us;
    *paid_us = from_us + interval_us;
    return *paid_us - now_us <= burst * interval_us;
}

static struct budget_source *find(struct handshake_budget *b, uint64_t key) {
    struct budget_source *least = &b->sources[0];
    for (unsigned i = 0; i < HANDSHAKE_SOURCES_MAX; i++) {
        struct budget_source *s = &b->sources[i];
        if (s->key == key)
            return s;
        if (s->paid_us < least->paid_us)
            least = s;
    }
    return least;
}

bool handshake_budget_take(struct handshake_budget *b, uint64_t now_us, const struct hop *from) {
    if (!b->sources)
        b->sources = mem_calloc(HANDSHAKE_SOURCES_MAX, sizeof *b->sources);
    if (!b->sources)
        return false;
    const uint64_t key = hop_source(from);
    struct budget_source *s = find(b, key);
    uint64_t source_us = s->key == key ? s->paid_us : 0, all_us = b->paid_us;
    if (!owes(&source_us, now_us, HANDSHAKE_SOURCE_US, HANDSHAKE_SOURCE_BURST) ||
        !owes(&all_us, now_us, HANDSHAKE_ALL_US, HANDSHAKE_ALL_BURST))
        return false;
    *s = (struct budget_source){key, source_us};
    b->paid_us = all_us;
    return true;
}

void handshake_budget_clear(struct handshake_budget *b) {
    mem_free(b->sources);
    *b = (struct handshake_budget){0};
}
