#include "node/mesh/mesh.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "net/relay/relay_server.h"

/* ---- telling ---- */
static struct mate *mate_of(const struct mesh *mesh, const struct peering *p) {
    return p->ref.index < mesh->mate_cap ? mesh->mates[p->ref.index] : NULL;
}

static struct mate *mate_new(struct mesh *mesh, const struct peering *p) {
    const uint32_t index = p->ref.index;
    if (index >= mesh->mate_cap) {
        uint32_t cap = mesh->mate_cap ? mesh->mate_cap : 8;
        while (cap <= index)
            cap *= 2;
        struct mate **grown = mem_realloc(mesh->mates, cap * sizeof(struct mate *));
        if (!grown)
            return NULL;
        memset(grown + mesh->mate_cap, 0, (cap - mesh->mate_cap) * sizeof(struct mate *));
        mesh->mates = grown;
        mesh->mate_cap = cap;
    }
    if (!mesh->mates[index])
        mesh->mates[index] = mem_calloc(1, sizeof(struct mate));
    return mesh->mates[index];
}

static void mate_end(struct mesh *mesh, const struct peering *p) {
    struct mate *m = mate_of(mesh, p);
    if (!m)
        return;
    mem_free(m);
    mesh->mates[p->ref.index] = NULL;
}

static uint16_t rtt_ms(const struct mesh *mesh, const struct relay_addr *at) {
    const struct relay *r = relay_by_id(&mesh->links.book, &at->id);
    const uint64_t ms = r ? (r->rtt_us + 999) / 1000 : 0;
    return (uint16_t)(ms < UINT16_MAX ? ms : UINT16_MAX);
}

static void tell_at(struct mesh *mesh, struct mate *m, uint64_t at_us) {
    m->next_us = at_us;
    if (mesh->mates_us == 0 || at_us < mesh->mates_us)
        mesh->mates_us = at_us;
}

static void tell(struct mesh *mesh, const struct peering *p, struct mate *m) {
    uint8_t out[TOLD_BYTES_MAX];
    struct mesh_told t = {.op = TOLD_HOMES, .sequence = m->tell};
    if (mesh->told)
        t.homes = *mesh->told;
    for (unsigned i = 0; i < t.homes.count; i++)
        t.rtt_ms[i] = rtt_ms(mesh, &t.homes.list[i]);
    const size_t len = told_write(&t, out, RECORD_MAX_BYTES);
    const int err = session_record(mesh->turn->ep, mesh->turn->now_us, p->session, out, len);
    (void)err; /* told again, or it is one that does not know records */
    m->next_us = 0;
    if (m->tries < TOLD_TRIES)
        tell_at(mesh, m, mesh->turn->now_us + ((uint64_t)TOLD_FIRST_US << m->tries));
    m->tries++;
}

/* In this turn it may be its session that has just come up: what else begins it goes first. */
static void tell_soon(struct mesh *mesh, struct mate *m) {
    m->tell++;
    m->tries = 0;
    tell_at(mesh, m, mesh->turn->now_us);
}

static void tell_due(struct mesh *mesh) {
    const uint64_t now_us = mesh->turn->now_us;
    if (mesh->mates_us == 0 || now_us < mesh->mates_us)
        return;
    mesh->mates_us = 0;
    for (uint32_t i = 0; i < mesh->mate_cap; i++) {
        struct mate *m = mesh->mates[i];
        const struct peering *p = m && m->next_us ? peering_at(mesh->links.peers, i) : NULL;
        if (p && m->next_us <= now_us)
            tell(mesh, p, m);
        else if (p)
            tell_at(mesh, m, m->next_us);
    }
}

static bool is_told(const struct mesh *mesh, const struct peering *p) {
    return p->contact && contact_path_policy(mesh->ways.contacts, p->contact) != PATH_DIRECT_ONLY;
}

/* Homes are others: everybody with a session hears it. */
static void homes_changed(struct mesh *mesh) {
    static const struct relay_set none;
    struct relay_set now;
    mesh_homes(mesh, &now);
    mesh->links.homes_changed =
        !mesh->told && now.count > 0 && !(mesh->told = mem_calloc(1, sizeof *mesh->told));
    if (mesh->links.homes_changed || relay_set_equal(&now, mesh->told ? mesh->told : &none))
        return;
    *mesh->told = now;
    for (uint32_t i = 0; i < mesh->mate_cap; i++)
        if (mesh->mates[i])
            tell_soon(mesh, mesh->mates[i]);
}

static void answer(struct mesh *mesh, const struct peering *p, uint32_t sequence) {
    uint8_t out[TOLD_BYTES_MAX];
    const struct mesh_told t = {.op = TOLD_HEARD, .sequence = sequence};
    const size_t len = told_write(&t, out, sizeof out);
    const int err = session_record(mesh->turn->ep, mesh->turn->now_us, p->session, out, len);
    (void)err; /* it asks again */
}

static void heard(struct mesh *mesh, struct peering *p, struct mate *m, const struct mesh_told *t) {
    if (t->op == TOLD_HEARD) {
        if (t->sequence == m->tell)
            m->next_us = 0;
        return;
    }
    answer(mesh, p, t->sequence);
    if (t->sequence <= m->its)
        return;
    m->its = t->sequence;
    if (!is_told(mesh, p))
        return;
    const int err = contact_set_relays(mesh->ways.contacts, p->contact, &t->homes);
    if (err)
        turn_log(mesh->turn, LOG_DEBUG, "the relays of \"%s\" were not kept: %s", p->name,
                 err_text(err));
    else
        memcpy(p->contact->relay_rtts_ms, t->rtt_ms, sizeof t->rtt_ms);
    /* It may be there since a relay said that it is not: nothing that failed is news any more. */
    ways_changed(&mesh->ways, p->contact);
}

static void record(struct mesh *mesh, const struct ep_event *ev) {
    struct peering *p = peering_by_session(mesh->links.peers, ev->session);
    struct mate *m = p ? mate_of(mesh, p) : NULL;
    struct mesh_told t;
    if (!m)
        return;
    if (told_read(&t, ev->data, ev->len))
        heard(mesh, p, m, &t);
    else
        mesh->wrong++;
}

/* ---- what the endpoint tells ---- */
static void said(struct mesh *mesh, struct relay *r, const struct ep_event *ev) {
    static const struct node_id nobody; /* of a reservation */
    switch ((int)ev->kind) {
    case EP_RELAY_OPENED:
        ways_opened(&mesh->ways, r, ev->relay.request, &ev->hop);
        return;
    case EP_RELAY_INCOMING:
        ways_incoming(&mesh->ways, r, &ev->node, &ev->hop);
        return;
    case EP_RELAY_RESTARTING:
        links_said(&mesh->links, r, ev);
        if (ev->relay.in_ms < WAY_LOOK_US / 1000) /* no time to wait for what will be lost */
            ways_relay_down(&mesh->ways, r);
        return;
    case EP_RELAY_ENDED:
        ways_ended(&mesh->ways, r, &ev->hop, ev->relay.reason);
        return;
    case EP_RELAY_REFUSED:
        if (node_id_equal(&ev->node, &nobody))
            links_said(&mesh->links, r, ev);
        else
            ways_refused(&mesh->ways, r, ev->relay.request, ev->relay.reason);
        return;
    default:
        links_said(&mesh->links, r, ev);
        return;
    }
}

static void relay_event(struct mesh *mesh, const struct ep_event *ev) {
    const struct peering *p = peering_by_ref(mesh->links.peers, ev->peer);
    struct relay *r = p ? relay_by_peering(&mesh->links.book, p) : NULL;
    if (r)
        said(mesh, r, ev);
}

void mesh_event(struct mesh *mesh, const struct ep_event *ev) {
    const struct peering *p;
    switch ((int)ev->kind) {
    case EP_KEY_TOLD:
        links_key_told(&mesh->links, ev);
        break;
    case EP_RECORD:
        record(mesh, ev);
        break;
    case EP_PONG:
        p = peering_by_session(mesh->links.peers, ev->session);
        if (p)
            links_pong(&mesh->links, p, ev->id);
        break;
    case EP_CONNECT_FAILED:
        p = peering_by_ref(mesh->links.peers, ev->peer);
        if (p)
            links_connect_failed(&mesh->links, p, ev->err);
        break;
    default:
        relay_event(mesh, ev);
        break;
    }
    if (mesh->links.homes_changed)
        homes_changed(mesh);
}

/* ---- settings ---- */
static void serve(struct mesh *mesh, const struct relay_config *c) {
    struct endpoint *ep = mesh->turn->ep;
    struct relay_limits l = relay_limits_default();
    l.bytes_per_s = c->capacity_bps / 8;
    l.client_bytes_per_s = c->rate_per_node_bps / 8;
    l.client_bytes_per_day = c->quota_day_bytes;
    l.flows_per_client = (uint16_t)c->flows_per_node;
    l.reservations_per_prefix = c->reservations_per_prefix;
    if (!c->serve && !mesh->serving)
        return;
    int err = endpoint_relay_serve(ep, c->serve ? &l : NULL, mesh->turn->now_us);
    if (!err && c->serve)
        err = endpoint_relay_allow(ep, mesh->turn->now_us, c->allow.list, c->allow.count,
                                   c->block.list, c->block.count);
    if (c->serve && !err && !mesh->serving)
        turn_log(mesh->turn, LOG_INFO, "this node serves as a relay for others");
    mesh->serving = c->serve && !err;
    if (err)
        turn_log(mesh->turn, LOG_ERROR, "this node does not serve as relay: %s", err_text(err));
}

static void offer_relays(struct mesh *mesh, const struct contact *c) {
    if (contact_path_policy(mesh->ways.contacts, c) == PATH_DIRECT_ONLY)
        return;
    for (unsigned i = 0; c->relays && i < c->relays->count && i < HOMES_MAX; i++)
        links_offer(&mesh->links, &c->relays->list[i]);
}

/* While the user has named none, those of contacts will do. */
static void offer_all(struct mesh *mesh) {
    for (unsigned i = 0; i < mesh->ways.contacts->count; i++)
        offer_relays(mesh, mesh->ways.contacts->list[i]);
}

void mesh_config(struct mesh *mesh, const struct relay_config *c) {
    serve(mesh, c);
    links_named(&mesh->links, c);
    offer_all(mesh);
    homes_changed(mesh);
}

void mesh_homes(const struct mesh *mesh, struct relay_set *out) {
    links_homes(&mesh->links, out);
}

/* ---- what is shown ---- */
static void info_of(const struct relay *r, struct relay_info *out) {
    *out = (struct relay_info){
        .at = r->at,
        .serial = r->serial,
        .named = r->named,
        .home = r->home && r->state != RELAY_IS_WRONG_KEY,
        .reserved = r->state == RELAY_IS_RESERVED,
        .contact = r->peering && r->peering->contact,
        .state = relay_state_name(r->state),
        .why = r->why,
        .is_wrong = r->state == RELAY_IS_WRONG_KEY,
        .wrong = r->wrong,
        .rtt_us = r->rtt_us,
        .since_us = r->since_us,
        .keepalive_us = relay_is_up(r) ? keepalive_us(&r->keepalive) : 0,
        .load_percent = r->load_percent,
        .lost_percent = r->lost_percent,
        .ways = r->users,
    };
    if (r->place_count > 0)
        out->place = r->places[r->place];
}

bool mesh_relay_at(const struct mesh *mesh, unsigned i, struct relay_info *out) {
    for (unsigned round = 0; round < 2; round++)
        for (unsigned k = 0; k < mesh->links.book.count; k++) {
            const struct relay *r = mesh->links.book.list[k];
            if (r->home != (round == 0) || i-- > 0)
                continue;
            info_of(r, out);
            return true;
        }
    return false;
}

bool mesh_relay_by_serial(const struct mesh *mesh, uint32_t serial, struct relay_info *out) {
    const struct relay *r = relay_by_serial(&mesh->links.book, serial);
    if (r)
        info_of(r, out);
    return r != NULL;
}

void mesh_use(const struct mesh *mesh, struct relay_use *out) {
    *out = (struct relay_use){
        .known = mesh->links.book.count,
        .ways = ways_open(&mesh->ways),
        .ways_opened = mesh->ways.opened,
        .ways_failed = mesh->ways.failed,
        .ways_in = mesh->ways.came,
        .serves = mesh->serving,
    };
    for (unsigned i = 0; i < mesh->links.book.count; i++) {
        const struct relay *r = mesh->links.book.list[i];
        out->homes += r->state == RELAY_IS_RESERVED;
        out->up += relay_is_up(r);
    }
    if (out->serves)
        (void)endpoint_relay_stats(mesh->turn->ep, &out->served);
}

/* ---- as a part of the node (node/base/part.h) ---- */
/* After the contacts, which are loaded before. */
static int part_load(void *self) {
    struct mesh *mesh = self;
    offer_all(mesh);
    links_start(&mesh->links);
    homes_changed(mesh);
    return 0;
}

static void part_clear(void *self) {
    struct mesh *mesh = self;
    for (uint32_t i = 0; i < mesh->mate_cap; i++)
        mem_free(mesh->mates[i]);
    mem_free(mesh->mates);
    mesh->mates = NULL;
    mesh->mate_cap = 0;
    mem_free(mesh->told);
    ways_clear(&mesh->ways);
    links_clear(&mesh->links);
}

static void part_shutdown(void *self) {
    struct mesh *mesh = self;
    if (mesh->serving)
        endpoint_relay_restarting(mesh->turn->ep, mesh->turn->now_us, 0, MESH_RESTART_MS);
}

static uint64_t part_deadline_us(const void *self) {
    const struct mesh *mesh = self;
    uint64_t at = links_deadline_us(&mesh->links);
    const uint64_t ways_us = ways_deadline_us(&mesh->ways);
    at = ways_us < at ? ways_us : at;
    return mesh->mates_us && mesh->mates_us < at ? mesh->mates_us : at;
}

static void part_timeout(void *self) {
    struct mesh *mesh = self;
    links_timeout(&mesh->links);
    ways_timeout(&mesh->ways);
    if (mesh->links.homes_changed)
        homes_changed(mesh);
    tell_due(mesh);
}

static void part_session_up(void *self, struct peering *p) {
    struct mesh *mesh = self;
    links_session_up(&mesh->links, p);
    struct relay *r = relay_by_peering(&mesh->links.book, p);
    if (r)
        ways_relay_up(&mesh->ways, r);
    mate_end(mesh, p);
    struct mate *m = is_told(mesh, p) ? mate_new(mesh, p) : NULL;
    if (m && mesh->told && mesh->told->count > 0)
        tell_soon(mesh, m);
}

static void part_session_down(void *self, struct peering *p, int err) {
    struct mesh *mesh = self;
    struct relay *r = relay_by_peering(&mesh->links.book, p);
    mate_end(mesh, p);
    links_session_down(&mesh->links, p, err);
    if (r)
        ways_relay_down(&mesh->ways, r);
}

static bool part_wanted(void *self, struct peering *p) {
    struct mesh *mesh = self;
    return ways_want(&mesh->ways, p);
}

static void part_peer_gone(void *self, struct peering *p) {
    mate_end(self, p);
}

static void part_network_changed(void *self) {
    struct mesh *mesh = self;
    links_network_changed(&mesh->links);
}

static void part_resolved(void *self, const char *host, const struct addr *addrs, unsigned count) {
    struct mesh *mesh = self;
    links_resolved(&mesh->links, host, addrs, count);
}

/* It costs a look at all contacts. */
static bool offers_too_often(const struct mesh *mesh, const struct contact *c) {
    struct mate *m = mate_of(mesh, c->peering);
    const uint64_t now_us = mesh->turn->now_us;
    if (!m)
        return false;
    const uint64_t from_us = m->offer_us > now_us ? m->offer_us : now_us;
    if (from_us - now_us > (MATE_OFFERS_BURST - 1) * (uint64_t)MATE_OFFER_US)
        return true;
    m->offer_us = from_us + MATE_OFFER_US;
    return false;
}

static void part_ways_changed(void *self, struct contact *c) {
    struct mesh *mesh = self;
    if (!offers_too_often(mesh, c))
        offer_relays(mesh, c);
    ways_changed(&mesh->ways, c);
}

static int part_contact_new(void *self, struct contact *c) {
    struct mesh *mesh = self;
    offer_relays(mesh, c);
    ways_contact_new(&mesh->ways, c);
    return 0;
}

static void part_contact_gone(void *self, struct contact *c) {
    struct mesh *mesh = self;
    links_contact_gone(&mesh->links, c);
    ways_contact_gone(&mesh->ways, c);
}

const struct part_ops mesh_part = {.load = part_load,
                                   .clear = part_clear,
                                   .shutdown = part_shutdown,
                                   .deadline_us = part_deadline_us,
                                   .timeout = part_timeout,
                                   .session_up = part_session_up,
                                   .session_down = part_session_down,
                                   .wanted = part_wanted,
                                   .peer_gone = part_peer_gone,
                                   .network_changed = part_network_changed,
                                   .resolved = part_resolved,
                                   .ways_changed = part_ways_changed,
                                   .contact_new = part_contact_new,
                                   .contact_gone = part_contact_gone};
