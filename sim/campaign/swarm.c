#include "sim/campaign/swarm.h"

#include <stdbool.h>
#include <stddef.h>

#include "sim/campaign/draw_net.h"

struct pen {
    struct draw draw;
    uint64_t drawn;
    uint32_t stay, move;       /* how many hosts of each kind */
    uint32_t relays;           /* r1..; 0: there are none */
    bool natted, pairs, alone; /* alone: after the faults nobody asks for sessions */
    struct draw_net net;
    struct text *out;
};

static uint64_t below(struct pen *p, uint64_t n) {
    return draw_below(draw_u64(&p->draw, 0, DRAW_CHOICE, p->drawn++), n);
}

static uint64_t between(struct pen *p, uint64_t lo, uint64_t hi) {
    return lo + below(p, hi - lo + 1);
}

static bool one_in(struct pen *p, uint64_t n) {
    return below(p, n) == 0;
}

static const char *one_of(struct pen *p, const char *const *list, unsigned count) {
    return list[below(p, count)];
}

static void any_host(struct pen *p, struct text *out) {
    const uint64_t i = below(p, p->stay + p->move);
    if (i < p->stay)
        text_add(out, "s%u", (unsigned)i + 1);
    else
        text_add(out, "m%u", (unsigned)(i - p->stay) + 1);
}

static void mover(struct pen *p, struct text *out) {
    text_add(out, "m%u", (unsigned)between(p, 1, p->move));
}

static void stayer(struct pen *p, struct text *out) {
    text_add(out, "s%u", (unsigned)between(p, 1, p->stay));
}

/* Milliseconds as a time in the phase of faults. */
static void at(struct pen *p) {
    text_add(p->out, "at %ums ", (unsigned)between(p, 5000, 59000));
}

static void lasting(struct pen *p) {
    text_add(p->out, " for=%ums\n", (unsigned)between(p, 100, 15000));
}

/* ---- links ---- */

static void bad_link(struct pen *p, const char *who) {
    static const char *const rates[] = {"1M", "5M", "20M", "100M", "1G"};
    static const char *const queues[] = {"20ms", "100ms", "1s", "codel", "16KiB"};
    static const char *const jitters[] = {"gauss(2ms)", "wifi(3ms)", "tail(1ms)", "gauss(20ms)"};
    static const char *const ecn[] = {"mark", "bleach", "blackhole"};
    struct text *t = p->out;
    text_add(t, "link %s delay=%ums", who, (unsigned)below(p, 150));
    if (!one_in(p, 4))
        text_add(t, " up=%s down=%s queue=%s", one_of(p, rates, 5), one_of(p, rates, 5),
                 one_of(p, queues, 5));
    if (one_in(p, 3))
        text_add(t, " loss=%u.%u%%", (unsigned)below(p, 10), (unsigned)below(p, 10));
    if (one_in(p, 6))
        text_add(t, " burst=0.%u%%/%u%%", (unsigned)between(p, 1, 9), (unsigned)between(p, 5, 50));
    if (one_in(p, 4))
        text_add(t, " reorder=%u%%/%ums", (unsigned)between(p, 1, 20), (unsigned)between(p, 1, 60));
    if (one_in(p, 4))
        text_add(t, " dup=%u%%", (unsigned)between(p, 1, 10));
    if (one_in(p, 6))
        text_add(t, " corrupt=0.%u%%", (unsigned)between(p, 1, 9));
    if (one_in(p, 4))
        text_add(t, " jitter=%s", one_of(p, jitters, 4));
    if (one_in(p, 6))
        text_add(t, " mtu=%u icmp=%s", (unsigned)between(p, 1280, 1500),
                 one_in(p, 2) ? "on" : "off");
    if (one_in(p, 3))
        text_add(t, " ecn=%s", one_of(p, ecn, 3));
    text_add(t, "\n");
}

/* ---- faults: a row each ---- */

static void fault_cut(struct pen *p) {
    at(p);
    text_add(p->out, "cut ");
    any_host(p, p->out);
    text_add(p->out, " all%s", one_in(p, 3) ? " oneway" : "");
    lasting(p);
}

static void fault_clog(struct pen *p) {
    at(p);
    text_add(p->out, "clog ");
    any_host(p, p->out);
    text_add(p->out, " all");
    lasting(p);
}

static void fault_roam(struct pen *p) {
    at(p);
    text_add(p->out, "%s ", one_in(p, 2) ? "roam" : "rebind");
    mover(p, p->out);
    text_add(p->out, "\n");
}

static void fault_crash(struct pen *p) {
    const uint64_t when = between(p, 5000, 50000);
    struct text who = {0};
    any_host(p, &who);
    text_add(p->out, "at %ums %s %s\n", (unsigned)when,
             one_in(p, 2) ? (one_in(p, 2) ? "powercut" : "kill") : "stop", text_of(&who));
    text_add(p->out, "at %ums start %s may\n", (unsigned)(when + between(p, 10, 9000)),
             text_of(&who));
    text_clear(&who);
}

static void fault_pause(struct pen *p) {
    at(p);
    text_add(p->out, "%s ", one_in(p, 2) ? "suspend" : "stall");
    any_host(p, p->out);
    lasting(p);
}

static void fault_clock(struct pen *p) {
    at(p);
    text_add(p->out, "clock ");
    any_host(p, p->out);
    text_add(p->out, " jump=%s%us drift=%s%uppm\n", one_in(p, 2) ? "-" : "",
             (unsigned)between(p, 1, 100000), one_in(p, 2) ? "-" : "", (unsigned)below(p, 1000));
}

static void fault_link(struct pen *p) {
    struct text who = {0};
    any_host(p, &who);
    at(p);
    bad_link(p, text_of(&who));
    text_clear(&who);
}

static void fault_disk(struct pen *p) {
    at(p);
    text_add(p->out, "disk ");
    any_host(p, p->out);
    text_add(p->out, " latency=%ums%s\n", (unsigned)between(p, 1, 500),
             one_in(p, 3) ? " read_errors=1%" : "");
}

/* So small that a transfer or two find no room; or no room at all. */
static void fault_full(struct pen *p) {
    at(p);
    text_add(p->out, "disk ");
    any_host(p, p->out);
    text_add(p->out, " capacity=%uKiB\n", (unsigned)between(p, 1, 400));
}

/* The store fails for a while: at once or after some writes, also in the middle of a transaction;
 * or its barrier does. */
static void fault_store(struct pen *p) {
    const uint64_t when = between(p, 5000, 50000);
    struct text who = {0};
    any_host(p, &who);
    text_add(p->out, "at %ums store %s %s=%s after=%u\n", (unsigned)when, text_of(&who),
             one_in(p, 4) ? "sync" : "fail", one_in(p, 2) ? "io" : "disk", (unsigned)below(p, 12));
    text_add(p->out, "at %ums store %s fail=none\n", (unsigned)(when + between(p, 100, 9000)),
             text_of(&who));
    text_clear(&who);
}

/* Between two writes of its store, by itself or with the machine. */
static void fault_die(struct pen *p) {
    const uint64_t when = between(p, 5000, 45000);
    struct text who = {0};
    any_host(p, &who);
    text_add(p->out, "at %ums die %s writes=%u%s\n", (unsigned)when, text_of(&who),
             (unsigned)below(p, 30), one_in(p, 2) ? " power" : "");
    text_add(p->out, "at %ums start %s may\n", (unsigned)(when + between(p, 4000, 12000)),
             text_of(&who));
    text_clear(&who);
}

/* Something is confirmed, and the power goes. */
static void fault_confirmed(struct pen *p) {
    const uint64_t when = between(p, 5000, 45000), later = between(p, 300, 5000);
    text_add(p->out, "at %ums transfer ", (unsigned)when);
    mover(p, p->out);
    text_add(p->out, " contacts %uKiB if-up\n", (unsigned)between(p, 1, 60));
    text_add(p->out, "at %ums message m[1..%u] contacts %ux if-up\n", (unsigned)when,
             (unsigned)p->move, (unsigned)between(p, 1, 4));
    text_add(p->out, "at %ums powercut s[1..%u]\n", (unsigned)(when + later), (unsigned)p->stay);
    text_add(p->out, "at %ums start s[1..%u] may\n",
             (unsigned)(when + later + between(p, 10, 6000)), (unsigned)p->stay);
}

static void fault_hostile(struct pen *p) {
    static const char *const kinds[] = {"drop(20%)", "drop(data,50%)", "replay(30%)",
                                        "drop(response,60%)"};
    at(p);
    text_add(p->out, "hostile ");
    mover(p, p->out);
    static const char *const floods[] = {"initiation", "random", "stranger"};
    switch (below(p, 6)) {
    case 0:
    case 1:
        text_add(p->out, " flood(");
        stayer(p, p->out);
        text_add(p->out, ",%u/s,%s)\n", (unsigned)between(p, 10, 400), one_of(p, floods, 3));
        break;
    case 2:
        text_add(p->out, " forge\n");
        break;
    case 3:
        text_add(p->out, " lie(");
        stayer(p, p->out);
        text_add(p->out, ") future(%us)\n", (unsigned)below(p, 100000));
        break;
    default:
        text_add(p->out, " %s\n", one_of(p, kinds, 4));
    }
}

/* A path that there is another beside: the two lose each other, but not the relays. */
static void fault_path(struct pen *p) {
    at(p);
    text_add(p->out, "cut ");
    mover(p, p->out);
    text_add(p->out, " s[1..%u]%s", (unsigned)p->stay, one_in(p, 3) ? " oneway" : "");
    lasting(p);
}

/* Something happens to a relay. */
static void fault_relay(struct pen *p) {
    static const char *const lies[] = {"drop(forwarded,40%)", "delay(20%,120ms)", "twice(30%)",
                                       "swap(20%)",           "spoil(10%)",       "replay(20%)"};
    const unsigned r = (unsigned)between(p, 1, p->relays);
    const unsigned when = (unsigned)between(p, 5000, 50000);
    switch (below(p, 4)) {
    case 0:
        text_add(p->out, "at %ums hostile r%u %s %s\n", when, r, one_of(p, lies, 6),
                 one_of(p, lies, 6));
        break;
    case 1:
        text_add(p->out, "at %ums roam r%u\n", when, r);
        break;
    default:
        text_add(p->out, "at %ums %s r%u\n", when, one_in(p, 2) ? "kill" : "stop", r);
        text_add(p->out, "at %ums start r%u may\n", when + (unsigned)between(p, 10, 9000), r);
    }
}

static void fault_policy(struct pen *p) {
    static const char *const policies[] = {"auto", "relay_only", "direct_only"};
    at(p);
    text_add(p->out, "path ");
    mover(p, p->out);
    text_add(p->out, " %s\n", one_of(p, policies, 3));
}

static void fault_transfer(struct pen *p) {
    at(p);
    text_add(p->out, "transfer ");
    mover(p, p->out);
    text_add(p->out, " contacts %uKiB if-up\n", (unsigned)between(p, 1, 4000));
}

static void (*const faults[])(struct pen *p) = {
    fault_cut,   fault_clog,  fault_roam, fault_roam,      fault_crash,   fault_crash,
    fault_pause, fault_clock, fault_link, fault_disk,      fault_hostile, fault_transfer,
    fault_full,  fault_store, fault_die,  fault_confirmed,
};
enum { FAULTS = sizeof faults / sizeof *faults };

/* Where there are relays, others beside those. */
static void relay_faults(struct pen *p) {
    static void (*const more[])(struct pen * p) = {fault_path, fault_path, fault_relay,
                                                   fault_policy};
    for (uint64_t i = between(p, 1, 6); p->relays > 0 && i > 0; i--)
        more[below(p, 4)](p);
}

/* ---- the whole ---- */

/* Who knows them, as a key of nodes. */
static void known_relays(struct pen *p) {
    if (p->relays > 0)
        text_add(p->out, " relays=r[1..%u]", (unsigned)p->relays);
}

static void people(struct pen *p) {
    static const char *const nats[] = {
        "portrestricted",       "restricted", "fullcone", "symmetric", "sequential", "cgn",
        "symmetric,timeout=30s"};
    const bool plain = p->net.kind == DRAW_NET_PLAIN;
    draw_net_sites(&p->net, p->out);
    if (p->relays > 0)
        text_add(p->out, "node r[1..%u] relay=yes ip=dual\n", (unsigned)p->relays);
    text_add(p->out, "node s[1..%u]%s", (unsigned)p->stay, p->net.stay_keys);
    known_relays(p);
    text_add(p->out, "\n");
    text_add(p->out, "node m[1..%u]%s%s", (unsigned)p->move,
             one_in(p, 5) ? " aead=chacha cc=reno" : "", p->net.move_keys);
    p->natted = one_in(p, 2);
    const char *nat = p->natted ? one_of(p, nats, 7) : NULL;
    if (plain && nat)
        text_add(p->out, " nat=%s", nat);
    p->natted = p->natted || !plain;
    draw_net_places(&p->net, p->out);
    known_relays(p);
    text_add(p->out, "\n");
    p->pairs = one_in(p, 3);
    if (p->pairs)
        text_add(p->out, "node n[1..3]%s\n", p->net.stay_keys);
    if (p->alone)
        text_add(p->out, "node q%s\n", p->net.stay_keys);
    bad_link(p, "all");
    struct text who = {0};
    mover(p, &who);
    bad_link(p, text_of(&who));
    text_clear(&who);
    if (p->stay > 1)
        text_add(p->out, "contacts s[1..%u]%s\n", (unsigned)p->stay,
                 p->stay > 8 ? " degree=4" : "");
    text_add(p->out, "contacts m[1..%u] with s[1..%u] degree=%u\n", (unsigned)p->move,
             (unsigned)p->stay, (unsigned)between(p, 1, 2));
    if (p->alone)
        text_add(p->out, "contacts q with s1\n");
}

static void work(struct pen *p) {
    const unsigned m = p->move;
    text_add(p->out, "at 1s connect m[1..%u] contacts\n", m);
    if (one_in(p, 2))
        text_add(p->out, "load ping %u/s m[1..%u] from=2s\n", (unsigned)between(p, 1, 5), m);
    if (one_in(p, 2))
        text_add(p->out, "load message %u/m m[1..%u] from=2s until=60s size=%u\n",
                 (unsigned)between(p, 5, 60), m, (unsigned)between(p, 1, 3000));
    if (one_in(p, 3))
        text_add(p->out, "load transfer %u/m m[1..%u] from=2s until=60s size=%uKiB\n",
                 (unsigned)between(p, 1, 6), m, (unsigned)between(p, 1, 500));
    if (one_in(p, 4))
        text_add(p->out, "load flow %u/s m[1..%u] from=2s until=60s\n", (unsigned)between(p, 5, 50),
                 m);
}

/* Newcomers: one comes in the midst of it all, one when all is well, and a third one tries their
 * tickets. */
static void newcomers(struct pen *p) {
    struct text giver = {0};
    at(p);
    stayer(p, &giver);
    text_add(p->out, "pair n1 %s may if-up\n", text_of(&giver));
    text_add(p->out, "at 118s steal n3 n1 %s may\n", text_of(&giver));
    text_clear(&giver);
}

static void newcomers_healed(struct pen *p) {
    struct text giver = {0};
    stayer(p, &giver);
    text_add(p->out, "at 70s pair n2 %s\n", text_of(&giver));
    text_add(p->out, "at 120s steal n3 n2 %s may\n", text_of(&giver));
    text_add(p->out, "load message 10/m n2 from=125s until=150s\n");
    text_clear(&giver);
}

/* Whoever uses a session notices that it is dead; one that sleeps it does not know. */
static void together(struct pen *p) {
    const unsigned m = p->move;
    text_add(p->out, "at 62s ping m[1..%u] contacts may\n", m);
    text_add(p->out, "at 65s connect m[1..%u] contacts\nat 75s connect all contacts\n", m);
    if (p->pairs)
        newcomers_healed(p);
    text_add(p->out, "eventually connected within 30s\n");
}

/* One of whom nobody asks anything starts where it reaches nobody, for so long that its attempts
 * fail: if it gave up then, it would not be heard of again. */
static void fault_away(struct pen *p) {
    const uint64_t when = between(p, 5000, 9000), later = when + between(p, 100, 3000);
    text_add(p->out, "at %ums cut q all for=%ums\n", (unsigned)when,
             (unsigned)between(p, 30000, 49000));
    text_add(p->out, "at %ums kill q\nat %ums start q\n", (unsigned)later,
             (unsigned)(later + between(p, 10, 3000)));
}

/* Nobody asks for a session: a flow only uses those that there are. In the minute of faults the
 * pauses between dials have grown, but not to more than this leaves. */
static void alone(struct pen *p) {
    text_add(p->out, "load flow 2/s m[1..%u] from=61s until=118s\n", (unsigned)p->move);
    if (p->pairs)
        newcomers_healed(p);
    /* Then it moves, and nobody would know where to, if it did not say so itself. (`every`: it is
     * not what `eventually` waits for.) */
    text_add(p->out,
             "at 124500ms every 500s roam q\nload message 12/m s1 to q from=125s until=150s\n");
    text_add(p->out, "at 120s heal\neventually connected within 4s\n");
    text_add(p->out, "load message 6/m s[1..%u] from=125s until=150s\n", (unsigned)p->stay);
}

static void heal(struct pen *p) {
    struct text *t = p->out;
    text_add(t, "#! keep\nat 60s heal\nat 60s resume all\nat 60s hostile all honest\n");
    if (p->relays > 0)
        text_add(t, "at 60s path all auto\n");
    text_add(t, "at 60s link all up=100M down=100M queue=100ms loss=0 burst=0/1 reorder=0/0 dup=0 "
                "corrupt=0 mtu=1500 "
                "jitter=none\n");
    text_add(t, "at 60s disk all latency=0 read_errors=0 capacity=0\nat 60s store all fail=none\n"
                "at 61s start all\n");
    if (p->alone)
        alone(p);
    else
        together(p);
    text_add(t, "load transfer 10/m m[1..%u] from=125s until=150s size=%uKiB\n", (unsigned)p->move,
             (unsigned)between(p, 1, 300));
    text_add(t, "load message 10/m m[1..%u] from=125s until=150s\n", (unsigned)p->move);
    text_add(t, "expect healed.failed == 0\nexpect healed.open == 0\nexpect message.lost == 0\n");
    text_add(t, "expect message.doubled == 0\nexpect message.disordered == 0\nexpect "
                "transfer.wrong == 0\n");
    text_add(t, "expect transfer.open == 0\nnever all\n");
}

void swarm_draw(uint64_t seed, enum swarm_scale scale, struct text *out) {
    struct pen p = {.out = out, .alone = seed % 2 == 0};
    draw_init(&p.draw, seed);
    p.stay = (uint32_t)between(&p, 1, scale != SWARM_MEDIUM ? 3 : 20);
    p.move = (uint32_t)between(&p, 1, scale != SWARM_MEDIUM ? 5 : 40);
    draw_net_init(&p.net, &p.draw, p.move);
    if (scale == SWARM_RELAYS)
        p.relays = draw_below(draw_u64(&p.draw, 1, DRAW_CHOICE, 0), 3) == 0
                       ? (uint32_t)between(&p, 1, 3)
                       : 0;
    text_add(out, "seed %llu\nfor 240s\n", (unsigned long long)seed);
    people(&p);
    work(&p);
    const uint64_t count = between(&p, 1, scale != SWARM_MEDIUM ? 12 : 40);
    for (uint64_t i = 0; i < count; i++)
        faults[below(&p, FAULTS)](&p);
    draw_net_faults(&p.net, p.natted, out);
    relay_faults(&p);
    if (p.pairs)
        newcomers(&p);
    if (p.alone)
        fault_away(&p);
    heal(&p);
}

const char *swarm_mark(unsigned i) {
    static const char *const marks[] = {"endpoint.rekeys",
                                        "endpoint.rekeys_repeated",
                                        "endpoint.simultaneous_open",
                                        "endpoint.roamed",
                                        "endpoint.spurious_losses",
                                        "endpoint.reductions_undone",
                                        "endpoint.switched_in_slow_start",
                                        "endpoint.replay_dropped",
                                        "endpoint.cookies_sent",
                                        "endpoint.challenges_sent",
                                        "endpoint.persistent_congestion",
                                        "endpoint.ptos",
                                        "endpoint.auth_fail",
                                        "drop.loss",
                                        "drop.queue",
                                        "drop.cut",
                                        "drop.nat_unmapped",
                                        "drop.nat_full",
                                        "icmp.too_big",
                                        "fault.duplicated",
                                        "fault.reordered",
                                        "fault.corrupted",
                                        "judged.unsigned_accept",
                                        "judged.wrong_peer",
                                        "judged.nonce_reuse",
                                        "judged.replayed",
                                        "judged.amplification",
                                        "judged.private_address",
                                        "judged.seq_backwards",
                                        "judged.livelock",
                                        "judged.table_caps",
                                        "judged.memory",
                                        "judged.leak",
                                        "judged.wrong_bytes",
                                        "judged.misdelivered",
                                        "judged.partial_file",
                                        "judged.confirmed_lost",
                                        "judged.used_ticket"};
    return i < sizeof marks / sizeof *marks ? marks[i] : NULL;
}
