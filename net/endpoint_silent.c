/* endpoint_silent.c: does the peer still answer? The user hears within two seconds if not, long
 * before the session is given up (rekey.c), and again as soon as anything is heard. Whatever was
 * sent and has to be answered, a stream's bytes, a datagram, an echo, a proof of keys, is a
 * question, and goes again by rules of its own: probe timeouts, the paths beside the one in use
 * (endpoint_standby.c), handshakes to all places known. Any word of the peer's, by any path, is an
 * answer. Who only receives has nothing out: in the middle of a stream that falls silent it asks, a
 * few times; and not once more before more has come, so that a stream that rests costs nothing.
 */
#include "net/handshake_int.h"
#include "net/wire/frame.h"

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* What was heard at that time was said half a round trip before. */
static uint64_t said_us(const struct session *s, uint64_t heard_us) {
    const uint64_t way_us = session_srtt_us(s) / 2;
    return heard_us > way_us ? heard_us - way_us : 0;
}

static uint64_t round_trips_us(const struct session *s, unsigned n) {
    const uint64_t us = n * session_srtt_us(s);
    return us < PEER_SILENT_MAX_US ? us : PEER_SILENT_MAX_US;
}

static uint64_t told_us(const struct session *s) {
    const uint64_t owes_us = rekey_owes_since_us(s), from_us = later(owes_us, s->away_us);
    if (s->silent || owes_us == TIME_NEVER)
        return TIME_NEVER;
    uint64_t us = from_us + PEER_SILENT_US;
    if (from_us == s->last_recv_us)
        us = said_us(s, from_us) + PEER_SILENT_US;
    else if (s->flow_asks > 0 && from_us == s->echoed_us) /* it was quiet before */
        us = from_us + PEER_ASKED_US;
    return later(us, from_us + round_trips_us(s, 4));
}

static uint64_t ask_us(const struct session *s) {
    const uint64_t from_us = later(s->last_recv_us, s->away_us);
    if (!s->tp || !s->tp->flows || s->flow_asks >= PEER_FLOW_ASKS)
        return TIME_NEVER;
    const uint64_t first_us =
        later(said_us(s, from_us) + PEER_FLOW_US, from_us + round_trips_us(s, 2));
    return first_us + s->flow_asks * later(PEER_FLOW_US, round_trips_us(s, 2));
}

uint64_t endpoint_silent_us(const struct session *s) {
    const uint64_t tell = told_us(s), ask = ask_us(s);
    return tell < ask ? tell : ask;
}

/* Without keys that may send a handshake is under way, which is a question, too. */
static void ask(struct endpoint *e, struct session *s, uint64_t now_us) {
    uint8_t frame[9] = {FRAME_ECHO};
    if (!transport_awaits(s->tp)) {
        s->tp->flows = false;
        return;
    }
    s->flow_asks++;
    e->counters.flows_asked++;
    endpoint_maybe_rekey(e, s, now_us);
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        return;
    store_le64(frame + 1, KEEPALIVE_ECHO);
    if (s->echoed_us == 0)
        s->echoed_us = now_us;
    s->sent_us = now_us;
    endpoint_send_frames(e, s, now_us, frame, sizeof frame);
}

void endpoint_silent_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    const uint64_t due_us = endpoint_silent_us(s);
    if (now_us < due_us)
        return;
    endpoint_make_ready(e, s);
    if (now_us - due_us > PEER_LATE_US) { /* what has come meanwhile was not read yet */
        s->away_us = now_us;
        return;
    }
    if (now_us >= ask_us(s))
        ask(e, s, now_us);
    if (now_us < told_us(s))
        return;
    s->silent = true;
    e->counters.peers_silent++;
    endpoint_tell(e, EP_SESSION_SILENT, s->peer, s, ERR_TIMEOUT);
}
