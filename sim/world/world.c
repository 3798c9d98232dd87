#include "sim/world/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/world/host.h"

void world_init(struct world *w, uint64_t seed, const struct sim_tap *tap) {
    w->seed = seed;
    w->tap = *tap;
    w->now_ns = WORLD_SETUP_NS;
    draw_init(&w->draw, seed);
    trace_init(&w->trace, WORLD_START_NS);
}

void world_clear(struct world *w) {
    mem_free(w->hosts);
    names_clear(&w->names);
    faults_clear(&w->faults);
    heap_clear(&w->heap);
    wakes_clear(&w->wakes);
    slab_clear(&w->slab);
    trace_clear(&w->trace);
}

uint64_t world_run_ns(const struct world *w) {
    return w->begun ? w->now_ns - WORLD_START_NS : 0;
}

void world_fail(struct world *w, const struct host *h, const char *what) {
    if (!w->failure[0])
        (void)snprintf(w->failure, sizeof w->failure, "%s: %s at %llu.%06llu s",
                       h ? h->name : "world", what, (unsigned long long)(world_run_ns(w) / SIM_S),
                       (unsigned long long)(world_run_ns(w) % SIM_S / SIM_US));
}

void world_record(struct world *w, const struct trace_record *line) {
    struct trace_record now = *line;
    now.time_ns = w->now_ns;
    trace_add(&w->trace, &now);
    if (w->tap.record)
        w->tap.record(w->tap.ctx, &now);
}

/* ---- what is to come ---- */

void world_push(struct world *w, struct host *source, const struct event *e) {
    struct event keyed = *e;
    keyed.source = source->index;
    keyed.seq = source->seq++;
    heap_push(&w->heap, &keyed);
}

/* Whether the next wake comes before all else. */
static bool wakes_first(const struct world *w) {
    const struct wake *a = wakes_top(&w->wakes);
    const struct event *b = heap_top(&w->heap);
    if (!a || !b)
        return a != NULL;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    return a->host != b->source ? a->host < b->source : a->seq < b->seq;
}

bool world_next(const struct world *w, uint64_t *when_ns) {
    const bool wake = wakes_first(w);
    if (!wake && !heap_top(&w->heap))
        return false;
    *when_ns = wake ? wakes_top(&w->wakes)->time_ns : heap_top(&w->heap)->time_ns;
    return true;
}

bool world_pop(struct world *w, struct event *out) {
    if (!wakes_first(w))
        return heap_pop(&w->heap, out);
    const struct wake *a = wakes_top(&w->wakes);
    *out =
        (struct event){.time_ns = a->time_ns, .source = a->host, .seq = a->seq, .kind = EVENT_WAKE};
    wakes_drop(&w->wakes, a->host);
    return true;
}

void world_drop_events(struct world *w) {
    struct event e;
    while (heap_pop(&w->heap, &e))
        if (e.kind == EVENT_ARRIVE || e.kind == EVENT_LINE || e.kind == EVENT_DELIVER ||
            e.kind == EVENT_ICMP)
            slab_put(&w->slab, e.ref);
    wakes_clear(&w->wakes);
}

/* ---- hosts ---- */

void world_add_host(struct world *w, struct host *h) {
    grow(&w->hosts, &w->host_cap, w->host_count + 1, sizeof *w->hosts);
    w->hosts[w->host_count++] = h;
    names_add(&w->names, h->name, h->index);
}

uint32_t world_find(const struct world *w, const char *name) {
    return names_find(&w->names, name);
}

const char *world_name(const struct world *w, uint32_t host) {
    return host < w->host_count ? w->hosts[host]->name : "?";
}
