#include "sim/run/absent.h"

#include <string.h>

bool absent_not(const struct scenario *sc, enum action_kind a, enum load_kind l) {
    for (size_t i = 0; i < sc->action_count; i++)
        if (sc->actions[i].kind == a)
            return true;
    for (uint32_t i = 0; i < sc->load_count; i++)
        if (sc->loads[i].load.kind == l)
            return true;
    return false;
}

/* ---- links ---- */

typedef bool link_test(const struct link_config *c); /* what is not set is 0 */

static bool loses(const struct link_config *c) {
    return c->loss_ppb > 0;
}

static bool bursts(const struct link_config *c) {
    return c->burst_enter_ppb > 0;
}

static bool has_rate(const struct link_config *c) {
    return c->rate_bps > 0;
}

static bool has_codel(const struct link_config *c) {
    return c->codel_ns > 0;
}

static bool marks(const struct link_config *c) {
    return c->ecn == LINK_ECN_MARK;
}

static bool drops_ecn(const struct link_config *c) {
    return c->ecn == LINK_ECN_BLACKHOLE;
}

static bool duplicates(const struct link_config *c) {
    return c->duplicate_ppb > 0;
}

static bool reorders(const struct link_config *c) {
    return c->reorder_ppb > 0;
}

static bool corrupts(const struct link_config *c) {
    return c->corrupt_ppb > 0;
}

static bool tells(const struct link_config *c) {
    return c->icmp;
}

static bool any_link(const struct scenario *sc, link_test *is) {
    for (size_t i = 0; i < sc->action_count; i++)
        for (unsigned d = 0; d < 2 && sc->actions[i].kind == ACT_LINK; d++)
            if (is(&sc->actions[i].link.values[d]))
                return true;
    for (uint32_t i = 0; i < sc->nic_count; i++)
        for (unsigned d = 0; d < 2; d++)
            if (is(&sc->nics[i].link.values[d]))
                return true;
    for (uint32_t i = 0; i < sc->site_count; i++)
        for (unsigned d = 0; d < 2 && sc->sites[i].has_link; d++)
            if (is(&sc->sites[i].link.values[d]))
                return true;
    return false;
}

/* ---- hosts ---- */

static bool has_nat(const struct scenario *sc) {
    for (uint32_t i = 0; i < sc->host_count; i++)
        if (sc->hosts[i].nat[0])
            return true;
    for (uint32_t i = 0; i < sc->nic_count; i++)
        if (sc->nics[i].nat[0])
            return true;
    return sc->site_count > 0;
}

static bool is_blocked(const struct scenario *sc) {
    for (uint32_t i = 0; i < sc->host_count; i++)
        if (sc->hosts[i].options.no_udp || sc->hosts[i].no_udp_ppb > 0)
            return true;
    return false;
}

static bool has_relay(const struct scenario *sc) {
    for (uint32_t i = 0; i < sc->host_count; i++)
        if (sc->hosts[i].options.serves)
            return true;
    return false;
}

static bool is_watched(const struct scenario *sc) {
    return sc->never_count > 0;
}

static bool pairs(const struct scenario *sc) {
    return absent_not(sc, ACT_PAIR, LOAD_KINDS) || absent_not(sc, ACT_STEAL, LOAD_KINDS);
}

/* ---- by how a metric begins: all that it needs one of ---- */

static const struct {
    const char *begins;
    enum action_kind action; /* ACTIONS: none */
    enum load_kind load;     /* LOAD_KINDS: none */
    link_test *link;
    bool (*has)(const struct scenario *sc);
    const char *why;
} rows[] = {
    {"drop.nat_", ACTIONS, LOAD_KINDS, NULL, has_nat, "nobody is behind a NAT"},
    {"nat.", ACTIONS, LOAD_KINDS, NULL, has_nat, "nobody is behind a NAT"},
    {"drop.blocked", ACTIONS, LOAD_KINDS, NULL, is_blocked, "nobody's UDP is blocked"},
    {"drop.cut", ACT_CUT, LOAD_KINDS, NULL, NULL, "nothing is cut"},
    {"drop.unplugged", ACT_DOWN, LOAD_KINDS, NULL, NULL, "no interface goes down"},
    {"drop.suspended", ACT_SUSPEND, LOAD_KINDS, NULL, NULL, "nobody is suspended"},
    {"drop.buffer", ACT_STALL, LOAD_KINDS, NULL, NULL, "nobody is stalled"},
    {"drop.hostile", ACT_HOSTILE, LOAD_KINDS, NULL, NULL, "nobody is hostile"},
    {"drop.listed", ACT_LOSE, LOAD_KINDS, NULL, NULL, "no packet is said to be lost"},
    {"drop.loss", ACTIONS, LOAD_KINDS, loses, NULL, "no link has a loss"},
    {"drop.burst", ACTIONS, LOAD_KINDS, bursts, NULL, "no link has bursts of loss"},
    {"drop.queue", ACT_CLOG, LOAD_KINDS, has_rate, NULL, "no link has a rate"},
    {"drop.codel", ACTIONS, LOAD_KINDS, has_codel, NULL, "no link has CoDel"},
    {"drop.ecn", ACTIONS, LOAD_KINDS, drops_ecn, NULL, "no link has ecn=blackhole"},
    {"path.gap", ACT_TRANSFER, LOAD_TRANSFER, NULL, NULL, "nothing is transferred"},
    {"relay.idle", ACT_MARK, LOAD_KINDS, NULL, NULL, "nothing is marked"},
    {"relay.", ACTIONS, LOAD_KINDS, NULL, has_relay, "there is no relay"},
    {"session.via_relay", ACTIONS, LOAD_KINDS, NULL, has_relay, "there is no relay"},
    {"peer.idle", ACT_MARK, LOAD_KINDS, NULL, NULL, "nothing is marked"},
    {"flow.", ACTIONS, LOAD_FLOW, NULL, NULL, "there is no flow"},
    {"ecn.", ACTIONS, LOAD_KINDS, marks, NULL, "no link has ecn=mark"},
    {"fault.duplicated", ACTIONS, LOAD_KINDS, duplicates, NULL, "no link has dup"},
    {"fault.reordered", ACTIONS, LOAD_KINDS, reorders, NULL, "no link has reorder"},
    {"fault.corrupted", ACTIONS, LOAD_KINDS, corrupts, NULL, "no link has corrupt"},
    {"icmp.", ACT_HOSTILE, LOAD_KINDS, tells, NULL, "no link has icmp=on"},
    {"endpoint.icmp_", ACT_HOSTILE, LOAD_KINDS, tells, NULL, "no link has icmp=on"},
    {"judged.", ACTIONS, LOAD_KINDS, NULL, is_watched, "there is no never"},
    {"event.transfer.", ACT_TRANSFER, LOAD_TRANSFER, NULL, NULL, "nothing is transferred"},
    {"asked.transfer", ACT_TRANSFER, LOAD_TRANSFER, NULL, NULL, "nothing is transferred"},
    {"disk.read", ACT_TRANSFER, LOAD_TRANSFER, NULL, NULL, "nothing is transferred"},
    {"disk.written", ACT_TRANSFER, LOAD_TRANSFER, NULL, NULL, "nothing is transferred"},
    {"event.message", ACT_MESSAGE, LOAD_MESSAGE, NULL, NULL, "no message is sent"},
    {"asked.message", ACT_MESSAGE, LOAD_MESSAGE, NULL, NULL, "no message is sent"},
    {"event.ping.", ACT_PING, LOAD_PING, NULL, NULL, "nobody pings"},
    {"event.pong", ACT_PING, LOAD_PING, NULL, NULL, "nobody pings"},
    {"asked.ping", ACT_PING, LOAD_PING, NULL, NULL, "nobody pings"},
    {"asked.connect", ACT_CONNECT, LOAD_CONNECT, NULL, NULL, "nobody connects"},
    {"asked.pair", ACTIONS, LOAD_KINDS, NULL, pairs, "nobody uses a ticket"},
    {"event.ticket.", ACTIONS, LOAD_KINDS, NULL, pairs, "nobody uses a ticket"},
    {"event.pairing.", ACTIONS, LOAD_KINDS, NULL, pairs, "nobody uses a ticket"},
};

const char *absent_why(const struct scenario *sc, const char *metric) {
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(metric, rows[i].begins, strlen(rows[i].begins)) != 0)
            continue;
        const bool there = absent_not(sc, rows[i].action, rows[i].load) ||
                           (rows[i].link && any_link(sc, rows[i].link)) ||
                           (rows[i].has && rows[i].has(sc));
        return there ? NULL : rows[i].why;
    }
    return NULL;
}
