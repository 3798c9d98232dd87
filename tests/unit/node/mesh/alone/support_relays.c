/* Sessions with relays and ways through them, over an endpoint of the tests' own. */
#include "support_relays.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/noise/keys.h"
#include "net/endpoint.h"

struct fake_relays heard;
static uint32_t last_request, last_flow;
static uint64_t last_nonce;

/* ---- the endpoint ---- */
int endpoint_peer_place_add(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                            const struct hop *at) {
    (void)e, (void)now_us, (void)p, (void)at;
    heard.places_added += !heard.no_place;
    return heard.no_place ? ERR_FULL : 0;
}

void endpoint_peer_place_remove(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                                const struct hop *at) {
    (void)e, (void)now_us, (void)p, (void)at;
    heard.places_removed++;
}

int endpoint_keepalive(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                       uint64_t interval_us) {
    (void)e, (void)now_us, (void)p;
    heard.keep_us = interval_us;
    return 0;
}

int endpoint_key_ask(struct endpoint *e, uint64_t now_us, const struct hop *at, uint64_t *nonce) {
    (void)e, (void)now_us, (void)at;
    heard.key_asks++;
    *nonce = ++last_nonce;
    return 0;
}

int endpoint_key_probe(struct endpoint *e, uint64_t now_us, const struct hop *at, uint64_t *nonce) {
    return endpoint_key_ask(e, now_us, at, nonce);
}

void endpoint_key_also(struct endpoint *e, uint64_t nonce, const struct hop *at) {
    (void)e, (void)nonce, (void)at;
}

uint64_t session_keys_left_us(const struct endpoint *e, uint64_t now_us, struct session_ref s) {
    const uint64_t end_us = heard.keys_us[s.index] + KEYS_REJECT_US;
    (void)e;
    return end_us > now_us ? end_us - now_us : 0;
}

bool session_renew(struct endpoint *e, uint64_t now_us, struct session_ref s) {
    if (session_keys_left_us(e, now_us, s) > 0)
        return false;
    heard.renewed++;
    heard.keys_us[s.index] = now_us;
    fake[s.index].heard_us = now_us + 1;
    return true;
}

int relay_reserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    (void)e, (void)now_us, (void)relay;
    heard.reserves++;
    return 0;
}

void relay_unreserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) {
    (void)e, (void)now_us, (void)relay;
}

int relay_open(struct endpoint *e, uint64_t now_us, struct peer_ref relay,
               const struct node_id *peer, uint32_t *request) {
    (void)e, (void)now_us;
    assert_true(heard.open_count < FAKE_OPENS);
    *request = ++last_request;
    heard.opens[heard.open_count++] = (struct fake_open){relay, *peer, *request};
    return 0;
}

int relay_answer(struct endpoint *e, uint64_t now_us, struct peer_ref relay, uint32_t flow,
                 bool accept) {
    (void)e, (void)now_us, (void)relay, (void)flow;
    heard.accepts += accept;
    heard.refusals += !accept;
    return 0;
}

/* ---- the room ---- */
void relay_close(struct endpoint *e, uint64_t now_us, const struct hop *flow) {
    (void)e, (void)now_us, (void)flow;
}

static uint64_t deadline_us(const void *self) {
    const struct room *r = self;
    const uint64_t links_us = links_deadline_us(&r->links), ways_us = ways_deadline_us(&r->ways);
    return links_us < ways_us ? links_us : ways_us;
}

static void timeout(void *self) {
    struct room *r = self;
    links_timeout(&r->links);
    ways_timeout(&r->ways);
}

static bool wanted(void *self, struct peering *p) {
    struct room *r = self;
    return ways_want(&r->ways, p);
}

static bool waits(const void *self, const struct contact *c) {
    const struct room *r = self;
    (void)c;
    return r->waits;
}

static void session_up(void *self, struct peering *p) {
    struct room *r = self;
    struct relay *relay = relay_by_peering(&r->links.book, p);
    links_session_up(&r->links, p);
    if (relay)
        ways_relay_up(&r->ways, relay);
}

static void session_down(void *self, struct peering *p, int err) {
    struct room *r = self;
    struct relay *relay = relay_by_peering(&r->links.book, p);
    links_session_down(&r->links, p, err);
    if (relay)
        ways_relay_down(&r->ways, relay);
}

static const struct part_ops ops = {.deadline_us = deadline_us,
                                    .timeout = timeout,
                                    .wanted = wanted,
                                    .waits = waits,
                                    .session_up = session_up,
                                    .session_down = session_down};

struct relay_addr relay_addr_of(unsigned n) {
    struct relay_addr a = {.id = id_of(RELAY_FIRST + n), .port = 7};
    a.at = (struct addr){.kind = ADDR_IPV4, .port = 7, .ip = {203, (uint8_t)n, 113, 1}};
    return a;
}

void room_begin(struct room *r, unsigned named) {
    struct relay_config c;
    memset(r, 0, sizeof *r);
    heard = (struct fake_relays){0};
    scene_begin(&r->s);
    relay_config_init(&c);
    for (unsigned i = 0; i < named; i++)
        c.use[c.use_count++] = relay_addr_of(i);
    r->resolves = (struct resolves){.turn = &r->s.turn};
    r->links = (struct links){.turn = &r->s.turn,
                              .peers = &r->s.peers,
                              .keep = &r->s.keep,
                              .resolves = &r->resolves,
                              .contacts = &r->s.people,
                              .book = {.turn = &r->s.turn, .keep = &r->s.keep}};
    r->ways = (struct ways){.turn = &r->s.turn,
                            .peers = &r->s.peers,
                            .contacts = &r->s.people,
                            .invites = &r->s.invites,
                            .links = &r->links};
    (void)parts_add(&r->s.turn.parts, &ops, r);
    links_named(&r->links, &c);
    links_start(&r->links);
    scene_wait(&r->s, 1000);
}

void room_end(struct room *r) {
    ways_clear(&r->ways);
    links_clear(&r->links);
    scene_end(&r->s);
}

struct relay *relay_n(struct room *r, unsigned n) {
    const struct node_id id = id_of(RELAY_FIRST + n);
    return relay_by_id(&r->links.book, &id);
}

void relay_lives(struct room *r, unsigned n) {
    struct relay *relay = relay_n(r, n);
    assert_non_null(relay);
    if (relay->asking) {
        const struct ep_event told = {
            .kind = EP_KEY_TOLD, .id = relay->nonce, .node = relay->at.id, .cert_seq = 1};
        links_key_told(&r->links, &told);
    }
    if (relay->state != RELAY_IS_CONNECTING)
        return;
    heard.keys_us[relay->peering->ref.index] = r->s.turn.now_us;
    scene_up(&r->s, relay->peering);
}

void relay_dies(struct room *r, unsigned n) {
    scene_down(&r->s, relay_n(r, n)->peering, ERR_TIMEOUT);
}

struct contact *room_contact(struct room *r, unsigned n, const unsigned *relays, unsigned count) {
    char name[16];
    struct relay_set set = {.count = 0};
    (void)snprintf(name, sizeof name, "c%u", n);
    struct contact *c = scene_contact(&r->s, name, n);
    for (unsigned i = 0; i < count; i++)
        set.list[set.count++] = relay_addr_of(relays[i]);
    assert_int_equal(contact_set_relays(&r->s.people, c, &set), 0);
    return c;
}

static struct fake_open *last_asked(const struct contact *c, struct room *r, unsigned n) {
    const struct relay *relay = relay_n(r, n);
    for (unsigned i = heard.open_count; relay && relay->peering && i-- > 0;)
        if (heard.opens[i].relay.index == relay->peering->ref.index &&
            node_id_equal(&heard.opens[i].peer, &c->id))
            return &heard.opens[i];
    return NULL;
}

unsigned asked(const struct contact *c, struct room *r, int n) {
    const struct relay *relay = n < 0 ? NULL : relay_n(r, (unsigned)n);
    unsigned count = 0;
    if (n >= 0 && (!relay || !relay->peering))
        return 0;
    for (unsigned i = 0; i < heard.open_count; i++)
        count += node_id_equal(&heard.opens[i].peer, &c->id) &&
                 (!relay || heard.opens[i].relay.index == relay->peering->ref.index);
    return count;
}

void relay_gives(struct room *r, unsigned n, const struct contact *c) {
    const struct fake_open *o = last_asked(c, r, n);
    assert_non_null(o);
    const struct hop at = {.kind = HOP_RELAY, .relay = {o->relay, ++last_flow}};
    ways_opened(&r->ways, relay_n(r, n), o->request, &at);
}

void relay_refuses(struct room *r, unsigned n, const struct contact *c, unsigned reason) {
    const struct fake_open *o = last_asked(c, r, n);
    assert_non_null(o);
    ways_refused(&r->ways, relay_n(r, n), o->request, reason);
}

void relay_brings(struct room *r, unsigned n, const struct node_id *who, uint32_t flow) {
    const struct hop at = {.kind = HOP_RELAY, .relay = {relay_n(r, n)->peering->ref, flow}};
    ways_incoming(&r->ways, relay_n(r, n), who, &at);
}

unsigned ways_in(const struct room *r, enum way_state state) {
    unsigned n = 0;
    for (unsigned i = 0; i < r->ways.count; i++)
        n += r->ways.list[i]->state == state;
    return n;
}
