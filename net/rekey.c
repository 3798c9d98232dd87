/* rekey.c: new keys for a session that is up: when, how often, and when the peer is dead. A rekey
 * that fails costs the session nothing as long as its keys are good and the peer is heard: it is
 * tried again. The session ends when something waits for the peer and nothing is heard of it for
 * SESSION_DEAD_US, whatever was under way when the silence began.
 */
#include "net/handshake_int.h"

/* The peer has answered, and since then not said a word in this session: it may have died right
 * after its answer, which left nothing of it behind. */
static bool unproved(const struct session *s) {
    return s->state == SESSION_UP && !s->keys.shown && s->pkts_received == 0;
}

static bool awaits_acks(const struct session *s) {
    return s->tp && s->tp->sent.outstanding > 0;
}

static bool owes_an_answer(const struct session *s) {
    return unproved(s) || s->echoed_us > 0 || awaits_acks(s);
}

/* Something waits for the peer. */
static bool wanted(const struct session *s) {
    return s->echo_count > 0 || owes_an_answer(s) ||
           (s->tp && (transport_has_work(s->tp) || ack_wanted(&s->tp->ack, TIME_NEVER - 1)));
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Since when it has been owing us an answer to what was sent, and has said nothing. */
static uint64_t quiet_since_us(const struct session *s) {
    const bool echo = s->echoed_us > 0 && (!awaits_acks(s) || s->echoed_us < s->busy_since_us);
    return later(s->last_recv_us, echo ? s->echoed_us : s->busy_since_us);
}

uint64_t rekey_owes_since_us(const struct session *s) {
    return owes_an_answer(s) ? quiet_since_us(s) : TIME_NEVER;
}

/* The same, where nothing could be sent since the keys were too old. */
static uint64_t dead_us(const struct session *s) {
    if (!s->hs_out || !wanted(s))
        return TIME_NEVER;
    uint64_t since =
        owes_an_answer(s) ? quiet_since_us(s) : later(s->last_recv_us, s->rekey_since_us);
    return since + SESSION_DEAD_US;
}

static uint64_t silent_us(const struct session *s) {
    const uint64_t srtt_us = session_srtt_us(s);
    /* Where handshakes pass and nothing else does, a further one tells nothing new. */
    if (!s->keys.shown || srtt_us > SESSION_SILENT_MAX_US / 4)
        return SESSION_SILENT_MAX_US;
    return later(SESSION_SILENT_US, 4 * srtt_us);
}

/* Not while an answer of ours waits for its proof: a second handshake would cross the first. */
static uint64_t ask_us(const struct session *s) {
    if (s->hs_out || session_answering(s) || !owes_an_answer(s))
        return TIME_NEVER;
    return later(quiet_since_us(s) + silent_us(s), s->rekey_after_us);
}

bool rekey_due(const struct session *s, uint64_t rekey_us, uint64_t now_us) {
    const struct keygen *g = &s->keys.current;
    uint64_t after = rekey_us;
    if (!s->initiator)
        after += after < KEYS_REKEY_US ? after / 4 : REKEY_RESPONDER_US;
    const bool old =
        now_us >= g->born_us + after || s->send_counter - g->first_counter >= KEYS_MAX_PACKETS / 2;
    return old && !s->hs_out && !session_answering(s) && now_us >= s->rekey_after_us;
}

void rekey_began(struct session *s, uint64_t now_us) {
    /* One after another, or the first since long. */
    if (s->rekeys_failed > 0 && now_us <= s->rekey_after_us + REKEY_PAUSE_MAX_US)
        return;
    s->rekeys_failed = 0;
    s->rekey_since_us = now_us;
}

void rekey_done(struct session *s) {
    s->rekeys_failed = 0;
    s->rekey_since_us = s->rekey_after_us = 0;
}

void rekey_failed(struct endpoint *e, struct session *s, uint64_t now_us, int denied) {
    const bool dead = rekey_is_dead(s, now_us);
    session_drop_hs_out(s);
    e->counters.rekeys_failed++;
    if (dead) {
        endpoint_session_end(e, s, denied ? denied : ERR_TIMEOUT);
        return;
    }
    /* In silence, or without keys that may send, there is nothing to lose by asking on; a refusal
     * comes fast, so that would be a storm. */
    bool pressing = !keys_may_send(&s->keys, now_us, s->send_counter) ||
                    (owes_an_answer(s) && now_us >= quiet_since_us(s) + silent_us(s));
    uint64_t pause = REKEY_PAUSE_US;
    for (unsigned i = 0; i < s->rekeys_failed && pause < REKEY_PAUSE_MAX_US; i++)
        pause *= 2;
    s->rekeys_failed++;
    s->rekey_after_us = now_us + (pressing && !denied ? 0 : pause);
    endpoint_make_ready(e, s);
}

uint64_t rekey_deadline_us(const struct session *s, uint64_t now_us) {
    uint64_t d = dead_us(s), ask = ask_us(s);
    if (ask < d)
        d = ask;
    /* What waits for new keys asks for them again after the pause. */
    if (!s->hs_out && now_us < s->rekey_after_us && s->rekey_after_us < d && wanted(s))
        d = s->rekey_after_us;
    return d;
}

bool rekey_is_dead(const struct session *s, uint64_t now_us) {
    return now_us >= dead_us(s);
}

bool rekey_asks(const struct session *s, uint64_t now_us) {
    return now_us >= ask_us(s);
}

bool rekey_asked_enough(struct session *s) {
    return unproved(s) && s->unproved_asks++ >= UNPROVED_ASKS;
}
