/* relay_asks.h: what a client asks its relays, how often, and how flows and reservations end. On
 * the tables of relay_held.h; places are theirs. */
#ifndef MESHD_NET_RELAY_RELAY_ASKS_H
#define MESHD_NET_RELAY_RELAY_ASKS_H

#include "net/relay/relay_held.h"

/* An event about this flow. */
void relay_hold_tell(struct relay_held *t, uint32_t place, enum relay_event_kind kind,
                     uint8_t reason);
/* It is no more; whoever has it, or asked for it, is told. */
void relay_hold_over(struct relay_held *t, uint32_t place, uint8_t reason);
/* OPEN or CLOSE is said, once more; its timer is set. */
void relay_hold_ask(struct relay_held *t, uint64_t now_us, uint32_t place);
/* Another state, with nothing asked or to be said yet. */
void relay_hold_enter(struct relay_held *t, uint32_t place, enum relay_flow_state state);
/* It lives for so long from now on. */
void relay_hold_renewed(struct relay_held *t, uint64_t now_us, uint32_t place, uint16_t lifetime_s);
void relay_hold_timeout(struct relay_held *t, uint64_t now_us, uint32_t place);

/* RESERVE is said, once more. */
void relay_home_ask(struct relay_held *t, uint64_t now_us, uint32_t place);
/* There is no reservation (any more); who wished for it is told. */
void relay_home_over(struct relay_held *t, uint32_t place, uint8_t reason);
void relay_home_timeout(struct relay_held *t, uint64_t now_us, uint32_t place);

#endif
