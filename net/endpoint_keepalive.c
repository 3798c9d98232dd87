/* endpoint_keepalive.c: sessions that are kept though nobody uses them: through networks that
 * forget who is silent, and so that it is noticed when the peer is gone. A small packet when
 * nothing has been sent for the interval, each KEEPALIVE_ASK_EVERYth time an ECHO; an ECHO that is
 * not answered is repeated every KEEPALIVE_ASK_US, and KEEPALIVE_ASKS of them in a row without a
 * word of the peer's end the session. Keys are renewed for it only when the old ones may not be
 * used any more.
 */
#include "net/endpoint_int.h"
#include "net/wire/frame.h"

int endpoint_keepalive(struct endpoint *e, uint64_t now_us, struct peer_ref r,
                       uint64_t interval_us) {
    struct peer *p = peers_by_ref(&e->peers, r);
    if (!p)
        return ERR_NOT_FOUND;
    if (interval_us > 0 && (interval_us < KEEPALIVE_MIN_US || interval_us > KEEPALIVE_MAX_US))
        return ERR_USAGE;
    p->keepalive_us = interval_us;
    if (!p->session)
        return 0;
    if (interval_us == 0)
        p->session->last_use_us = now_us; /* from now on it may grow idle */
    endpoint_make_ready(e, p->session);   /* its deadline is another */
    return 0;
}

static bool waits_for_answer(const struct session *s) {
    return s->asks > 0 && s->last_recv_us < s->asked_us;
}

/* What leaves through it has left since it was last told where we are: it would not forward from
 * another place. */
static bool is_busy(const struct session *s) {
    return s->forward_us > s->sent_us;
}

uint64_t endpoint_keep_us(const struct session *s) {
    const uint64_t every_us = s->peer->keepalive_us;
    if (every_us == 0)
        return TIME_NEVER;
    if (waits_for_answer(s))
        return s->asked_us + KEEPALIVE_ASK_US;
    return s->sent_us + (is_busy(s) && every_us > KEEPALIVE_BUSY_US ? KEEPALIVE_BUSY_US : every_us);
}

static void ask(struct endpoint *e, struct session *s, uint64_t now_us) {
    uint8_t frame[9] = {FRAME_ECHO};
    store_le64(frame + 1, KEEPALIVE_ECHO);
    s->asks = waits_for_answer(s) ? s->asks + 1 : 1;
    s->asked_us = s->sent_us = now_us;
    if (s->echoed_us == 0)
        s->echoed_us = now_us; /* so that a handshake asks, too: the peer may have restarted */
    endpoint_send_frames(e, s, now_us, frame, sizeof frame);
    endpoint_make_ready(e, s);
}

void endpoint_keep_asks(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->peer->keepalive_us > 0 && !waits_for_answer(s))
        ask(e, s, now_us);
}

void endpoint_keep(struct endpoint *e, struct session *s, uint64_t now_us) {
    /* More than a probe, so that who has moved is followed, and than a proof of new keys, so that
     * it is use. */
    static const uint8_t here[] = {FRAME_CONFIRMED, FRAME_PADDING};
    if (now_us < endpoint_keep_us(s))
        return;
    if (waits_for_answer(s) && s->asks >= KEEPALIVE_ASKS) {
        endpoint_session_end(e, s, ERR_TIMEOUT);
        return;
    }
    e->counters.keepalives++;
    if (waits_for_answer(s) || is_busy(s) || s->kept + 1 >= KEEPALIVE_ASK_EVERY ||
        !keys_may_send(&s->keys, now_us, s->send_counter)) {
        s->kept = 0;
        ask(e, s, now_us);
        return;
    }
    s->kept++;
    s->sent_us = now_us;
    endpoint_send_frames(e, s, now_us, here, sizeof here);
}
