/* endpoint_memory.c: what happens when the memory for streams is used up: writers wait and are told
 * when there is some again, and a session that holds much for nothing gives it back.
 */
#include "net/endpoint_int.h"

/* ---- sessions whose writers wait ---- */

static void tell_writable(struct transport *tp) {
    for (uint32_t k = 0; k < tp->hash_cap; k++)
        for (struct stream *s = tp->hash[k]; s; s = s->hash_next) {
            if (!s->writable_wanted || s->out.end - s->out.next > STREAM_SEND_BUFFER_BYTES / 2)
                continue;
            s->writable_wanted = false;
            transport_tell(tp, EP_STREAM_WRITABLE, s->id, 0);
        }
}

/* A whole block; or half of what is sure to it, which must do where others hold the rest. */
static bool may_go_on(const struct block_account *a) {
    return block_may(a, BLOCK_SEND_BULK, STREAM_BLOCK_BYTES) ||
           (a->sure_bytes[BLOCK_SEND] <= SEND_SURE_BYTES / 4 &&
            block_may(a, BLOCK_SEND_BULK, BLOCK_SMALL_BYTES));
}

void endpoint_feed_starved(struct endpoint *e) {
    const struct list *starved = &e->shares.starved;
    if (!starved->first || !block_pool_send_returned(e->blocks))
        return;
    for (struct list_link *x = starved->first, *next; x; x = next) {
        struct transport *tp = LIST_OWNER(x, struct transport, starved);
        next = list_after(starved, x);
        if (!may_go_on(tp->account))
            continue;
        transport_unstarve(tp);
        tell_writable(tp);
    }
}

void endpoint_short_of_memory(struct session *s, uint64_t now_us) {
    if (s->tp && list_has(&s->tp->starved) && s->tp->memory_us == 0 && may_go_on(s->tp->account))
        s->tp->memory_us = now_us + MEMORY_RETRY_US;
}

void endpoint_try_memory(struct session *s, uint64_t now_us) {
    if (s->tp->memory_us == 0 || now_us < s->tp->memory_us)
        return;
    transport_unstarve(s->tp);
    tell_writable(s->tp);
}

/* ---- taking back ---- */

/* What readers could read and do not is no fault of the peer's, but never more than the first
 * windows (transport_credit.c): much is held only by what lies ahead of gaps that the peer does not
 * fill. */
static uint64_t held_for_nothing(const struct session *s, uint64_t now_us) {
    if (s->state != SESSION_UP || s->closed || !s->tp || !transport_hoards_received(s->tp, now_us))
        return 0;
    return block_account_bytes(s->tp->account, BLOCK_RECV);
}

bool endpoint_holds_back(const struct session *s, uint64_t now_us) {
    const struct block_account *a = s->tp->account;
    return transport_hoards_sent(s->tp, now_us) &&
           block_account_bytes(a, BLOCK_SEND) > block_allowance(a, BLOCK_SEND_BULK);
}

void endpoint_reclaim(struct endpoint *e, const struct session *asking, uint64_t now_us) {
    if (now_us < e->reclaim_us)
        return;
    e->reclaim_us = now_us + RECLAIM_EVERY_US;
    struct session *most = NULL;
    uint64_t bytes = 0;
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));) {
        const uint64_t held = s != asking ? held_for_nothing(s, now_us) : 0;
        if (held > bytes) {
            bytes = held;
            most = s;
        }
    }
    if (!most)
        return;
    e->counters.reclaimed++;
    endpoint_hang_up(e, most, now_us, ERR_FULL);
}
