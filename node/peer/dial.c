#include "node/peer/dial.h"

#include "crypto/base/rng.h"
#include "net/endpoint.h"

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
static void set(struct dials *dials, struct timer_heap *t, const struct peering *p,
                uint64_t at_us) {
    if (timer_set(t, p->ref.index, at_us) != 0)
        dials->memory_us =
            dials->turn->now_us + DIAL_MEMORY_US; /* the contact knows when: plan_again */
}

static void plan(struct dials *dials, struct peering *p, uint64_t at_us) {
    const bool soon = p->online || p->dial.lost;
    p->dial.next_us = at_us;
    set(dials, &dials->soon, p, at_us && soon ? at_us : TIME_NEVER);
    set(dials, &dials->away, p, at_us && !soon ? at_us : TIME_NEVER);
}

static void judge_at(struct dials *dials, struct peering *p, uint64_t at_us) {
    p->dial.verdict_us = at_us;
    set(dials, &dials->verdicts, p, at_us ? at_us : TIME_NEVER);
}

static void plan_as_known(struct dials *dials, struct peering *p) {
    plan(dials, p, p->dial.next_us);
    judge_at(dials, p, p->dial.verdict_us);
}

void dial_forget(struct dials *dials, struct peering *p) {
    set(dials, &dials->soon, p, TIME_NEVER);
    set(dials, &dials->away, p, TIME_NEVER);
    set(dials, &dials->verdicts, p, TIME_NEVER);
}

void dials_clear(struct dials *dials) {
    timer_clear(&dials->soon);
    timer_clear(&dials->away);
    timer_clear(&dials->verdicts);
    *dials = (struct dials){.turn = dials->turn, .peers = dials->peers};
}

void dial_at(struct dials *dials, struct peering *p, uint64_t at_us) {
    if (dials->turn->shut || (p->dial.next_us && p->dial.next_us <= at_us))
        return;
    plan(dials, p, at_us);
}

static uint64_t below(struct dials *dials, uint64_t span_us) {
    return rng_u64(&dials->turn->env.rng) % span_us;
}

/* Ever later, so that two that restart together do not keep time. */
static void later(struct dials *dials, struct peering *p) {
    struct dialling *d = &p->dial;
    d->step_us = d->step_us == 0 ? DIAL_FIRST_US : d->step_us * 2;
    if (d->step_us > DIAL_MAX_US)
        d->step_us = DIAL_MAX_US;
    const uint64_t pause_us = p->refused ? (uint64_t)DIAL_REFUSED_S * 1000000 : d->step_us;
    if (!dials->turn->shut)
        plan(dials, p, dials->turn->now_us + pause_us - pause_us / 4 + below(dials, pause_us / 2));
}

/* ---- who waits ---- */
static uint64_t patience_us(const struct dials *dials, const struct peering *p) {
    struct session_info s;
    uint64_t us = DIAL_PATIENCE_US;
    if (p->online && endpoint_session_info(dials->turn->ep, dials->turn->now_us, p->session, &s) &&
        DIAL_PATIENCE_RTTS * s.srtt_us > us)
        us = DIAL_PATIENCE_RTTS * s.srtt_us;
    return us < DIAL_PATIENCE_MAX_US ? us : DIAL_PATIENCE_MAX_US;
}

static bool heard_since(const struct dials *dials, const struct peering *p) {
    return p->online && endpoint_heard_us(dials->turn->ep, p->ref) > p->dial.since_us;
}

/* What waits already keeps its time, unless it may have been answered. */
static void wait_begins(struct dials *dials, struct peering *p) {
    if (p->dial.verdict_us && !heard_since(dials, p))
        return;
    p->dial.since_us = dials->turn->now_us;
    /* What a longer round trip allows is asked for when it matters: each ping comes by here. */
    judge_at(dials, p, dials->turn->now_us + (p->online ? DIAL_PATIENCE_US : DIAL_CALL_US));
}

int dial_now(struct dials *dials, struct peering *p) {
    const bool was_wanted = p->dial.wanted;
    int err = endpoint_connect(dials->turn->ep, dials->turn->now_us, p->ref);
    if (err && err != ERR_OFFLINE)
        return err;
    p->dial.wanted = !p->online;
    if (!parts_wanted(&dials->turn->parts, p) && err) {
        p->dial.wanted = was_wanted;
        return err;
    }
    if (p->online) {
        /* nothing was sent for it: a peer that is not asked is quiet, and not silent */
        dial_probe(dials, p);
        return 0;
    }
    wait_begins(dials, p);
    return 0;
}

void dial_expect(struct dials *dials, struct peering *p) {
    wait_begins(dials, p);
    (void)parts_wanted(&dials->turn->parts, p);
}

void dial_answered(struct dials *dials, struct peering *p) {
    if (p->dial.verdict_us && heard_since(dials, p))
        judge_at(dials, p, 0);
}

void dial_probe(struct dials *dials, struct peering *p) {
    if (session_ping(dials->turn->ep, dials->turn->now_us, p->session, 0) == 0)
        wait_begins(dials, p);
}

/* A session with c has not come about: transfers and pings hear it, messages wait. */
static void connect_failed(struct dials *dials, struct peering *p, int err) {
    const int shown = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    struct node_event *e = peering_tell_event(dials->peers, NODE_CONNECT_FAILED, p);
    e->err = shown;
    e->cause = cause_here(shown);
    parts_connect_failed(&dials->turn->parts, p, p->contact, err);
}

static bool is_silent(const struct dials *dials, const struct peering *p) {
    return p->online && p->dial.silent_us == endpoint_heard_us(dials->turn->ep, p->ref) + 1;
}

static void found_silent(struct dials *dials, struct peering *p) {
    struct node_event *e = peering_tell_event(dials->peers, NODE_PEER_SILENT, p);
    e->err = ERR_OFFLINE;
    e->cause = cause_here(ERR_OFFLINE);
    p->dial.silent_us = endpoint_heard_us(dials->turn->ep, p->ref) + 1;
    p->dial.told_us = dials->turn->now_us;
}

/* What has begun keeps its own time, and has it out with the verdict. */
void dial_silent(struct dials *dials, struct peering *p) {
    if (p->contact && !is_silent(dials, p))
        found_silent(dials, p);
}

void dial_heard(struct dials *dials, struct peering *p) {
    if (p->contact)
        (void)peering_tell_event(dials->peers, NODE_PEER_ANSWERS, p);
}

static void judge(struct dials *dials, struct peering *p) {
    struct dialling *d = &p->dial;
    const uint64_t since_us = d->since_us, patience = patience_us(dials, p);
    d->verdict_us = 0;
    if (p->online && dials->turn->now_us < since_us + patience) {
        judge_at(dials, p, since_us + patience);
        return;
    }
    if (!p->online) {
        if (!d->wanted)
            return;
        d->wanted = d->idle = false;
        d->err = ERR_OFFLINE;
        connect_failed(dials, p, ERR_TIMEOUT);
        return;
    }
    if (heard_since(dials, p))
        return;
    if (!is_silent(dials, p) || d->told_us < since_us)
        found_silent(dials, p);
    session_tell_heard(dials->turn->ep, p->session);
    /* What has begun since then has its own time. */
    const uint64_t before_us = dials->turn->now_us > patience ? dials->turn->now_us - patience : 0;
    const uint64_t next_us = parts_peer_silent(&dials->turn->parts, p, p->contact, before_us);
    if (next_us != UINT64_MAX) {
        d->since_us = next_us;
        judge_at(dials, p, next_us + patience);
    }
}

/* ---- what became of it ---- */
void dial_up(struct dials *dials, struct peering *p) {
    dial_forget(dials, p);
    p->dial = (struct dialling){.step_us = p->dial.step_us, .up_us = dials->turn->now_us};
}

void dial_down(struct dials *dials, struct peering *p, int err) {
    struct dialling *d = &p->dial;
    /* Who takes every call and hangs up, or dies of it each time, is not called every two
     * seconds. */
    const uint64_t step_us = dials->turn->now_us - d->up_us < DIAL_HELD_US ? d->step_us : 0;
    judge_at(dials, p, 0);
    *d = (struct dialling){
        .idle = err == 0 && p->queued == 0, .next_us = d->next_us, .step_us = step_us};
    d->err = d->idle ? 0 : ERR_OFFLINE;
    d->lost = !d->idle;
    if (d->idle)
        plan(dials, p, 0);
    else
        later(dials, p);
}

void dial_failed(struct dials *dials, struct peering *p, int err) {
    struct dialling *d = &p->dial;
    const bool wanted = d->wanted;
    judge_at(dials, p, 0);
    d->wanted = d->idle = d->lost = false;
    d->err = err == ERR_TIMEOUT ? ERR_OFFLINE : err;
    later(dials, p);
    if (wanted)
        connect_failed(dials, p, err);
}

enum peer_state dial_state(const struct dials *dials, const struct peering *p) {
    const struct dialling *d = &p->dial;
    if (p->online)
        return is_silent(dials, p) ? PEER_SILENT : PEER_ONLINE;
    if (d->wanted)
        return PEER_CONNECTING;
    if (d->idle)
        return PEER_IDLE;
    return d->err || p->refused ? PEER_OFFLINE : PEER_CONNECTING;
}

/* ---- in turn ---- */
static void look(struct dials *dials, struct peering *p) {
    const bool check = p->dial.check;
    p->dial.check = false;
    if (dials->turn->shut)
        return;
    if (!p->online && dials->turn->lazy && p->queued == 0)
        return;
    if (!p->online) {
        const int err = endpoint_call(dials->turn->ep, dials->turn->now_us, p->ref);
        const bool ways = parts_wanted(&dials->turn->parts, p);
        if (err && (ways || err != ERR_OFFLINE)) /* without any only the other side can dial */
            later(dials, p);
        else if (err)
            p->dial.err = ERR_OFFLINE;
        return;
    }
    if (check)
        dial_probe(dials, p);
    if (p->contact)
        parts_retry(&dials->turn->parts, p->contact);
}

void dial_soon(struct dials *dials, struct peering *p) {
    dial_at(dials, p, dials->turn->now_us + 1 + below(dials, DIAL_SPREAD_US));
}

/* Sessions first: what they carry is lost if the peer does not hear soon where we are. Who is due
 * already keeps its place, or changes without end would put it off without end. */
void dial_recheck(struct dials *dials, struct peering *p) {
    if (!p->online && p->refused)
        return;
    p->dial.step_us = 0;
    p->dial.check = true;
    dial_at(dials, p,
            dials->turn->now_us + (p->online ? 1 : DIAL_SPREAD_US) + below(dials, DIAL_SPREAD_US));
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
    for (uint32_t i = 0; i < dials->peers->cap; i++)
        if (dials->peers->by_index[i])
            plan_as_known(dials, dials->peers->by_index[i]);
}

static uint64_t due_us(const struct dials *d) {
    const uint64_t soon_us = timer_next_us(&d->soon), away_us = timer_next_us(&d->away);
    return soon_us < away_us ? soon_us : away_us;
}

/* Where both wait they take turns: neither crowds of those who are away nor some who come and go
 * keep the others waiting. */
static struct timer_heap *whose_turn(struct dials *d, uint64_t now_us) {
    const bool soon = timer_next_us(&d->soon) <= now_us;
    d->soon_had = soon && (!d->soon_had || timer_next_us(&d->away) > now_us);
    return d->soon_had ? &d->soon : &d->away;
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
    struct peering *p;
    if (dials->memory_us && dials->turn->now_us >= dials->memory_us)
        plan_again(dials);
    if (dials->change_us && dials->turn->now_us >= dials->change_us) {
        dials->change_us = 0;
        dials->changed_us = dials->turn->now_us;
        parts_network_changed(&dials->turn->parts);
    }
    while (timer_pop(&dials->verdicts, dials->turn->now_us, &index))
        if ((p = peering_at(dials->peers, index)) != NULL)
            judge(dials, p);
    while (due_us(dials) <= dials->turn->now_us && take(dials, dials->turn->now_us)) {
        if (!timer_pop(whose_turn(dials, dials->turn->now_us), dials->turn->now_us, &index) ||
            !(p = peering_at(dials->peers, index)))
            continue;
        p->dial.next_us = 0;
        look(dials, p);
    }
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    dials_clear(self);
}

static uint64_t part_deadline_us(const void *self) {
    return dials_deadline_us(self);
}

static void part_timeout(void *self) {
    dials_timeout(self);
}

const struct part_ops dials_part = {
    .clear = part_clear, .deadline_us = part_deadline_us, .timeout = part_timeout};
