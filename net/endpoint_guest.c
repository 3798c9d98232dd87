/* endpoint_guest.c: guests of a relay: peers that nobody has named. Their entry goes with their
 * session, as that of a stranger with a ticket does (endpoint_reap).
 */
#include "net/endpoint_int.h"

bool endpoint_guest_room(const struct endpoint *e, const struct hop *from) {
    return e->relay_server && guests_room(&e->guests, hop_source(from));
}

bool endpoint_guest_comes(struct endpoint *e, struct peer *p, const struct hop *from) {
    const uint64_t source = hop_source(from);
    if (!e->relay_server || !guests_add(&e->guests, source)) {
        e->counters.guests_refused++;
        return false;
    }
    p->stranger = false;
    p->guest = true;
    p->guest_source = source;
    e->counters.guests_up++;
    return true;
}

uint64_t endpoint_guest_us(const struct session *s) {
    return s->peer->guest ? s->guest_us + GUEST_IDLE_US : TIME_NEVER;
}

void endpoint_guest_named(struct endpoint *e, struct peer *p) {
    if (!p->guest)
        return;
    p->guest = false;
    guests_remove(&e->guests, p->guest_source);
}
