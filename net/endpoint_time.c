/* endpoint_time.c: when the endpoint is to be called again, and what is done then. A session has
 * one place in the heap of deadlines (session_table.h): the earliest of its timers, set when it has
 * no more output (endpoint_output). These are all:
 *
 *   half-open or up
 *     hs_out->next_us        our INITIATION is repeated: HANDSHAKE_RETRY_US, then a quarter more
 *                            each time; where nobody waits HANDSHAKE_CALM_US, doubled each time
 *     hs_out->started_us     the attempt has failed: HANDSHAKE_ATTEMPT_US
 *     hs_in->expires_us      nobody has confirmed our answer: HALF_OPEN_US
 *   up
 *     confirm_us             CONFIRM is repeated: CONFIRM_RETRY_US, then a quarter more each time
 *     paths                  a PATH_CHALLENGE is repeated, given up: net/path/path_challenge.h; one
 *                            of several is asked again: net/path/path_list.h
 *     up_us                  where the peer is was not shown in SESSION_DEAD_US: it ends
 *     keys                   those before the last rekey go: crypto/noise/keys.h
 *     rekey_deadline_us      a silent peer is asked: SESSION_SILENT_US, or four round trips;
 *                            a rekey that failed is tried again: REKEY_PAUSE_US, doubled each time;
 *                            a peer is dead: SESSION_DEAD_US, it ends
 *   owed, or waited for (endpoint_silent)
 *     last_recv_us           a silent peer is asked: PEER_ASK_US; and it is told that it does not
 *                            answer: PEER_SILENT_US, or four round trips
 *   with a transport
 *     transport_deadline_us  losses, probes, acknowledgements, pacing, detaching an idle one; not
 *                            while all waits for new keys, and no sooner than in PATH_FULL_US while
 *                            the path may get no more
 *     endpoint_standby_due_us  nothing is acknowledged: the path in use is suspect
 *     tp->memory_us          writers that found no memory try again: MEMORY_RETRY_US
 *   without one
 *     last_use_us            nobody needs it: SESSION_IDLE_US, it ends; not if it is to be kept
 *   to be kept (endpoint_keepalive)
 *     sent_us                nothing was sent for the peer's keepalive_us: something is
 *     asked_us               a question is repeated: KEEPALIVE_ASK_US; after KEEPALIVE_ASKS it ends
 *   of a guest
 *     guest_us               it has nothing here: GUEST_IDLE_US, it ends
 *
 * Beside those of sessions: relay_server, relay_client (net/relay), and the questions for keys.
 *
 * What has no timer is looked at when it is used: the age of the keys when something is to be sent
 * (rekey_due), cookies and the secrets they are made with, the budgets of handshakes, when memory
 * was taken back last (reclaim_us).
 */
#include "net/handshake_int.h"

/* Nothing may leave until a handshake that is under way has given new keys: what the transport
 * wants to send does not count until then. */
static bool waits_for_keys(const struct session *s, uint64_t now_us) {
    return (s->hs_out || session_answering(s) || now_us < s->rekey_after_us) &&
           !keys_may_send(&s->keys, now_us, s->send_counter);
}

static uint64_t transport_due_us(const struct session *s, uint64_t now_us) {
    const uint64_t t = waits_for_keys(s, now_us) ? TIME_NEVER : transport_deadline_us(s->tp);
    /* What is due must not be sent before more has come from a path in doubt: then it is looked
     * at again anyhow, and now and then in between. */
    return t < now_us + PATH_FULL_US && paths_room(&s->paths) < MTU_MIN_BYTES
               ? now_us + PATH_FULL_US
               : t;
}

static void sooner(uint64_t *d, uint64_t us) {
    if (us < *d)
        *d = us;
}

uint64_t session_deadline_us(const struct session *s, uint64_t now_us) {
    uint64_t d = TIME_NEVER;
    if (s->hs_out) {
        sooner(&d, s->hs_out->next_us);
        sooner(&d, s->hs_out->started_us + HANDSHAKE_ATTEMPT_US);
    }
    if (session_answering(s))
        sooner(&d, s->hs_in->expires_us);
    if (s->state != SESSION_UP)
        return d;
    if (s->confirm_left > 0)
        sooner(&d, s->confirm_us);
    sooner(&d, paths_deadline_us(&s->paths));
    if (paths_doubtful(&s->paths))
        sooner(&d, s->up_us + SESSION_DEAD_US);
    sooner(&d, keys_previous_until_us(&s->keys));
    sooner(&d, rekey_deadline_us(s, now_us));
    sooner(&d, endpoint_silent_us(s));
    if (s->tp) {
        sooner(&d, transport_due_us(s, now_us));
        sooner(&d, endpoint_standby_due_us(s));
        if (s->tp->memory_us > 0)
            sooner(&d, s->tp->memory_us);
    } else if (s->peer->keepalive_us == 0) {
        sooner(&d, s->last_use_us + SESSION_IDLE_US);
    }
    sooner(&d, endpoint_keep_us(s));
    sooner(&d, endpoint_guest_us(s));
    return d;
}

/* A silent peer is asked, a dead one is given up. */
static void rekey_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (rekey_is_dead(s, now_us)) {
        rekey_failed(e, s, now_us, 0);
        return;
    }
    if (s->echo_count > 0)
        endpoint_maybe_rekey(e, s, now_us);
    if (!rekey_asks(s, now_us))
        return;
    if (rekey_asked_enough(s)) {
        endpoint_session_end(e, s, ERR_TIMEOUT);
        return;
    }
    /* Sent, but nothing heard: the peer may have forgotten us, or moved. A fresh handshake tells.
     */
    if (handshake_rekey(e, s, now_us))
        endpoint_session_end(e, s, ERR_NOMEM);
}

static void transport_timeouts(struct endpoint *e, struct session *s, uint64_t now_us) {
    endpoint_try_memory(s, now_us);
    transport_timeout(s->tp, now_us);
    endpoint_standby_timeout(e, s, now_us);
    endpoint_path_silent(e, s, now_us);
    if (endpoint_holds_back(s, now_us)) {
        e->counters.reclaimed++;
        endpoint_hang_up(e, s, now_us, ERR_TIMEOUT);
    }
}

/* One that has nothing here goes. */
static void guest_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (now_us < endpoint_guest_us(s))
        return;
    if (e->relay_server && relay_server_uses(e->relay_server, peer_ref_of(s->peer)))
        s->guest_us = now_us;
    else
        endpoint_hang_up(e, s, now_us, ERR_TIMEOUT);
}

static void up_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    keys_expire(&s->keys, e->aead, now_us);
    if (s->confirm_left > 0 && now_us >= s->confirm_us)
        handshake_confirm(e, s, now_us);
    rekey_timeout(e, s, now_us);
    if (s->state == SESSION_ENDED)
        return;
    if (paths_doubtful(&s->paths) && now_us >= s->up_us + SESSION_DEAD_US) {
        endpoint_session_end(e, s, ERR_TIMEOUT); /* nowhere may anything be sent */
        return;
    }
    endpoint_silent_timeout(e, s, now_us);
    endpoint_send_challenges(e, s, now_us);
    if (s->tp)
        transport_timeouts(e, s, now_us);
    else if (s->peer->keepalive_us == 0 && now_us >= s->last_use_us + SESSION_IDLE_US)
        endpoint_session_end(e, s, 0);
    if (s->state != SESSION_UP)
        return;
    if (now_us >= endpoint_keep_us(s)) {
        if (!keys_may_send(&s->keys, now_us, s->send_counter))
            endpoint_maybe_rekey(e, s, now_us);
        endpoint_keep(e, s, now_us);
    }
    if (s->state == SESSION_UP)
        guest_timeout(e, s, now_us);
}

static void session_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    handshake_initiation_timeout(e, s, now_us);
    if (s->state != SESSION_ENDED)
        handshake_answer_timeout(e, s, now_us);
    endpoint_make_ready(e, s);
    if (s->state == SESSION_UP)
        up_timeout(e, s, now_us);
}

uint64_t endpoint_deadline_us(const struct endpoint *e) {
    uint64_t d = timer_next_us(&e->sessions.timers);
    sooner(&d, endpoint_relay_us(e));
    sooner(&d, endpoint_key_ask_us(e));
    return d;
}

void endpoint_timeout(struct endpoint *e, uint64_t now_us) {
    e->told_us = now_us;
    endpoint_relay_timeout(e, now_us);
    endpoint_key_ask_timeout(e, now_us);
    for (struct session *s; (s = session_table_pop_due(&e->sessions, now_us));) {
        session_timeout(e, s, now_us);
        endpoint_reap(e); /* what it held counts for the next one */
    }
}
