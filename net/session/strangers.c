/* strangers.c: each entry knows how many share with it what they share: kept up as others come and
 * go, so that nobody has to look at all pairs when one more asks.
 */
#include "net/session/strangers.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/limits.h"
#include "net/session/session.h"

/* Those of one ticket count together, and of these those of one source. `x` comes or goes. */
static void count(struct strangers *t, struct half_open *x, bool comes) {
    const unsigned by = comes ? 1 : -1u;
    for (unsigned i = 0; i < t->count; i++) {
        struct half_open *s = &t->list[i];
        if (s->ticket_id != x->ticket_id || s == x)
            continue;
        const bool same = s->source == x->source;
        s->by_ticket += by;
        s->by_source += same ? by : 0;
        x->by_ticket += comes;
        x->by_source += comes && same;
    }
}

static struct session *who_gives_way(const struct strangers *t) {
    unsigned worst = 0, most = 0;
    for (unsigned i = 0; i < t->count; i++) {
        const unsigned n = t->list[i].by_ticket * (HALF_OPEN_MAX + 1) + t->list[i].by_source;
        if (n > most) { /* of equals the oldest */
            most = n;
            worst = i;
        }
    }
    return t->list[worst].session;
}

struct session *strangers_crowded(const struct strangers *t) {
    return t->count == HALF_OPEN_MAX ? who_gives_way(t) : NULL;
}

bool strangers_add(struct strangers *t, struct session *s) {
    assert(t->count < HALF_OPEN_MAX);
    if (!mem_grow(&t->list, &t->cap, t->count + 1, sizeof t->list[0], HALF_OPEN_MAX))
        return false;
    struct half_open *x = &t->list[t->count++];
    *x = (struct half_open){.session = s,
                            .ticket_id = s->hs_in->ticket_id,
                            .source = hop_source(session_hop(s)),
                            .by_ticket = 1,
                            .by_source = 1};
    count(t, x, true);
    return true;
}

void strangers_remove(struct strangers *t, const struct session *s) {
    unsigned i = 0;
    while (i < t->count && t->list[i].session != s)
        i++;
    if (i == t->count)
        return;
    count(t, &t->list[i], false);
    t->count--;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i) * sizeof t->list[0]);
}

void strangers_clear(struct strangers *t) {
    mem_free(t->list);
    *t = (struct strangers){0};
}
