#include "node/node.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/file/offer_in.h"
#include "node/mesh/reach.h"
#include "node/message/letter_in.h"
#include "node/node_int.h"
#include "node/people/denial.h"
#include "node/people/pairing.h"

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

/* What each part works with, and in which order they hear of things (node/base/part.h). */
static void put_together(struct node *n) {
    struct turn *turn = &n->turn;
    n->keep = (struct keep){.turn = turn, .work = &n->work};
    n->resolves = (struct resolves){.turn = turn};
    n->peers = (struct peerings){.turn = turn};
    n->dials = (struct dials){.turn = turn, .peers = &n->peers};
    n->watch = (struct watch){.turn = turn, .peers = &n->peers};
    n->pings = (struct pings){.turn = turn, .peers = &n->peers, .dials = &n->dials};
    n->contacts =
        (struct contacts){.turn = turn, .keep = &n->keep, .peers = &n->peers, .dials = &n->dials};
    n->invites = (struct invites){.turn = turn, .keep = &n->keep, .contacts = &n->contacts};
    n->pairing.turn = turn;
    n->pairing.keep = &n->keep;
    n->pairing.contacts = &n->contacts;
    n->pairing.invites = &n->invites;
    n->messages.turn = turn;
    n->messages.keep = &n->keep;
    n->messages.contacts = &n->contacts;
    n->messages.dials = &n->dials;
    n->messages.watch = &n->watch;
    history_setup(&n->messages.history, turn, &n->keep, &n->contacts);
    n->transfers = (struct transfers){
        .turn = turn, .keep = &n->keep, .work = &n->work, .contacts = &n->contacts};
    n->files.transfers = n->files.send.files = n->files.recv.files = &n->transfers;
    n->files.send.dials = &n->dials;
    n->files.send.watch = n->files.recv.watch = &n->watch;
    n->mesh.turn = turn;
    n->mesh.links = (struct links){.turn = turn,
                                   .peers = &n->peers,
                                   .keep = &n->keep,
                                   .resolves = &n->resolves,
                                   .contacts = &n->contacts,
                                   .book = {.turn = turn, .keep = &n->keep}};
    n->mesh.ways = (struct ways){.turn = turn,
                                 .peers = &n->peers,
                                 .contacts = &n->contacts,
                                 .invites = &n->invites,
                                 .links = &n->mesh.links};
    n->intakes = (struct intakes){.turn = turn, .contacts = &n->contacts};
    intakes_serve(&n->intakes, &offer_in_channel, &n->files.recv);
    intakes_serve(&n->intakes, &letter_in_channel, &n->messages);
    n->mailbox.turn = turn;
    n->mailbox.contacts = &n->contacts;

    n->keep.part = parts_add(&turn->parts, &keep_part, &n->keep);
    (void)parts_add(&turn->parts, &resolves_part, &n->resolves);
    (void)parts_add(&turn->parts, &peerings_part, &n->peers);
    (void)parts_add(&turn->parts, &dials_part, &n->dials);
    (void)parts_add(&turn->parts, &contacts_part, &n->contacts);
    (void)parts_add(&turn->parts, &invites_part, &n->invites);
    (void)parts_add(&turn->parts, &mesh_part, &n->mesh);
    n->messages.part = parts_add(&turn->parts, &messages_part, &n->messages);
    (void)parts_add(&turn->parts, &pings_part, &n->pings);
    (void)parts_add(&turn->parts, &watch_part, &n->watch);
    n->intakes.part = parts_add(&turn->parts, &intakes_part, &n->intakes);
    n->transfers.part = parts_add(&turn->parts, &file_channel_part, &n->files);
    (void)parts_add(&turn->parts, &mailbox_part, &n->mailbox);
}

static int load(struct node *n) {
    const int err = parts_load(&n->turn.parts);
    if (err) /* whoever owns the store has said what is wrong with it, and where it is */
        turn_log(&n->turn, LOG_DEBUG, "the store cannot be read: %s", err_text(err));
    return err;
}

struct node *node_new(const struct node_config *cfg, const struct env *env, uint64_t now_us) {
    struct node *n = mem_calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->turn = (struct turn){.env = *env,
                            .id = cfg->identity->id,
                            .transport = cfg->identity->transport_public,
                            .now_us = now_us,
                            .wall_us = cfg->wall_us,
                            .wall_at_us = now_us,
                            .lazy = cfg->lazy};
    n->started_us = now_us;
    put_together(n);
    n->files.send.pool.blocks_max = cfg->blocks_max ? cfg->blocks_max : BLOCKS_FILES_DEFAULT;
    const struct node_policy policy = {cfg->accept,
                                       cfg->download_dir,
                                       cfg->accept_max_bytes,
                                       cfg->message_quota_bytes,
                                       cfg->message_quota_contact_bytes,
                                       cfg->relay,
                                       cfg->path};
    node_set_policy(n, &policy);
    node_set_tell(n, cfg->tell, cfg->tell_count);
    n->turn.ep = make_endpoint(cfg, env, now_us);
    if (n->turn.ep)
        node_policy_told(n);
    if (!n->turn.ep || !node_relays_taken(n, cfg->relay) || load(n) != 0) {
        node_free(n);
        return NULL;
    }
    return n;
}

void node_free(struct node *n) {
    if (!n)
        return;
    parts_clear(&n->turn.parts);
    work_clear(&n->work);
    news_clear(&n->turn.news);
    endpoint_free(n->turn.ep);
    mem_free(n->relay);
    sodium_memzero(n, sizeof *n);
    mem_free(n);
}

/* ---- what holds for all ---- */
const struct node_id *node_self(const struct node *n) {
    return &n->turn.id;
}

struct cause node_why(struct node *n, int err) {
    return turn_why(&n->turn, err);
}

void node_set_wall(struct node *n, uint64_t now_us, uint64_t wall_us) {
    n->turn.now_us = n->turn.wall_at_us = now_us;
    n->turn.wall_us = wall_us;
    endpoint_set_wall(n->turn.ep, now_us, wall_us);
}

uint64_t node_wall_s(const struct node *n, uint64_t now_us) {
    const struct turn *t = &n->turn;
    return (t->wall_us + (now_us > t->wall_at_us ? now_us - t->wall_at_us : 0)) / 1000000;
}

void node_set_tell(struct node *n, const struct addr *addrs, unsigned count) {
    n->pairing.tell_count = count < PEER_ADDRS_MAX ? count : PEER_ADDRS_MAX;
    for (unsigned i = 0; i < n->pairing.tell_count; i++)
        n->pairing.tell[i] = addrs[i];
}

/* ---- what the endpoint tells ---- */
static void session_lost(struct node *n, struct peering *p, int err) {
    p->online = false;
    parts_peer_down(&n->turn.parts, p, p->contact, err);
    if (p->contact) {
        struct node_event *e = peering_tell_event(&n->peers, NODE_PEER_DOWN, p);
        e->err = err;
        e->cause = cause_here(err);
    }
    dial_down(&n->dials, p, err);
}

/* What the error of a session or an attempt says. ERR_AUTH of a session is our own word. */
static int error_of(struct node *n, const struct peering *p, int err, bool by_ticket) {
    return p->contact ? denial_heard(&n->contacts, p->contact, err, by_ticket) : err;
}

static void session_down(struct node *n, struct peering *p, const struct ep_event *ev) {
    struct session_ref other;
    const bool its = p->online && session_ref_equal(p->session, ev->session);
    const bool early = !p->online && !endpoint_session(n->turn.ep, p->ref, &other);
    const int err =
        (its || early) && ev->err != ERR_AUTH ? error_of(n, p, ev->err, false) : ev->err;
    if (its)
        session_lost(n, p, err);
    else if (early)
        dial_failed(&n->dials, p, err); /* it ended before anybody heard that it was up */
}

static void session_up(struct node *n, const struct ep_event *ev) {
    struct peering *p = peering_by_ref(&n->peers, ev->peer);
    struct session_info info;
    if (!endpoint_session_info(n->turn.ep, n->turn.now_us, ev->session, &info))
        return;          /* it has ended since: session_down */
    if (!p && ev->guest) /* whom the endpoint keeps, as far as it serves as a relay */
        return;
    if (!p) { /* nobody here holds it */
        endpoint_disconnect(n->turn.ep, n->turn.now_us, ev->session, ERR_AUTH);
        return;
    }
    if (p->online && !session_ref_equal(p->session, ev->session))
        session_lost(n, p, ERR_CLOSED);
    p->online = true;
    p->session = ev->session;
    reach_began(&n->mesh, p);
    if (p->contact)
        denial_over(&n->contacts, p->contact);
    dial_up(&n->dials, p);
    if (p->contact) {
        contact_seen_at(&n->contacts, p->contact, &info.path);
        reach_up(&n->mesh, p);
    }
    parts_peer_up(&n->turn.parts, p, p->contact);
}

static void key_changed(struct node *n, struct contact *c, const struct ep_event *ev) {
    c->transport = ev->transport;
    c->cert_seq = ev->cert_seq;
    int err = contact_update(&n->contacts, c);
    if (err)
        turn_log(&n->turn, LOG_WARN, "the key of \"%s\" was not stored: %s", c->name,
                 err_text(err));
}

static void roamed(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_session(&n->contacts, ev->session);
    if (!c)
        return;
    contact_seen_at(&n->contacts, c, &ev->addr);
    reach_moved(&n->mesh, c->peering);
}

static void stream_event(struct node *n, const struct ep_event *ev) {
    struct contact *c = contact_by_session(&n->contacts, ev->session);
    if (c && parts_stream_event(&n->turn.parts, c, ev))
        return;
    if (ev->kind == EP_STREAM_READABLE)
        stream_let_go(n->turn.ep, ev->session, ev->stream);
}

static void endpoint_event(struct node *n, const struct ep_event *ev) {
    struct contact *c;
    struct peering *p;
    switch (ev->kind) {
    case EP_SESSION_UP:
        session_up(n, ev);
        break;
    case EP_SESSION_DOWN:
        p = peering_by_ref(&n->peers, ev->peer);
        if (p)
            session_down(n, p, ev);
        break;
    case EP_CONNECT_FAILED:
        p = peering_by_ref(&n->peers, ev->peer);
        if (p)
            dial_failed(&n->dials, p, error_of(n, p, ev->err, ev->by_ticket));
        mesh_event(&n->mesh, ev);
        break;
    case EP_SESSION_SILENT:
        p = peering_by_session(&n->peers, ev->session);
        if (p)
            dial_silent(&n->dials, p);
        break;
    case EP_SESSION_HEARD:
        p = peering_by_session(&n->peers, ev->session);
        if (p)
            dial_heard(&n->dials, p);
        break;
    case EP_PAIRED:
        pairing_done(&n->pairing, ev);
        break;
    case EP_ROAMED:
        roamed(n, ev);
        break;
    case EP_STREAM_OPENED:
        intake_opened(&n->intakes, ev->session, ev->stream);
        break;
    case EP_STREAM_READABLE:
    case EP_STREAM_WRITABLE:
    case EP_STREAM_RESET:
    case EP_STREAM_STOPPED:
        stream_event(n, ev);
        break;
    case EP_PONG:
        p = peering_by_session(&n->peers, ev->session);
        if (p)
            ping_answered(&n->pings, p, ev->id, &ev->addr);
        mesh_event(&n->mesh, ev);
        break;
    case EP_DATAGRAM:
        c = contact_by_session(&n->contacts, ev->session);
        if (c)
            mailbox_come(&n->mailbox, c, ev->data, ev->len);
        break;
    case EP_PEER_KEY:
        c = contact_by_peer(&n->contacts, ev->peer);
        if (c)
            key_changed(n, c, ev);
        break;
    case EP_TICKET_DONE:
        c = contact_by_peer(&n->contacts, ev->peer);
        if (c)
            pairing_proved(&n->pairing, c);
        break;
    case EP_STREAM_FINISHED:
        break;
    case EP_RECORD:
    case EP_RELAY_RESERVED:
    case EP_RELAY_REFUSED:
    case EP_RELAY_OPENED:
    case EP_RELAY_INCOMING:
    case EP_RELAY_ENDED:
    case EP_RELAY_LOAD:
    case EP_RELAY_RESTARTING:
    case EP_KEY_TOLD:
        mesh_event(&n->mesh, ev);
        break;
    }
}

/* Everything the endpoint has to say is heard, and what waited for memory goes on. True if there
 * was anything. */
static bool turn(struct node *n) {
    struct ep_event ev;
    bool any = false;
    n->turn.unheard = false;
    while (endpoint_poll(n->turn.ep, &ev)) {
        any = true;
        endpoint_event(n, &ev);
        if (ev.kind == EP_PAIRED)
            sodium_memzero(&ev, sizeof ev);
    }
    file_channel_turn(&n->files);
    any |= keep_pay(&n->keep);
    messages_turn(&n->messages);
    return any;
}

/* ---- the world ---- */
void node_input(struct node *n, uint64_t now_us, const struct train_in *r) {
    n->turn.now_us = now_us;
    endpoint_input_train(n->turn.ep, now_us, r);
    n->turn.unheard = true;
}

/* What a batch of datagrams brought is heard once, by whoever is asked first. */
static void hear(struct node *n) {
    if (n->turn.unheard)
        turn(n);
}

bool node_output(struct node *n, uint64_t now_us, struct train *t) {
    n->turn.now_us = now_us;
    hear(n);
    do {
        /* Sending makes room in streams: whoever waits for it writes more before this call says no.
         */
        bool filled = endpoint_output(n->turn.ep, now_us, t);
        bool heard = turn(n);
        if (filled)
            return true;
        if (!heard)
            return false;
    } while (true);
}

uint64_t node_deadline_us(const struct node *n) {
    const uint64_t net_us = endpoint_deadline_us(n->turn.ep);
    const uint64_t parts_us = parts_deadline_us(&n->turn.parts);
    return net_us < parts_us ? net_us : parts_us;
}

void node_timeout(struct node *n, uint64_t now_us) {
    n->turn.now_us = now_us;
    endpoint_timeout(n->turn.ep, now_us);
    turn(n);
    parts_timeout(&n->turn.parts);
    turn(n);
}

void node_too_big(struct node *n, uint64_t now_us, const struct addr *to, size_t bytes) {
    n->turn.now_us = now_us;
    endpoint_too_big(n->turn.ep, now_us, to, bytes);
}

void node_icmp_too_big(struct node *n, uint64_t now_us, const struct icmp_quote *q,
                       size_t fits_bytes) {
    n->turn.now_us = now_us;
    endpoint_icmp_too_big(n->turn.ep, now_us, q, fits_bytes);
}

void node_network_changed(struct node *n, uint64_t now_us) {
    n->turn.now_us = now_us;
    endpoint_network_changed(n->turn.ep, now_us);
    dials_network_changed(&n->dials);
}

struct file_op *node_next_file_op(struct node *n) {
    hear(n);
    file_channel_pump(&n->files);
    keep_pump(&n->keep);
    return work_take(&n->work);
}

void node_file_done(struct node *n, uint64_t now_us, struct file_op *op) {
    n->turn.now_us = now_us;
    n->work.out--;
    parts_op_done(&n->turn.parts, op);
    turn(n);
}

bool node_next_resolve(struct node *n, struct resolve *out) {
    hear(n);
    return resolve_next(&n->resolves, out);
}

void node_resolved(struct node *n, uint64_t now_us, uint64_t id, const struct addr *addrs,
                   unsigned count) {
    n->turn.now_us = now_us;
    resolve_done(&n->resolves, id, addrs, count);
    turn(n);
}

void node_shutdown(struct node *n, uint64_t now_us) {
    n->turn.now_us = now_us;
    n->turn.shut = true;
    parts_shutdown(&n->turn.parts);
    for (uint32_t i = 0; i < n->peers.cap; i++) {
        const struct peering *p = n->peers.by_index[i];
        if (p && p->online)
            endpoint_disconnect(n->turn.ep, now_us, p->session, ERR_CLOSED);
    }
    turn(n);
}

bool node_poll(struct node *n, struct node_event *out) {
    hear(n);
    return news_take(&n->turn.news, out) || file_channel_poll(&n->files, out);
}

static uint32_t contacts_online(const struct contacts *people) {
    uint32_t online = 0;
    for (unsigned i = 0; i < people->count; i++)
        online += people->list[i]->peering->online;
    return online;
}

void node_status(const struct node *n, uint64_t now_us, struct node_status *out) {
    *out = (struct node_status){
        .uptime_us = now_us - n->started_us,
        .contacts = n->contacts.count,
        .online = contacts_online(&n->contacts),
        .sessions = endpoint_session_count(n->turn.ep),
        .half_open = endpoint_half_open_count(n->turn.ep),
        .transfers = transfers_live(&n->transfers),
        .messages_queued = n->messages.queued,
        .message_bytes = n->messages.history.bytes,
        .message_quota_bytes = n->messages.history.quota_bytes,
        .message_quota_contact_bytes = n->messages.history.quota_contact_bytes,
        .counters = endpoint_counters(n->turn.ep),
    };
    mesh_use(&n->mesh, &out->relay);
}

const struct endpoint_counters *node_counters(const struct node *n) {
    return endpoint_counters(n->turn.ep);
}

uint32_t node_session_count(const struct node *n) {
    return endpoint_session_count(n->turn.ep);
}

uint32_t node_half_open_count(const struct node *n) {
    return endpoint_half_open_count(n->turn.ep);
}
