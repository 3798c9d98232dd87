/* endpoint_answer.c: the side that is asked: who may come in, the answer, and its confirmation. */
#include "net/endpoint_handshake.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "net/frame.h"

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
                                   const struct initiation *in, uint32_t sender, bool *continues) {
    struct session *s = p->session;
    if (s && s->id == in->session_id && s->remote_index == sender &&
        (uint8_t)(s->keys.current.epoch + 1) == in->epoch) {
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
    struct hs_in *h = calloc(1, sizeof *h);
    bool continues = false;
    struct session *s = h ? session_for(e, now_us, p, &q->in, q->sender, &continues) : NULL;
    if (!s) {
        free(h);
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
    s->caps_next = e->caps & q->in.caps;
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

void handshake_input_initiation(struct endpoint *e, uint64_t now_us, const struct addr *from,
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
    if (!handshake_read_initiation(&q.noise, &e->self, msg, &q.in, &q.sender) ||
        !handshake_initiation_fits(e->suites, &q.in)) {
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

/* ---- confirmed ---- */

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
    s->caps = s->caps_next;
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
        handshake_paired(e, s->peer, &h->pairing, &h->ticket);
    } else if (h) {
        handshake_proved(e, s->peer, &h->ticket);
    }
    if (h && s->state != SESSION_UP)
        handshake_sample_rtt(s, now_us, h->sent_us);
    session_drop_hs_in(s);
    if (s->state != SESSION_UP)
        endpoint_session_up(e, s, now_us);
    else
        e->counters.rekeys++;
    endpoint_send_echoes(e, s, now_us);
    return true;
}
