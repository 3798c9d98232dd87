#include "node/mesh/link_reach.h"

#include <string.h>

#include "net/endpoint.h"
#include "node/mesh/link_warm.h"

static const char no_answer[] =
    "it does not answer: it is off, its UDP port is closed, or it does not serve as a relay";

/* ---- names ---- */
static void look_up(struct links *links, struct relay *r) {
    relay_enter(r, links->turn->now_us, RELAY_IS_RESOLVING, "its name is being looked up");
    const int err = r->named ? resolve_ask(links->resolves, r->at.host)
                             : resolve_ask_told(links->resolves, r->at.host);
    if (err)
        link_failed(links, r, RELAY_IS_SILENT, "its name could not be looked up now");
    else
        r->due_us = links->turn->now_us + LINK_LOOKUP_US;
}

/* ---- keys ---- */
static bool is_at(const struct contact *c, const struct addr *at) {
    for (unsigned i = 0; i < c->addr_count; i++)
        if (c->addrs[i].kind == at->kind && memcmp(c->addrs[i].ip, at->ip, sizeof at->ip) == 0)
            return true;
    return false;
}

/* Whom the user reaches by relays only cannot have itself called by saying that it, or another node
 * at its address, is one. What the user has named is a relay. */
static bool is_forbidden(const struct links *links, const struct relay *r, unsigned place) {
    const struct contacts *people = links->contacts;
    for (unsigned i = 0; !r->named && i < people->count; i++) {
        const struct contact *c = people->list[i];
        if (contact_path_policy(people, c) == PATH_RELAY_ONLY &&
            (node_id_equal(&c->id, &r->at.id) || is_at(c, &r->places[place])))
            return true;
    }
    return false;
}

static void ask(struct links *links, struct relay *r) {
    const struct hop at = hop_udp(&r->places[r->place], LOCAL_ANY);
    const uint64_t now_us = links->turn->now_us;
    if (r->state != RELAY_IS_WRONG_KEY) /* that it stays until the right one answers */
        relay_enter(r, now_us, RELAY_IS_ASKING_KEY, "it is asked for its key");
    r->asked_us = now_us;
    r->probing = r->has_key && !r->doubted && r->state != RELAY_IS_WRONG_KEY;
    r->asking = (r->probing ? endpoint_key_probe(links->turn->ep, now_us, &at, &r->nonce)
                            : endpoint_key_ask(links->turn->ep, now_us, &at, &r->nonce)) == 0;
    for (unsigned i = 1; r->asking && i < r->place_count; i++) {
        const unsigned place = (r->place + i) % r->place_count;
        const struct hop other = hop_udp(&r->places[place], LOCAL_ANY);
        if (!is_forbidden(links, r, place))
            endpoint_key_also(links->turn->ep, r->nonce, &other);
    }
    r->due_us = UINT64_MAX; /* the endpoint repeats it, and says if nobody answers */
    if (!r->asking)
        link_failed(links, r, RELAY_IS_SILENT, "it cannot be asked for its key now");
}

void link_reach_no_key(struct links *links, struct relay *r) {
    const bool wrong = r->state == RELAY_IS_WRONG_KEY;
    r->place = (r->place + 1) % r->place_count;
    r->chosen = false;
    link_failed(links, r, wrong ? RELAY_IS_WRONG_KEY : RELAY_IS_SILENT, wrong ? r->why : no_answer);
}

/* ---- sessions ---- */
/* The contact's peering, for a relay that the user has named. */
static int hold_contact(struct links *links, const struct relay *r, struct contact *c) {
    if (c->peering->as_relay == r->named)
        return 0;
    c->peering->as_relay = r->named;
    return contact_tell(links->contacts, c);
}

/* One that is a contact, too, has its own secrets and its own peering. */
static int hold(struct links *links, struct relay *r) {
    struct contact *c = contact_by_id(links->contacts, &r->at.id);
    struct peer_setup s = {.id = r->at.id,
                           .transport = r->transport,
                           .cert_seq = r->cert_seq,
                           .addrs = {r->places[r->place]},
                           .addr_count = 1};
    if (r->peering)
        return c && r->peering->contact ? hold_contact(links, r, c)
                                        : peering_tell(links->peers, r->peering, &s);
    if (!c)
        return peering_new(links->peers, &s, &r->peering);
    peering_share(c->peering);
    r->peering = c->peering;
    return hold_contact(links, r, c);
}

static void call(struct links *links, struct relay *r) {
    const uint64_t now_us = links->turn->now_us;
    const struct hop at = hop_udp(&r->places[r->place], LOCAL_ANY);
    relay_enter(r, now_us, RELAY_IS_CONNECTING, "it is being dialled");
    r->due_us = UINT64_MAX;
    int err = hold(links, r);
    if (!err && r->peering->online) { /* as a contact */
        link_warm_up(links, r);
        return;
    }
    if (!err && r->peering->contact) /* where it serves may be none of the contact's addresses */
        err = endpoint_peer_place_add(links->turn->ep, now_us, r->peering->ref, &at);
    if (!err)
        err = endpoint_connect(links->turn->ep, now_us, r->peering->ref);
    if (err)
        link_failed(links, r, RELAY_IS_SILENT, "it cannot be dialled now");
}

/* ---- in turn ---- */
static bool look_up_first(const struct relay *r) {
    return r->at.at.kind == ADDR_NONE && (r->place_count == 0 || r->doubted);
}

static void go_on(struct links *links, struct relay *r) {
    static const char why[] = "a contact of relay_only is at its address";
    if (is_forbidden(links, r, r->place)) {
        relay_enter(r, links->turn->now_us, RELAY_IS_CONNECTING, why);
        link_failed(links, r, RELAY_IS_SILENT, why);
        r->place = r->place_count > 0 ? (r->place + 1) % r->place_count : 0;
    } else if (!r->has_key || r->doubted || r->measure || (r->place_count > 1 && !r->chosen)) {
        ask(links, r);
    } else {
        call(links, r);
    }
}

void link_reach_begin(struct links *links, struct relay *r, bool measure) {
    r->measure = measure;
    if (relay_is_up(r) || r->asking || r->state == RELAY_IS_CONNECTING ||
        r->state == RELAY_IS_RESOLVING)
        return;
    if (look_up_first(r))
        look_up(links, r);
    else
        go_on(links, r);
}

void link_reach_resolved(struct links *links, struct relay *r, const struct addr *addrs,
                         unsigned count) {
    if (r->state != RELAY_IS_RESOLVING)
        return;
    if (count == 0 && r->place_count == 0) {
        link_failed(links, r, RELAY_IS_SILENT, "its name was not found");
        return;
    }
    if (count > 0) {
        r->place_count = r->place = 0;
        r->chosen = false;
        for (unsigned i = 0; i < count && i < RELAY_PLACES_MAX; i++) {
            r->places[r->place_count] = addrs[i];
            r->places[r->place_count++].port = r->at.port;
        }
    }
    go_on(links, r);
}

static void wrong_key(struct links *links, struct relay *r, const struct node_id *id) {
    const bool news = !node_id_equal(&r->wrong, id);
    r->wrong = *id;
    link_failed(links, r, RELAY_IS_WRONG_KEY, "another node answers at its address");
    if (news) /* and so it is logged */
        link_tell(links, r, RELAY_NEWS_WRONG_KEY);
}

void link_reach_answers(struct relay *r, const struct hop *from) {
    r->chosen = true;
    for (unsigned i = 0; i < r->place_count; i++) {
        if (i == r->place || !hop_is_to(from, &r->places[i]))
            continue;
        r->place = i;
        r->asked_us += KEY_ASK_RETRY_US; /* those after the first one were asked later */
        return;
    }
}

void link_reach_told(struct links *links, struct relay *r, const struct node_id *id,
                     const struct dh_public *transport, uint64_t cert_seq) {
    const uint64_t now_us = links->turn->now_us;
    if (!r->asking && r->state != RELAY_IS_WRONG_KEY)
        return;
    if (!node_id_equal(id, &r->at.id)) {
        if (r->asking)
            wrong_key(links, r, id);
        return;
    }
    r->wrong = (struct node_id){{0}};
    r->asking = false;
    r->measure = false;
    relay_measured(r, now_us, now_us - r->asked_us);
    relay_book_key(&links->book, r, transport, cert_seq);
    if (link_needed(r)) {
        call(links, r);
        return;
    }
    r->pause_us = 0;
    r->due_us = UINT64_MAX;
    relay_enter(r, now_us, RELAY_IS_UNKNOWN, "it answers; nobody needs it now");
}

static const char *failure(int err) {
    switch (err) {
    case ERR_UNKNOWN:
    case ERR_TICKET:
        return "it does not serve nodes that it does not know";
    case ERR_SECRET:
        return "it is a contact here, and does not let this node in";
    case ERR_AUTH:
        return "another node has its key";
    default:
        return no_answer;
    }
}

void link_reach_own(struct links *links, struct relay *r) {
    if (r->peering && !r->peering->contact && hold(links, r) != 0)
        link_reach_end(links, r);
}

void link_reach_failed(struct links *links, struct relay *r, int err) {
    if (r->state != RELAY_IS_CONNECTING)
        return;
    r->place = r->place_count > 0 ? (r->place + 1) % r->place_count : 0;
    r->chosen = false;
    link_failed(links, r, RELAY_IS_SILENT, failure(err));
}

void link_reach_step(struct links *links, struct relay *r) {
    r->due_us = UINT64_MAX;
    switch (r->state) {
    case RELAY_IS_UNKNOWN:
    case RELAY_IS_SILENT:
    case RELAY_IS_WRONG_KEY:
        if (link_needed(r))
            link_reach_begin(links, r, false);
        return;
    case RELAY_IS_RESOLVING:
        link_failed(links, r, RELAY_IS_SILENT, "looking its name up takes too long");
        return;
    case RELAY_IS_ASKING_KEY:
    case RELAY_IS_CONNECTING:
    case RELAY_IS_UP:
    case RELAY_IS_RESERVED:
    case RELAY_IS_REFUSED:
    case RELAY_IS_RESTARTING:
        return;
    }
}

void link_reach_end(struct links *links, struct relay *r) {
    struct peering *p = r->peering;
    if (!p)
        return;
    r->peering = NULL;
    const int err = endpoint_keepalive(links->turn->ep, links->turn->now_us, p->ref, 0);
    (void)err; /* then it was not kept */
    r->due_us = UINT64_MAX;
    r->asking = false;
    relay_enter(r, links->turn->now_us, RELAY_IS_UNKNOWN, "nobody needs it now");
    if (p->contact && p->as_relay) {
        p->as_relay = false;
        const int told = contact_tell(links->contacts, p->contact);
        (void)told; /* no memory: the policy holds from the next time on */
    }
    peering_end(links->peers, p);
}
