#include "sim/world/duty.h"

#include <string.h>

#include "node/peer/dial.h"
#include "sim/world/host.h"
#include "sim/world/icmp.h"
#include "sim/world/route.h"

enum {
    SILENT_PKTS = 8,
    SILENT_S = 5,
    UNHEARD_PKTS = 4, /* all that one attempt sends in DIAL_PATIENCE_US */
    UNHEARD_S = 5,    /* what was asked longer ago has not just begun */
    /* A client that is idle asks its relay with each fourth keepalive, of 25 s at first (docs/
     * PROTOCOL.md, 7): so long one that has forgotten its clients may look well to them. */
    RELAY_NOTICE_S = 110,
};
static const int64_t ticket_us = INT64_C(3500) * 1000000; /* a little less than orders.c gives it */

void duties_init(struct duties *ds, struct world *w, struct sites *sites) {
    *ds = (struct duties){.world = w, .sites = sites};
}

void duties_clear(struct duties *ds) {
    ledger_clear(&ds->ledger);
    demand_clear(&ds->demands);
    troubles_clear(&ds->troubles);
}

/* ---- troubles ---- */

void duty_trouble(struct duties *ds, const struct host *h, enum trouble_kind kind, bool lasts) {
    if (ds->world->begun && lasts)
        trouble_begin(&ds->troubles, kind, h->index, world_run_ns(ds->world));
    else if (ds->world->begun)
        trouble_end(&ds->troubles, kind, h->index, world_run_ns(ds->world));
}

void duty_moment(struct duties *ds, const struct host *h, enum trouble_kind kind) {
    if (ds->world->begun)
        trouble_moment(&ds->troubles, kind, h->index, world_run_ns(ds->world));
}

void duty_hostile(struct duties *ds, const struct host *h) {
    static const struct hostile_plan none;
    duty_trouble(ds, h, TROUBLE_HOSTILE,
                 h->hostile && memcmp(&h->hostile->plan, &none, sizeof none) != 0);
}

void duty_line(struct duties *ds, const struct host *h) {
    static const uint32_t most_ppb = DRAW_ALWAYS_PPB / 2;
    bool up = false, lossy = false;
    for (uint32_t i = 0; i < h->nic_count; i++) {
        const struct nic *n = host_nic_of(h, i);
        up = up || !n->off;
        lossy = lossy ||
                (!n->off && (n->up.cfg.loss_ppb > most_ppb || n->down.cfg.loss_ppb > most_ppb));
    }
    duty_trouble(ds, h, TROUBLE_LINE, !up || lossy);
}

void duty_site(struct duties *ds, uint32_t site) {
    for (uint32_t i = 0; i < ds->world->host_count; i++) {
        const struct host *h = ds->world->hosts[i];
        bool within = false;
        for (uint32_t k = 0; k < h->nic_count; k++)
            within = within || route_is_within(ds->sites, host_nic_of(h, k)->site, site);
        if (within)
            duty_moment(ds, h, TROUBLE_MOVED);
    }
}

/* ---- what is lost ---- */

/* How `to` has heard of `from`; NULL: they are no contacts. */
static struct silence *silence_of(struct duties *ds, uint32_t from, uint32_t to) {
    if (from >= ds->world->host_count || to >= ds->world->host_count)
        return NULL;
    struct host *h = ds->world->hosts[to];
    for (uint32_t i = 0; i < h->contact_count; i++)
        if (h->silences[i].with == from)
            return &h->silences[i];
    return NULL;
}

void duty_heard(struct duties *ds, const struct packet *p) {
    struct silence *q = silence_of(ds, p->source, p->target);
    if (q) {
        q->lost = 0;
        q->unanswered = 0;
        q->heard_ns = world_run_ns(ds->world);
    }
}

void duty_lost(struct duties *ds, const struct packet *p) {
    /* Lost before a NAT on its way: whose address it is, the mappings say. */
    const uint32_t to = p->target == SIM_NO_HOST ? icmp_host_of(ds->sites, p) : p->target;
    struct silence *q = silence_of(ds, p->source, to);
    struct silence *back = silence_of(ds, to, p->source);
    ds->world->hosts[p->source]->lost_ns = world_run_ns(ds->world) + 1;
    if (to < ds->world->host_count)
        ds->world->hosts[to]->lost_ns = world_run_ns(ds->world) + 1;
    if (q && q->lost++ == 0)
        q->since_ns = world_run_ns(ds->world);
    if (q)
        q->unanswered++;
    if (back)
        back->unanswered++;
}

/* Whoever has just begun something has heard nothing for most of the time that it waits for an
 * answer, and as much as one attempt sends was lost between the two meanwhile. */
static bool unheard(const struct silence *q, const struct demand_item *i, uint64_t now_ns) {
    static const uint64_t least_ns = (uint64_t)DIAL_PATIENCE_US * 1000 / 4 * 3;
    return q->unanswered >= UNHEARD_PKTS && now_ns - i->asked_ns <= UNHEARD_S * SIM_S &&
           now_ns - q->heard_ns >= least_ns;
}

/* So much in a row that a session is right to end, or that nobody seems to answer: bad luck, by the
 * draws of a link. */
static bool silent(struct duties *ds, const struct demand_item *i, uint32_t from, uint32_t to) {
    const struct silence *q = silence_of(ds, from, to);
    const uint64_t now_ns = world_run_ns(ds->world);
    const struct silence *back = silence_of(ds, to, from);
    if (!q || !back)
        return false;
    return (q->lost >= SILENT_PKTS && now_ns - q->since_ns >= SILENT_S * SIM_S) ||
           (from == i->from && unheard(back, i, now_ns));
}

/* Something has happened to one of them or to a relay between them a moment ago, or so much was
 * lost that nobody could tell. */
static bool may_doubt(const struct duties *ds, const struct host *h, const struct host *other,
                      const struct silence *q) {
    const struct world *w = ds->world;
    const uint64_t now_ns = world_run_ns(w), span_ns = UNHEARD_S * SIM_S;
    const uint64_t since_ns = now_ns > span_ns ? now_ns - span_ns : 0;
    const struct troubles *t = &ds->troubles;
    bool any = trouble_was(t, h->index, since_ns) || trouble_was(t, other->index, since_ns) ||
               trouble_cut(t, h->index, other->index, since_ns) ||
               (q && q->unanswered >= UNHEARD_PKTS);
    for (unsigned k = 0; k < 2; k++) {
        const struct sim_host_options *o = k == 0 ? &h->options : &other->options;
        for (uint32_t i = 0; i < o->relay_count; i++)
            any = any || trouble_was(t, o->relays[i], since_ns) ||
                  trouble_cut(t, o->relays[i], h->index, since_ns) ||
                  trouble_cut(t, o->relays[i], other->index, since_ns) || h->lost_ns > since_ns ||
                  other->lost_ns > since_ns;
    }
    return any;
}

static void doubted(struct duties *ds, const struct host *h, uint32_t peer) {
    const struct host *other = peer < ds->world->host_count ? ds->world->hosts[peer] : NULL;
    if (!other || !other->node)
        return;
    ds->ledger.doubted++;
    ds->ledger.doubted_wrongly += !may_doubt(ds, h, other, silence_of(ds, peer, h->index));
}

/* ---- what is asked ---- */

static bool online(const struct host *h, const struct host *with, bool *paired) {
    struct contact_info info;
    if (!h->node || !node_contact_get(h->node, host_now_us(h), with->name, &info))
        return false;
    if (paired)
        *paired = info.paired && node_id_equal(&info.id, &with->identity.id);
    return info.online;
}

static bool speak(const struct host *a, const struct host *b) {
    for (uint32_t i = 0; i < a->nic_count; i++)
        for (uint32_t k = 0; k < b->nic_count; k++)
            if ((host_nic_of(a, i)->ipv4 && host_nic_of(b, k)->ipv4) ||
                (host_nic_of(a, i)->ipv6 && host_nic_of(b, k)->ipv6))
                return true;
    return false;
}

/* A relay of `to` to which nothing has happened since then, nor so shortly before that its clients
 * need not have noticed, and no cut from either; the policies let them use it. */
static bool has_relay(const struct world *w, const struct troubles *t, const struct host *from,
                      const struct host *to, uint64_t since_ns) {
    if (from->options.path == PATH_DIRECT_ONLY || to->options.path == PATH_DIRECT_ONLY ||
        from->options.no_udp || to->options.no_udp)
        return false;
    const uint64_t before_ns =
        since_ns < RELAY_NOTICE_S * SIM_S ? since_ns : RELAY_NOTICE_S * SIM_S;
    for (uint32_t i = 0; i < to->options.relay_count; i++) {
        const uint32_t r = to->options.relays[i];
        if (r != from->index && r != to->index && w->hosts[r]->node && speak(from, w->hosts[r]) &&
            speak(to, w->hosts[r]) && !trouble_was(t, r, since_ns - before_ns) &&
            !trouble_cut(t, r, from->index, since_ns) && !trouble_cut(t, r, to->index, since_ns))
            return true;
    }
    return false;
}

static bool relayed(const struct duties *ds, const struct demand_item *i) {
    return has_relay(ds->world, &ds->troubles, ds->world->hosts[i->from], ds->world->hosts[i->to],
                     i->asked_ns);
}

/* Why what `from` sends cannot come to `to` before that has sent anything itself; NULL: it can. */
static const char *unreachable(const struct world *w, const struct host *from,
                               const struct host *to) {
    bool speaks = false, open = false;
    for (uint32_t i = 0; i < from->nic_count; i++)
        for (uint32_t k = 0; k < to->nic_count; k++) {
            const struct nic *a = host_nic_of(from, i), *b = host_nic_of(to, k);
            if (!(a->ipv4 && b->ipv4) && !(a->ipv6 && b->ipv6))
                continue;
            speaks = true;
            open =
                open || b->site == SITE_NONE || b->site == a->site || b->mapped.kind != ADDR_NONE;
        }
    if (has_relay(w, &w->duties->troubles, from, to, world_run_ns(w)))
        return NULL;
    if (!speaks || from->options.no_udp || to->options.no_udp)
        return "no UDP passes between them";
    return open || online(from, to, NULL) ? NULL : "it is behind a NAT, and has not dialled";
}

bool duty_can_reach(const struct world *w, uint32_t from, uint32_t to) {
    return !w->hosts[from]->wiped && !w->hosts[to]->wiped &&
           !unreachable(w, w->hosts[from], w->hosts[to]);
}

/* A ticket is dated by the clock of who gives it. */
static bool dates_differ(const struct host *a, const struct host *b) {
    const int64_t apart_us = a->clock.wall_offset_us - b->clock.wall_offset_us;
    return apart_us > ticket_us || apart_us < -ticket_us;
}

static const char *impossible(const struct duties *ds, const struct duty *d) {
    const struct host *from = ds->world->hosts[d->from], *to = ds->world->hosts[d->to];
    if (d->kind == DEMAND_PAIR && dates_differ(from, to))
        return "by their clocks a ticket has expired";
    return unreachable(ds->world, from, to);
}

static struct demand_item item_of(struct duties *ds, const struct duty *d) {
    return (struct demand_item){.kind = d->kind,
                                .from = d->from,
                                .to = d->to,
                                .ref = d->ref,
                                .asked_ns = world_run_ns(ds->world),
                                .impossible = impossible(ds, d)};
}

static struct demand_end end_of(struct duties *ds, const struct demand_item *i, int err) {
    return (struct demand_end){
        .err = err, .from = world_name(ds->world, i->from), .to = world_name(ds->world, i->to)};
}

/* An echo is one datagram there and one back, never repeated: one that is lost excuses it. */
static const char *excuse(struct duties *ds, struct demand_item *i) {
    const struct host *from = ds->world->hosts[i->from], *to = ds->world->hosts[i->to];
    if (i->kind == DEMAND_PING && (from->lost_ns > i->asked_ns || to->lost_ns > i->asked_ns))
        return "a datagram of theirs was lost";
    i->relayed = relayed(ds, i);
    if (!i->relayed && (silent(ds, i, i->from, i->to) || silent(ds, i, i->to, i->from)))
        return "all that one sent to the other was lost";
    return trouble_excuse(&ds->troubles, i, world_run_ns(ds->world));
}

static void end(struct duties *ds, struct demand_item *i, int err) {
    struct demand_end e = end_of(ds, i, err);
    if (err)
        e.excuse = excuse(ds, i);
    demand_end(&ds->demands, i, &e);
}

void duty_asked(struct duties *ds, const struct duty *d, int err) {
    if (!ds->world->begun)
        return;
    const struct demand_item i = item_of(ds, d);
    if (!err) {
        demand_ask(&ds->demands, &i);
        return;
    }
    /* Whoever asks a node that does not run has asked for nothing: that is the asker's mistake. */
    struct demand_end e = end_of(ds, &i, err);
    if (ds->world->hosts[d->from]->node && ds->world->hosts[d->from]->state == HOST_RUNS)
        e.excuse = trouble_excuse(&ds->troubles, &i, world_run_ns(ds->world));
    demand_refuse(&ds->demands, &i, &e);
}

/* ---- what comes of it ---- */

static void end_all(struct duties *ds, const struct duty *d, int err) {
    uint32_t at = 0;
    for (struct demand_item *i; (i = demand_next(&ds->demands, d->from, &at)) != NULL;)
        if (i->kind == d->kind && i->ref == d->ref)
            end(ds, i, err);
}

void duty_done(struct duties *ds, const struct duty *d, int err) {
    if (ds->world->begun)
        end_all(ds, d, err);
}

static void transfer_ended(struct duties *ds, const struct host *h, uint64_t id) {
    const struct ledger *l = &ds->ledger;
    for (uint64_t i = l->transfer_count; i-- > 0;) {
        const struct ledger_transfer *t = &l->transfers[i];
        if (t->from != h->index || t->id != id || t->ended_ns == LEDGER_NEVER)
            continue;
        const int err = t->failed     ? (t->err ? t->err : ERR_FAILED)
                        : t->verified ? 0
                                      : ERR_INTEGRITY;
        duty_done(ds, &(struct duty){DEMAND_TRANSFER, h->index, t->to, i}, err);
        return;
    }
}

void duty_event(struct duties *ds, const struct host *h, uint32_t peer,
                const struct node_event *e) {
    const struct duty connect = {DEMAND_CONNECT, h->index, peer, peer},
                      ping = {DEMAND_PING, h->index, peer, e->id};
    if (e->kind == NODE_PEER_UP)
        duty_done(ds, &connect, 0);
    else if (e->kind == NODE_CONNECT_FAILED)
        duty_done(ds, &connect, e->err ? e->err : ERR_FAILED);
    else if (e->kind == NODE_PONG)
        duty_done(ds, &ping, 0);
    else if (e->kind == NODE_PING_FAILED)
        duty_done(ds, &ping, e->err ? e->err : ERR_FAILED);
    else if (e->kind == NODE_PEER_SILENT)
        doubted(ds, h, peer);
    else if (e->kind == NODE_TRANSFER_DONE || e->kind == NODE_TRANSFER_FAILED)
        transfer_ended(ds, h, e->id);
}

/* Messages and pairings are in its store: they go on when it starts again. */
void duty_died(struct duties *ds, const struct host *h) {
    uint32_t at = 0;
    for (struct demand_item *i; (i = demand_next(&ds->demands, h->index, &at)) != NULL;)
        if (i->kind != DEMAND_MESSAGE && i->kind != DEMAND_PAIR)
            end(ds, i, ERR_CLOSED);
    ledger_died(&ds->ledger, world_run_ns(ds->world), h->index);
}

void duty_lost_power(struct duties *ds, const struct host *h) {
    uint32_t at = 0;
    for (struct demand_item *i; (i = demand_next(&ds->demands, h->index, &at)) != NULL;) {
        if (i->kind != DEMAND_MESSAGE || i->ref >= ds->ledger.message_count ||
            !ds->ledger.messages[i->ref].excused)
            continue;
        struct demand_end e = end_of(ds, i, ERR_CLOSED);
        e.excuse = "the power was cut before it was safe";
        demand_end(&ds->demands, i, &e);
    }
}

bool duty_paired(const struct world *w, uint32_t a, uint32_t b) {
    bool here = false, there = false;
    (void)online(w->hosts[a], w->hosts[b], &here);
    (void)online(w->hosts[b], w->hosts[a], &there);
    return here && there;
}

void duties_settle(struct duties *ds) {
    for (uint32_t h = 0; h < ds->world->host_count; h++) {
        uint32_t at = 0;
        for (struct demand_item *i; (i = demand_next(&ds->demands, h, &at)) != NULL;) {
            const bool paired = i->kind == DEMAND_PAIR && duty_paired(ds->world, i->from, i->to);
            struct demand_end e = end_of(ds, i, 0);
            if (i->kind == DEMAND_MESSAGE)
                i->impossible =
                    unreachable(ds->world, ds->world->hosts[i->from], ds->world->hosts[i->to]);
            i->relayed = relayed(ds, i);
            if (!paired) {
                e.what = "undone when the run ended";
                e.excuse = trouble_excuse_undone(&ds->troubles, i, world_run_ns(ds->world));
            }
            demand_end(&ds->demands, i, &e);
        }
    }
}
