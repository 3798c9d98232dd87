#include "sim/world/load.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/engine/muldiv.h"
#include "sim/world/host.h"

static const char *const names[LOAD_KINDS] = {"ping", "message", "transfer", "flow", "connect"};

const char *load_kind_name(enum load_kind k) {
    return names[k];
}

void loads_init(struct loads *ls, struct world *w) {
    *ls = (struct loads){.world = w};
}

void loads_clear(struct loads *ls) {
    for (uint32_t i = 0; i < ls->count; i++) {
        mem_free(ls->list[i].hosts);
        mem_free(ls->list[i].targets);
        mem_free(ls->list[i].done);
    }
    mem_free(ls->list);
    loads_init(ls, ls->world);
}

/* Draws are numbered by (what the load says, host, how many times): a load taken away shifts no
 * other's. */
static uint64_t draw(const struct loads *ls, uint32_t load, uint32_t at, enum draw_kind kind) {
    const struct load *l = &ls->list[load];
    const struct host *h = ls->world->hosts[l->hosts[at]];
    return draw_u64(&ls->world->draw, world_entity(h, ENTITY_LOAD), kind, l->id + l->done[at]);
}

/* EVENT_LOAD: tag is the load, ref the place of the host in its list. */
static void plan(struct loads *ls, uint32_t load, uint32_t at, uint64_t after_ns) {
    const struct load *l = &ls->list[load];
    const uint64_t now_ns = world_run_ns(ls->world);
    if (now_ns + after_ns >= l->until_ns)
        return;
    world_push(ls->world, ls->world->hosts[l->hosts[at]],
               &(struct event){.time_ns = ls->world->now_ns + after_ns,
                               .kind = EVENT_LOAD,
                               .tag = load,
                               .ref = &l->hosts[at]});
}

/* The first time: anywhere within the first interval, so that hosts do not march in step. */
static void first(struct loads *ls, uint32_t load) {
    struct load *l = &ls->list[load];
    const uint64_t now_ns = world_run_ns(ls->world);
    for (uint32_t i = 0; i < l->host_count; i++) {
        const uint64_t within = mul_high(draw(ls, load, i, DRAW_LOAD), l->interval_ns);
        const uint64_t start_ns = l->from_ns > now_ns ? l->from_ns - now_ns : 0;
        l->done[i]++;
        plan(ls, load, i, start_ns + within);
    }
}

void loads_add(struct loads *ls, const struct load *model) {
    ls->list = mem_realloc(ls->list, (ls->count + 1) * sizeof *ls->list);
    if (!ls->list)
        abort();
    struct load *l = &ls->list[ls->count++];
    *l = *model;
    l->done = mem_calloc(l->host_count + 1, sizeof *l->done);
    if (!l->done)
        abort();
    if (ls->world->begun)
        first(ls, ls->count - 1);
}

void loads_begin(struct loads *ls) {
    for (uint32_t i = 0; i < ls->count; i++)
        first(ls, i);
}

/* Whose turn it is: the event's ref is its place in the list of hosts. */
static uint32_t place_in(const struct load *l, const struct event *e) {
    const uint32_t *place = e->ref;
    return (uint32_t)(place - l->hosts);
}

bool loads_due(const struct loads *ls, const struct event *e, struct load_due *out) {
    const struct load *l = &ls->list[e->tag];
    const uint32_t at = place_in(l, e);
    const struct host *h = ls->world->hosts[l->hosts[at]];
    const uint32_t *others = l->target_count > 0 ? l->targets : h->contacts;
    const uint32_t count = l->target_count > 0 ? l->target_count : h->contact_count;
    if (count == 0 || !h->node)
        return false;
    const uint32_t to = others[draw_below(draw(ls, e->tag, at, DRAW_LOAD_TARGET), count)];
    *out = (struct load_due){.load = l, .from = h->index, .to = to};
    return to != h->index;
}

void loads_again(struct loads *ls, const struct event *e) {
    struct load *l = &ls->list[e->tag];
    const uint32_t at = place_in(l, e);
    const uint64_t jitter = draw_below(draw(ls, e->tag, at, DRAW_LOAD), UINT32_MAX);
    l->done[at]++;
    plan(ls, e->tag, at, l->interval_ns / 2 + muldiv(jitter, l->interval_ns, UINT64_C(1) << 32));
}
