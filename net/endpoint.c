/* endpoint.c: its life, the peers and tickets it knows, calling one, what it tells. */
#include "crypto/base/mem.h"
#include "net/handshake_int.h"

#include <sodium.h>
#include <string.h>

/* ---- life ---- */

struct endpoint *endpoint_new(const struct endpoint_config *cfg, uint64_t now_us) {
    struct endpoint *e = mem_calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->identity = *cfg->identity;
    identity_cert(&e->identity, &e->cert);
    memcpy(e->prologue, "meshd v1", 8);
    memcpy(e->prologue + 8, cfg->network_id, 32);
    e->rng = cfg->rng;
    e->caps = CAPABILITIES;
    e->cc = cfg->cc;
    e->mtu_max = cfg->mtu_max_bytes ? cfg->mtu_max_bytes : MTU_MAX_BYTES;
    e->shares = (struct transport_shares){.streams.max = STREAMS_ALL_MAX, .sent.max = SENT_ALL_MAX};
    e->rekey_us = cfg->rekey_us ? cfg->rekey_us : KEYS_REKEY_US;
    e->told_us = now_us;
    endpoint_set_wall(e, now_us, cfg->wall_us);
    e->aead = aead_new(cfg->provider);
    e->blocks = block_pool_new(cfg->blocks_max ? cfg->blocks_max : BLOCKS_DEFAULT, BLOCKS_KEPT);
    if (!e->aead || !e->blocks || !events_init(&e->events)) {
        endpoint_free(e);
        return NULL;
    }
    e->suites = aead_suites(e->aead);
    if (cfg->suites)
        e->suites &= cfg->suites;
    e->self = (struct handshake_self){.identity = &e->identity,
                                      .cert = &e->cert,
                                      .prologue = e->prologue,
                                      .prologue_len = sizeof e->prologue,
                                      .suites = e->suites};
    cookie_jar_init(&e->jar, &e->rng, now_us);
    return e;
}

void endpoint_free(struct endpoint *e) {
    if (!e)
        return;
    session_table_clear(&e->sessions, e->aead);
    peers_clear(&e->peers);
    open_tickets_clear(&e->tickets);
    strangers_clear(&e->strangers);
    endpoint_relay_clear(e);
    small_clear(&e->waiting);
    mem_free(e->copy);
    events_clear(&e->events);
    cookie_jar_clear(&e->jar);
    handshake_budget_clear(&e->budget);
    if (e->blocks)
        block_pool_free(e->blocks);
    aead_free(e->aead);
    sodium_memzero(e, sizeof *e);
    mem_free(e);
}

void endpoint_set_wall(struct endpoint *e, uint64_t now_us, uint64_t wall_us) {
    e->wall_offset_us = (int64_t)(wall_us - now_us);
}

struct block_pool *endpoint_blocks(struct endpoint *e) {
    return e->blocks;
}

const struct endpoint_counters *endpoint_counters(const struct endpoint *e) {
    return &e->counters;
}

uint32_t endpoint_session_count(const struct endpoint *e) {
    return e->sessions.up;
}

uint32_t endpoint_half_open_count(const struct endpoint *e) {
    return e->sessions.half_open;
}

/* ---- peers and tickets ---- */

int endpoint_peer_add(struct endpoint *e, const struct peer_setup *s, struct peer_ref *out) {
    if (node_id_equal(&s->id, &e->identity.id) || s->psk_count > PEER_PSKS_MAX ||
        s->addr_count > PEER_ADDRS_MAX)
        return ERR_USAGE;
    struct peer *p = peers_by_id(&e->peers, &s->id);
    if (!p)
        p = peers_add(&e->peers, &s->id);
    if (!p)
        return e->peers.used >= PEERS_MAX ? ERR_FULL : ERR_NOMEM;
    /* What a handshake has proved is newer than what a file or a ticket says. */
    const struct dh_public key = p->setup.transport;
    const uint64_t seq = p->setup.cert_seq;
    p->setup = *s;
    if (seq > 0 && s->cert_seq <= seq) {
        p->setup.transport = key;
        p->setup.cert_seq = seq;
    } else {
        p->cert_seen = false;
    }
    if (p->answered)
        strangers_remove(&e->strangers, p->answered);
    p->stranger = false;
    endpoint_guest_named(e, p);
    /* What went by what is now forbidden ends; not even a goodbye may go there. */
    struct session *of[] = {p->session, p->dial, p->answered};
    for (unsigned i = 0; i < sizeof of / sizeof of[0]; i++)
        if (of[i] && session_hop(of[i])->kind != HOP_NONE && !peer_takes(p, session_hop(of[i])))
            endpoint_session_end(e, of[i], ERR_CLOSED);
    endpoint_reap(e);
    *out = peer_ref_of(p);
    return 0;
}

void endpoint_strangers_path(struct endpoint *e, enum path_policy policy) {
    e->strangers_path = policy;
}

void endpoint_peer_remove(struct endpoint *e, uint64_t now_us, struct peer_ref r) {
    struct peer *p = peers_by_ref(&e->peers, r);
    if (!p)
        return;
    p->stranger = false; /* else it goes with its half-open session */
    if (p->dial)
        endpoint_session_end(e, p->dial, ERR_CLOSED);
    if (p->answered)
        endpoint_session_end(e, p->answered, ERR_CLOSED);
    if (p->session)
        endpoint_hang_up(e, p->session, now_us, ERR_CLOSED);
    endpoint_reap(e);
    peers_remove(&e->peers, p);
}

bool endpoint_peer_id(const struct endpoint *e, struct peer_ref r, struct node_id *out) {
    const struct peer *p = peers_by_ref(&e->peers, r);
    if (p)
        *out = p->setup.id;
    return p != NULL;
}

int endpoint_ticket_open(struct endpoint *e, const struct psk *secret, uint64_t expires_us) {
    return open_tickets_add(&e->tickets, secret, expires_us);
}

void endpoint_ticket_close(struct endpoint *e, const struct psk *secret) {
    open_tickets_burn(&e->tickets, secret);
}

/* ---- sessions ---- */

bool endpoint_session(const struct endpoint *e, struct peer_ref r, struct session_ref *out) {
    const struct peer *p = peers_by_ref(&e->peers, r);
    if (!p || !p->session)
        return false;
    *out = session_ref_of(p->session);
    return true;
}

bool endpoint_session_peer(const struct endpoint *e, struct session_ref r, struct peer_ref *out) {
    const struct session *s = endpoint_find(e, r);
    if (s)
        *out = peer_ref_of(s->peer);
    return s != NULL;
}

/* Keys of an idle session grow old, and the peer may have forgotten it: it is not worth waiting
 * for. */
static bool worn_out(const struct session *s, uint64_t now_us) {
    return !s->hs_out && !s->tp && !keys_may_send(&s->keys, now_us, s->send_counter);
}

static int dial(struct endpoint *e, uint64_t now_us, struct peer_ref r, bool calm) {
    struct peer *p = peers_by_ref(&e->peers, r);
    if (!p)
        return ERR_NOT_FOUND;
    if (p->session && worn_out(p->session, now_us))
        endpoint_session_end(e, p->session, 0);
    if (p->session)
        return 0;
    if (p->dial) {
        p->asked = true;
        if (!calm)
            handshake_hurry(e, p->dial, now_us);
        return 0;
    }
    struct hop to[PEER_HOPS_MAX];
    if (peer_hops(p, &p->last_path, to) == 0)
        return ERR_OFFLINE;
    struct session *s = endpoint_session_new(e, p, SESSION_INITIATING, now_us);
    if (!s)
        return ERR_NOMEM;
    p->asked = true;
    s->initiator = true;
    s->id = rng_u64(&e->rng);
    int err = handshake_start(e, s, now_us, calm ? HANDSHAKE_CALM : HANDSHAKE_DIAL);
    if (err)
        endpoint_session_end(e, s, err);
    return err;
}

int endpoint_connect(struct endpoint *e, uint64_t now_us, struct peer_ref r) {
    const int err = dial(e, now_us, r, false);
    endpoint_reap(e);
    return err;
}

int endpoint_call(struct endpoint *e, uint64_t now_us, struct peer_ref r) {
    const int err = dial(e, now_us, r, true);
    endpoint_reap(e);
    return err;
}

uint64_t endpoint_heard_us(const struct endpoint *e, struct peer_ref r) {
    const struct peer *p = peers_by_ref(&e->peers, r);
    return p && p->session ? p->session->last_recv_us : p ? p->heard_us : 0;
}

bool endpoint_session_info(const struct endpoint *e, uint64_t now_us, struct session_ref r,
                           struct session_info *out) {
    const struct session *s = endpoint_find(e, r);
    if (!s)
        return false;
    const struct rtt *rtt = s->tp ? &s->tp->rec->rtt : &s->memo.rtt;
    bool sampled = s->tp ? s->tp->rec->rtt.has_sample : s->memo.has_rtt;
    *out = (struct session_info){
        .peer = s->peer->setup.id,
        .session_id = s->id,
        .hop = *session_hop(s),
        .path = *hop_addr(session_hop(s)),
        .suite = s->keys.current.suite,
        .caps = s->caps,
        .age_us = now_us - s->up_us,
        .idle_us = now_us - s->last_use_us,
        .quiet_us = now_us - s->last_recv_us,
        .key_epoch = s->keys.current.epoch,
        .initiator = s->initiator,
        .has_transport = s->tp != NULL,
        .srtt_us = sampled ? rtt->srtt_us : 0,
        .min_rtt_us = sampled ? rtt->min_us : 0,
        .cwnd_bytes = s->tp ? s->tp->rec->cc.cwnd_bytes : 0,
        .mtu_bytes = s->tp               ? transport_mtu(s->tp)
                     : s->memo.mtu_bytes ? s->memo.mtu_bytes
                                         : MTU_BASE_BYTES,
        .bytes_sent = s->bytes_sent,
        .bytes_received = s->bytes_received,
        .pkts_sent = s->pkts_sent,
        .pkts_received = s->pkts_received,
        .pkts_lost = s->memo.pkts_lost,
        .datagrams_unsent = s->memo.datagrams_unsent,
    };
    if (out->hop.kind == HOP_RELAY)
        (void)endpoint_peer_id(e, out->hop.relay.by, &out->relay);
    return true;
}

/* ---- events ---- */

static bool next_event(struct endpoint *e, struct ep_event *out) {
    while (events_pop(&e->events, out)) {
        struct session *s = endpoint_find(e, out->session);
        const struct peer *p = peers_by_ref(&e->peers, out->peer);
        if (s)
            events_heard(&s->memo.told, out->kind);
        if (p)
            out->peer_owner = p->setup.owner;
        if (out->kind < EP_STREAM_OPENED || out->kind > EP_STREAM_STOPPED)
            return true;
        /* Of a session or stream that has gone since: nothing to tell any more. */
        struct stream *st = s && s->tp ? transport_stream(s->tp, out->stream) : NULL;
        if (st)
            out->owner = st->owner;
        if (out->kind == EP_STREAM_READABLE) {
            if (!st)
                continue;
            st->readable_told = false;
        }
        if (s)
            return true;
    }
    return false;
}

bool endpoint_poll(struct endpoint *e, struct ep_event *out) {
    endpoint_feed_starved(e);
    if (e->relay_client)
        endpoint_relay_tell(e, e->told_us);
    if (e->events.count > 0 && next_event(e, out))
        return true;
    bool ended = false;
    for (struct session *s; (s = session_table_closed(&e->sessions)); ended = true)
        endpoint_session_end(e, s, s->close_err);
    endpoint_reap(e);
    return ended && next_event(e, out);
}
