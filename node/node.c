#include "node/node.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/node_int.h"
#include "node/people/denial.h"
#include "node/people/pairing.h"

enum { BLOCKS_DEFAULT = 640 }; /* what 0 means to the endpoint (net/endpoint.h) */

/* ---- for all modules ---- */
uint64_t node_wall_us(const struct node *n) {
    return n->wall_us + (n->now_us > n->wall_at_us ? n->now_us - n->wall_at_us : 0);
}

/* The id is looked up here, so that nobody can forget to give it. */
struct node_event *node_tell(struct node *n, enum node_event_kind kind, const char *contact) {
    struct node_event *e = news_add(&n->news, kind, n->now_us, contact);
    const struct contact *c = contact ? contact_by_name(n, contact) : NULL;
    if (c)
        e->node = c->id;
    return e;
}

void node_log(const struct node *n, enum log_level level, const char *format, ...) {
    if (!n->env.log)
        return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    n->env.log(n->env.log_ctx, level, line);
}

int node_met(struct node *n, enum limit limit, uint64_t max) {
    n->met = (struct cause){.limit = limit, .max = max};
    return limit_err(limit);
}

struct cause node_why(struct node *n, int err) {
    struct cause c = cause_here(err);
    if (n->met.limit != LIMIT_NONE && limit_err(n->met.limit) == err) {
        c.limit = n->met.limit;
        c.max = n->met.max;
    }
    n->met = (struct cause){0};
    return c;
}

void stream_let_go(struct node *n, struct session_ref s, uint64_t stream) {
    struct span sp;
    bool fin = false;
    int gone = 0;
    if (stream_peek(n->ep, s, stream, 0, &sp, 1, &fin) > 0)
        gone = stream_stop(n->ep, s, stream, ERR_CLOSED);
    (void)gone;
}

/* ---- beginning and end ---- */
static struct endpoint *make_endpoint(const struct node_config *cfg, const struct env *env,
                                      uint64_t now_us) {
    struct endpoint_config ec = {.identity = cfg->identity,
                                 .rng = env->rng,
                                 .provider = cfg->aead,
                                 .suites = cfg->suites,
                                 .cc = cfg->cc,
                                 .blocks_max = cfg->blocks_max,
                                 .mtu_max_bytes = cfg->mtu_max_bytes,
                                 .wall_us = cfg->wall_us};
    memcpy(ec.network_id, cfg->network_id, sizeof ec.network_id);
    return endpoint_new(&ec, now_us);
}

static int load(struct node *n) {
    int err = contacts_load(n);
    if (!err)
        err = transfers_load(n);
    if (!err)
        err = invites_load(n);
    if (!err)
        err = messages_load(n);
    if (err) /* whoever owns the store has said what is wrong with it, and where it is */
        node_log(n, LOG_DEBUG, "the store cannot be read: %s", err_text(err));
    return err;
}

struct node *node_new(const struct node_config *cfg, const struct env *env, uint64_t now_us) {
    struct node *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->env = *env;
    n->now_us = n->started_us = n->wall_at_us = now_us;
    n->wall_us = cfg->wall_us;
    n->id = cfg->identity->id;
    n->transport = cfg->identity->transport_public;
    n->lazy = cfg->lazy;
    n->blocks_max = cfg->blocks_max ? cfg->blocks_max : BLOCKS_DEFAULT;
    const struct node_policy policy = {cfg->accept, cfg->download_dir, cfg->accept_max_bytes,
                                       cfg->message_quota_bytes, cfg->message_quota_contact_bytes};
    node_set_policy(n, &policy);
    node_set_tell(n, cfg->tell, cfg->tell_count);
    n->ep = make_endpoint(cfg, env, now_us);
    if (!n->ep || load(n) != 0) {
        node_free(n);
        return NULL;
    }
    dial_all(n);
    return n;
}

void node_free(struct node *n) {
    if (!n)
        return;
    chan_clear(n);
    transfers_clear(n);
    work_clear(&n->work);
    keep_clear(n);
    messages_clear(n);
    pings_clear(n);
    invites_clear(n);
    contacts_clear(n);
    dials_clear(n);
    recv_rules_clear(n);
    news_clear(&n->news);
    mailbox_clear(&n->mailbox);
    endpoint_free(n->ep);
    sodium_memzero(n, sizeof *n);
    free(n);
}

const struct node_id *node_self(const struct node *n) {
    return &n->id;
}

void node_set_wall(struct node *n, uint64_t now_us, uint64_t wall_us) {
    n->now_us = n->wall_at_us = now_us;
    n->wall_us = wall_us;
    endpoint_set_wall(n->ep, now_us, wall_us);
}

uint64_t node_wall_s(const struct node *n, uint64_t now_us) {
    return (n->wall_us + (now_us > n->wall_at_us ? now_us - n->wall_at_us : 0)) / 1000000;
}

void node_set_tell(struct node *n, const struct addr *addrs, unsigned count) {
    n->tell_count = count < PEER_ADDRS_MAX ? count : PEER_ADDRS_MAX;
    for (unsigned i = 0; i < n->tell_count; i++)
        n->tell[i] = addrs[i];
}

/* ---- what the endpoint tells ---- */
static void session_lost(struct node *n, struct contact *c, int err) {
    struct session_ref s = c->session;
    c->online = false;
    transfers_session_down(n, s, err);
    chan_session_down(n, s);
    message_peer_down(n, c);
    ping_peer_lost(n, c, ERR_CLOSED);
    struct node_event *e = node_tell(n, NODE_PEER_DOWN, c->name);
    e->err = err;
    e->cause = cause_here(err);
    dial_down(n, c, err);
}

void node_connect_failed(struct node *n, struct contact *c, int err) {
    int shown = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    struct node_event *e = node_tell(n, NODE_CONNECT_FAILED, c->name);
    e->err = shown;
    e->cause = cause_here(shown);
    transfers_connect_failed(n, c, err);
    ping_peer_lost(n, c, shown);
}

uint64_t node_peer_silent(struct node *n, struct contact *c, uint64_t before_us) {
    const uint64_t transfer_us = transfers_peer_silent(n, c, before_us);
    const uint64_t ping_us = ping_peer_silent(n, c, before_us);
    return transfer_us < ping_us ? transfer_us : ping_us;
}

static void session_down(struct node *n, struct contact *c, const struct ep_event *ev) {
    struct session_ref other;
    const bool its = c->online && session_ref_equal(c->session, ev->session);
    const bool early = !c->online && !endpoint_session(n->ep, c->peer, &other);
    /* ERR_AUTH of a session is our own word. */
    const int err =
        (its || early) && ev->err != ERR_AUTH ? denial_heard(n, c, ev->err, false) : ev->err;
    if (its)
        session_lost(n, c, err);
    else if (early)
        dial_failed(n, c, err); /* it ended before anybody heard that it was up */
}

static void session_up(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_peer(n, ev->peer);
    struct session_info info;
    if (!endpoint_session_info(n->ep, n->now_us, ev->session, &info))
        return; /* it has ended since: session_down */
    if (!c) {
        endpoint_disconnect(n->ep, n->now_us, ev->session, ERR_AUTH);
        return;
    }
    if (c->online && !session_ref_equal(c->session, ev->session))
        session_lost(n, c, ERR_CLOSED);
    c->online = true;
    c->session = ev->session;
    denial_over(n, c);
    dial_up(n, c);
    contact_seen_at(n, c, &info.path);
    node_tell(n, NODE_PEER_UP, c->name);
    message_kick(n, c);
    ping_peer_up(n, c);
    transfers_peer_up(n, c);
}

static void key_changed(struct node *n, struct contact *c, const struct ep_event *ev) {
    c->transport = ev->transport;
    c->cert_seq = ev->cert_seq;
    int err = contact_update(n, c);
    if (err)
        node_log(n, LOG_WARN, "the key of \"%s\" was not stored: %s", c->name, err_text(err));
}

static void roamed(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_session(n, ev->session);
    if (!c)
        return;
    contact_seen_at(n, c, &ev->addr);
    node_tell(n, NODE_PATH_CHANGED, c->name)->addr = ev->addr;
}

static void stream_event(struct node *n, const struct ep_event *ev) {
    struct transfer *t = transfer_by_stream(n, ev->session, ev->stream);
    if (t) {
        transfer_stream_event(n, t, ev);
        return;
    }
    struct contact *c = contact_by_session(n, ev->session);
    if (c && message_owns(c, ev->stream))
        message_stream_event(n, c, ev);
    else if (ev->kind == EP_STREAM_READABLE && !chan_readable(n, ev->session, ev->stream))
        stream_let_go(n, ev->session, ev->stream);
    else if (ev->kind == EP_STREAM_RESET)
        chan_reset(n, ev->session, ev->stream);
}

static void endpoint_event(struct node *n, const struct ep_event *ev) {
    struct contact *c;
    switch (ev->kind) {
    case EP_SESSION_UP:
        session_up(n, ev);
        break;
    case EP_SESSION_DOWN:
        c = contact_by_peer(n, ev->peer);
        if (c)
            session_down(n, c, ev);
        break;
    case EP_CONNECT_FAILED:
        c = contact_by_peer(n, ev->peer);
        if (c)
            dial_failed(n, c, denial_heard(n, c, ev->err, ev->by_ticket));
        break;
    case EP_PAIRED:
        pairing_done(n, ev);
        break;
    case EP_ROAMED:
        roamed(n, ev);
        break;
    case EP_STREAM_OPENED:
        chan_opened(n, ev->session, ev->stream);
        break;
    case EP_STREAM_READABLE:
    case EP_STREAM_WRITABLE:
    case EP_STREAM_RESET:
    case EP_STREAM_STOPPED:
        stream_event(n, ev);
        break;
    case EP_PONG:
        c = contact_by_session(n, ev->session);
        if (c)
            ping_answered(n, c, ev->id);
        break;
    case EP_DATAGRAM:
        c = contact_by_session(n, ev->session);
        if (c)
            mailbox_add(&n->mailbox, c, ev->data, ev->len);
        break;
    case EP_PEER_KEY:
        c = contact_by_peer(n, ev->peer);
        if (c)
            key_changed(n, c, ev);
        break;
    case EP_TICKET_DONE:
        c = contact_by_peer(n, ev->peer);
        if (c)
            pairing_proved(n, c);
        break;
    case EP_STREAM_FINISHED:
        break;
    }
}

/* Everything the endpoint has to say is heard, and what waited for memory goes on. True if there
 * was anything. */
static bool turn(struct node *n) {
    struct ep_event ev;
    bool any = false;
    n->unheard = false;
    while (endpoint_poll(n->ep, &ev)) {
        any = true;
        endpoint_event(n, &ev);
        if (ev.kind == EP_PAIRED)
            sodium_memzero(&ev, sizeof ev);
    }
    if (n->blocks_short) {
        n->blocks_short = false;
        transfers_pump(n);
    }
    any |= keep_pay(n);
    messages_turn(n);
    return any;
}

/* ---- the world ---- */
void node_input(struct node *n, uint64_t now_us, const struct addr *from, uint32_t local,
                uint8_t ecn, uint8_t *buf, size_t len) {
    n->now_us = now_us;
    endpoint_input(n->ep, now_us, from, local, ecn, buf, len);
    n->unheard = true;
}

/* What a batch of datagrams brought is heard once, by whoever is asked first. */
static void hear(struct node *n) {
    if (n->unheard)
        turn(n);
}

bool node_output(struct node *n, uint64_t now_us, struct train *t) {
    n->now_us = now_us;
    hear(n);
    do {
        /* Sending makes room in streams: whoever waits for it writes more before this call says no.
         */
        bool filled = endpoint_output(n->ep, now_us, t);
        bool heard = turn(n);
        if (filled)
            return true;
        if (!heard)
            return false;
    } while (true);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t node_deadline_us(const struct node *n) {
    uint64_t at = endpoint_deadline_us(n->ep);
    at = earlier(at, dials_deadline_us(n));
    at = earlier(at, keep_deadline_us(n));
    at = earlier(at, invites_deadline_us(n));
    at = earlier(at, pings_deadline_us(n));
    at = earlier(at, watch_deadline_us(n));
    at = earlier(at, chan_deadline_us(n));
    return earlier(at, transfers_deadline_us(n));
}

void node_too_big(struct node *n, uint64_t now_us, const struct addr *to, size_t bytes) {
    n->now_us = now_us;
    endpoint_too_big(n->ep, now_us, to, bytes);
}

void node_icmp_too_big(struct node *n, uint64_t now_us, const struct icmp_quote *q,
                       size_t fits_bytes) {
    n->now_us = now_us;
    endpoint_icmp_too_big(n->ep, now_us, q, fits_bytes);
}

void node_timeout(struct node *n, uint64_t now_us) {
    n->now_us = now_us;
    endpoint_timeout(n->ep, now_us);
    turn(n);
    keep_timeout(n);
    dials_timeout(n);
    invites_timeout(n);
    pings_timeout(n);
    watch_timeout(n);
    chan_timeout(n);
    transfers_timeout(n);
    turn(n);
}

struct file_op *node_next_file_op(struct node *n) {
    hear(n);
    transfer_store_pump(n);
    keep_pump(n);
    return work_take(&n->work);
}

void node_file_done(struct node *n, uint64_t now_us, struct file_op *op) {
    n->now_us = now_us;
    n->work.out--;
    if (op->kind == FILE_OP_STORE_SYNC)
        keep_op_done(n, op);
    else
        transfer_op_done(n, op);
    turn(n);
}

void node_shutdown(struct node *n, uint64_t now_us) {
    n->now_us = now_us;
    n->shut = true;
    transfers_shutdown(n);
    contacts_end(n);
    for (unsigned i = 0; i < n->contacts.count; i++)
        if (n->contacts.list[i]->online)
            endpoint_disconnect(n->ep, now_us, n->contacts.list[i]->session, ERR_CLOSED);
    turn(n);
}

bool node_poll(struct node *n, struct node_event *out) {
    hear(n);
    return news_take(&n->news, out) || transfers_poll_progress(n, out);
}

const struct endpoint_counters *node_counters(const struct node *n) {
    return endpoint_counters(n->ep);
}

uint32_t node_session_count(const struct node *n) {
    return endpoint_session_count(n->ep);
}

uint32_t node_half_open_count(const struct node *n) {
    return endpoint_half_open_count(n->ep);
}

void node_status(const struct node *n, uint64_t now_us, struct node_status *out) {
    *out = (struct node_status){
        .uptime_us = now_us - n->started_us,
        .contacts = n->contacts.count,
        .sessions = endpoint_session_count(n->ep),
        .half_open = endpoint_half_open_count(n->ep),
        .transfers = transfers_live(n),
        .messages_queued = n->messages.queued,
        .message_bytes = n->messages.bytes,
        .message_quota_bytes = n->messages.quota_bytes,
        .message_quota_contact_bytes = n->messages.quota_contact_bytes,
        .counters = endpoint_counters(n->ep),
    };
}
