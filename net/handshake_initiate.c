/* handshake_initiate.c: the side that began a handshake: initiations, their repetition, and what
 * comes back. */
#include "crypto/base/mem.h"
#include "net/handshake_int.h"

#include <sodium.h>
#include <string.h>

#include "net/wire/frame.h"

/* ---- our initiations ---- */

static const struct psk no_psk;

static const struct psk *psk_of(const struct peer *p, unsigned i) {
    return p->setup.psk_count == 0 ? &no_psk : &p->setup.psks[i % p->setup.psk_count];
}

/* Writes a fresh message 1: new ephemeral, new timestamp. */
static int build(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct peer *p = s->peer;
    struct hs_out *h = s->hs_out;
    uint64_t wall_us = now_us + (uint64_t)e->wall_offset_us;
    e->last_timestamp_us = wall_us > e->last_timestamp_us ? wall_us : e->last_timestamp_us + 1;
    const struct peer_setup *set = &p->setup;
    h->psk = *psk_of(p, h->psk_index);
    h->by_ticket = set->pairing && h->psk_index % set->psk_count + 1 == set->psk_count;
    struct initiation in = {
        .suites = e->suites,
        .epoch = h->epoch,
        .caps = e->caps,
        .timestamp_us = e->last_timestamp_us,
        .session_id = s->id,
        .psk_id = psk_id(&h->psk),
    };
    if (h->has_challenge)
        memcpy(in.challenge, h->challenge, sizeof in.challenge);
    struct dh_secret ephemeral;
    rng_fill(&e->rng, &ephemeral, sizeof ephemeral);
    noise_clear(&h->noise);
    h->rebuild_due = false;
    bool ok = handshake_write_initiation(&h->noise, &e->self, &p->setup.transport, &ephemeral, &in,
                                         s->local_index, h->msg);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    if (!ok)
        return ERR_AUTH;
    if (p->has_cookie && now_us < p->cookie_us + COOKIE_SECRET_US)
        handshake_set_mac2(h->msg, sizeof h->msg, p->cookie);
    return 0;
}

static const struct hop *first_asked(const struct session *s) {
    return s->hs_out->rekey ? session_hop(s) : &s->peer->last_path;
}

/* Where the INITIATION that is out has gone, or is to go: a first one to every place known, a rekey
 * along the path; if that stays silent, everywhere. */
static unsigned places_asked(const struct session *s, struct hop out[static PEER_HOPS_MAX]) {
    const struct hop *first = first_asked(s);
    if (s->hs_out->rekey && !s->hs_out->everywhere) {
        out[0] = *first;
        return 1;
    }
    return peer_hops(s->peer, first, out);
}

static void send(struct endpoint *e, struct session *s, uint64_t now_us, bool repeated) {
    struct hs_out *h = s->hs_out;
    struct hop to[PEER_HOPS_MAX];
    h->tries++;
    h->sent_us = repeated ? 0 : now_us;
    h->everywhere |= !h->rekey || h->tries > 2;
    e->counters.handshakes_out++;
    const struct hop *first = first_asked(s);
    const unsigned n = places_asked(s, to);
    for (unsigned i = 0; i < n; i++) {
        const bool is_path = h->rekey && hop_equal(&to[i], first);
        if (!is_path || paths_spend(&s->paths, first, sizeof h->msg)) {
            const struct hop at = is_path ? to[i] : hop_by_any_socket(&to[i]);
            endpoint_queue_small(e, s->peer, &at, h->msg, sizeof h->msg);
        }
    }
}

void handshake_also_to(struct endpoint *e, struct session *s, const struct hop *to) {
    struct hs_out *h = s->hs_out;
    if (!h || !h->everywhere)
        return;
    h->sent_us = 0;
    endpoint_queue_small(e, s->peer, to, h->msg, sizeof h->msg);
}

/* How many places the INITIATION that is out has gone to, and whether this is one of them. */
static unsigned asked(const struct session *s, const struct hop *at, bool *there) {
    struct hop to[PEER_HOPS_MAX];
    const unsigned n = places_asked(s, to);
    *there = false;
    for (unsigned i = 0; i < n; i++)
        *there |= hop_same_place(at, &to[i]);
    return n;
}

/* A RETRY is answered where it came from: 80 bytes must not make us send to all that we know, nor
 * 288 to one that we have not called. */
static void send_back(struct endpoint *e, struct session *s, uint64_t now_us,
                      const struct hop *to) {
    struct hs_out *h = s->hs_out;
    h->tries++;
    h->sent_us = now_us;
    e->counters.handshakes_out++;
    endpoint_queue_small(e, s->peer, to, h->msg, sizeof h->msg);
}

int handshake_start(struct endpoint *e, struct session *s, uint64_t now_us,
                    enum handshake_use use) {
    const bool rekey = use == HANDSHAKE_REKEY;
    if (s->hs_out)
        return 0;
    s->hs_out = mem_calloc(1, sizeof *s->hs_out);
    if (!s->hs_out)
        return ERR_NOMEM;
    struct hs_out *h = s->hs_out;
    h->rekey = rekey;
    h->calm = use == HANDSHAKE_CALM;
    h->epoch = rekey ? (uint8_t)(s->keys.current.epoch + 1) : 0;
    h->started_us = now_us;
    h->interval_us = h->calm ? HANDSHAKE_CALM_US : HANDSHAKE_RETRY_US;
    h->next_us = now_us + h->interval_us;
    int err = build(e, s, now_us);
    if (err) {
        session_drop_hs_out(s);
        return err;
    }
    send(e, s, now_us, false);
    /* The deadline is set when the session is next asked for output. */
    endpoint_make_ready(e, s);
    return 0;
}

int handshake_rekey(struct endpoint *e, struct session *s, uint64_t now_us) {
    const int err = handshake_start(e, s, now_us, HANDSHAKE_REKEY);
    if (!err)
        rekey_began(s, now_us);
    return err;
}

void endpoint_maybe_rekey(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (rekey_due(s, e->rekey_us, now_us) && handshake_rekey(e, s, now_us)) {
        /* No memory: tried again with the next packet. */
    }
}

void handshake_hurry(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hs_out *h = s->hs_out;
    if (!h || !h->calm)
        return;
    h->calm = false;
    h->started_us = h->next_us = now_us;
    h->interval_us = HANDSHAKE_RETRY_US;
    endpoint_make_ready(e, s);
}

static void tell_failed(struct endpoint *e, struct peer *p, int err, bool by_ticket) {
    const struct ep_event ev = {.kind = EP_CONNECT_FAILED,
                                .peer = peer_ref_of(p),
                                .node = p->setup.id,
                                .err = err,
                                .by_ticket = by_ticket};
    if (p->asked && !events_push(&e->events, &ev))
        e->counters.queue_dropped++;
    p->asked = false;
}

/* denied: what the other side has said, with proof; 0: nothing. One that was not up yet ends with
 * the attempt. */
static void give_up(struct endpoint *e, struct session *s, uint64_t now_us, int denied) {
    if (s->state == SESSION_UP) {
        rekey_failed(e, s, now_us, denied);
        return;
    }
    tell_failed(e, s->peer, denied ? denied : ERR_TIMEOUT, s->hs_out->by_ticket);
    endpoint_session_end(e, s, denied ? denied : ERR_TIMEOUT);
}

/* What is out was made with a secret that is not the peer's any more: there is a new ticket, or a
 * pairing secret. */
static bool outdated(const struct session *s) {
    const struct hs_out *h = s->hs_out;
    return sodium_memcmp(&h->psk, psk_of(s->peer, h->psk_index), sizeof h->psk) != 0;
}

/* The peer takes no secret of ours, or only not the one that was tried, since it died before it had
 * stored it: then at once on with the other. */
static void refused(struct endpoint *e, struct session *s, uint64_t now_us, int why) {
    struct hs_out *h = s->hs_out;
    const bool renewed = outdated(s), other = h->psk_index == 0 && s->peer->setup.psk_count > 1;
    if (!renewed)
        h->denied = h->denied ? h->denied : why;
    if (renewed || other) {
        h->psk_index = renewed ? 0 : 1;
        h->second = !renewed;
        if (renewed)
            h->started_us = now_us;
        h->next_us = now_us + h->interval_us;
        if (build(e, s, now_us) == 0) {
            send(e, s, now_us, false);
            endpoint_make_ready(e, s);
            return;
        }
    }
    give_up(e, s, now_us, h->denied);
}

/* Nobody has answered by the flows it went to: does the relay live? */
static void ask_relays(struct endpoint *e, const struct session *s, uint64_t now_us) {
    struct hop to[PEER_HOPS_MAX];
    struct carrier c;
    const unsigned n = places_asked(s, to);
    for (unsigned i = 0; i < n; i++) {
        if (to[i].kind != HOP_RELAY || !endpoint_carrier(e, &to[i], &c))
            continue;
        for (unsigned k = 0; k < c.relays; k++)
            endpoint_keep_asks(e, c.by[k], now_us);
    }
}

void handshake_initiation_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hs_out *h = s->hs_out;
    if (!h)
        return;
    if (now_us >= h->started_us + HANDSHAKE_ATTEMPT_US) {
        give_up(e, s, now_us, 0);
        return;
    }
    if (now_us < h->next_us)
        return;
    h->interval_us += h->calm ? h->interval_us : h->interval_us / 4;
    if (!h->calm && h->interval_us > HANDSHAKE_RETRY_MAX_US)
        h->interval_us = HANDSHAKE_RETRY_MAX_US;
    h->next_us = now_us + h->interval_us;
    /* In the second half of the attempt the other secret is tried, if there is one: the peer
     * may have missed the end of the pairing. */
    unsigned psk = h->second || now_us - h->started_us > HANDSHAKE_ATTEMPT_US / 2 ? 1 : 0;
    bool other_psk = psk != h->psk_index && s->peer->setup.psk_count > 1;
    if (other_psk || h->rebuild_due || outdated(s)) {
        h->psk_index = other_psk ? psk : h->psk_index;
        if (build(e, s, now_us)) {
            give_up(e, s, now_us, ERR_AUTH);
            return;
        }
    }
    ask_relays(e, s, now_us);
    send(e, s, now_us, true);
}

/* ---- what comes back ---- */

static const uint8_t zeroes[CHALLENGE_BYTES];

/* False: it is not new, or there were enough. A RETRY is forged easily (the peer's public key is no
 * secret), so what it makes us do has a bound: the last message stays out, and its answer is taken.
 */
static bool take_challenge(struct hs_out *h, const uint8_t *challenge) {
    if (h->has_challenge && memcmp(h->challenge, challenge, sizeof h->challenge) == 0)
        return false;
    if (h->rebuilds >= HANDSHAKE_REBUILDS)
        return false;
    h->rebuilds++;
    memcpy(h->challenge, challenge, sizeof h->challenge);
    h->has_challenge = h->rebuild_due = true;
    return true;
}

static int refusal_error(unsigned why) {
    switch (why) {
    case 0:
        return 0;
    case REFUSAL_SECRET:
        return ERR_SECRET;
    case REFUSAL_KEY:
        return ERR_STALE;
    case REFUSAL_FULL:
        return ERR_FULL;
    default: /* a reason of a newer peer, too */
        return ERR_UNKNOWN;
    }
}

void handshake_input_retry(struct endpoint *e, uint64_t now_us, const struct hop *from,
                           const uint8_t *msg) {
    struct session *s = session_table_by_index(&e->sessions, load_le32(msg + 4));
    if (!s || !s->hs_out) {
        e->counters.unknown_index++;
        return;
    }
    if (!endpoint_may_come(e, s->peer, from))
        return;
    struct peer *p = s->peer;
    struct hs_out *h = s->hs_out;
    uint8_t cookie[COOKIE_BYTES], challenge[CHALLENGE_BYTES];
    if (!cookie_unseal(noise_remote(&h->noise), msg + 8, h->msg + INITIATION_BYTES - 2 * MAC_BYTES,
                       msg + 8 + COOKIE_NONCE_BYTES, cookie, challenge)) {
        e->counters.auth_fail++;
        return;
    }
    bool has_cookie = memcmp(cookie, zeroes, sizeof cookie) != 0;
    bool has_challenge = memcmp(challenge, zeroes, sizeof challenge) != 0;
    if (!has_cookie && !has_challenge) {
        /* Without proof that the peer has said so it is nothing: whoever knows the peer's public
         * key and sees the INITIATION could. */
        const int why = refusal_error(handshake_refused(&h->noise, h->msg, msg + 8));
        if (why)
            refused(e, s, now_us, why);
        else
            e->counters.auth_fail++;
        return;
    }
    if (has_cookie) {
        memcpy(p->cookie, cookie, sizeof cookie);
        p->has_cookie = true;
        p->cookie_us = now_us;
        handshake_set_mac2(h->msg, sizeof h->msg, p->cookie);
    }
    bool called;
    (void)asked(s, from, &called);
    if (has_challenge && take_challenge(h, challenge)) {
        /* In a rekey nothing is urgent: the answer to what is out may still come, and is taken. */
        if (h->rekey || !called || build(e, s, now_us))
            return;
    } else if (!has_cookie || !called || h->cookies++ >= HANDSHAKE_COOKIES) {
        return;
    }
    send_back(e, s, now_us, from);
}

/* The peer has lost the session we wanted to rekey and offers a new one: what was in it is gone. */
static void start_over(struct endpoint *e, struct session *s) {
    endpoint_hop_down(e, s);
    endpoint_tell(e, EP_SESSION_DOWN, s->peer, s, ERR_CLOSED);
    e->counters.sessions_down++;
    session_detach(s);
    keys_clear(&s->keys, e->aead);
    s->replay = (struct replay){0};
    session_table_renew(&e->sessions, s);
    s->small_waiting = s->records_waiting = 0; /* they are counted in the one that has gone */
    s->send_counter = 0;
    s->initiator = true;
    s->pkts_sent = s->pkts_received = s->bytes_sent = s->bytes_received = 0;
    transport_memo_init(&s->memo);
    session_table_lower(&e->sessions, s); /* up again in a moment */
}

/* An answer proves that the peer has got what it answers, at one of the places where that went; but
 * a hostile peer, or whoever sees the answer, can send it in any name. So it is not taken for the
 * place of the peer if that was not asked; and unless only one was, it has to answer from there
 * again before it gets more than three times as much (RFC 9000 §8.1), or before the path of a
 * session that goes on moves there. */
static void answered_from(struct endpoint *e, struct session *s, uint64_t now_us,
                          const struct hop *from) {
    bool there;
    struct hop at = *from, to[PEER_HOPS_MAX];
    const unsigned places = asked(s, from, &there);
    if (places_asked(s, to) == 0) /* all that were asked have gone meanwhile */
        there = true;
    if (s->state != SESSION_UP) {
        const struct hop *first = first_asked(s);
        if (!there)
            at = hop_by_any_socket(peer_takes(s->peer, first) && first->kind != HOP_NONE ? first
                                                                                         : &to[0]);
        paths_begin(&s->paths, &at, places > 1);
    } else if (!there || hop_same_place(from, session_hop(s))) {
        return;
    }
    endpoint_path_heard(e, s, now_us, &at, RESPONSE_BYTES, true);
}

struct answer { /* a RESPONSE that opened and fits */
    struct noise noise;
    struct response r;
    uint32_t sender;
    struct psk psk, pairing;
};

/* The keys are ours; the session is up, if it was not. */
static void take_keys(struct endpoint *e, struct session *s, uint64_t now_us, struct answer *a) {
    struct keygen g;
    handshake_keys(&a->noise, true, (enum aead_suite)a->r.suite, a->r.epoch, &g, &a->pairing);
    g.born_us = now_us;
    if (s->hs_out->rekey && !a->r.continues)
        start_over(e, s);
    g.first_counter = s->send_counter;
    keys_install(&s->keys, e->aead, &g, false, now_us);
    sodium_memzero(&g, sizeof g);
    if (!s->keys.next.valid)
        session_drop_hs_in(s); /* of a rekey that crossed ours: its keys have gone */
    s->remote_index = a->sender;
    s->caps = e->caps & a->r.caps;
    s->last_recv_us = now_us;
    s->echoed_us = 0;
}

static void take_answer(struct endpoint *e, struct session *s, uint64_t now_us, struct answer *a) {
    struct peer *p = s->peer;
    const bool repeated = s->hs_out->tries > 1;
    const uint64_t sent_us = s->hs_out->sent_us;
    const bool by_ticket = s->hs_out->by_ticket;
    session_drop_hs_out(s);
    rekey_done(s);
    const bool news = peers_keep_key(p, &a->r.cert, noise_remote(&a->noise));
    if (by_ticket) {
        handshake_paired(e, p, &a->pairing, &a->psk);
    } else {
        if (news)
            handshake_tell_key(e, p);
        handshake_proved(e, p, &a->psk);
    }
    if (s->state != SESSION_UP) {
        endpoint_session_up(e, s, now_us);
        endpoint_path_others(e, s, now_us);
        session_sample_rtt(s, now_us, sent_us);
    } else {
        e->counters.rekeys++;
        e->counters.rekeys_repeated += repeated;
        if (s->tp)
            transport_peer_lives(s->tp);
    }
    handshake_confirm_anew(e, s, now_us);
    endpoint_send_echoes(e, s, now_us);
    endpoint_make_ready(e, s);
}

/* A ticket's secret that has been forgotten since makes no pairing any more: the peer has forgotten
 * it, too. */
static bool secret_stands(const struct peer *p, const struct hs_out *h) {
    const struct peer_setup *s = &p->setup;
    return !h->by_ticket ||
           (s->pairing && s->psk_count > 0 &&
            sodium_memcmp(&s->psks[s->psk_count - 1], &h->psk, sizeof h->psk) == 0);
}

/* False: passed over, as if it had not come. */
static bool read_answer(struct endpoint *e, struct session *s, const uint8_t *msg,
                        struct answer *a) {
    const struct hs_out *h = s->hs_out;
    /* The epoch after the present one: theirs may have come through since we asked. */
    const uint8_t next_epoch = (uint8_t)(s->keys.current.epoch + 1);
    const struct offer offer = {.suites = e->suites,
                                .session_id = s->id,
                                .rekey =
                                    h->rekey && s->state == SESSION_UP && h->epoch == next_epoch,
                                .epoch = h->epoch};
    a->noise = h->noise; /* an answer that does not fit leaves the attempt as it was */
    a->psk = h->psk;
    return handshake_read_response(&a->noise, msg, &a->psk, &a->r, &a->sender) &&
           handshake_response_fits(&offer, &a->r) && secret_stands(s->peer, h);
}

void handshake_input_response(struct endpoint *e, uint64_t now_us, const struct hop *from,
                              const uint8_t *msg) {
    struct session *s = session_table_by_index(&e->sessions, load_le32(msg + 8));
    if (!s || !s->hs_out) {
        e->counters.unknown_index++;
        return;
    }
    if (!endpoint_may_come(e, s->peer, from))
        return;
    struct hs_out *h = s->hs_out;
    if (!handshake_response_mac1_ok(&h->noise, msg)) {
        e->counters.mac_fail++;
        return;
    }
    if (h->misfits >= HANDSHAKE_MISFITS_MAX) {
        e->counters.handshakes_limited++;
        return;
    }
    struct peer *p = s->peer;
    struct answer a = {0};
    if (!read_answer(e, s, msg, &a)) {
        h->misfits++;
        e->counters.auth_fail++;
    } else if (!peers_cert_ok(p, &p->setup.id, &a.r.cert, noise_remote(&a.noise)) ||
               !peers_key_counts(p, &a.r.cert, noise_remote(&a.noise))) {
        /* The key answered; but its certificate must name the id that we dialled (CAPABILITIES B8),
         * and be the newest known of it. */
        e->counters.auth_fail++;
        give_up(e, s, now_us, ERR_AUTH);
    } else {
        take_keys(e, s, now_us, &a);
        answered_from(e, s, now_us, from);
        take_answer(e, s, now_us, &a);
    }
    noise_clear(&a.noise);
    sodium_memzero(&a, sizeof a);
}
