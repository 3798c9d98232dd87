#include "node/mesh/ways.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "net/wire/relay_msg.h"
#include "node/mesh/way_options.h"

/* ---- the table ---- */
static struct contact *contact_of(const struct ways *ways, const struct way *w) {
    return contact_by_id(ways->contacts, &w->peer);
}

static struct way *find(const struct ways *ways, const struct node_id *peer,
                        const struct relay *r) {
    for (unsigned i = 0; i < ways->count; i++)
        if (ways->list[i]->relay == r && node_id_equal(&ways->list[i]->peer, peer))
            return ways->list[i];
    return NULL;
}

/* Open, and nobody has come through: perhaps its relay forwards nothing. */
static bool is_mute(const struct ways *ways, const struct way *w) {
    const struct contact *c = w->state == WAY_OPEN ? contact_of(ways, w) : NULL;
    return c && !c->peering->online && ways->turn->now_us >= w->opened_us + WAY_MUTE_US;
}

/* A flow, or one that is likely to come: a relay that does not answer is not waited for alone. */
static bool promises(const struct ways *ways, const struct way *w) {
    return (w->state == WAY_OPEN && !is_mute(ways, w)) ||
           ((w->state == WAY_WAITS || w->state == WAY_ASKED) &&
            ways->turn->now_us < w->asked_us + WAY_LATE_US);
}

enum counted { WAYS_ALL, WAYS_LIVE, WAYS_PROMISING };

static unsigned count_of(const struct ways *ways, const struct node_id *peer, enum counted what) {
    unsigned n = 0;
    for (unsigned i = 0; i < ways->count; i++) {
        const struct way *w = ways->list[i];
        if (node_id_equal(&w->peer, peer))
            n += what == WAYS_ALL    ? 1
                 : what == WAYS_LIVE ? w->state != WAY_FAILED
                                     : promises(ways, w);
    }
    return n;
}

static bool has_room(const struct ways *ways, const struct node_id *peer) {
    return ways->count < WAYS_MAX && count_of(ways, peer, WAYS_ALL) < WAYS_PER_PEER;
}

/* Counts as a user of the relay already. */
static struct way *add(struct ways *ways, const struct node_id *peer, struct relay *r) {
    if (!has_room(ways, peer))
        return NULL;
    if (ways->count == ways->cap) {
        const unsigned cap = ways->cap ? ways->cap * 2 : 8;
        struct way **grown = mem_realloc(ways->list, cap * sizeof(struct way *));
        if (!grown)
            return NULL;
        ways->list = grown;
        ways->cap = cap;
    }
    struct way *w = mem_calloc(1, sizeof *w);
    if (w) {
        w->peer = *peer;
        w->relay = r;
        w->state = WAY_FAILED;
        ways->list[ways->count++] = w;
    }
    return w;
}

/* It is no place of the peer's any more. */
static void let_go(struct ways *ways, struct way *w) {
    const struct contact *c = contact_of(ways, w);
    if (w->state == WAY_OPEN && c)
        endpoint_peer_place_remove(ways->turn->ep, ways->turn->now_us, c->peering->ref, &w->at);
    w->at = (struct hop){.kind = HOP_NONE};
}

/* A flow that nobody needs takes none of those that the relay lets us have. */
static void drop(struct ways *ways, unsigned i) {
    struct way *w = ways->list[i];
    if (w->state == WAY_OPEN)
        relay_close(ways->turn->ep, ways->turn->now_us, &w->at);
    let_go(ways, w);
    links_release(ways->links, w->relay);
    ways->list[i] = ways->list[--ways->count];
    mem_free(w);
}

static void fail(struct ways *ways, struct way *w, const char *why) {
    let_go(ways, w);
    w->state = WAY_FAILED;
    w->why = why;
    w->until_us = ways->turn->now_us + WAY_AGAIN_US;
    ways->failed++;
}

void ways_clear(struct ways *ways) {
    for (unsigned i = 0; i < ways->count; i++)
        mem_free(ways->list[i]);
    mem_free(ways->list);
    mem_free(ways->wanted);
    ways->list = NULL;
    ways->wanted = NULL;
    ways->count = ways->cap = ways->wanted_count = ways->wanted_cap = 0;
}

/* ---- asking ---- */
static void ask(struct ways *ways, struct way *w) {
    const uint64_t now_us = ways->turn->now_us;
    w->state = WAY_WAITS;
    w->asked_us = now_us;
    w->until_us = now_us + WAY_WAIT_US;
    if (!relay_is_up(w->relay) || !w->relay->peering || w->relay->state == RELAY_IS_RESTARTING)
        return; /* ways_relay_up */
    links_doubt(ways->links, w->relay);
    const int err =
        relay_open(ways->turn->ep, now_us, w->relay->peering->ref, &w->peer, &w->request);
    if (err)
        fail(ways, w, "a relay could not be asked");
    else
        w->state = WAY_ASKED;
}

static bool begin(struct ways *ways, const struct node_id *peer, const struct relay_addr *at) {
    struct relay *r = relay_by_id(&ways->links->book, &at->id);
    struct way *w = r ? find(ways, peer, r) : NULL;
    if (w && (w->state != WAY_FAILED || ways->turn->now_us < w->until_us))
        return w->state != WAY_FAILED;
    if (w) {
        links_again(ways->links, w->relay);
    } else {
        if (!has_room(ways, peer) || links_need(ways->links, at, &r) != 0)
            return false;
        w = add(ways, peer, r);
    }
    if (!w) {
        links_release(ways->links, r);
        return false;
    }
    w->theirs = false;
    ask(ways, w);
    return w->state != WAY_FAILED;
}

/* So many ways to it, if there are. True: there is one, or one may come. */
static bool open_some(struct ways *ways, const struct contact *c, unsigned want) {
    struct relay_addr list[WAY_OPTIONS_MAX];
    if (ways->turn->shut || contact_path_policy(ways->contacts, c) == PATH_DIRECT_ONLY)
        return false;
    if (count_of(ways, &c->id, WAYS_PROMISING) < want) {
        unsigned free;
        const unsigned count = way_options(ways->links, c, list, &free);
        for (unsigned i = 0; i < count; i++) {
            const unsigned n = count_of(ways, &c->id, WAYS_PROMISING);
            /* Those that are overloaded: where somebody waits and nothing else is left. */
            const bool spared = free > 0 && (n > 0 || !c->peering->dial.wanted);
            if (n >= want || (i >= free && spared))
                break;
            (void)begin(ways, &c->id, &list[i]);
        }
    }
    return count_of(ways, &c->id, WAYS_LIVE) > 0;
}

/* How many it shall have now. Somebody waits for a session: all at once, and what answers first
 * carries it. It is only called, by a start with thousands of contacts, too: one. Data waits in a
 * session: a second one is kept. */
static unsigned wished(const struct ways *ways, const struct contact *c) {
    if (c->peering->online)
        return parts_wait(&ways->turn->parts, c) ? WAYS_OWN_MAX : 0;
    return c->peering->dial.wanted ? WAYS_PER_PEER : 1;
}

/* ---- who is wanted ---- */
static struct wanted *wanted_of(struct ways *ways, uint32_t serial) {
    for (unsigned i = 0; i < ways->wanted_count; i++)
        if (ways->wanted[i].contact == serial)
            return &ways->wanted[i];
    if (ways->wanted_count == ways->wanted_cap) {
        const unsigned cap = ways->wanted_cap ? ways->wanted_cap * 2 : 8;
        struct wanted *grown =
            cap > WAYS_MAX ? NULL : mem_realloc(ways->wanted, cap * sizeof *grown);
        if (!grown)
            return NULL;
        ways->wanted = grown;
        ways->wanted_cap = cap;
    }
    ways->wanted[ways->wanted_count] = (struct wanted){.contact = serial};
    return &ways->wanted[ways->wanted_count++];
}

bool ways_want(struct ways *ways, struct peering *p) {
    struct contact *c = p->contact;
    if (!c)
        return false;
    if (p->online && !parts_wait(&ways->turn->parts, c))
        return true; /* an echo needs no second way, and nobody wakes up for it */
    struct wanted *w = wanted_of(ways, c->serial);
    if (!w)
        return false;
    w->until_us = ways->turn->now_us + (p->dial.wanted ? WAY_WANTED_US : WAY_CALLED_US);
    const uint64_t look_us = ways->turn->now_us + (p->online ? WAY_STUCK_US : WAY_LOOK_US);
    if (w->look_us == 0 ||
        (!p->online && look_us < w->look_us)) /* wanting often postpones nothing */
        w->look_us = look_us;
    return p->online || open_some(ways, c, wished(ways, c));
}

/* Data waits for it: a second way is kept. A session that goes straight there needs one. */
static bool look(struct ways *ways, struct wanted *w) {
    const uint64_t now_us = ways->turn->now_us;
    const struct contact *c = contact_by_serial(ways->contacts, w->contact);
    if (!c)
        return false;
    w->look_us = now_us + WAY_LOOK_US;
    if (!c->peering->online) {
        if (now_us < w->until_us) {
            (void)open_some(ways, c, wished(ways, c));
            return true;
        }
        return false;
    }
    const unsigned want = wished(ways, c);
    (void)open_some(ways, c, want);
    return want > 0;
}

/* ---- what becomes of one ---- */
static void reached(struct ways *ways, struct way *w) {
    struct contact *c = contact_of(ways, w);
    const uint64_t now_us = ways->turn->now_us;
    w->opened_us = now_us;
    if (!c)
        return;
    struct peering *p = c->peering;
    int err = endpoint_peer_place_add(ways->turn->ep, now_us, p->ref, &w->at);
    if (err) {
        fail(ways, w, "the peer has too many places");
        return;
    }
    if (p->online || (w->theirs && !p->dial.wanted))
        return;
    err = p->dial.wanted ? endpoint_connect(ways->turn->ep, now_us, p->ref)
                         : endpoint_call(ways->turn->ep, now_us, p->ref);
    (void)err; /* it is dialled again */
}

void ways_opened(struct ways *ways, struct relay *r, uint32_t request, const struct hop *at) {
    for (unsigned i = 0; i < ways->count; i++) {
        struct way *w = ways->list[i];
        if (w->relay != r || w->state != WAY_ASKED || w->request != request)
            continue;
        w->state = WAY_OPEN;
        w->until_us = 0;
        w->at = *at;
        ways->opened++;
        reached(ways, w);
        return;
    }
}

/* Another relay may lead there. */
static void next(struct ways *ways, struct way *w) {
    const struct contact *c = contact_of(ways, w);
    if (!c)
        return;
    for (unsigned i = 0; i < ways->wanted_count; i++)
        if (ways->wanted[i].contact == c->serial)
            (void)open_some(ways, c, wished(ways, c));
}

void ways_refused(struct ways *ways, struct relay *r, uint32_t request, unsigned reason) {
    for (unsigned i = 0; i < ways->count; i++) {
        struct way *w = ways->list[i];
        if (w->relay != r || w->state != WAY_ASKED || w->request != request)
            continue;
        fail(ways, w, way_refusal_text(reason));
        next(ways, w);
        return;
    }
}

/* ---- who comes ---- */
static unsigned strangers(const struct ways *ways) {
    unsigned n = 0;
    for (unsigned i = 0; i < ways->count; i++)
        n += ways->list[i]->theirs && !contact_of(ways, ways->list[i]);
    return n;
}

/* Any id may say that it has a ticket; who has one has shown it before so many others have come. */
static void drop_oldest_stranger(struct ways *ways) {
    unsigned oldest = ways->count;
    for (unsigned i = 0; i < ways->count; i++) {
        const struct way *w = ways->list[i];
        if (w->theirs && !contact_of(ways, w) &&
            (oldest == ways->count || w->opened_us < ways->list[oldest]->opened_us))
            oldest = i;
    }
    if (oldest < ways->count)
        drop(ways, oldest);
}

static bool lets_in(struct ways *ways, const struct node_id *from) {
    const struct contact *c = contact_by_id(ways->contacts, from);
    if (c)
        return contact_path_policy(ways->contacts, c) != PATH_DIRECT_ONLY;
    if (ways->contacts->path == PATH_DIRECT_ONLY || ways->invites->count == 0)
        return false;
    if (strangers(ways) >= WAYS_STRANGERS_MAX)
        drop_oldest_stranger(ways);
    return true;
}

static struct way *take(struct ways *ways, struct relay *r, const struct node_id *from) {
    struct way *w = find(ways, from, r);
    if (w && w->state == WAY_OPEN) /* another flow, so that one has ended */
        let_go(ways, w);
    if (w)
        return w;
    w = add(ways, from, r);
    if (w) {
        w->theirs = true;
        r->users++;
        r->unused_us = 0;
    }
    return w;
}

void ways_incoming(struct ways *ways, struct relay *r, const struct node_id *from,
                   const struct hop *at) {
    const uint64_t now_us = ways->turn->now_us;
    struct way *w = find(ways, from, r);
    if (w && w->state == WAY_OPEN && hop_equal(&w->at, at)) { /* our answer was lost */
        const int again =
            relay_answer(ways->turn->ep, now_us, r->peering->ref, at->relay.flow, true);
        (void)again; /* it asks again */
        return;
    }
    w = ways->turn->shut || !lets_in(ways, from) ? NULL : take(ways, r, from);
    int err = relay_answer(ways->turn->ep, now_us, r->peering->ref, at->relay.flow, w != NULL);
    if (!w)
        return;
    if (err) {
        fail(ways, w, "its relay could not be answered");
        return;
    }
    links_came_by(ways->links, r);
    w->state = WAY_OPEN;
    w->at = *at;
    w->until_us = contact_of(ways, w) ? 0 : now_us + WAY_STRANGER_US;
    ways->came++;
    reached(ways, w);
}

void ways_ended(struct ways *ways, struct relay *r, const struct hop *at, unsigned reason) {
    for (unsigned i = ways->count; i-- > 0;) {
        struct way *w = ways->list[i];
        if (w->relay != r || w->state != WAY_OPEN || !hop_equal(&w->at, at))
            continue;
        struct contact *c = contact_of(ways, w);
        const bool used = c && c->peering->online && reason != RELAY_EXPIRED;
        fail(ways, w, way_refusal_text(reason));
        if (reason == RELAY_NO_FLOW || reason == RELAY_EXPIRED)
            w->until_us = ways->turn->now_us; /* it may be asked again */
        if (used)
            (void)ways_want(ways, c->peering);
        if (used)
            (void)open_some(ways, c, 1);
        return;
    }
}

/* ---- relays come and go ---- */
void ways_relay_up(struct ways *ways, struct relay *r) {
    for (unsigned i = ways->count; i-- > 0;) {
        const struct way *w = ways->list[i];
        const struct contact *c = contact_of(ways, w);
        if (w->relay != r || w->state != WAY_WAITS)
            continue;
        if (c && c->peering->online && wished(ways, c) == 0)
            drop(ways, i); /* another one was faster */
        else
            ask(ways, ways->list[i]);
    }
}

/* What led through it leads nowhere: those who need it are given another one, at once. */
void ways_relay_down(struct ways *ways, struct relay *r) {
    for (unsigned i = 0; i < ways->count; i++) {
        struct way *w = ways->list[i];
        if (w->relay != r || (w->state != WAY_OPEN && w->state != WAY_ASKED))
            continue;
        struct contact *c = contact_of(ways, w);
        const bool online = c && c->peering->online;
        fail(ways, w, "its relay does not answer");
        w->until_us = ways->turn->now_us;
        if (online && parts_wait(&ways->turn->parts, c))
            (void)ways_want(ways, c->peering);
        if (online)
            (void)open_some(ways, c, 1);
        else
            next(ways, w);
    }
}

/* ---- contacts ---- */
void ways_changed(struct ways *ways, struct contact *c) {
    const bool none = contact_path_policy(ways->contacts, c) == PATH_DIRECT_ONLY;
    for (unsigned i = ways->count; i-- > 0;)
        if (node_id_equal(&ways->list[i]->peer, &c->id) &&
            (none || ways->list[i]->state == WAY_FAILED))
            drop(ways, i);
}

void ways_contact_new(struct ways *ways, struct contact *c) {
    for (unsigned i = 0; i < ways->count; i++) {
        struct way *w = ways->list[i];
        if (!node_id_equal(&w->peer, &c->id))
            continue;
        w->until_us = w->state == WAY_OPEN ? 0 : w->until_us;
        if (w->state == WAY_OPEN)
            reached(ways, w);
    }
}

void ways_contact_gone(struct ways *ways, const struct contact *c) {
    for (unsigned i = ways->count; i-- > 0;)
        if (node_id_equal(&ways->list[i]->peer, &c->id))
            drop(ways, i);
    for (unsigned i = ways->wanted_count; i-- > 0;)
        if (ways->wanted[i].contact == c->serial)
            ways->wanted[i] = ways->wanted[--ways->wanted_count];
}

/* ---- in turn ---- */
uint64_t ways_deadline_us(const struct ways *ways) {
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < ways->count; i++)
        if (ways->list[i]->until_us && ways->list[i]->until_us < at)
            at = ways->list[i]->until_us;
    for (unsigned i = 0; i < ways->wanted_count; i++)
        if (ways->wanted[i].look_us < at)
            at = ways->wanted[i].look_us;
    return at;
}

static void late(struct ways *ways, unsigned i) {
    struct way *w = ways->list[i];
    if (w->state == WAY_WAITS || w->state == WAY_ASKED) {
        fail(ways, w, w->state == WAY_WAITS ? w->relay->why : "its relay does not answer");
        next(ways, w);
    } else {
        drop(ways, i); /* a stranger that has not paired, or a no that is forgotten */
    }
}

void ways_timeout(struct ways *ways) {
    const uint64_t now_us = ways->turn->now_us;
    for (unsigned i = ways->count; i-- > 0;)
        if (i < ways->count && ways->list[i]->until_us && ways->list[i]->until_us <= now_us)
            late(ways, i);
    for (unsigned i = ways->wanted_count; i-- > 0;)
        if (ways->wanted[i].look_us <= now_us && !look(ways, &ways->wanted[i]))
            ways->wanted[i] = ways->wanted[--ways->wanted_count];
}

const char *ways_why(const struct ways *ways, const struct node_id *peer) {
    const char *why = NULL;
    for (unsigned i = 0; i < ways->count; i++)
        if (ways->list[i]->state == WAY_FAILED && node_id_equal(&ways->list[i]->peer, peer))
            why = ways->list[i]->why;
    return why;
}

unsigned ways_open(const struct ways *ways) {
    unsigned n = 0;
    for (unsigned i = 0; i < ways->count; i++)
        n += ways->list[i]->state == WAY_OPEN;
    return n;
}
