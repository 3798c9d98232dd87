#include "node/peer/dial.h"

#include "crypto/base/rng.h"
#include "net/endpoint.h"
#include "node/people/contact.h"

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
static void set(struct dials *dials, struct timer_heap *t, const struct contact *c,
                uint64_t at_us) {
    if (timer_set(t, c->peer.index, at_us) != 0)
        dials->memory_us =
            dials->turn->now_us + DIAL_MEMORY_US; /* the contact knows when: plan_again */
}

static void plan(struct dials *dials, struct contact *c, uint64_t at_us) {
    const bool near = c->online || c->dial.lost;
    c->dial.next_us = at_us;
    set(dials, &dials->near, c, at_us && near ? at_us : TIME_NEVER);
    set(dials, &dials->away, c, at_us && !near ? at_us : TIME_NEVER);
}

static void judge_at(struct dials *dials, struct contact *c, uint64_t at_us) {
    c->dial.verdict_us = at_us;
    set(dials, &dials->verdicts, c, at_us ? at_us : TIME_NEVER);
}

void dial_again(struct dials *dials, struct contact *c) {
    plan(dials, c, c->dial.next_us);
    judge_at(dials, c, c->dial.verdict_us);
}

void dial_forget(struct dials *dials, struct contact *c) {
    set(dials, &dials->near, c, TIME_NEVER);
    set(dials, &dials->away, c, TIME_NEVER);
    set(dials, &dials->verdicts, c, TIME_NEVER);
}

void dials_clear(struct dials *dials) {
    timer_clear(&dials->near);
    timer_clear(&dials->away);
    timer_clear(&dials->verdicts);
    *dials = (struct dials){.turn = dials->turn, .contacts = dials->contacts};
}

void dial_at(struct dials *dials, struct contact *c, uint64_t at_us) {
    if (dials->turn->shut || (c->dial.next_us && c->dial.next_us <= at_us))
        return;
    plan(dials, c, at_us);
}

static uint64_t below(struct dials *dials, uint64_t span_us) {
    return rng_u64(&dials->turn->env.rng) % span_us;
}

/* Ever later, so that two that restart together do not keep time. */
static void later(struct dials *dials, struct contact *c) {
    struct dialling *d = &c->dial;
    d->step_us = d->step_us == 0 ? DIAL_FIRST_US : d->step_us * 2;
    if (d->step_us > DIAL_MAX_US)
        d->step_us = DIAL_MAX_US;
    const uint64_t pause_us = c->denied ? (uint64_t)DIAL_REFUSED_S * 1000000 : d->step_us;
    if (!dials->turn->shut)
        plan(dials, c, dials->turn->now_us + pause_us - pause_us / 4 + below(dials, pause_us / 2));
}

/* ---- who waits ---- */
static uint64_t patience_us(const struct dials *dials, const struct contact *c) {
    struct session_info s;
    uint64_t us = DIAL_PATIENCE_US;
    if (c->online && endpoint_session_info(dials->turn->ep, dials->turn->now_us, c->session, &s) &&
        4 * s.srtt_us > us)
        us = 4 * s.srtt_us;
    return us < DIAL_PATIENCE_MAX_US ? us : DIAL_PATIENCE_MAX_US;
}

static bool heard_since(const struct dials *dials, const struct contact *c) {
    return c->online && endpoint_heard_us(dials->turn->ep, c->peer) > c->dial.since_us;
}

/* What waits already keeps its time, unless it may have been answered. */
static void wait_begins(struct dials *dials, struct contact *c) {
    if (c->dial.verdict_us && !heard_since(dials, c))
        return;
    c->dial.since_us = dials->turn->now_us;
    /* What a longer round trip allows is asked for when it matters: each ping comes by here. */
    judge_at(dials, c, dials->turn->now_us + DIAL_PATIENCE_US);
}

int dial_now(struct dials *dials, struct contact *c) {
    int err = endpoint_connect(dials->turn->ep, dials->turn->now_us, c->peer);
    if (err)
        return err;
    if (c->online) { /* nothing was sent for it: a peer that is not asked is quiet, and not silent */
        dial_probe(dials, c);
        return 0;
    }
    c->dial.wanted = true;
    wait_begins(dials, c);
    return 0;
}

void dial_expect(struct dials *dials, struct contact *c) {
    wait_begins(dials, c);
}

void dial_answered(struct dials *dials, struct contact *c) {
    if (c->dial.verdict_us && heard_since(dials, c))
        judge_at(dials, c, 0);
}

void dial_probe(struct dials *dials, struct contact *c) {
    if (session_ping(dials->turn->ep, dials->turn->now_us, c->session, 0) == 0)
        wait_begins(dials, c);
}

/* A session with c has not come about: transfers and pings hear it, messages wait. */
static void connect_failed(struct dials *dials, struct contact *c, int err) {
    const int shown = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    struct node_event *e = contacts_tell(dials->contacts, NODE_CONNECT_FAILED, c->name);
    e->err = shown;
    e->cause = cause_here(shown);
    parts_connect_failed(&dials->turn->parts, c, err);
}

static bool is_silent(const struct dials *dials, const struct contact *c) {
    return c->online && c->dial.silent_us == endpoint_heard_us(dials->turn->ep, c->peer) + 1;
}

static void judge(struct dials *dials, struct contact *c) {
    struct dialling *d = &c->dial;
    const uint64_t since_us = d->since_us, patience = patience_us(dials, c);
    d->verdict_us = 0;
    if (c->online && dials->turn->now_us < since_us + patience) {
        judge_at(dials, c, since_us + patience);
        return;
    }
    if (!c->online) {
        if (!d->wanted)
            return;
        d->wanted = d->idle = false;
        d->err = ERR_OFFLINE;
        connect_failed(dials, c, ERR_TIMEOUT);
        return;
    }
    if (heard_since(dials, c))
        return;
    struct node_event *e = contacts_tell(dials->contacts, NODE_PEER_SILENT, c->name);
    e->err = ERR_OFFLINE;
    e->cause = cause_here(ERR_OFFLINE);
    d->silent_us = endpoint_heard_us(dials->turn->ep, c->peer) + 1;
    /* What has begun since then has its own time. */
    const uint64_t before_us = dials->turn->now_us > patience ? dials->turn->now_us - patience : 0;
    const uint64_t next_us = parts_peer_silent(&dials->turn->parts, c, before_us);
    if (next_us != UINT64_MAX) {
        d->since_us = next_us;
        judge_at(dials, c, next_us + patience);
    }
}

/* ---- what became of it ---- */
void dial_up(struct dials *dials, struct contact *c) {
    dial_forget(dials, c);
    c->dial = (struct dialling){.step_us = c->dial.step_us, .up_us = dials->turn->now_us};
}

void dial_down(struct dials *dials, struct contact *c, int err) {
    struct dialling *d = &c->dial;
    /* Who takes every call and hangs up, or dies of it each time, is not called every two seconds. */
    const uint64_t step_us = dials->turn->now_us - d->up_us < DIAL_HELD_US ? d->step_us : 0;
    judge_at(dials, c, 0);
    *d = (struct dialling){
        .idle = err == 0 && c->queued == 0, .next_us = d->next_us, .step_us = step_us};
    d->err = d->idle ? 0 : ERR_OFFLINE;
    d->lost = !d->idle;
    if (d->idle)
        plan(dials, c, 0);
    else
        later(dials, c);
}

void dial_failed(struct dials *dials, struct contact *c, int err) {
    struct dialling *d = &c->dial;
    const bool wanted = d->wanted;
    judge_at(dials, c, 0);
    d->wanted = d->idle = d->lost = false;
    d->err = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    later(dials, c);
    if (wanted)
        connect_failed(dials, c, err);
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

enum contact_state dial_state(const struct dials *dials, const struct contact *c) {
    const struct dialling *d = &c->dial;
    if (c->online)
        return is_silent(dials, c) ? CONTACT_SILENT : CONTACT_ONLINE;
    if (d->wanted)
        return CONTACT_CONNECTING;
    if (d->idle)
        return CONTACT_IDLE;
    return d->err || c->denied ? CONTACT_OFFLINE : CONTACT_CONNECTING;
}

/* ---- in turn ---- */
static void look(struct dials *dials, struct contact *c) {
    const bool check = c->dial.check;
    c->dial.check = false;
    if (dials->turn->shut)
        return;
    if (!c->online && dials->turn->lazy && c->queued == 0)
        return;
    if (!c->online) {
        const int err = endpoint_call(dials->turn->ep, dials->turn->now_us, c->peer);
        if (err && err != ERR_OFFLINE) /* without an address only the other side can dial */
            later(dials, c);
        else if (err)
            c->dial.err = ERR_OFFLINE;
        return;
    }
    if (check)
        dial_probe(dials, c);
    parts_retry(&dials->turn->parts, c);
}

static struct contact *by_index(const struct dials *dials, uint32_t index) {
    return index < dials->contacts->peer_cap ? dials->contacts->by_peer[index] : NULL;
}

void dial_all(struct dials *dials) {
    for (unsigned i = 0; i < dials->contacts->count; i++)
        dial_at(dials, dials->contacts->list[i],
                dials->turn->now_us + 1 + below(dials, DIAL_SPREAD_US));
}

/* Sessions first: what they carry is lost if the peer does not hear soon where we are. Who is due already keeps its place, or
 * changes without end would put it off without end. */
static void network_changed(struct dials *dials) {
    for (unsigned i = 0; i < dials->contacts->count; i++) {
        struct contact *c = dials->contacts->list[i];
        if (!c->online && c->denied)
            continue;
        c->dial.step_us = 0;
        c->dial.check = true;
        dial_at(dials, c,
                dials->turn->now_us + (c->online ? 1 : DIAL_SPREAD_US) +
                    below(dials, DIAL_SPREAD_US));
    }
}

void dials_network_changed(struct dials *dials) {
    if (dials->turn->shut || dials->change_us)
        return;
    const uint64_t earliest_us = dials->changed_us ? dials->changed_us + DIAL_CHANGE_US : 0;
    const uint64_t now_us = dials->turn->now_us;
    dials->change_us = now_us > earliest_us ? now_us : earliest_us;
}

static void plan_again(struct dials *dials) {
    dials->memory_us = 0;
    for (unsigned i = 0; i < dials->contacts->count; i++)
        dial_again(dials, dials->contacts->list[i]);
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

uint64_t dials_deadline_us(const struct dials *dials) {
    uint64_t at = due_us(dials);
    if (at < allowed_us(dials))
        at = allowed_us(dials);
    if (timer_next_us(&dials->verdicts) < at)
        at = timer_next_us(&dials->verdicts);
    if (dials->change_us && dials->change_us < at)
        at = dials->change_us;
    return dials->memory_us && dials->memory_us < at ? dials->memory_us : at;
}

void dials_timeout(struct dials *dials) {
    uint32_t index;
    struct contact *c;
    if (dials->memory_us && dials->turn->now_us >= dials->memory_us)
        plan_again(dials);
    if (dials->change_us && dials->turn->now_us >= dials->change_us) {
        dials->change_us = 0;
        dials->changed_us = dials->turn->now_us;
        network_changed(dials);
    }
    while (timer_pop(&dials->verdicts, dials->turn->now_us, &index))
        if ((c = by_index(dials, index)) != NULL)
            judge(dials, c);
    while (due_us(dials) <= dials->turn->now_us && take(dials, dials->turn->now_us)) {
        if (!timer_pop(whose_turn(dials, dials->turn->now_us), dials->turn->now_us, &index) ||
            !(c = by_index(dials, index)))
            continue;
        c->dial.next_us = 0;
        look(dials, c);
    }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static int part_load(void *self) {
    dial_all(self);
    return 0;
}

static void part_clear(void *self) {
    dials_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return dials_deadline_us(self);
}

static void part_timeout(void *self) {
    dials_timeout(self);
}

static void part_peer_up(void *self, struct contact *c) {
    dial_up(self, c);
}

static void part_peer_down(void *self, struct contact *c, int err) {
    dial_down(self, c, err);
}

static int part_want(void *self, struct contact *c) {
    return dial_now(self, c);
}

static void part_moving(void *self, struct contact *c) {
    dial_forget(self, c);
}

static void part_moved(void *self, struct contact *c) {
    dial_again(self, c);
}

const struct part_ops dials_part = {.load = part_load,
                                    .clear = part_clear,
                                    .deadline_us = part_deadline_us,
                                    .timeout = part_timeout,
                                    .peer_up = part_peer_up,
                                    .peer_down = part_peer_down,
                                    .want = part_want,
                                    .moving = part_moving,
                                    .moved = part_moved};
