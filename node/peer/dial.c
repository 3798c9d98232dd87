#include "node/peer/dial.h"

#include "crypto/base/rng.h"
#include "node/node_int.h"

/* ---- the rate: a bucket of DIAL_BURST, kept as the time at which it is full again ---- */
static uint64_t allowed_us(const struct dials *d) {
    const uint64_t burst_us = (uint64_t)(DIAL_BURST - 1) * DIAL_EVERY_US;
    return d->full_us > burst_us ? d->full_us - burst_us : 0;
}

static bool take(struct dials *d, uint64_t now_us) {
    if (now_us < allowed_us(d))
        return false;
    d->full_us = (d->full_us > now_us ? d->full_us : now_us) + DIAL_EVERY_US;
    return true;
}

/* ---- plans ---- */
static void set(struct node *n, struct timer_heap *t, const struct contact *c, uint64_t at_us) {
    if (timer_set(t, c->peer.index, at_us) != 0)
        n->dials.memory_us = n->now_us + DIAL_MEMORY_US; /* the contact knows when: plan_again */
}

static void plan(struct node *n, struct contact *c, uint64_t at_us) {
    const bool near = c->online || c->dial.lost;
    c->dial.next_us = at_us;
    set(n, &n->dials.near, c, at_us && near ? at_us : TIME_NEVER);
    set(n, &n->dials.away, c, at_us && !near ? at_us : TIME_NEVER);
}

static void judge_at(struct node *n, struct contact *c, uint64_t at_us) {
    c->dial.verdict_us = at_us;
    set(n, &n->dials.verdicts, c, at_us ? at_us : TIME_NEVER);
}

void dial_again(struct node *n, struct contact *c) {
    plan(n, c, c->dial.next_us);
    judge_at(n, c, c->dial.verdict_us);
}

void dial_forget(struct node *n, struct contact *c) {
    set(n, &n->dials.near, c, TIME_NEVER);
    set(n, &n->dials.away, c, TIME_NEVER);
    set(n, &n->dials.verdicts, c, TIME_NEVER);
}

void dials_clear(struct node *n) {
    timer_clear(&n->dials.near);
    timer_clear(&n->dials.away);
    timer_clear(&n->dials.verdicts);
    n->dials = (struct dials){0};
}

void dial_at(struct node *n, struct contact *c, uint64_t at_us) {
    if (n->shut || (c->dial.next_us && c->dial.next_us <= at_us))
        return;
    plan(n, c, at_us);
}

static uint64_t below(struct node *n, uint64_t span_us) {
    return rng_u64(&n->env.rng) % span_us;
}

/* Ever later, so that two that restart together do not keep time. */
static void later(struct node *n, struct contact *c) {
    struct dialling *d = &c->dial;
    d->step_us = d->step_us == 0 ? DIAL_FIRST_US : d->step_us * 2;
    if (d->step_us > DIAL_MAX_US)
        d->step_us = DIAL_MAX_US;
    const uint64_t pause_us = c->denied ? (uint64_t)DIAL_REFUSED_S * 1000000 : d->step_us;
    if (!n->shut)
        plan(n, c, n->now_us + pause_us - pause_us / 4 + below(n, pause_us / 2));
}

/* ---- who waits ---- */
static uint64_t patience_us(const struct node *n, const struct contact *c) {
    struct session_info s;
    uint64_t us = DIAL_PATIENCE_US;
    if (c->online && endpoint_session_info(n->ep, n->now_us, c->session, &s) && 4 * s.srtt_us > us)
        us = 4 * s.srtt_us;
    return us < DIAL_PATIENCE_MAX_US ? us : DIAL_PATIENCE_MAX_US;
}

static bool heard_since(const struct node *n, const struct contact *c) {
    return c->online && endpoint_heard_us(n->ep, c->peer) > c->dial.since_us;
}

/* What waits already keeps its time, unless it may have been answered. */
static void wait_begins(struct node *n, struct contact *c) {
    if (c->dial.verdict_us && !heard_since(n, c))
        return;
    c->dial.since_us = n->now_us;
    /* What a longer round trip allows is asked for when it matters: each ping comes by here. */
    judge_at(n, c, n->now_us + DIAL_PATIENCE_US);
}

int dial_now(struct node *n, struct contact *c) {
    int err = endpoint_connect(n->ep, n->now_us, c->peer);
    if (err)
        return err;
    if (c->online) { /* nothing was sent for it: a peer that is not asked is quiet, and not silent */
        dial_probe(n, c);
        return 0;
    }
    c->dial.wanted = true;
    wait_begins(n, c);
    return 0;
}

void dial_expect(struct node *n, struct contact *c) {
    wait_begins(n, c);
}

void dial_answered(struct node *n, struct contact *c) {
    if (c->dial.verdict_us && heard_since(n, c))
        judge_at(n, c, 0);
}

void dial_probe(struct node *n, struct contact *c) {
    if (session_ping(n->ep, n->now_us, c->session, 0) == 0)
        wait_begins(n, c);
}

static bool is_silent(const struct node *n, const struct contact *c) {
    return c->online && c->dial.silent_us == endpoint_heard_us(n->ep, c->peer) + 1;
}

static void judge(struct node *n, struct contact *c) {
    struct dialling *d = &c->dial;
    const uint64_t since_us = d->since_us, patience = patience_us(n, c);
    d->verdict_us = 0;
    if (c->online && n->now_us < since_us + patience) {
        judge_at(n, c, since_us + patience);
        return;
    }
    if (!c->online) {
        if (!d->wanted)
            return;
        d->wanted = d->idle = false;
        d->err = ERR_OFFLINE;
        node_connect_failed(n, c, ERR_TIMEOUT);
        return;
    }
    if (heard_since(n, c))
        return;
    struct node_event *e = node_tell(n, NODE_PEER_SILENT, c->name);
    e->err = ERR_OFFLINE;
    e->cause = cause_here(ERR_OFFLINE);
    d->silent_us = endpoint_heard_us(n->ep, c->peer) + 1;
    /* What has begun since then has its own time. */
    const uint64_t before_us = n->now_us > patience ? n->now_us - patience : 0;
    const uint64_t next_us = node_peer_silent(n, c, before_us);
    if (next_us != UINT64_MAX) {
        d->since_us = next_us;
        judge_at(n, c, next_us + patience);
    }
}

/* ---- what became of it ---- */
void dial_up(struct node *n, struct contact *c) {
    dial_forget(n, c);
    c->dial = (struct dialling){.step_us = c->dial.step_us, .up_us = n->now_us};
}

void dial_down(struct node *n, struct contact *c, int err) {
    struct dialling *d = &c->dial;
    /* Who takes every call and hangs up, or dies of it each time, is not called every two seconds. */
    const uint64_t step_us = n->now_us - d->up_us < DIAL_HELD_US ? d->step_us : 0;
    judge_at(n, c, 0);
    *d = (struct dialling){
        .idle = err == 0 && c->queued == 0, .next_us = d->next_us, .step_us = step_us};
    d->err = d->idle ? 0 : ERR_OFFLINE;
    d->lost = !d->idle;
    if (d->idle)
        plan(n, c, 0);
    else
        later(n, c);
}

void dial_failed(struct node *n, struct contact *c, int err) {
    struct dialling *d = &c->dial;
    const bool wanted = d->wanted;
    judge_at(n, c, 0);
    d->wanted = d->idle = d->lost = false;
    d->err = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    later(n, c);
    if (wanted)
        node_connect_failed(n, c, err);
}

const char *contact_state_name(enum contact_state s) {
    switch (s) {
    case CONTACT_OFFLINE:
        return "offline";
    case CONTACT_CONNECTING:
        return "connecting";
    case CONTACT_IDLE:
        return "idle";
    case CONTACT_SILENT:
        return "silent";
    case CONTACT_ONLINE:
        return "online";
    }
    return "unknown";
}

enum contact_state dial_state(const struct node *n, const struct contact *c) {
    const struct dialling *d = &c->dial;
    if (c->online)
        return is_silent(n, c) ? CONTACT_SILENT : CONTACT_ONLINE;
    if (d->wanted)
        return CONTACT_CONNECTING;
    if (d->idle)
        return CONTACT_IDLE;
    return d->err || c->denied ? CONTACT_OFFLINE : CONTACT_CONNECTING;
}

/* ---- in turn ---- */
static void look(struct node *n, struct contact *c) {
    const bool check = c->dial.check;
    c->dial.check = false;
    if (n->shut)
        return;
    if (!c->online && n->lazy && c->queued == 0)
        return;
    if (!c->online) {
        const int err = endpoint_call(n->ep, n->now_us, c->peer);
        if (err && err != ERR_OFFLINE) /* without an address only the other side can dial */
            later(n, c);
        else if (err)
            c->dial.err = ERR_OFFLINE;
        return;
    }
    if (check)
        dial_probe(n, c);
    message_kick(n, c);
}

static struct contact *by_index(const struct node *n, uint32_t index) {
    return index < n->contacts.peer_cap ? n->contacts.by_peer[index] : NULL;
}

void dial_all(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++)
        dial_at(n, n->contacts.list[i], n->now_us + 1 + below(n, DIAL_SPREAD_US));
}

/* Sessions first: what they carry is lost if the peer does not hear soon where we are. Who is due already keeps its place, or
 * changes without end would put it off without end. */
static void network_changed(struct node *n) {
    for (unsigned i = 0; i < n->contacts.count; i++) {
        struct contact *c = n->contacts.list[i];
        if (!c->online && c->denied)
            continue;
        c->dial.step_us = 0;
        c->dial.check = true;
        dial_at(n, c, n->now_us + (c->online ? 1 : DIAL_SPREAD_US) + below(n, DIAL_SPREAD_US));
    }
}

void node_network_changed(struct node *n, uint64_t now_us) {
    struct dials *d = &n->dials;
    n->now_us = now_us;
    if (n->shut || d->change_us)
        return;
    const uint64_t earliest_us = d->changed_us ? d->changed_us + DIAL_CHANGE_US : 0;
    d->change_us = now_us > earliest_us ? now_us : earliest_us;
}

static void plan_again(struct node *n) {
    n->dials.memory_us = 0;
    for (unsigned i = 0; i < n->contacts.count; i++)
        dial_again(n, n->contacts.list[i]);
}

static uint64_t due_us(const struct dials *d) {
    const uint64_t near_us = timer_next_us(&d->near), away_us = timer_next_us(&d->away);
    return near_us < away_us ? near_us : away_us;
}

/* Where both wait they take turns: neither crowds of those who are away nor some who come and go keep the others waiting. */
static struct timer_heap *whose_turn(struct dials *d, uint64_t now_us) {
    const bool near = timer_next_us(&d->near) <= now_us;
    d->near_had = near && (!d->near_had || timer_next_us(&d->away) > now_us);
    return d->near_had ? &d->near : &d->away;
}

uint64_t dials_deadline_us(const struct node *n) {
    const struct dials *d = &n->dials;
    uint64_t at = due_us(d);
    if (at < allowed_us(d))
        at = allowed_us(d);
    if (timer_next_us(&d->verdicts) < at)
        at = timer_next_us(&d->verdicts);
    if (d->change_us && d->change_us < at)
        at = d->change_us;
    return d->memory_us && d->memory_us < at ? d->memory_us : at;
}

void dials_timeout(struct node *n) {
    struct dials *d = &n->dials;
    uint32_t index;
    struct contact *c;
    if (d->memory_us && n->now_us >= d->memory_us)
        plan_again(n);
    if (d->change_us && n->now_us >= d->change_us) {
        d->change_us = 0;
        d->changed_us = n->now_us;
        network_changed(n);
    }
    while (timer_pop(&d->verdicts, n->now_us, &index))
        if ((c = by_index(n, index)) != NULL)
            judge(n, c);
    while (due_us(d) <= n->now_us && take(d, n->now_us)) {
        if (!timer_pop(whose_turn(d, n->now_us), n->now_us, &index) || !(c = by_index(n, index)))
            continue;
        c->dial.next_us = 0;
        look(n, c);
    }
}
