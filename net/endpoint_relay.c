/* endpoint_relay.c: what net/relay knows of relays, joined to the sessions: records go in and out,
 * runs of FORWARDs become trains, and what relays say becomes events and takes places away.
 */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/handshake_int.h"

/* So many records may wait when what relays and clients are to hear is added: it is made only when
 * it can leave, since what finds no room is lost. */
enum { RECORDS_AHEAD = 16 };

void endpoint_relay_clear(struct endpoint *e) {
    relay_server_free(e->relay_server);
    relay_client_free(e->relay_client);
    guests_clear(&e->guests);
    handshake_budget_clear(&e->key_budget);
    mem_free(e->relays);
    mem_free(e->key_asks);
    e->relay_server = NULL;
    e->relay_client = NULL;
}

/* ---- records out ---- */

static bool next_said(struct endpoint *e, uint64_t now_us, struct peer_ref *to,
                      uint8_t msg[static RELAY_MSG_MAX_BYTES], size_t *len) {
    return (e->relay_client && relay_client_next(e->relay_client, now_us, to, msg, len)) ||
           (e->relay_server && relay_server_next(e->relay_server, now_us, to, msg, len));
}

static void say(struct endpoint *e, uint64_t now_us, unsigned ahead) {
    struct peer_ref to;
    uint8_t msg[RELAY_MSG_MAX_BYTES];
    size_t len;
    while (e->waiting.lists[SMALL_RECORD].count < ahead && next_said(e, now_us, &to, msg, &len)) {
        const struct peer *p = peers_by_ref(&e->peers, to);
        struct session *s = p ? p->session : NULL;
        if (!s || !(s->caps & CAPABILITY_RECORD))
            continue;
        if (keys_may_send(&s->keys, now_us, s->send_counter)) {
            endpoint_send_said(e, s, msg, len);
        } else if (msg[1] != RELAY_LOAD) { /* which is not worth new keys */
            endpoint_renew_if_must(e, s, now_us);
            endpoint_say_later(e, s->peer, msg, len);
        }
    }
}

/* ---- being one ---- */

/* Those who have something here hear that it ends for good; guests go. */
static void serve_no_more(struct endpoint *e, uint64_t now_us) {
    struct session *s;
    relay_server_restarting(e->relay_server, now_us, 0, UINT32_MAX);
    say(e, now_us, SMALL_RECORD_MAX);
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));)
        if (s->peer->guest && s->state == SESSION_UP)
            endpoint_hang_up(e, s, now_us, ERR_CLOSED);
    relay_server_free(e->relay_server);
    e->relay_server = NULL;
    endpoint_reap(e);
}

int endpoint_relay_serve(struct endpoint *e, const struct relay_limits *l, uint64_t now_us) {
    e->told_us = now_us;
    if (e->relay_server && l) {
        relay_server_set_limits(e->relay_server, l);
        return 0;
    }
    if (e->relay_server)
        serve_no_more(e, now_us);
    if (!l)
        return 0;
    e->relay_server = relay_server_new(l, &e->rng, now_us);
    return e->relay_server ? 0 : ERR_NOMEM;
}

int endpoint_relay_allow(struct endpoint *e, uint64_t now_us, const struct node_id *allowed,
                         unsigned allowed_count, const struct node_id *blocked,
                         unsigned blocked_count) {
    return e->relay_server ? relay_server_lists(e->relay_server, now_us, allowed, allowed_count,
                                                blocked, blocked_count)
                           : ERR_USAGE;
}

void endpoint_relay_restarting(struct endpoint *e, uint64_t now_us, uint32_t in_ms,
                               uint32_t for_ms) {
    if (e->relay_server)
        relay_server_restarting(e->relay_server, now_us, in_ms, for_ms);
}

void endpoint_relay_busy(struct endpoint *e, uint8_t busy) {
    if (e->relay_server)
        relay_server_busy(e->relay_server, busy);
}

bool endpoint_relay_stats(const struct endpoint *e, struct relay_stats *out) {
    if (e->relay_server)
        relay_server_stats(e->relay_server, out);
    return e->relay_server != NULL;
}

void endpoint_relay_forward(struct endpoint *e, uint64_t now_us, const struct train_in *run) {
    if (e->relay_server)
        relay_server_forward(e->relay_server, now_us, run);
    else
        e->counters.forward_refused += (run->len + run->segment_bytes - 1) / run->segment_bytes;
}

/* The receiver is behind a relay itself: more headers before each datagram. The last one first,
 * since they grow apart; those that find no room are lost. */
static bool wrap(struct endpoint *e, uint64_t now_us, struct train *t) {
    struct carrier c;
    if (!endpoint_carrier(e, &t->to, &c) || train_is_unwanted(t, &c.to))
        return false;
    const size_t lead = carrier_bytes(&c), bytes = t->segment_bytes;
    const size_t all = (t->len + bytes - 1) / bytes, fit = TRAIN_MAX_BYTES / (lead + bytes);
    const size_t count = all < fit ? all : fit;
    const size_t len = all < fit ? t->len : fit * bytes < t->len ? fit * bytes : t->len;
    if (count == 0 || !carrier_spend(e, now_us, &c, len + count * lead))
        return false;
    for (size_t i = count; i-- > 0;) {
        const size_t n = i + 1 == count ? len - i * bytes : bytes;
        uint8_t *to = t->buf + i * (bytes + lead);
        memmove(to + lead, t->buf + i * bytes, n);
        carrier_write(&c, to);
    }
    t->len = len + count * lead;
    t->segment_bytes = (uint16_t)(bytes + lead);
    t->to = c.to;
    return true;
}

bool endpoint_take_relayed(struct endpoint *e, uint64_t now_us, struct train *t) {
    while (e->relay_server && relay_server_output(e->relay_server, now_us, t)) {
        if (t->to.kind == HOP_RELAY && !wrap(e, now_us, t)) {
            e->counters.relay_no_way++;
            continue;
        }
        e->counters.pkts_out += (t->len + t->segment_bytes - 1) / t->segment_bytes;
        e->counters.bytes_out += t->len;
        return true;
    }
    return false;
}

/* ---- using one ---- */

/* The relay, as one that is used; it needs a session. */
static int use(struct endpoint *e, struct peer_ref r) {
    const struct peer *p = peers_by_ref(&e->peers, r);
    if (!p || !p->session)
        return ERR_OFFLINE;
    if (!(p->session->caps & CAPABILITY_RECORD))
        return ERR_UNSUPPORTED;
    if (!e->relay_client)
        e->relay_client = relay_client_new(&e->rng);
    if (!e->relay_client)
        return ERR_NOMEM;
    uint32_t place = e->relay_count;
    for (uint32_t i = 0; i < e->relay_count; i++) {
        if (e->relays[i].index == r.index && e->relays[i].generation == r.generation)
            return 0;
        if (!peers_by_ref(&e->peers, e->relays[i]))
            place = i; /* of one that has gone */
    }
    if (place == RELAYS_MAX)
        return ERR_FULL;
    if (!mem_grow(&e->relays, &e->relay_cap, place + 1, sizeof e->relays[0], RELAYS_MAX))
        return ERR_NOMEM;
    e->relays[place] = r;
    e->relay_count += place == e->relay_count;
    return 0;
}

int relay_reserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    const int err = use(e, relay);
    return err ? err : relay_client_reserve(e->relay_client, now_us, relay);
}

void relay_unreserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    if (e->relay_client)
        relay_client_release(e->relay_client, now_us, relay);
}

int relay_open(struct endpoint *e, uint64_t now_us, struct peer_ref relay,
               const struct node_id *peer, uint32_t *request) {
    const int err = use(e, relay);
    return err ? err : relay_client_open(e->relay_client, now_us, relay, peer, request);
}

int relay_answer(struct endpoint *e, uint64_t now_us, struct peer_ref relay, uint32_t flow,
                 bool accept) {
    return e->relay_client
               ? relay_client_answer(e->relay_client, now_us, relay, flow, accept, RELAY_DENIED)
               : ERR_NOT_FOUND;
}

void relay_close(struct endpoint *e, uint64_t now_us, const struct hop *flow) {
    struct relay_flow f;
    if (!e->relay_client || flow->kind != HOP_RELAY ||
        !relay_client_flow(e->relay_client, flow->relay.by, flow->relay.flow, &f))
        return;
    relay_client_close(e->relay_client, now_us, flow->relay.by, flow->relay.flow);
    struct peer *p = peers_by_id(&e->peers, &f.peer);
    if (p)
        endpoint_place_gone(e, p, now_us, flow);
}

bool endpoint_relay_from(struct endpoint *e, uint64_t now_us, const struct hop *from, uint32_t flow,
                         struct hop *as) {
    for (uint32_t i = 0; i < e->relay_count; i++) {
        const struct peer_ref by = e->relays[i];
        const struct peer *p = peers_by_ref(&e->peers, by);
        if (!p || !p->session || !hop_covers(session_hop(p->session), from) ||
            !relay_client_use(e->relay_client, now_us, by, flow))
            continue;
        *as = (struct hop){.kind = HOP_RELAY, .relay = {by, flow}};
        e->relays[i] = e->relays[0]; /* the next one comes from there, most likely */
        e->relays[0] = by;
        return true;
    }
    return false;
}

/* ---- what is said ---- */

/* Who says something for the first time becomes a client, once it has shown where it is: nothing is
 * forwarded to an address that another may have named. */
static void client_said(struct endpoint *e, struct session *s, uint64_t now_us, const uint8_t *data,
                        size_t len) {
    const struct peer_ref r = peer_ref_of(s->peer);
    if (relay_server_has_client(e->relay_server, r) ||
        (!paths_doubtful(&s->paths) &&
         relay_server_client_up(e->relay_server, now_us, r, &s->peer->setup.id, session_hop(s)) ==
             0))
        relay_server_input(e->relay_server, now_us, r, data, len);
    else
        e->counters.relay_records_bad++; /* silence, and it asks again */
}

void endpoint_relay_record(struct endpoint *e, struct session *s, uint64_t now_us,
                           const uint8_t *data, size_t len) {
    const bool by_relay = len > 1 && relay_op_is_relays(data[1]);
    e->counters.records_in++;
    if (by_relay && e->relay_client)
        relay_client_input(e->relay_client, now_us, peer_ref_of(s->peer), data, len);
    else if (!by_relay && e->relay_server)
        client_said(e, s, now_us, data, len);
    else
        e->counters.relay_records_bad++;
}

void endpoint_relay_say(struct endpoint *e, uint64_t now_us) {
    say(e, now_us, RECORDS_AHEAD);
}

static int error_of(unsigned reason) {
    switch (reason) {
    case RELAY_GONE:
        return ERR_OFFLINE;
    case RELAY_FULL:
    case RELAY_QUOTA:
        return ERR_FULL;
    case RELAY_RESTARTS:
    case RELAY_CLOSED:
        return ERR_CLOSED;
    case RELAY_EXPIRED:
    case RELAY_NO_ANSWER:
        return ERR_TIMEOUT;
    case RELAY_NO_FLOW:
        return ERR_NOT_FOUND;
    default: /* one of a newer relay, too */
        return ERR_REFUSED;
    }
}

static const struct {
    enum ep_event_kind kind;
    bool fails;
} told_as[] = {
    [RELAY_EV_RESERVED] = {EP_RELAY_RESERVED, false},
    [RELAY_EV_UNRESERVED] = {EP_RELAY_REFUSED, true},
    [RELAY_EV_OPENED] = {EP_RELAY_OPENED, false},
    [RELAY_EV_REFUSED] = {EP_RELAY_REFUSED, true},
    [RELAY_EV_INCOMING] = {EP_RELAY_INCOMING, false},
    [RELAY_EV_ENDED] = {EP_RELAY_ENDED, true},
    [RELAY_EV_LOAD] = {EP_RELAY_LOAD, false},
    [RELAY_EV_RESTARTING] = {EP_RELAY_RESTARTING, false},
};

static void tell(struct endpoint *e, uint64_t now_us, const struct relay_event *r) {
    struct ep_event ev = {
        .kind = told_as[r->kind].kind,
        .peer = r->relay,
        .err = told_as[r->kind].fails ? error_of(r->reason) : 0,
        .node = r->peer,
        .relay = {.reason = r->reason,
                  .load = r->load,
                  .lifetime_s = r->lifetime_s,
                  .flows_max = r->flows_max,
                  .request = r->request,
                  .rate_kib_s = r->rate_kib_s,
                  .quota_left_mib = r->quota_left_mib,
                  .in_ms = r->in_ms,
                  .for_ms = r->for_ms},
    };
    if (r->flow != 0)
        ev.hop = (struct hop){.kind = HOP_RELAY, .relay = {r->relay, r->flow}};
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
    struct peer *p = r->kind == RELAY_EV_ENDED ? peers_by_id(&e->peers, &r->peer) : NULL;
    if (p)
        endpoint_place_gone(e, p, now_us, &ev.hop);
}

void endpoint_relay_tell(struct endpoint *e, uint64_t now_us) {
    struct relay_event r;
    while (e->relay_client && relay_client_poll(e->relay_client, &r))
        tell(e, now_us, &r);
}

/* ---- time ---- */

uint64_t endpoint_relay_us(const struct endpoint *e) {
    const uint64_t of_server =
        e->relay_server ? relay_server_deadline_us(e->relay_server) : TIME_NEVER;
    const uint64_t of_client =
        e->relay_client ? relay_client_deadline_us(e->relay_client) : TIME_NEVER;
    return of_server < of_client ? of_server : of_client;
}

void endpoint_relay_timeout(struct endpoint *e, uint64_t now_us) {
    if (e->relay_server && now_us >= relay_server_deadline_us(e->relay_server))
        relay_server_timeout(e->relay_server, now_us);
    if (e->relay_client && now_us >= relay_client_deadline_us(e->relay_client))
        relay_client_timeout(e->relay_client, now_us);
    endpoint_relay_tell(e, now_us);
}
