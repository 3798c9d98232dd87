#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "net/endpoint_int.h"
#include "net/frame.h"

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
    struct initiation in = {
        .suites = e->suites,
        .epoch = h->epoch,
        .timestamp_us = e->last_timestamp_us,
        .session_id = s->id,
        .psk_id = psk_id(psk_of(p, h->psk_index)),
    };
    if (p->has_challenge)
        memcpy(in.challenge, p->challenge, sizeof in.challenge);
    struct dh_secret ephemeral;
    rng_fill(&e->rng, &ephemeral, sizeof ephemeral);
    noise_clear(&h->noise);
    bool ok = handshake_write_initiation(&h->noise, &e->self, &p->setup.transport, &ephemeral, &in,
                                         s->local_index, h->msg);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    if (!ok)
        return ERR_AUTH;
    if (p->has_cookie && now_us < p->cookie_us + COOKIE_SECRET_US)
        handshake_set_mac2(h->msg, sizeof h->msg, p->cookie);
    return 0;
}

/* A first handshake goes to every address known, a rekey along the path; if that stays silent,
 * everywhere. */
static void send(struct endpoint *e, struct session *s, uint64_t now_us, bool repeated) {
    struct peer *p = s->peer;
    struct hs_out *h = s->hs_out;
    h->tries++;
    h->sent_us = repeated ? 0 : now_us;
    e->counters.handshakes_out++;
    if (h->rekey)
        endpoint_queue_small(e, &s->path.remote, s->path.local, h->msg, sizeof h->msg);
    if (h->rekey && h->tries <= 2)
        return;
    bool known = h->rekey && p->last_path.kind != ADDR_NONE;
    if (!h->rekey && p->last_path.kind != ADDR_NONE) {
        endpoint_queue_small(e, &p->last_path, LOCAL_ANY, h->msg, sizeof h->msg);
        known = true;
    }
    for (unsigned i = 0; i < p->setup.addr_count; i++)
        if (!known || !addr_equal(&p->setup.addrs[i], &p->last_path))
            endpoint_queue_small(e, &p->setup.addrs[i], LOCAL_ANY, h->msg, sizeof h->msg);
}

int handshake_start(struct endpoint *e, struct session *s, uint64_t now_us, bool rekey) {
    if (s->hs_out)
        return 0;
    s->hs_out = calloc(1, sizeof *s->hs_out);
    if (!s->hs_out)
        return ERR_NOMEM;
    struct hs_out *h = s->hs_out;
    h->rekey = rekey;
    h->epoch = rekey ? (uint8_t)(s->keys.current.epoch + 1) : 0;
    h->started_us = now_us;
    h->interval_us = HANDSHAKE_RETRY_US;
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

static void tell_failed(struct endpoint *e, struct peer *p, int err) {
    if (p->asked)
        endpoint_tell(e, EP_CONNECT_FAILED, p, NULL, err);
    p->asked = false;
}

static bool give_up(struct endpoint *e, struct session *s, bool refused) {
    struct peer *p = s->peer;
    if (s->state != SESSION_UP)
        tell_failed(e, p, refused ? ERR_AUTH : ERR_TIMEOUT);
    p->has_challenge = false;
    endpoint_session_end(e, s, refused ? ERR_AUTH : ERR_TIMEOUT);
    return true;
}

bool handshake_timeout(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hs_out *h = s->hs_out;
    if (h && h->refused && now_us >= h->refused_us + HANDSHAKE_REFUSED_US) {
        if (h->psk_index > 0 || s->peer->setup.psk_count < 2)
            return give_up(e, s, true);
        /* Perhaps only this secret is refused, since the peer died before it had stored it: on with the other. */
        h->refused = false;
        h->started_us = now_us - HANDSHAKE_ATTEMPT_US / 2 - 1;
        h->next_us = now_us;
    }
    if (h && now_us >= h->started_us + HANDSHAKE_ATTEMPT_US)
        return give_up(e, s, h->refused);
    if (h && now_us >= h->next_us) {
        h->interval_us += h->interval_us / 4;
        if (h->interval_us > HANDSHAKE_RETRY_MAX_US)
            h->interval_us = HANDSHAKE_RETRY_MAX_US;
        h->next_us = now_us + h->interval_us;
        /* In the second half of the attempt the other secret is tried, if there is one: the peer
         * may have missed the end of the pairing. */
        unsigned psk = now_us - h->started_us > HANDSHAKE_ATTEMPT_US / 2 ? 1 : 0;
        if (psk != h->psk_index && s->peer->setup.psk_count > 1) {
            h->psk_index = psk;
            if (build(e, s, now_us))
                return give_up(e, s, true);
        }
        send(e, s, now_us, true);
    }
    if (s->hs_in && now_us >= s->hs_in->expires_us) {
        session_drop_hs_in(s);
        if (s->state == SESSION_RESPONDED) {
            tell_failed(e, s->peer, ERR_TIMEOUT); /* ours had yielded to it */
            endpoint_session_end(e, s, ERR_TIMEOUT);
            return true;
        }
        if (s->echo_count > 0) /* they waited for the peer's rekey, which came to nothing */
            endpoint_maybe_rekey(e, s, now_us);
    }
    return false;
}

/* ---- RETRY: a cookie, a challenge, or a refusal ---- */

static const uint8_t zeroes[CHALLENGE_BYTES];

static void send_retry(struct endpoint *e, const struct addr *to, uint32_t local,
                       const uint8_t *initiation, const uint8_t *cookie, const uint8_t *challenge) {
    uint8_t msg[RETRY_BYTES] = {PACKET_RETRY};
    memcpy(msg + 4, initiation + 4, 4);
    rng_fill(&e->rng, msg + 8, COOKIE_NONCE_BYTES);
    cookie_seal(&e->identity.transport_public, msg + 8,
                initiation + INITIATION_BYTES - 2 * MAC_BYTES, cookie, challenge,
                msg + 8 + COOKIE_NONCE_BYTES);
    endpoint_queue_small(e, to, local, msg, sizeof msg);
}

static struct session *by_index(const struct endpoint *e, uint32_t index) {
    uint32_t slot = index & 0xfffff;
    struct session *s = slot < e->session_cap ? e->sessions[slot] : NULL;
    return s && s->local_index == index ? s : NULL;
}

static void input_retry(struct endpoint *e, uint64_t now_us, const uint8_t *msg) {
    struct session *s = by_index(e, load_le32(msg + 4));
    if (!s || !s->hs_out) {
        e->counters.unknown_index++;
        return;
    }
    struct peer *p = s->peer;
    struct hs_out *h = s->hs_out;
    uint8_t cookie[COOKIE_BYTES], challenge[CHALLENGE_BYTES];
    if (!cookie_unseal(&p->setup.transport, msg + 8, h->msg + INITIATION_BYTES - 2 * MAC_BYTES,
                       msg + 8 + COOKIE_NONCE_BYTES, cookie, challenge)) {
        e->counters.auth_fail++;
        return;
    }
    bool has_cookie = memcmp(cookie, zeroes, sizeof cookie) != 0;
    bool has_challenge = memcmp(challenge, zeroes, sizeof challenge) != 0;
    if (!has_cookie && !has_challenge) {
        if (!h->refused) {
            h->refused = true;
            h->refused_us = now_us;
        }
        endpoint_make_ready(e, s);
        return;
    }
    if (has_cookie) {
        memcpy(p->cookie, cookie, sizeof cookie);
        p->has_cookie = true;
        p->cookie_us = now_us;
    }
    /* The same challenge twice means the last answer was on its way: no storm of fresh messages. */
    if (has_challenge && p->has_challenge && memcmp(p->challenge, challenge, sizeof challenge) == 0)
        return;
    if (has_challenge) {
        memcpy(p->challenge, challenge, sizeof challenge);
        p->has_challenge = true;
    }
    if (build(e, s, now_us))
        return;
    send(e, s, now_us, false);
}

/* ---- their initiations ---- */

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

/* What a challenge is bound to: it is worth one accepted handshake of this key. */
static size_t challenge_bind(const struct peer *p, const struct dh_public *key, uint8_t *out) {
    memcpy(out, key->bytes, DH_KEY_BYTES);
    store_le64(out + DH_KEY_BYTES, p->accepted);
    return DH_KEY_BYTES + 8;
}

struct request { /* an initiation that was read */
    struct noise noise;
    struct initiation in;
    uint32_t sender;
    const uint8_t *msg;
    const struct addr *from;
    uint32_t local;
    struct psk psk;
    bool by_ticket;
};

/* Who may come in, and with which secret. NULL: nobody we let in. */
static struct peer *admit(struct endpoint *e, uint64_t now_us, struct request *q) {
    const struct dh_public *key = noise_remote(&q->noise);
    struct peer *p = peers_by_id(e, &q->in.cert.id);
    bool same_key = p && memcmp(&p->setup.transport, key, sizeof *key) == 0;
    if (!(same_key && p->cert_ok) && !key_cert_verify(&q->in.cert, key))
        return NULL;
    if (p && !same_key && !p->stranger && q->in.cert.seq <= p->cert_seq)
        return NULL;
    const struct open_ticket *t = q->in.psk_id ? endpoint_ticket(e, now_us, q->in.psk_id) : NULL;
    bool ok = false;
    if (p && !p->stranger) {
        if (q->in.psk_id == 0)
            ok = p->setup.psk_count == 0;
        for (unsigned i = 0; i < p->setup.psk_count && !ok; i++) {
            if (psk_id(&p->setup.psks[i]) != q->in.psk_id)
                continue;
            q->psk = p->setup.psks[i];
            q->by_ticket = p->setup.pairing && i + 1 == p->setup.psk_count;
            ok = true;
        }
    }
    if (!ok && t) {
        q->psk = t->secret;
        q->by_ticket = true;
        ok = true;
        if (!p && e->half_open < HALF_OPEN_MAX) {
            p = peers_add(e, &q->in.cert.id);
            if (p)
                p->stranger = true;
        }
    }
    if (!ok || !p)
        return NULL;
    p->setup.transport = *key;
    p->cert_ok = true;
    p->cert_seq = q->in.cert.seq;
    return p;
}

/* An initiation seen before is answered as before; an older one must prove that it is not a replay.
 */
static bool fresh(struct endpoint *e, uint64_t now_us, struct peer *p, const struct request *q) {
    const uint8_t *ephemeral = q->msg + 8;
    if (q->in.timestamp_us > p->last_timestamp_us)
        return true;
    if (memcmp(ephemeral, p->last_ephemeral, 32) == 0) {
        const struct session *s = p->pending && p->pending->hs_in ? p->pending : p->session;
        if (s && s->hs_in) {
            endpoint_queue_small(e, q->from, q->local, s->hs_in->response, RESPONSE_BYTES);
            s->hs_in->sent_us = 0;
            return false;
        }
    }
    uint8_t bind[DH_KEY_BYTES + 8], challenge[CHALLENGE_BYTES];
    size_t n = challenge_bind(p, &p->setup.transport, bind);
    if (cookie_challenge_ok(&e->jar, &e->rng, now_us, bind, n, q->in.challenge))
        return true;
    e->counters.handshake_stale++;
    e->counters.challenges_sent++;
    cookie_challenge(&e->jar, &e->rng, now_us, bind, n, challenge);
    send_retry(e, q->from, q->local, q->msg, zeroes, challenge);
    return false;
}

/* Both opened at once: the one with the greater transport key insists for a while, the other
 * yields. */
static bool insist(struct endpoint *e, uint64_t now_us, struct peer *p) {
    const struct session *s = p->pending && p->pending->hs_out ? p->pending : p->session;
    if (!s || !s->hs_out)
        return false;
    e->counters.simultaneous_open++;
    return memcmp(&e->identity.transport_public, &p->setup.transport, DH_KEY_BYTES) > 0 &&
           now_us < s->hs_out->started_us + OPEN_YIELD_US;
}

/* The session that this initiation is for: the one that is up (a rekey), or a new one. */
static struct session *session_for(struct endpoint *e, uint64_t now_us, struct peer *p,
                                   const struct initiation *in, bool *continues) {
    struct session *s = p->session;
    if (s && s->id == in->session_id && (uint8_t)(s->keys.current.epoch + 1) == in->epoch) {
        *continues = true;
        session_drop_hs_out(s); /* yielded */
        session_drop_hs_in(s);
        return s;
    }
    /* It crossed ours, which has been answered since: theirs has yielded. */
    if (s && s->id == in->session_id && s->keys.current.epoch == in->epoch &&
        now_us < s->keys.current.born_us + OPEN_YIELD_US) {
        e->counters.simultaneous_open++;
        return NULL;
    }
    *continues = false;
    if (p->pending) {
        /* Ended by hand: a stranger's peer entry must survive until the new session holds it. */
        bool stranger = p->stranger;
        p->stranger = false;
        endpoint_session_end(e, p->pending, ERR_CLOSED);
        p->stranger = stranger;
    }
    return endpoint_session_new(e, p, SESSION_RESPONDED, now_us);
}

static void answer(struct endpoint *e, uint64_t now_us, struct peer *p, struct request *q) {
    unsigned suite = aead_choose(e->suites, q->in.suites);
    struct hs_in *h = suite ? calloc(1, sizeof *h) : NULL;
    bool continues = false;
    struct session *s = h ? session_for(e, now_us, p, &q->in, &continues) : NULL;
    if (!s) {
        free(h);
        return;
    }
    struct response r = {.suites = e->suites,
                         .suite = suite,
                         .epoch = continues ? q->in.epoch : 0,
                         .continues = continues,
                         .session_id = q->in.session_id,
                         .cert = e->cert};
    struct dh_secret ephemeral;
    rng_fill(&e->rng, &ephemeral, sizeof ephemeral);
    bool ok = handshake_write_response(&q->noise, &e->self, &ephemeral, &q->psk, &r, s->local_index,
                                       q->sender, h->response);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    s->hs_in = h;
    if (!ok) {
        if (!continues)
            endpoint_session_end(e, s, ERR_AUTH);
        else
            session_drop_hs_in(s);
        return;
    }
    struct keygen g;
    handshake_keys(&q->noise, false, (enum aead_suite)suite, r.epoch, &g, &h->pairing);
    g.born_us = now_us;
    g.first_counter = s->send_counter;
    keys_install(&s->keys, e->aead, &g, true, now_us);
    sodium_memzero(&g, sizeof g);
    h->by_ticket = q->by_ticket;
    h->ticket = q->psk;
    h->expires_us = now_us + HALF_OPEN_US;
    h->sent_us = now_us;
    if (!continues) {
        s->id = q->in.session_id;
        s->remote_index = q->sender;
        s->path.remote = *q->from;
        s->path.local = q->local;
    }
    p->last_timestamp_us = q->in.timestamp_us;
    p->accepted++;
    memcpy(p->last_ephemeral, q->msg + 8, 32);
    endpoint_queue_small(e, q->from, q->local, h->response, RESPONSE_BYTES);
    endpoint_make_ready(e, s);
}

static void input_initiation(struct endpoint *e, uint64_t now_us, const struct addr *from,
                             uint32_t local, const uint8_t *msg) {
    uint8_t addr[ADDR_WIRE_MAX];
    size_t addr_len = addr_write(from, addr);
    if (under_load(e, now_us) &&
        !cookie_mac2_ok(&e->jar, &e->rng, now_us, addr, addr_len, msg, INITIATION_BYTES - MAC_BYTES,
                        msg + INITIATION_BYTES - MAC_BYTES)) {
        uint8_t cookie[COOKIE_BYTES];
        cookie_make(&e->jar, &e->rng, now_us, addr, addr_len, cookie);
        e->counters.cookies_sent++;
        send_retry(e, from, local, msg, cookie, zeroes);
        return;
    }
    struct request q = {.msg = msg, .from = from, .local = local};
    struct peer *p;
    e->counters.handshakes_in++;
    if (!handshake_read_initiation(&q.noise, &e->self, msg, &q.in, &q.sender)) {
        e->counters.auth_fail++;
        goto out;
    }
    p = admit(e, now_us, &q);
    if (!p) {
        e->counters.handshake_refused++;
        send_retry(e, from, local, msg, zeroes, zeroes);
        goto out;
    }
    if (fresh(e, now_us, p, &q) && !insist(e, now_us, p))
        answer(e, now_us, p, &q);
    else if (p->stranger && !p->session && !p->pending)
        peers_remove(e, p);
out:
    noise_clear(&q.noise);
    sodium_memzero(&q.psk, sizeof q.psk);
}

/* ---- their answers ---- */

/* From the first contact on, both sides hold a secret of their own (DESIGN §4). */
static void paired(struct endpoint *e, struct peer *p, const struct psk *pairing,
                   const struct psk *ticket) {
    struct ep_event ev = {.kind = EP_PAIRED,
                          .peer = peer_ref_of(p),
                          .node = p->setup.id,
                          .transport = p->setup.transport,
                          .secret = *pairing,
                          .ticket = *ticket};
    p->setup.psks[0] = *pairing;
    p->setup.psks[1] = *ticket;
    p->setup.psk_count = 2; /* the ticket's stays until the new one has worked once */
    p->setup.pairing = true;
    p->stranger = false;
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
    sodium_memzero(&ev, sizeof ev);
}

static void forget_ticket(struct peer *p) {
    if (!p->setup.pairing || p->setup.psk_count < 2)
        return;
    sodium_memzero(&p->setup.psks[1], sizeof p->setup.psks[1]);
    p->setup.psk_count = 1;
    p->setup.pairing = false;
}

static void confirm(struct endpoint *e, struct session *s, uint64_t now_us) {
    static const uint8_t frame[] = {FRAME_CONFIRM};
    endpoint_send_frames(e, s, now_us, frame, sizeof frame);
    s->confirm_us = now_us + CONFIRM_RETRY_US;
}

/* The peer has lost the session we wanted to rekey and offers a new one: what was in it is gone. */
static void start_over(struct endpoint *e, struct session *s, uint64_t now_us) {
    endpoint_tell(e, EP_SESSION_DOWN, s->peer, s, ERR_CLOSED);
    e->counters.sessions_down++;
    transport_free(s->tp);
    s->tp = NULL;
    keys_clear(&s->keys, e->aead);
    s->replay = (struct replay){0};
    s->serial = ++e->serial;
    s->send_counter = 0;
    s->initiator = true;
    s->pkts_sent = s->pkts_received = s->bytes_sent = s->bytes_received = 0;
    transport_memo_init(&s->memo);
    s->state = SESSION_INITIATING; /* up again in a moment */
    e->sessions_up--;
    e->half_open++;
    (void)now_us;
}

/* The first round trip of a session, so that its transport need not guess. */
static void sample_rtt(struct session *s, uint64_t now_us, uint64_t sent_us) {
    if (sent_us == 0 || s->memo.has_rtt)
        return;
    rtt_init(&s->memo.rtt);
    rtt_sample(&s->memo.rtt, now_us - sent_us, 0);
    s->memo.has_rtt = true;
}

static void input_response(struct endpoint *e, uint64_t now_us, const struct addr *from,
                           uint32_t local, const uint8_t *msg) {
    struct session *s = by_index(e, load_le32(msg + 8));
    if (!s || !s->hs_out) {
        e->counters.unknown_index++;
        return;
    }
    struct peer *p = s->peer;
    struct hs_out *h = s->hs_out;
    struct response r;
    uint32_t sender;
    struct psk psk = *psk_of(p, h->psk_index), pairing;
    struct keygen g;
    if (!handshake_read_response(&h->noise, msg, &psk, &r, &sender) ||
        r.suite != aead_choose(e->suites, r.suites) || r.session_id != s->id ||
        (r.continues && (!h->rekey || r.epoch != h->epoch)) || (!r.continues && r.epoch != 0)) {
        e->counters.auth_fail++;
        goto out;
    }
    /* The key answered; its certificate must name the id that we dialled (CAPABILITIES B8). */
    if (!node_id_equal(&r.cert.id, &p->setup.id) ||
        (!p->cert_ok && !key_cert_verify(&r.cert, &p->setup.transport))) {
        e->counters.auth_fail++;
        give_up(e, s, true);
        goto out;
    }
    p->cert_ok = true;
    p->cert_seq = r.cert.seq;
    p->has_challenge = false;
    handshake_keys(&h->noise, true, (enum aead_suite)r.suite, r.epoch, &g, &pairing);
    g.born_us = now_us;
    if (h->rekey && !r.continues)
        start_over(e, s, now_us);
    g.first_counter = s->send_counter;
    keys_install(&s->keys, e->aead, &g, false, now_us);
    s->remote_index = sender;
    s->last_recv_us = now_us;
    if (s->state != SESSION_UP || !r.continues) {
        s->path.remote = *from;
        s->path.local = local;
    }
    bool repeated = h->tries > 1;
    const uint64_t sent_us = h->sent_us;
    {
        bool by_ticket =
            p->setup.pairing && h->psk_index % p->setup.psk_count + 1 == p->setup.psk_count;
        session_drop_hs_out(s);
        if (by_ticket)
            paired(e, p, &pairing, &psk);
        else
            forget_ticket(p);
    }
    if (s->state != SESSION_UP) {
        endpoint_session_up(e, s, now_us);
        sample_rtt(s, now_us, sent_us);
    } else {
        e->counters.rekeys++;
        e->counters.rekeys_repeated += repeated;
    }
    s->confirm_left = CONFIRM_TRIES;
    confirm(e, s, now_us);
    endpoint_send_echoes(e, s, now_us);
    endpoint_make_ready(e, s);
out:
    sodium_memzero(&psk, sizeof psk);
    sodium_memzero(&pairing, sizeof pairing);
    sodium_memzero(&g, sizeof g);
}

/* Several may have shown the same ticket before the first of them was confirmed. */
static bool ticket_counts(struct endpoint *e, const struct peer *p, const struct psk *ticket,
                          uint64_t now_us) {
    const struct peer_setup *set = &p->setup;
    if (!p->stranger && set->pairing && set->psk_count > 0 &&
        sodium_memcmp(&set->psks[set->psk_count - 1], ticket, sizeof *ticket) == 0)
        return true;
    return endpoint_ticket(e, now_us, psk_id(ticket)) != NULL;
}

bool handshake_confirmed(struct endpoint *e, struct session *s, uint64_t now_us) {
    struct hs_in *h = s->hs_in;
    keys_confirm(&s->keys, e->aead, now_us);
    if (h && h->by_ticket && !ticket_counts(e, s->peer, &h->ticket, now_us)) {
        uint8_t frame[10];
        struct wr w = wr_init(frame, sizeof frame);
        wr_u8(&w, FRAME_CLOSE);
        wr_varint(&w, (uint64_t)-ERR_AUTH);
        endpoint_send_frames(e, s, now_us, frame, wr_len(&w));
        e->counters.handshake_refused++;
        endpoint_session_end(e, s, ERR_AUTH);
        return false;
    }
    if (h && h->by_ticket) {
        endpoint_ticket_burn(e, &h->ticket);
        paired(e, s->peer, &h->pairing, &h->ticket);
    } else {
        forget_ticket(s->peer);
    }
    if (h && s->state != SESSION_UP)
        sample_rtt(s, now_us, h->sent_us);
    session_drop_hs_in(s);
    if (s->state != SESSION_UP)
        endpoint_session_up(e, s, now_us);
    else
        e->counters.rekeys++;
    endpoint_send_echoes(e, s, now_us);
    return true;
}

void handshake_input(struct endpoint *e, uint64_t now_us, const struct addr *from, uint32_t local,
                     const uint8_t *buf, size_t len) {
    static const size_t sizes[] = {
        [PACKET_INITIATION] = INITIATION_BYTES,
        [PACKET_RESPONSE] = RESPONSE_BYTES,
        [PACKET_RETRY] = RETRY_BYTES,
    };
    if (len != sizes[buf[0]] || buf[1] || buf[2] || buf[3]) {
        e->counters.malformed++;
        return;
    }
    if (buf[0] != PACKET_RETRY && !handshake_mac1_ok(&e->identity, buf, len)) {
        e->counters.mac_fail++;
        return;
    }
    switch ((enum packet_type)buf[0]) {
    case PACKET_INITIATION:
        input_initiation(e, now_us, from, local, buf);
        return;
    case PACKET_RESPONSE:
        input_response(e, now_us, from, local, buf);
        return;
    case PACKET_RETRY:
        input_retry(e, now_us, buf);
        return;
    case PACKET_DATA:
        return;
    }
}
