/* endpoint_silent.c: does the peer still answer? The user hears within two seconds if not, long
 * before the session is given up (rekey.c), and again as soon as anything is heard. Whatever was
 * sent and has to be answered, a stream's bytes, a datagram, an echo, a proof of keys, is a
 * question, and goes again by rules of its own: probe timeouts, the paths beside the one in use
 * (endpoint_standby.c), handshakes to all places known; and a few ECHOs, so that there are
 * questions enough in the time. Any word of the peer's, by any path, is an answer. Who only
 * receives has nothing out: in the middle of a stream that falls silent it asks in the same way;
 * and once it is answered not again before more has come, so that a stream that rests costs
 * nothing.
 */
#include "net/handshake_int.h"
#include "net/wire/frame.h"

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Where it counts from what was heard last: that was said half a round trip before. */
static uint64_t said_us(const struct session *s, uint64_t from_us) {
    const uint64_t way_us = session_srtt_us(s) / 2;
    return from_us == s->last_recv_us && from_us > way_us ? from_us - way_us : from_us;
}

/* So many quarters of a round trip. */
static uint64_t quarters_us(const struct session *s, unsigned n) {
    const uint64_t us = n * session_srtt_us(s) / 4;
    return us < PEER_SILENT_MAX_US ? us : PEER_SILENT_MAX_US;
}

static uint64_t told_us(const struct session *s) {
    const uint64_t owes_us = rekey_owes_since_us(s), from_us = later(owes_us, s->away_us);
    if (s->silent || owes_us == TIME_NEVER)
        return TIME_NEVER;
    const bool flow = s->flow_asked_us > 0 && from_us == s->flow_asked_us;
    const uint64_t span_us = from_us == s->last_recv_us ? PEER_QUIET_US
                             : flow                     ? PEER_ASKED_US
                                                        : PEER_SILENT_US;
    return later(said_us(s, from_us) + span_us, from_us + quarters_us(s, 16));
}

static uint64_t ask_us(const struct session *s) {
    const uint64_t owes_us = rekey_owes_since_us(s);
    const bool flows = s->tp && s->tp->flows, owes = owes_us != TIME_NEVER;
    /* Keys of ours that it has not shown are asked for anyhow: CONFIRM. */
    if (s->silent_asks >= PEER_ASKS || !s->keys.shown || (!flows && !owes))
        return TIME_NEVER;
    const uint64_t since_us = owes && s->flow_asked_us == 0 ? owes_us : s->last_recv_us;
    const uint64_t every_us = later(PEER_ASK_US, quarters_us(s, 5));
    return said_us(s, later(since_us, s->away_us)) + (s->silent_asks + 1u) * every_us;
}

uint64_t endpoint_silent_us(const struct session *s) {
    const uint64_t tell = told_us(s), ask = ask_us(s);
    return tell < ask ? tell : ask;
}

/* Without keys that may send a handshake is under way, which is a question, too. */
static void ask(struct endpoint *e, struct session *s, uint64_t now_us) {
    uint8_t frame[9] = {FRAME_ECHO};
    const bool owes = rekey_owes_since_us(s) != TIME_NEVER;
    if (!owes && !transport_awaits(s->tp)) {
        s->tp->flows = false;
        return;
    }
    s->silent_asks++;
    e->counters.silences_asked++;
    endpoint_maybe_rekey(e, s, now_us);
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        return;
    store_le64(frame + 1, KEEPALIVE_ECHO);
    if (!owes)
        s->flow_asked_us = now_us;
    if (s->echoed_us == 0)
        s->echoed_us = now_us;
    s->sent_us = now_us;
    endpoint_send_frames(e, s, now_us, frame, sizeof frame);
}

/* This machine slept, or had no time for so long: what has come was not read yet, so it waits as
 * much longer, and asks anew if it may have been forgotten. False: it was here. */
static bool was_away(struct session *s, uint64_t now_us, uint64_t late_us) {
    if (late_us <= PEER_LATE_US)
        return false;
    if (late_us >= PEER_SILENT_US) {
        late_us = PEER_SILENT_US;
        s->silent_asks = 0;
    }
    s->away_us = now_us + late_us - PEER_SILENT_US;
    return true;
}

void endpoint_silent_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (now_us < endpoint_silent_us(s))
        return;
    endpoint_make_ready(e, s);
    if (now_us >= ask_us(s))
        ask(e, s, now_us);
    const uint64_t tell_us = told_us(s);
    if (now_us < tell_us || was_away(s, now_us, now_us - tell_us))
        return;
    s->silent = true;
    e->counters.peers_silent++;
    endpoint_tell(e, EP_SESSION_SILENT, s->peer, s, ERR_TIMEOUT);
}
