#include "node/mesh/relay_links.h"

#include <string.h>

#include "net/endpoint.h"
#include "node/mesh/link_reach.h"
#include "node/mesh/link_warm.h"

/* ---- who is chosen from ---- */
static bool candidate(const struct links *links, const struct relay *r) {
    return links->named > 0 ? r->named : r->offered;
}

static unsigned candidates(const struct links *links) {
    unsigned n = 0;
    for (unsigned i = 0; i < links->book.count; i++)
        n += candidate(links, links->book.list[i]);
    return n;
}

static void choose_soon(struct links *links, uint64_t in_us) {
    const uint64_t at_us = links->turn->now_us + in_us;
    if (links->choose_us == 0 || at_us < links->choose_us)
        links->choose_us = at_us;
}

/* Those that cannot be told apart yet are all asked. */
static void measure_all(struct links *links) {
    const uint64_t us = HOMES_REMEASURE_US;
    links->measure_us = 0;
    if (candidates(links) <= HOMES_MAX)
        return;
    links->measure_us = links->turn->now_us + us - us / 10 +
                        link_about_us(links, us / 5) * 2 / 3; /* 0.9 to 1.1 or so */
    for (unsigned i = 0; i < links->book.count; i++)
        if (candidate(links, links->book.list[i]) && !link_needed(links->book.list[i]))
            link_reach_begin(links, links->book.list[i], true);
    choose_soon(links, LINK_SETTLE_US);
}

static void more(struct links *links) {
    if (!links->started)
        return;
    if (candidates(links) > HOMES_MAX && links->measure_us == 0)
        links->measure_us = links->turn->now_us;
    else
        choose_soon(links, 0);
}

void links_named(struct links *links, const struct relay_config *c) {
    for (unsigned i = 0; i < links->book.count; i++)
        links->book.list[i]->named = false;
    links->named = 0;
    for (unsigned i = 0; i < c->use_count; i++) {
        struct relay *r;
        const int err = relay_book_take(&links->book, &c->use[i], true, &r);
        if (!err) {
            links->named++;
            continue;
        }
        char text[RELAY_ADDR_TEXT_MAX + 1];
        relay_addr_text(&c->use[i], text);
        turn_log(links->turn, LOG_WARN, "relay %s is not used: %s", text,
                 err == ERR_USAGE ? "it is this node itself" : err_text(err));
    }
    more(links);
}

static unsigned count_offered(const struct links *links) {
    unsigned n = 0;
    for (unsigned i = 0; i < links->book.count; i++)
        n += links->book.list[i]->offered;
    return n;
}

static bool is_told(const struct links *links, const struct relay *r) {
    for (unsigned i = 0; i < links->contacts->count; i++) {
        const struct relay_set *set = links->contacts->list[i]->relays;
        for (unsigned k = 0; set && k < set->count; k++)
            if (node_id_equal(&set->list[k].id, &r->at.id))
                return true;
    }
    return false;
}

/* One that no contact is reached by any more, or that does not answer. */
static void offered_gives_way(struct links *links) {
    struct relay *out = NULL;
    for (unsigned i = 0; i < links->book.count; i++) {
        struct relay *r = links->book.list[i];
        const bool silent = r->state == RELAY_IS_SILENT || r->state == RELAY_IS_WRONG_KEY;
        if (!r->offered)
            continue;
        if (!is_told(links, r)) {
            r->offered = false; /* all of these */
            choose_soon(links, 0);
        } else if (silent && !r->home) {
            out = r;
        }
    }
    if (out)
        out->offered = false;
}

void links_offer(struct links *links, const struct relay_addr *at) {
    struct relay *r = relay_by_id(&links->book, &at->id);
    if (links->named > 0 || (r && r->offered))
        return;
    if (count_offered(links) >= LINK_OFFERED_MAX)
        offered_gives_way(links);
    if (count_offered(links) >= LINK_OFFERED_MAX)
        return;
    if (relay_book_take(&links->book, at, false, &r) != 0)
        return;
    r->offered = true;
    more(links);
}

void links_start(struct links *links) {
    links->started = true;
    more(links);
}

void links_clear(struct links *links) {
    relay_book_clear(&links->book);
}

/* ---- homes ---- */
static bool usable(const struct relay *r) {
    return r->state != RELAY_IS_WRONG_KEY && r->state != RELAY_IS_SILENT &&
           r->state != RELAY_IS_REFUSED && r->state != RELAY_IS_RESTARTING;
}

static unsigned choices(const struct links *links, struct home_choice *list, struct relay **of) {
    unsigned n = 0;
    for (unsigned i = 0; i < links->book.count; i++) {
        struct relay *r = links->book.list[i];
        if (!candidate(links, r))
            continue;
        of[n] = r;
        list[n++] = (struct home_choice){
            .usable = usable(r),
            .home = r->home,
            .net = r->place_count > 0 ? home_net(&r->places[r->place]) : r->serial,
            .rtt_us = r->rtt_us,
            .load_percent = r->load_percent,
            .lost_percent = r->lost_percent,
            .draw = r->draw,
        };
    }
    return n;
}

static bool is_in(const struct relay *r, struct relay *const *list, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (list[i] == r)
            return true;
    return false;
}

/* Where too few answer, the others go on being tried: those that were tried, then any. */
static unsigned fill_up(struct relay **of, unsigned count, struct relay **homes, unsigned n) {
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < count && n < HOMES_MAX; i++)
            if ((of[i]->home || round == 1) && !is_in(of[i], homes, n))
                homes[n++] = of[i];
    return n;
}

static void set_home(struct links *links, struct relay *r, bool home) {
    const bool reserved = r->state == RELAY_IS_RESERVED;
    if (r->home == home)
        return;
    r->home = home;
    links->homes_changed |= reserved;
    if (relay_is_up(r))
        link_warm_home(links, r);
    if (home && !relay_is_up(r))
        link_reach_begin(links, r, false);
    if (home)
        return;
    if (reserved)
        relay_enter(r, links->turn->now_us, RELAY_IS_UP,
                    candidate(links, r) ? "another relay is nearer"
                                        : "the settings do not name it (any more)");
    if (r->users == 0)
        r->unused_us = links->turn->now_us + LINK_UNUSED_US;
    if (reserved)
        link_tell(links, r, RELAY_NEWS_LEFT);
}

static void choose(struct links *links) {
    struct home_choice list[RELAYS_KNOWN_MAX];
    struct relay *of[RELAYS_KNOWN_MAX], *homes[HOMES_MAX];
    unsigned at[HOMES_MAX];
    const unsigned count = choices(links, list, of), chosen = homes_choose(list, count, at);
    for (unsigned i = 0; i < chosen; i++)
        homes[i] = of[at[i]];
    const unsigned n = fill_up(of, count, homes, chosen);
    for (unsigned i = 0; i < links->book.count; i++)
        if (!is_in(links->book.list[i], homes, n))
            set_home(links, links->book.list[i], false);
    for (unsigned i = 0; i < n; i++)
        set_home(links, homes[i], true);
}

void links_homes(const struct links *links, struct relay_set *out) {
    *out = (struct relay_set){0};
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < links->book.count; i++) {
            const struct relay *r = links->book.list[i];
            if (r->state == RELAY_IS_WRONG_KEY)
                continue;
            const bool fits = round == 0   ? r->home && r->state == RELAY_IS_RESERVED
                              : round == 1 ? r->home
                                           : r->home || (out->count < HOMES_MAX && r->named);
            if (fits)
                (void)relay_set_add(out, &r->at);
        }
}

/* ---- ways ---- */
int links_need(struct links *links, const struct relay_addr *at, struct relay **out) {
    struct relay *r;
    const int err = relay_book_take(&links->book, at, false, &r);
    if (err)
        return err;
    r->users++;
    r->unused_us = 0;
    links_again(links, r);
    *out = r;
    return 0;
}

void links_again(struct links *links, struct relay *r) {
    const bool hangs_up = r->lapses > 1 && r->state == RELAY_IS_SILENT &&
                          r->due_us > links->turn->now_us && r->due_us < UINT64_MAX;
    if (!relay_is_up(r) && r->state != RELAY_IS_WRONG_KEY && !hangs_up)
        link_reach_begin(links, r, false);
}

void links_doubt(struct links *links, struct relay *r) {
    if (relay_is_up(r) && r->peering &&
        endpoint_heard_us(links->turn->ep, r->peering->ref) + LINK_DOUBT_US < links->turn->now_us)
        link_warm_ask(links, r);
}

void links_came_by(struct links *links, const struct relay *r) {
    for (unsigned i = 0; i < links->book.count; i++)
        if (links->book.list[i] != r && links->book.list[i]->home)
            links_doubt(links, links->book.list[i]);
}

void links_release(struct links *links, struct relay *r) {
    r->users--;
    r->used_us = links->turn->now_us;
    if (!link_needed(r))
        r->unused_us = links->turn->now_us + LINK_UNUSED_US;
}

/* ---- what happens ---- */
void links_session_up(struct links *links, struct peering *p) {
    struct relay *r = relay_by_peering(&links->book, p);
    if (!r && (r = relay_by_id(&links->book, &p->id)) != NULL) { /* a contact that has come */
        if (!r->home && r->users == 0)
            return;
        peering_share(p);
        r->peering = p;
    }
    if (r)
        link_warm_up(links, r);
}

void links_session_down(struct links *links, struct peering *p, int err) {
    struct relay *r = relay_by_peering(&links->book, p);
    if (!r || !relay_is_up(r) || links->turn->shut)
        return;
    links->homes_changed |= r->state == RELAY_IS_RESERVED;
    link_failed(links, r, RELAY_IS_SILENT,
                err == 0 ? "its session was not used" : "its session was lost");
    /* It is dialled at once, with the key that it had, of several addresses at the one that
     * answers; not if it ends one after another. */
    const uint64_t now_us = links->turn->now_us;
    if (now_us >= r->up_us + LINK_STEADY_US)
        r->lapses = 0;
    r->doubted = r->chosen = false;
    r->pause_us = 0;
    r->due_us = r->lapses == 0
                    ? now_us
                    : now_us + link_about_us(links, (uint64_t)LINK_FIRST_US << (r->lapses - 1));
    if (r->lapses < LINK_LAPSES_MAX)
        r->lapses++;
}

static void restarting(struct links *links, struct relay *r, uint32_t in_ms, uint32_t for_ms) {
    if (!relay_is_up(r) || r->state == RELAY_IS_RESTARTING) /* it says so more than once */
        return;
    const uint64_t now_us = links->turn->now_us;
    uint64_t back_us = ((uint64_t)in_ms + for_ms / 2) * 1000;
    if (back_us > LINK_MAX_US)
        back_us = LINK_MAX_US;
    links->homes_changed |= r->state == RELAY_IS_RESERVED;
    relay_enter(r, now_us, RELAY_IS_RESTARTING, "it restarts");
    r->due_us = now_us + link_about_us(links, back_us);
    choose_soon(links, 0);
    link_tell(links, r, RELAY_NEWS_RESTARTING);
}

void links_key_told(struct links *links, const struct ep_event *ev) {
    for (unsigned i = 0; i < links->book.count; i++) {
        struct relay *r = links->book.list[i];
        /* The right one may answer after another has. */
        const bool late = r->state == RELAY_IS_WRONG_KEY && !ev->err;
        if ((!r->asking && !late) || r->nonce != ev->id)
            continue;
        if (ev->err)
            link_reach_no_key(links, r);
        else
            link_reach_answers(r, &ev->hop);
        if (ev->err)
            return;
        if (r->probing)
            link_reach_told(links, r, &r->at.id, &r->transport, r->cert_seq);
        else
            link_reach_told(links, r, &ev->node, &ev->transport, ev->cert_seq);
        return;
    }
}

void links_said(struct links *links, struct relay *r, const struct ep_event *ev) {
    if (ev->kind == EP_RELAY_RESERVED)
        link_warm_reserved(links, r, ev->relay.lifetime_s, ev->relay.load);
    else if (ev->kind == EP_RELAY_REFUSED)
        link_warm_refused(links, r, ev->relay.reason);
    else if (ev->kind == EP_RELAY_LOAD)
        link_warm_load(r, ev->relay.load);
    else if (ev->kind == EP_RELAY_RESTARTING)
        restarting(links, r, ev->relay.in_ms, ev->relay.for_ms);
}

void links_connect_failed(struct links *links, const struct peering *p, int err) {
    struct relay *r = relay_by_peering(&links->book, p);
    if (r)
        link_reach_failed(links, r, err);
}

void links_contact_gone(struct links *links, const struct contact *c) {
    struct relay *r = relay_by_peering(&links->book, c->peering);
    if (!r)
        return;
    r->retell = true;
    r->due_us = links->turn->now_us;
}

void links_resolved(struct links *links, const char *host, const struct addr *addrs,
                    unsigned count) {
    for (unsigned i = 0; i < links->book.count; i++)
        if (strcmp(links->book.list[i]->at.host, host) == 0)
            link_reach_resolved(links, links->book.list[i], addrs, count);
}

void links_network_changed(struct links *links) {
    for (unsigned i = 0; i < links->book.count; i++) {
        struct relay *r = links->book.list[i];
        if (relay_is_up(r)) {
            link_warm_ask(links, r);
        } else if (link_needed(r)) {
            r->pause_us = 0;
            r->due_us = links->turn->now_us;
        }
    }
    if (links->measure_us)
        links->measure_us = links->turn->now_us + LINK_SETTLE_US;
}

void links_pong(struct links *links, const struct peering *p, uint64_t id) {
    struct relay *r = relay_by_peering(&links->book, p);
    if (r)
        link_warm_echo(links, r, id);
}

/* ---- in turn ---- */
static void unused(struct links *links, struct relay *r) {
    if (link_needed(r)) {
        r->unused_us = 0;
    } else if (r->unused_us && links->turn->now_us >= r->unused_us) {
        r->unused_us = 0;
        link_reach_end(links, r);
    }
}

static uint64_t due_us(const struct relay *r) {
    uint64_t at = relay_is_up(r) ? link_warm_due_us(r) : r->due_us;
    if (r->retell)
        at = 0;
    return r->unused_us && r->unused_us < at ? r->unused_us : at;
}

static void step(struct links *links, struct relay *r) {
    if (r->retell) {
        r->retell = false;
        link_reach_own(links, r);
    }
    if (relay_is_up(r))
        link_warm_step(links, r);
    else if (r->due_us <= links->turn->now_us)
        link_reach_step(links, r);
    unused(links, r);
}

uint64_t links_deadline_us(const struct links *links) {
    uint64_t at = UINT64_MAX;
    if (links->choose_us)
        at = links->choose_us;
    if (links->measure_us && links->measure_us < at)
        at = links->measure_us;
    for (unsigned i = 0; i < links->book.count; i++)
        if (due_us(links->book.list[i]) < at)
            at = due_us(links->book.list[i]);
    return at;
}

void links_timeout(struct links *links) {
    const uint64_t now_us = links->turn->now_us;
    if (links->turn->shut)
        return;
    if (links->measure_us && now_us >= links->measure_us)
        measure_all(links);
    if (links->choose_us && now_us >= links->choose_us) {
        links->choose_us = 0;
        choose(links);
    }
    for (unsigned i = 0; i < links->book.count; i++)
        if (due_us(links->book.list[i]) <= now_us)
            step(links, links->book.list[i]);
}
