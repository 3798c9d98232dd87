#include <string.h>

#include "net/endpoint_int.h"

/* Who pays when there are too many: whoever has most of them. A ticket's holder can make as many
 * identities as it likes, but not tickets, and addresses not as easily; so first the ticket with
 * the most half-open handshakes is looked for, then among those the source. */

/* IPv4 addresses one by one, IPv6 ones by /56: what one subscriber has at least. */
static bool same_source(const struct addr *a, const struct addr *b) {
    return a->kind == b->kind && memcmp(a->ip, b->ip, a->kind == ADDR_IPV6 ? 7 : 4) == 0;
}

static unsigned share(const struct endpoint *e, const struct session *of) {
    unsigned tickets = 0, sources = 0;
    for (unsigned i = 0; i < e->stranger_count; i++) {
        const struct session *s = e->strangers[i];
        if (s->hs_in->ticket_id != of->hs_in->ticket_id)
            continue;
        tickets++;
        sources += same_source(&s->path.remote, &of->path.remote);
    }
    return tickets * (HALF_OPEN_MAX + 1) + sources;
}

static struct session *who_gives_way(const struct endpoint *e) {
    unsigned worst = 0, most = 0;
    for (unsigned i = 0; i < e->stranger_count; i++) {
        unsigned n = share(e, e->strangers[i]);
        if (n > most) { /* of equals the oldest */
            most = n;
            worst = i;
        }
    }
    return e->strangers[worst];
}

void strangers_add(struct endpoint *e, struct session *s) {
    if (e->stranger_count == HALF_OPEN_MAX) {
        e->counters.strangers_dropped++;
        endpoint_session_end(e, who_gives_way(e), ERR_FULL);
    }
    e->strangers[e->stranger_count++] = s;
}

void strangers_remove(struct endpoint *e, const struct session *s) {
    unsigned i = 0;
    while (i < e->stranger_count && e->strangers[i] != s)
        i++;
    if (i == e->stranger_count)
        return;
    e->stranger_count--;
    memmove(&e->strangers[i], &e->strangers[i + 1],
            (e->stranger_count - i) * sizeof e->strangers[0]);
}
