/* deaths.c: two people pair by a ticket and write to each other while their processes are killed,
 * their power is cut, or their clocks jump, at any event of the simulated world. Afterwards both
 * must be each other's contacts, and every message that was stored must be at its receiver: once,
 * in order, and nowhere else; and so must all that a node has told its user.
 *
 *     deaths kill|cut|jump FIRST..LAST      seeds; prints each that fails, and what happened in
 *                                           them all
 *
 * What the disk has is known here from the store itself, not from what a node says: a message
 * counts as stored once no transaction of its sender is at risk any more (power cuts), or at once
 * (kills).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/sim_int.h"

enum {
    HOSTS = 3,       /* a gives the ticket, b takes it, c is a contact of a from before */
    MESSAGES = 24,   /* a story */
    INCIDENTS = 5,   /* at most, in each of its two acts */
    STEPS_MAX = 250, /* from what was done to the incident: an exchange is about a hundred */
    DOWN_S_MAX = 20,
};

struct message {
    uint32_t from, to;
    bool stored;
    bool perhaps; /* the power was cut before it was: it may be there or not */
    bool found;
    bool told; /* the sender's history says that it is delivered */
};

enum kind { KILLS, CUTS, JUMPS, KINDS };

struct story {
    uint64_t seed, rng;
    enum kind kind;
    struct sim *sim;
    struct message messages[MESSAGES];
    unsigned message_count;
    uint64_t start_at_ns[HOSTS]; /* 0: it runs */
    bool at_risk[HOSTS]; /* since its latest act or message there has been something to lose */
    bool lost_ticket;    /* the cut came before the ticket or its use was on disk */
    unsigned countdown;  /* steps until the next incident; 0: none is set */
    uint32_t victim;
    const char *broken;
    char detail[160];
};

static struct {
    unsigned incidents, lost_transactions, repeated_pairings, stored, lost_before_stored;
} totals;

static uint64_t draw(struct story *t, uint64_t below) { /* splitmix64 */
    uint64_t z = t->rng += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static void broken(struct story *t, const char *what, uint64_t a, uint64_t b) {
    if (t->broken)
        return;
    t->broken = what;
    (void)snprintf(t->detail, sizeof t->detail, "%llu, %llu at %.3f s", (unsigned long long)a,
                   (unsigned long long)b, (double)sim_now_ns(t->sim) / 1e9);
}

/* ---- the world and its incidents ---- */

static void note_stored(struct story *t, uint32_t host) {
    t->at_risk[host] = false;
    for (unsigned i = 0; i < t->message_count; i++)
        if (t->messages[i].from == host && !t->messages[i].perhaps)
            t->messages[i].stored = true;
}

/* Forward or back by a year or an hour, to 1970, or right again; and every other time the process
 * dies with it, so that it starts by the wrong clock. */
static void jump(struct story *t, uint32_t h) {
    static const int64_t hour_us = INT64_C(3600) * 1000000, year_us = 365 * 24 * hour_us;
    const int64_t now_us = (int64_t)host_wall_us(t->sim->world.hosts[h]);
    const int64_t by_us[] = {year_us,  -year_us, hour_us,
                             -hour_us, -now_us,  -t->sim->world.hosts[h]->clock.wall_offset_us};
    int64_t by = by_us[draw(t, 6)];
    if (by < -now_us)
        by = -now_us;
    sim_clock(t->sim, h, by, NULL);
    t->lost_ticket |= t->message_count == 0; /* it may have expired */
    if (draw(t, 2) == 0)
        return;
    sim_kill(t->sim, h);
    t->start_at_ns[h] = sim_now_ns(t->sim) + 1 + draw(t, DOWN_S_MAX * SIM_S);
}

static void incident(struct story *t) {
    const uint32_t h = t->victim;
    if (t->start_at_ns[h] != 0)
        return;
    totals.incidents++;
    if (t->kind == JUMPS) {
        jump(t, h);
        return;
    }
    if (t->kind == KILLS)
        sim_kill(t->sim, h);
    else {
        const uint64_t risk = store_mem_at_risk(sim_store(t->sim, h));
        sim_power_cut(t->sim, h);
        totals.lost_transactions += (unsigned)(risk - store_mem_at_risk(sim_store(t->sim, h)));
        for (unsigned i = 0; i < t->message_count; i++) {
            struct message *m = &t->messages[i];
            totals.lost_before_stored += m->from == h && !m->stored && !m->perhaps;
            m->perhaps |= m->from == h && !m->stored;
        }
        t->lost_ticket |= t->at_risk[h] && t->message_count == 0;
        t->at_risk[h] = false;
    }
    t->start_at_ns[h] = sim_now_ns(t->sim) + 1 + draw(t, DOWN_S_MAX * SIM_S);
}

/* After each event of the world; between two nothing happens, so every moment at which a process
 * can die or the power can fail is one of these. True at the incident's. */
static bool after_event(void *ctx) {
    struct story *t = ctx;
    for (uint32_t h = 0; h < HOSTS; h++)
        if (t->at_risk[h] && store_mem_at_risk(sim_store(t->sim, h)) == 0)
            note_stored(t, h);
    return t->countdown > 0 && --t->countdown == 0;
}

static uint64_t start_due(struct story *t) {
    uint64_t at = UINT64_MAX;
    for (uint32_t h = 0; h < HOSTS; h++) {
        if (t->start_at_ns[h] == 0)
            continue;
        if (sim_now_ns(t->sim) < t->start_at_ns[h]) {
            at = t->start_at_ns[h] < at ? t->start_at_ns[h] : at;
            continue;
        }
        t->start_at_ns[h] = 0;
        if (sim_start(t->sim, h))
            broken(t, "a host does not start", h, 0);
    }
    return at;
}

static void run_for(struct story *t, uint64_t ns) {
    const uint64_t end = sim_now_ns(t->sim) + ns;
    while (sim_now_ns(t->sim) < end && !t->broken) {
        const uint64_t due = start_due(t);
        if (sim_run_while_not(t->sim, due < end ? due : end, after_event, t))
            incident(t);
        if (sim_failure(t->sim))
            broken(t, sim_failure(t->sim), 0, 0);
    }
}

static void plan_incident(struct story *t, uint32_t hosts) {
    t->victim = (uint32_t)draw(t, hosts);
    t->countdown = 1 + (unsigned)draw(t, STEPS_MAX);
}

static void dial(struct story *t, uint32_t from, uint32_t to) {
    const int err = sim_connect(t->sim, from, to);
    (void)err; /* it may be down, or know nobody of this name */
}

static bool online(struct story *t, uint32_t from, uint32_t to) {
    struct node *n = sim_node(t->sim, from);
    struct contact_info info;
    return n &&
           node_contact_get(n, sim_node_now_us(t->sim, from), sim_host_name(t->sim, to), &info) &&
           info.paired && info.online;
}

static void all_run(struct story *t) {
    t->countdown = 0;
    run_for(t, (DOWN_S_MAX + 1) * SIM_S);
}

/* ---- first act: they pair ---- */

static void use_ticket(struct story *t) {
    const int err = sim_use_ticket(t->sim, 1, 0);
    if (err)
        broken(t, "the ticket cannot be made or used", (uint64_t)-err, 0);
    t->at_risk[0] = t->at_risk[1] = true;
}

static bool paired(struct story *t) {
    return online(t, 0, 1) && online(t, 1, 0);
}

/* Each in turn tries to reach the other, as a user would. */
static void meet(struct story *t) {
    for (unsigned i = 0; i < 12 && !paired(t) && !t->broken; i++) {
        dial(t, i % 2, 1 - i % 2);
        run_for(t, 12 * SIM_S);
    }
}

static void forget(struct story *t, uint32_t at, uint32_t whom) {
    struct node *n = sim_node(t->sim, at);
    if (!n)
        return;
    struct arena *before = arena_enter(&t->sim->world.hosts[at]->arena);
    const int err =
        node_contact_remove(n, sim_node_now_us(t->sim, at), sim_host_name(t->sim, whom));
    (void)err; /* it may know nothing of the other */
    (void)arena_enter(before);
    sim_touch(t->sim, at);
}

static void act_one(struct story *t) {
    use_ticket(t);
    const unsigned incidents = 1 + (unsigned)draw(t, INCIDENTS);
    for (unsigned i = 0; i < incidents && !t->broken; i++) {
        plan_incident(t, 2);
        run_for(t, draw(t, 3 * DOWN_S_MAX * SIM_S / 2));
        dial(t, 0, 1);
        dial(t, 1, 0);
    }
    all_run(t);
    meet(t);
    if (paired(t) || t->broken)
        return;
    if (!t->lost_ticket) {
        broken(t, "they are not paired", online(t, 0, 1), online(t, 1, 0));
        return;
    }
    totals.repeated_pairings++;
    forget(t, 0, 1);
    forget(t, 1, 0);
    use_ticket(t);
    meet(t);
    if (!paired(t))
        broken(t, "they cannot pair again", online(t, 0, 1), online(t, 1, 0));
}

/* ---- second act: they write ---- */

static void write_one(struct story *t) {
    static const uint32_t ways[][2] = {{0, 1}, {1, 0}, {0, 2}, {2, 0}};
    const uint32_t *way = ways[draw(t, 4)];
    const uint64_t serial = sim_ledger(t->sim)->message_count;
    if (sim_message(t->sim, way[0], way[1], 1, 1 + draw(t, 200)))
        return; /* it is down */
    if (serial != t->message_count)
        abort(); /* the ledger numbers them as we do */
    t->messages[t->message_count++] =
        (struct message){.from = way[0], .to = way[1], .stored = t->kind != CUTS};
    t->at_risk[way[0]] = true;
}

static void act_two(struct story *t) {
    unsigned incidents = 1 + (unsigned)draw(t, INCIDENTS);
    for (unsigned i = 0; i < 2 * MESSAGES && t->message_count < MESSAGES && !t->broken; i++) {
        write_one(t);
        if (t->countdown == 0 && incidents > 0 && draw(t, 3) == 0) {
            plan_incident(t, 2);
            incidents--;
        }
        run_for(t, draw(t, 4) == 0 ? draw(t, 20 * SIM_S) : draw(t, 200 * SIM_MS));
    }
    all_run(t);
    for (unsigned i = 0; i < 10 && !t->broken; i++) {
        for (uint32_t a = 0; a < HOSTS; a++)
            for (uint32_t b = 0; b < HOSTS; b++)
                if (a != b && a + b != 3)
                    dial(t, a, b);
        run_for(t, 40 * SIM_S);
    }
}

/* ---- the judgement: only what stands in the stores counts ---- */

static void read_history(struct story *t, uint32_t h) {
    struct node *n = sim_node(t->sim, h);
    struct message_info m;
    uint64_t last[HOSTS] = {0};
    struct arena *before = arena_enter(&t->sim->world.hosts[h]->arena);
    for (uint64_t seq = 0; n && node_message_next(n, seq, NULL, &m); seq = m.seq) {
        unsigned long long serial = 0;
        const uint32_t other = sim_host_find(t->sim, m.contact);
        if (sscanf(m.text, "#%llu", &serial) != 1 || serial >= t->message_count ||
            other == SIM_NO_HOST) {
            broken(t, "an unknown message", h, m.seq);
            break;
        }
        struct message *known = &t->messages[serial];
        if (m.outgoing) {
            if (known->from != h || known->to != other)
                broken(t, "kept under a wrong contact", serial, h);
            known->told |= m.delivered;
            continue;
        }
        if (known->to != h || known->from != other)
            broken(t, "delivered to or from a wrong one", serial, h);
        if (known->found)
            broken(t, "delivered twice", serial, h);
        if (last[other] > serial + 1)
            broken(t, "out of order", serial, last[other]);
        last[other] = serial + 1;
        known->found = true;
    }
    (void)arena_enter(before);
}

static void judge(struct story *t) {
    for (uint32_t h = 0; h < HOSTS; h++)
        read_history(t, h);
    for (unsigned i = 0; i < t->message_count; i++) {
        const struct message *m = &t->messages[i];
        const struct ledger_message *said = &sim_ledger(t->sim)->messages[i];
        totals.stored += m->stored;
        if (said->promised && !m->found)
            broken(t, "a message that was called stored is lost", i, m->from);
        if (said->delivered && !m->found)
            broken(t, "called delivered, and is not there", i, m->to);
        if (said->times_received > 0 && !m->found)
            broken(t, "shown to its receiver, and gone", i, m->to);
        if (m->stored && !m->found)
            broken(t, "a stored message is lost", i, m->from);
        if (m->told && !m->found)
            broken(t, "delivered by the history, and is not there", i, m->to);
    }
}

static bool tell(uint64_t seed, enum kind kind) {
    struct story *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (struct story){.seed = seed, .rng = seed, .kind = kind};
    t->sim = sim_new(&(struct sim_config){.seed = seed, .watched = true});
    static const char *const names[HOSTS] = {"a", "b", "c"};
    for (uint32_t i = 0; i < HOSTS; i++) {
        uint32_t host;
        struct link_config link;
        const struct sim_host_options o = {
            .name = names[i], .cc = CC_CUBIC, .site = SITE_NONE, .region = SITE_NONE};
        if (sim_host_add(t->sim, &o, &host) || host != i)
            abort();
        sim_link_get(t->sim, i, SIM_UP, &link);
        link.delay_ns = (1 + draw(t, 40)) * SIM_MS;
        link.loss_ppb = (uint32_t)(draw(t, 4) * 10 * 1000 * 1000);
        sim_link_set(t->sim, i, SIM_UP, &link);
    }
    if (sim_pair(t->sim, 0, 2))
        abort();
    sim_begin(t->sim);
    run_for(t, SIM_S);
    act_one(t);
    if (!t->broken)
        act_two(t);
    if (!t->broken)
        judge(t);
    sim_end(t->sim);
    for (unsigned i = 0; i < INVARIANTS && !t->broken; i++)
        if (watch_verdict(sim_watch(t->sim), (enum invariant)i)->count > 0)
            t->broken = watch_verdict(sim_watch(t->sim), (enum invariant)i)->text;
    const bool good = !t->broken;
    if (!good)
        printf("seed %llu: %s (%s)\n", (unsigned long long)seed, t->broken, t->detail);
    sim_free(t->sim);
    free(t);
    return good;
}

int main(int argc, char **argv) {
    unsigned long long first, last;
    static const char *const names[KINDS] = {"kill", "cut", "jump"};
    unsigned kind = 0;
    while (argc == 3 && kind < KINDS && strcmp(argv[1], names[kind]) != 0)
        kind++;
    if (argc != 3 || kind == KINDS || sscanf(argv[2], "%llu..%llu", &first, &last) != 2) {
        fprintf(stderr, "usage: deaths kill|cut|jump FIRST..LAST\n");
        return 2;
    }
    unsigned failed = 0;
    for (unsigned long long seed = first; seed <= last; seed++)
        failed += !tell(seed, (enum kind)kind);
    printf("%llu stories, %u failed: %u %s, %u messages stored and all of them delivered once",
           last - first + 1, failed, totals.incidents,
           (const char *[]){"kills", "power cuts", "jumps of clocks"}[kind], totals.stored);
    if (kind == CUTS)
        printf("; %u transactions lost, %u messages perhaps lost before they were stored, %u "
               "pairings repeated by hand",
               totals.lost_transactions, totals.lost_before_stored, totals.repeated_pairings);
    printf("\n");
    return failed > 0;
}
