#include "sim/world/wakes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

enum { ARITY = 4 };

static bool before(const struct wake *a, const struct wake *b) {
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    return a->host < b->host;
}

static void put(struct wakes *ws, uint32_t at, const struct wake *w) {
    ws->list[at] = *w;
    ws->places[w->host] = at + 1;
}

/* `w` goes to `at`, or as far up from there as it belongs; where that is. */
static uint32_t rise(struct wakes *ws, uint32_t at, const struct wake *w) {
    while (at > 0) {
        const uint32_t parent = (at - 1) / ARITY;
        if (!before(w, &ws->list[parent]))
            break;
        put(ws, at, &ws->list[parent]);
        at = parent;
    }
    put(ws, at, w);
    return at;
}

static void sink(struct wakes *ws, uint32_t at, const struct wake *w) {
    for (;;) {
        const uint32_t first = at * ARITY + 1;
        uint32_t least = first;
        if (first >= ws->count)
            break;
        for (uint32_t i = first + 1; i < first + ARITY && i < ws->count; i++)
            if (before(&ws->list[i], &ws->list[least]))
                least = i;
        if (!before(&ws->list[least], w))
            break;
        put(ws, at, &ws->list[least]);
        at = least;
    }
    put(ws, at, w);
}

static void place(struct wakes *ws, uint32_t at, const struct wake *w) {
    const struct wake moved = *w; /* perhaps one of the list's */
    if (rise(ws, at, &moved) == at)
        sink(ws, at, &moved);
}

void wakes_clear(struct wakes *ws) {
    mem_free(ws->list);
    mem_free(ws->places);
    *ws = (struct wakes){0};
}

void wakes_set(struct wakes *ws, const struct wake *w) {
    const uint32_t known = ws->place_cap;
    grow(&ws->places, &ws->place_cap, w->host + 1, sizeof *ws->places);
    for (uint32_t i = known; i < ws->place_cap; i++)
        ws->places[i] = 0;
    if (ws->places[w->host] > 0) {
        place(ws, ws->places[w->host] - 1, w);
        return;
    }
    grow(&ws->list, &ws->cap, ws->count + 1, sizeof *ws->list);
    place(ws, ws->count++, w);
}

void wakes_drop(struct wakes *ws, uint32_t host) {
    const uint32_t at = host < ws->place_cap ? ws->places[host] : 0;
    if (at == 0)
        return;
    ws->places[host] = 0;
    if (at < ws->count--)
        place(ws, at - 1, &ws->list[ws->count]);
}

const struct wake *wakes_top(const struct wakes *ws) {
    return ws->count > 0 ? &ws->list[0] : NULL;
}
