/* scenario_contacts.c: who knows whom before it begins. */
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/scenario/scenario_int.h"

/* Whether there are two different nodes that it is about. */
static bool make_pairs(const struct scenario_graph *g) {
    const struct host_set *others = g->with.count > 0 ? &g->with : &g->set;
    for (uint32_t i = 0; i < others->count; i++)
        if (g->set.count > 0 && others->hosts[i] != g->set.hosts[0])
            return true;
    return g->with.count > 0 && g->set.count > 1;
}

static bool has_twins(const struct scenario *sc, const struct host_set *set) {
    bool *seen = mem_calloc(sc->host_count + 1, sizeof *seen);
    bool twins = false;
    if (!seen)
        abort();
    for (uint32_t i = 0; i < set->count; i++) {
        twins = twins || seen[set->hosts[i]];
        seen[set->hosts[i]] = true;
    }
    mem_free(seen);
    return twins;
}

/* contacts SET... [with SET...] [degree=N|each] */
bool parse_contacts(struct parser *p) {
    struct scenario *sc = p->sc;
    const struct word *w, *first = parse_peek(p);
    sc->graphs = scenario_room(sc->graphs, sc->graph_count, &sc->graph_cap, sizeof *sc->graphs);
    struct scenario_graph *g = &sc->graphs[sc->graph_count++];
    *g = (struct scenario_graph){.at = p->lexer.words[0].at, .id = parse_id(p, p->lexer.words)};
    bool with = false;
    while ((w = parse_peek(p))) {
        uint64_t n;
        const char *v = parse_key(w, "degree");
        p->next++;
        if (v) {
            if (!parse_value(p, w, v, QUANTITY_COUNT, &n))
                return false;
            if (n == 0 || n > 256)
                return parse_fail(p, w->at, "a degree is 1 to 256");
            g->degree = (uint32_t)n;
        } else if (strcmp(w->text, "each") == 0) {
            g->each = true;
        } else if (strcmp(w->text, "with") == 0 && !with) {
            with = true;
        } else if (!parse_hosts(p, w, with ? &g->with : &g->set)) {
            return false;
        } else if (g->set.has_share || g->with.has_share) {
            return parse_fail(p, w->at, "contacts are whole sets, without a share");
        }
    }
    if (!first || (with && g->with.count == 0) || !make_pairs(g))
        return parse_fail(p, g->at, "contacts are two or more nodes");
    if (has_twins(sc, &g->set) || has_twins(sc, &g->with))
        return parse_fail(p, g->at, "a node is there twice");
    if (g->each && (g->degree > 0 || g->set.count != g->with.count))
        return parse_fail(p, g->at, "each goes with as many others");
    if (g->degree > 0 && !with && g->degree >= g->set.count)
        return parse_fail(p, g->at, "so many contacts need more nodes");
    return true;
}
