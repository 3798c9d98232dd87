/* scenario_load.c: workloads: load KIND RATE SET... [to SET...] [size=N] [from=TIME]
 * [until=TIME] [may]. */
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/scenario_int.h"

enum { MESSAGE_BYTES = 100, FLOW_BYTES = 160, TRANSFER_BYTES = 65536 };

/* "0.65/s", "3/m": how often each host does it. */
static bool read_rate(struct parser *p, const struct word *w, uint64_t *interval_ns) {
    char number[LEXER_WORD_MAX + 1];
    double per;
    const size_t len = strcspn(w->text, "/");
    memcpy(number, w->text, len);
    number[len] = '\0';
    const char *unit = w->text + len;
    const double unit_ns = strcmp(unit, "/s") == 0   ? 1e9
                           : strcmp(unit, "/m") == 0 ? 60e9
                           : strcmp(unit, "/h") == 0 ? 3600e9
                                                     : 0;
    if (unit_ns <= 0 || number[strspn(number, "0123456789.")] || quantity_number(number, &per) ||
        per <= 0 || unit_ns / per < 1000 || unit_ns / per > 1e18)
        return parse_fail(p, w->at, "a rate is like 0.65/s, 3/m or 10/h");
    *interval_ns = (uint64_t)(unit_ns / per);
    return true;
}

static bool read_key(struct parser *p, const struct word *w, struct load *l) {
    const char *v;
    if ((v = parse_key(w, "size")) && l->size > 0)
        return parse_value(p, w, v, QUANTITY_BYTES, &l->size);
    if ((v = parse_key(w, "from")))
        return parse_value(p, w, v, QUANTITY_DURATION, &l->from_ns);
    if ((v = parse_key(w, "until")))
        return parse_value(p, w, v, QUANTITY_DURATION, &l->until_ns);
    return parse_fail(p, w->at,
                      "a load has: size=BYTES (message, transfer, flow) from=TIME until=TIME may");
}

/* By what it says; the same words again are another load. */
static uint64_t new_id(const struct parser *p) {
    const struct scenario *sc = p->sc;
    uint64_t id = parse_id(p, p->lexer.words);
    for (uint32_t i = 0; i < sc->load_count; i++)
        if (sc->loads[i].load.id == id)
            id += UINT64_C(1) << 40;
    return id;
}

bool parse_load(struct parser *p) {
    struct scenario *sc = p->sc;
    const uint64_t id = new_id(p);
    const struct word *w = parse_word(p, "a kind of load");
    unsigned k = 0;
    if (!w)
        return false;
    while (k < LOAD_KINDS && strcmp(load_kind_name((enum load_kind)k), w->text) != 0)
        k++;
    if (k == LOAD_KINDS)
        return parse_fail(p, w->at, "loads are: ping message transfer flow connect");
    static const uint64_t sizes[LOAD_KINDS] = {
        [LOAD_MESSAGE] = MESSAGE_BYTES, [LOAD_TRANSFER] = TRANSFER_BYTES, [LOAD_FLOW] = FLOW_BYTES};
    sc->loads = scenario_room(sc->loads, sc->load_count, &sc->load_cap, sizeof *sc->loads);
    struct scenario_load *x = &sc->loads[sc->load_count++];
    *x = (struct scenario_load){.at = w->at,
                                .load = {.id = id,
                                         .kind = (enum load_kind)k,
                                         .line = w->at.line,
                                         .size = sizes[k],
                                         .until_ns = UINT64_MAX}};
    w = parse_word(p, "a rate");
    if (!w || !read_rate(p, w, &x->load.interval_ns))
        return false;
    bool to = false;
    while ((w = parse_peek(p))) {
        p->next++;
        bool ok;
        if (strcmp(w->text, "to") == 0 && !to)
            ok = to = true;
        else if (strcmp(w->text, "may") == 0)
            ok = x->load.may = true;
        else if (strchr(w->text, '='))
            ok = read_key(p, w, &x->load);
        else
            ok = parse_hosts(p, w, to ? &x->to : &x->from);
        if (!ok)
            return false;
    }
    if (x->from.count == 0 || (to && x->to.count == 0))
        return parse_word(p, "a node's name") != NULL;
    if (x->load.from_ns >= x->load.until_ns)
        return parse_fail(p, x->at, "it ends before it begins");
    if (x->from.count == 1 && x->to.count == 1 && x->from.hosts[0] == x->to.hosts[0])
        return parse_fail(p, x->at, "two different nodes are needed");
    const uint64_t most = k == LOAD_MESSAGE ? MESSAGE_MAX_BYTES
                          : k == LOAD_FLOW  ? NODE_DATAGRAM_MAX_BYTES
                                            : UINT64_MAX;
    return x->load.size <= most || parse_fail(p, x->at, "the size is too large for this load");
}
