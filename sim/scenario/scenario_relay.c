/* scenario_relay.c: which nodes are relays, who knows them from the beginning, and which paths they
 * may use. */
#include <stdio.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

bool scenario_path_policy(const char *word, enum path_policy *out) {
    static const char *const words[] = {"auto", "relay_only", "direct_only"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (enum path_policy)i;
            return true;
        }
    return false;
}

/* relays=NAME,NAME...: hosts and groups that are there already and serve. */
static bool read_relays(struct parser *p, const struct word *w, const char *list,
                        struct sim_host_options *o) {
    struct host_set set = {0};
    bool ok = true;
    while (ok && *list) {
        struct word name = {.at = w->at};
        const size_t n = strcspn(list, ",");
        (void)snprintf(name.text, sizeof name.text, "%.*s", (int)n, list);
        list += n + (list[n] == ',');
        ok = parse_hosts(p, &name, &set);
    }
    if (ok && set.has_share)
        ok = parse_fail(p, w->at, "relays are whole sets");
    if (ok && set.count > SIM_RELAYS_MAX)
        ok =
            parse_fail(p, w->at, "a node has at most %d relays from the beginning", SIM_RELAYS_MAX);
    for (uint32_t i = 0; ok && i < set.count; i++) {
        if (!p->sc->hosts[set.hosts[i]].options.serves)
            ok = parse_fail(p, w->at, "%s is no relay: that says relay=yes",
                            p->sc->hosts[set.hosts[i]].name);
        o->relays[i] = set.hosts[i];
    }
    o->relay_count = ok ? set.count : 0;
    host_set_clear(&set);
    return ok;
}

/* relay_capacity= relay_rate= relay_quota= relay_flows= relay_prefix=: what one gives. */
static bool read_limit(struct parser *p, const struct word *w, struct sim_relay_limits *l,
                       bool *used) {
    uint64_t flows = 0, prefix = 0;
    const struct {
        const char *key;
        enum quantity kind;
        uint64_t *to;
    } keys[] = {{"relay_capacity", QUANTITY_RATE, &l->capacity_bps},
                {"relay_rate", QUANTITY_RATE, &l->rate_bps},
                {"relay_quota", QUANTITY_BYTES, &l->quota_bytes},
                {"relay_flows", QUANTITY_COUNT, &flows},
                {"relay_prefix", QUANTITY_COUNT, &prefix}};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys && !*used; i++) {
        const char *v = parse_key(w, keys[i].key);
        *used = v != NULL;
        if (v && !parse_value(p, w, v, keys[i].kind, keys[i].to))
            return false;
        if (v && (*keys[i].to == 0 || flows > UINT16_MAX || prefix > UINT16_MAX))
            return parse_fail(p, w->at, "'%.60s': 0 and so much are no limits", w->text);
    }
    l->flows = flows ? (uint32_t)flows : l->flows;
    l->prefix = prefix ? (uint32_t)prefix : l->prefix;
    return true;
}

bool parse_relay_option(struct parser *p, const struct word *w, struct sim_host_options *o,
                        bool *used) {
    const char *v;
    *used = true;
    if ((v = parse_key(w, "relay")) && (strcmp(v, "yes") == 0 || strcmp(v, "no") == 0)) {
        o->serves = v[0] == 'y';
        return true;
    }
    if ((v = parse_key(w, "relays")))
        return read_relays(p, w, v, o);
    if ((v = parse_key(w, "path")) && scenario_path_policy(v, &o->path))
        return true;
    *used = false;
    return read_limit(p, w, &o->limits, used);
}
