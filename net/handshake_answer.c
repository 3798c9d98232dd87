/* handshake_answer.c: the side that is asked: who may come in, the answer, and its confirmation. */
#include "crypto/base/mem.h"
#include "net/handshake_int.h"

#include <sodium.h>
#include <string.h>

#include "net/wire/frame.h"

static const uint8_t zeroes[CHALLENGE_BYTES];

static void send_retry(struct endpoint *e, const struct hop *to, const uint8_t *initiation,
                       const uint8_t *cookie, const uint8_t *challenge) {
    uint8_t msg[RETRY_BYTES] = {PACKET_RETRY};
    memcpy(msg + 4, initiation + 4, 4);
    rng_fill(&e->rng, msg + 8, COOKIE_NONCE_BYTES);
    cookie_seal(&e->identity.transport_public, msg + 8,
                initiation + INITIATION_BYTES - 2 * MAC_BYTES, cookie, challenge,
                msg + 8 + COOKIE_NONCE_BYTES);
    endpoint_queue_small(e, NULL, to, msg, sizeof msg);
}

/* The caller alone can tell that it is refused by us, and why. */
static void send_refusal(struct endpoint *e, const struct hop *to, const uint8_t *initiation,
                         const struct noise *n, enum refusal why) {
    uint8_t msg[RETRY_BYTES] = {PACKET_RETRY};
    memcpy(msg + 4, initiation + 4, 4);
    if (!handshake_refusal(n, why, initiation, msg + 8))
        return;
    cookie_seal(&e->identity.transport_public, msg + 8,
                initiation + INITIATION_BYTES - 2 * MAC_BYTES, zeroes, zeroes,
                msg + 8 + COOKIE_NONCE_BYTES);
    endpoint_queue_small(e, NULL, to, msg, sizeof msg);
}

/* Two million handshakes a second can be asked for, some 10,000 done: above the limit only who
 * shows a cookie for its address is served. Load is counted in messages per second. */
static bool under_load(struct endpoint *e, uint64_t now_us) {
    uint64_t second = now_us / 1000000;
    if (second != e->load_second) {
        e->load_second = second;
        e->load_count = 0;
    }
    return ++e->load_count > HANDSHAKE_LOAD_PER_S;
}

struct request { /* an initiation that was read */
    struct noise noise;
    struct initiation in;
    uint32_t sender;
    const uint8_t *msg;
    const struct hop *from;
    struct peer *peer; /* NULL: a stranger with a ticket, or a guest, who gets an entry with the
                        * answer only */
    struct psk psk;
    bool by_ticket, proved;
    bool guest; /* without a secret, and not known */
};

/* What a challenge is bound to: it is worth one confirmed handshake of this key. */
static size_t challenge_bind(const struct request *q, uint8_t *out) {
    memcpy(out, noise_remote(&q->noise)->bytes, DH_KEY_BYTES);
    store_le64(out + DH_KEY_BYTES, q->peer ? q->peer->accepted : 0);
    return DH_KEY_BYTES + 8;
}

/* Who may come in, and with which secret: 0, or why not. Looks only: what an initiation says may be
 * a replay, and nothing of it is kept before its answer is confirmed. */
static unsigned admit(struct endpoint *e, uint64_t now_us, struct request *q) {
    const struct dh_public *key = noise_remote(&q->noise);
    struct peer *p = peers_by_id(&e->peers, &q->in.cert.id);
    const bool known = p && !p->stranger;
    if (known && !peers_key_counts(p, &q->in.cert, key))
        return REFUSAL_KEY;
    q->peer = p;
    if (known && q->in.psk_id == 0 && p->setup.psk_count == 0)
        return 0;
    for (unsigned i = 0; known && i < p->setup.psk_count; i++) {
        if (psk_id(&p->setup.psks[i]) != q->in.psk_id)
            continue;
        q->psk = p->setup.psks[i];
        q->by_ticket = p->setup.pairing && i + 1 == p->setup.psk_count;
        return 0;
    }
    const struct open_ticket *t =
        q->in.psk_id ? open_tickets_find(&e->tickets, now_us, q->in.psk_id) : NULL;
    if (!t && !known && q->in.psk_id == 0 && e->relay_server) {
        q->guest = true;
        return endpoint_guest_room(e, q->from) ? 0 : REFUSAL_FULL;
    }
    if (!t)
        return known ? REFUSAL_SECRET : REFUSAL_UNKNOWN;
    q->psk = t->secret;
    q->by_ticket = true;
    return 0;
}

/* The answers to this peer that wait for their proof: of a new session, of a rekey. */
static unsigned answers_of(const struct peer *p, struct session *out[2]) {
    unsigned n = 0;
    if (p && p->answered)
        out[n++] = p->answered;
    if (p && p->session && p->session->hs_in)
        out[n++] = p->session;
    return n;
}

/* An initiation seen before is answered as before; an older one must prove that it is not a replay.
 * Of several whose answers are unconfirmed the newest counts, so that no replay takes the place of
 * a genuine one: the greatest timestamp, and before that who has met a challenge. */
static bool fresh(struct endpoint *e, uint64_t now_us, struct request *q) {
    struct session *waiting[2];
    unsigned n_waiting = answers_of(q->peer, waiting);
    uint64_t newest_us = q->peer ? q->peer->last_timestamp_us : 0, newest_proved_us = 0;
    bool proved_waits = false;
    for (unsigned i = 0; i < n_waiting; i++) {
        struct hs_in *h = waiting[i]->hs_in;
        if (memcmp(q->msg + 8, h->ephemeral, sizeof h->ephemeral) == 0) {
            endpoint_path_doubt(e, waiting[i], now_us, q->from);
            endpoint_queue_small(e, q->peer, q->from, h->response, RESPONSE_BYTES);
            h->sent_us = 0;
            return false;
        }
        if (h->timestamp_us > newest_us)
            newest_us = h->timestamp_us;
        if (h->proved && h->timestamp_us > newest_proved_us)
            newest_proved_us = h->timestamp_us;
        proved_waits |= h->proved;
    }
    uint8_t bind[DH_KEY_BYTES + 8], challenge[CHALLENGE_BYTES];
    size_t n = challenge_bind(q, bind);
    if (q->in.timestamp_us > newest_us && !proved_waits)
        return true;
    if (cookie_challenge_ok(&e->jar, &e->rng, now_us, bind, n, q->in.challenge)) {
        q->proved = true;
        return q->in.timestamp_us > newest_proved_us;
    }
    e->counters.handshake_stale++;
    e->counters.challenges_sent++;
    cookie_challenge(&e->jar, &e->rng, now_us, bind, n, challenge);
    send_retry(e, q->from, q->msg, zeroes, challenge);
    return false;
}

/* Ours is the greater key: of two that are opened or renewed at once, ours comes first. */
static bool greater(const struct endpoint *e, const struct request *q) {
    return memcmp(&e->identity.transport_public, noise_remote(&q->noise), DH_KEY_BYTES) > 0;
}

/* Both opened at once: the one with the greater transport key insists for a while, the other
 * yields. */
static bool insist(struct endpoint *e, uint64_t now_us, const struct request *q) {
    const struct peer *p = q->peer;
    const struct session *s = p && p->dial ? p->dial : p ? p->session : NULL;
    if (!s || !s->hs_out)
        return false;
    e->counters.simultaneous_open++;
    return greater(e, q) && now_us < s->hs_out->started_us + OPEN_YIELD_US;
}

enum meant { MEANT_NOTHING, MEANT_REKEY, MEANT_NEW };

/* What an initiation that names the session that is up is about. */
static enum meant about(struct endpoint *e, uint64_t now_us, struct session *s,
                        const struct request *q) {
    const uint8_t epoch = q->in.epoch;
    /* The one after an answer of ours: the peer has taken that, only its proof was lost. */
    if (s->keys.next.valid && epoch == (uint8_t)(s->keys.next.epoch + 1) &&
        epoch != (uint8_t)(s->keys.current.epoch + 1)) {
        handshake_confirmed(e, s, now_us);
        if (s->state == SESSION_ENDED)
            return MEANT_NOTHING;
    }
    if (epoch == s->keys.current.epoch) {
        /* Either it has crossed ours, which has been answered since: it is void. Or the peer does
         * not know that we have its answer, since our proof was lost: here it is again. */
        e->counters.simultaneous_open++;
        if (!s->keys.shown)
            handshake_confirm_again(e, s, now_us);
        return MEANT_NOTHING;
    }
    if (epoch != (uint8_t)(s->keys.current.epoch + 1))
        return MEANT_NEW;
    /* So it has our keys of now. */
    if (!s->keys.shown)
        handshake_shown(s, now_us);
    return MEANT_REKEY;
}

/* Who may still be let in, and is, into a new session or with new keys: what that costs, nobody who
 * has not proved himself can bring about. */
static bool opens_too_often(struct endpoint *e, uint64_t now_us, const struct peer *p) {
    const uint64_t burst_us = (uint64_t)(PEER_OPEN_BURST - 1) * PEER_OPEN_US;
    const bool often = p && p->opened_full_us > now_us + burst_us;
    e->counters.handshakes_limited += often;
    return often;
}

static void opened(struct peer *p, uint64_t now_us) {
    p->opened_full_us = (p->opened_full_us > now_us ? p->opened_full_us : now_us) + PEER_OPEN_US;
}

/* The session that this initiation is for: the one that is up (a rekey), or a new one. */
static struct session *session_for(struct endpoint *e, uint64_t now_us, struct request *q,
                                   bool *continues) {
    struct peer *p = q->peer;
    struct session *s = p ? p->session : NULL;
    *continues = false;
    if (s && s->id == q->in.session_id && s->remote_index == q->sender) {
        enum meant m = about(e, now_us, s, q);
        if (m == MEANT_NOTHING)
            return NULL;
        if (m == MEANT_REKEY) {
            if (opens_too_often(e, now_us, p))
                return NULL;
            *continues = true;
            if (!greater(e, q))
                session_drop_hs_out(s); /* yielded; else both might, and none would be left */
            return s;
        }
    } else if (s && !s->keys.shown && now_us < s->up_us + OPEN_YIELD_US) {
        /* It has crossed ours, which has been answered, but it does not know that yet. */
        e->counters.simultaneous_open++;
        handshake_confirm_again(e, s, now_us);
        return NULL;
    }
    if (opens_too_often(e, now_us, p))
        return NULL;
    if (!p) {
        p = q->peer = peers_add(&e->peers, &q->in.cert.id);
        if (!p)
            return NULL;
        p->stranger = true;
    }
    struct session *before = p->answered;
    s = endpoint_session_new(e, p, SESSION_RESPONDED, now_us);
    if (s && before)
        endpoint_session_end(e, before, ERR_CLOSED);
    if (!s && !before && p->stranger)
        peers_remove(&e->peers, p);
    /* Ours stays beside it, since this one may be a replay; it is not pressed for a while. */
    if (s && p->dial && p->dial->hs_out->next_us < p->dial->hs_out->started_us + OPEN_YIELD_US)
        p->dial->hs_out->next_us = p->dial->hs_out->started_us + OPEN_YIELD_US;
    return s;
}

/* False: there is no memory for one more. */
static bool take_stranger(struct endpoint *e, struct session *s) {
    struct session *gives_way = strangers_crowded(&e->strangers);
    if (gives_way) {
        e->counters.strangers_dropped++;
        endpoint_session_end(e, gives_way, ERR_FULL);
    }
    return strangers_add(&e->strangers, s);
}

static void answer(struct endpoint *e, uint64_t now_us, struct request *q) {
    unsigned suite = aead_choose(e->suites, q->in.suites);
    struct hs_in *h = mem_calloc(1, sizeof *h);
    bool continues = false;
    struct session *s = h ? session_for(e, now_us, q, &continues) : NULL;
    if (!s) {
        mem_free(h);
        return;
    }
    struct response r = {.suites = e->suites,
                         .suite = suite,
                         .epoch = continues ? q->in.epoch : 0,
                         .caps = e->caps,
                         .continues = continues,
                         .session_id = q->in.session_id,
                         .cert = e->cert};
    struct dh_secret ephemeral;
    rng_fill(&e->rng, &ephemeral, sizeof ephemeral);
    bool ok = handshake_write_response(&q->noise, &e->self, &ephemeral, &q->psk, &r, s->local_index,
                                       q->sender, h->response);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    if (!ok) {
        mem_free(h);
        if (!continues)
            endpoint_session_end(e, s, ERR_AUTH);
        return;
    }
    session_drop_hs_in(s);
    s->hs_in = h;
    struct keygen g;
    handshake_keys(&q->noise, false, (enum aead_suite)suite, r.epoch, &g, &h->pairing);
    g.born_us = now_us;
    g.first_counter = s->send_counter;
    keys_install(&s->keys, e->aead, &g, true, now_us);
    sodium_memzero(&g, sizeof g);
    s->caps_next = e->caps & q->in.caps;
    h->by_ticket = q->by_ticket;
    h->ticket = q->psk;
    h->guest = q->guest;
    h->ticket_id = q->in.psk_id;
    h->key = *noise_remote(&q->noise);
    h->cert = q->in.cert;
    h->timestamp_us = q->in.timestamp_us;
    h->proved = q->proved;
    memcpy(h->ephemeral, q->msg + 8, sizeof h->ephemeral);
    h->expires_us = now_us + HALF_OPEN_US;
    h->sent_us = now_us;
    if (!continues) {
        s->id = q->in.session_id;
        s->remote_index = q->sender;
        paths_begin(&s->paths, q->from, false);
    }
    if (q->peer->stranger && !take_stranger(e, s)) {
        endpoint_session_end(e, s, ERR_NOMEM);
        return;
    }
    endpoint_queue_small(e, q->peer, q->from, h->response, RESPONSE_BYTES);
    endpoint_make_ready(e, s);
}

/* Only who has proved its address, and not more of it than its share. Otherwise it has been
 * answered here, or is not. */
static bool served_under_load(struct endpoint *e, uint64_t now_us, const struct hop *from,
                              const uint8_t *msg) {
    uint8_t place[HOP_BYTES_MAX], cookie[COOKIE_BYTES];
    size_t place_len = hop_write(from, place);
    if (!cookie_mac2_ok(&e->jar, &e->rng, now_us, place, place_len, msg,
                        INITIATION_BYTES - MAC_BYTES, msg + INITIATION_BYTES - MAC_BYTES)) {
        cookie_make(&e->jar, &e->rng, now_us, place, place_len, cookie);
        e->counters.cookies_sent++;
        send_retry(e, from, msg, cookie, zeroes);
        return false;
    }
    if (handshake_budget_take(&e->budget, now_us, from))
        return true;
    e->counters.handshakes_limited++;
    return false;
}

void handshake_input_initiation(struct endpoint *e, uint64_t now_us, const struct hop *from,
                                const uint8_t *msg) {
    if (under_load(e, now_us) && !served_under_load(e, now_us, from, msg))
        return;
    struct request q = {.msg = msg, .from = from};
    e->counters.handshakes_in++;
    if (!handshake_read_initiation(&q.noise, &e->self, msg, &q.in, &q.sender) ||
        !handshake_initiation_fits(e->suites, &q.in)) {
        e->counters.auth_fail++;
        goto out;
    }
    const struct peer *named = peers_by_id(&e->peers, &q.in.cert.id);
    if (named && !endpoint_may_come(e, named, from))
        goto out;
    /* Who cannot show that the key is its own is told nothing. */
    if (!peers_cert_ok(named, &q.in.cert.id, &q.in.cert, noise_remote(&q.noise))) {
        e->counters.handshake_refused++;
        goto out;
    }
    const unsigned why = admit(e, now_us, &q);
    if (why) {
        e->counters.handshake_refused++;
        e->counters.guests_refused += why == REFUSAL_FULL;
        send_refusal(e, from, msg, &q.noise, (enum refusal)why);
        goto out;
    }
    if (fresh(e, now_us, &q) && !insist(e, now_us, &q))
        answer(e, now_us, &q);
out:
    noise_clear(&q.noise);
    sodium_memzero(&q.psk, sizeof q.psk);
}

/* ---- confirmed ---- */

/* Several may have shown the same ticket before the first of them was confirmed. */
static bool ticket_counts(struct endpoint *e, const struct peer *p, const struct psk *ticket,
                          uint64_t now_us) {
    const struct peer_setup *set = &p->setup;
    if (!p->stranger && set->pairing && set->psk_count > 0 &&
        sodium_memcmp(&set->psks[set->psk_count - 1], ticket, sizeof *ticket) == 0)
        return true;
    return open_tickets_find(&e->tickets, now_us, psk_id(ticket)) != NULL;
}

/* What its initiation said is known to be of now. */
static void keep(struct endpoint *e, struct peer *p, const struct hs_in *h) {
    p->accepted++;
    if (h->timestamp_us > p->last_timestamp_us)
        p->last_timestamp_us = h->timestamp_us;
    bool news = peers_keep_key(p, &h->cert, &h->key);
    if (p->guest && !h->by_ticket)
        return;
    if (h->by_ticket) {
        endpoint_guest_named(e, p);
        open_tickets_burn(&e->tickets, &h->ticket);
        handshake_paired(e, p, &h->pairing, &h->ticket);
        return;
    }
    if (news)
        handshake_tell_key(e, p);
    handshake_proved(e, p, &h->ticket);
}

void handshake_confirmed(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hs_in *h = s->hs_in;
    keys_confirm(&s->keys, e->aead, now_us);
    s->caps = s->caps_next;
    if (!peers_key_counts(s->peer, &h->cert, &h->key) ||
        (h->by_ticket && !ticket_counts(e, s->peer, &h->ticket, now_us))) {
        e->counters.handshake_refused++;
        endpoint_hang_up(e, s, now_us, ERR_AUTH);
        return;
    }
    if (h->guest && s->peer->stranger && !endpoint_guest_comes(e, s->peer, session_hop(s))) {
        endpoint_hang_up(e, s, now_us, ERR_FULL);
        return;
    }
    keep(e, s->peer, h);
    if (s->state != SESSION_UP)
        session_sample_rtt(s, now_us, h->sent_us);
    session_drop_hs_in(s);
    opened(s->peer, now_us);
    if (s->state != SESSION_UP) {
        endpoint_session_up(e, s, now_us);
        endpoint_path_others(e, s, now_us);
    } else {
        e->counters.rekeys++;
        session_drop_hs_out(s); /* one of ours that crossed it: void */
        s->confirm_left = 0;
        if (s->tp)
            transport_peer_lives(s->tp);
    }
    rekey_done(s);
    endpoint_send_challenges(e, s, now_us); /* if its path is in doubt */
    endpoint_send_echoes(e, s, now_us);
}

void handshake_answer_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (!session_answering(s) || now_us < s->hs_in->expires_us)
        return;
    if (s->state == SESSION_RESPONDED) {
        endpoint_session_end(e, s, ERR_TIMEOUT);
        return;
    }
    /* Its keys still open, should the peer use them after all. Echoes that waited for them are
     * seen to when the rekey's time has come. */
    s->hs_in->expired = true;
}
