#include "net/session/strangers.h"

#include <assert.h>
#include <string.h>

#include "net/session/session.h"

/* IPv4 addresses one by one, IPv6 ones by /56: what one subscriber has at least. */
static bool same_source(const struct hop *a, const struct hop *b) {
    const struct addr *x = hop_addr(a), *y = hop_addr(b);
    if (x->kind == ADDR_IPV6 && y->kind == ADDR_IPV6)
        return memcmp(x->ip, y->ip, 7) == 0;
    return hop_source(a) == hop_source(b);
}

static unsigned share(const struct strangers *t, const struct session *of) {
    unsigned tickets = 0, sources = 0;
    for (unsigned i = 0; i < t->count; i++) {
        const struct session *s = t->list[i];
        if (s->hs_in->ticket_id != of->hs_in->ticket_id)
            continue;
        tickets++;
        sources += same_source(session_hop(s), session_hop(of));
    }
    return tickets * (HALF_OPEN_MAX + 1) + sources;
}

static struct session *who_gives_way(const struct strangers *t) {
    unsigned worst = 0, most = 0;
    for (unsigned i = 0; i < t->count; i++) {
        unsigned n = share(t, t->list[i]);
        if (n > most) { /* of equals the oldest */
            most = n;
            worst = i;
        }
    }
    return t->list[worst];
}

struct session *strangers_crowded(const struct strangers *t) {
    return t->count == HALF_OPEN_MAX ? who_gives_way(t) : NULL;
}

void strangers_add(struct strangers *t, struct session *s) {
    assert(t->count < HALF_OPEN_MAX);
    t->list[t->count++] = s;
}

void strangers_remove(struct strangers *t, const struct session *s) {
    unsigned i = 0;
    while (i < t->count && t->list[i] != s)
        i++;
    if (i == t->count)
        return;
    t->count--;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i) * sizeof t->list[0]);
}
