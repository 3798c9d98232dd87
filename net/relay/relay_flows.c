#include "net/relay/relay_flows.h"

#include <assert.h>

#include "crypto/base/mem.h"
#include "net/relay/relay_limits.h"

static_assert(2 * RELAY_FLOWS_MAX <= 1 << RELAY_NUMBER_BITS_MAX, "each end's place has a number");

void relay_flows_init(struct relay_flows *t, uint32_t max) {
    assert(max <= RELAY_FLOWS_MAX);
    *t = (struct relay_flows){.max = max, .bits = RELAY_NUMBER_BITS_MIN};
    while (1u << t->bits < 2 * max)
        t->bits++;
}

void relay_flows_clear(struct relay_flows *t) {
    for (uint32_t i = 0; i < t->page_count; i++)
        mem_free(t->pages[i]);
    mem_free(t->pages);
    *t = (struct relay_flows){0};
}

size_t relay_flows_memory(const struct relay_flows *t) {
    return t->page_cap * sizeof *t->pages +
           (size_t)t->page_count * RELAY_PAGE_ENTRIES * sizeof **t->pages;
}

/* ---- the list of a client's ends ---- */

static uint32_t place_of(const struct relay_flows *t, const struct relay_end *e) {
    return e->number & ((1u << t->bits) - 1);
}

static struct relay_end *end_at(const struct relay_flows *t, uint32_t place_1) {
    return place_1 == 0 ? NULL : &relay_flow_at(t, (place_1 - 1) / 2)->ends[(place_1 - 1) & 1];
}

struct relay_end *relay_end_first(const struct relay_flows *t, const struct relay_clients *c,
                                  uint32_t client) {
    return end_at(t, c->seats[client].ends_1);
}

struct relay_end *relay_end_next(const struct relay_flows *t, const struct relay_end *e) {
    return end_at(t, e->next_1);
}

static void enter(const struct relay_flows *t, struct relay_clients *c, struct relay_end *e) {
    struct relay_seat *seat = &c->seats[e->client];
    struct relay_end *next = end_at(t, seat->ends_1);
    e->next_1 = seat->ends_1;
    e->prev_1 = 0;
    seat->ends_1 = place_of(t, e) + 1;
    if (next)
        next->prev_1 = seat->ends_1;
}

static void leave(const struct relay_flows *t, struct relay_clients *c, struct relay_end *e) {
    struct relay_end *next = end_at(t, e->next_1), *prev = end_at(t, e->prev_1);
    if (next)
        next->prev_1 = e->prev_1;
    if (prev)
        prev->next_1 = e->next_1;
    else
        c->seats[e->client].ends_1 = e->next_1;
}

struct relay_end *relay_flow_between(const struct relay_flows *t, const struct relay_clients *c,
                                     uint32_t client, uint32_t peer) {
    struct relay_end *e = relay_end_first(t, c, client);
    while (e && relay_end_other(e)->client != peer)
        e = relay_end_next(t, e);
    return e;
}

/* ---- flows ---- */

static bool room(struct relay_flows *t) {
    if (t->free_1 != 0 || t->count < t->page_count * RELAY_PAGE_ENTRIES)
        return true;
    if (!mem_grow(&t->pages, &t->page_cap, t->page_count + 1, sizeof *t->pages,
                  RELAY_FLOWS_MAX / RELAY_PAGE_ENTRIES))
        return false;
    struct relay_entry *page = mem_calloc(RELAY_PAGE_ENTRIES, sizeof *page);
    if (!page)
        return false;
    t->pages[t->page_count++] = page;
    return true;
}

static uint32_t new_number(const struct relay_flows *t, const struct rng *rng, uint32_t place) {
    uint32_t random;
    do
        random = rng_u32(rng) >> t->bits;
    while (random == 0);
    return random << t->bits | place;
}

struct relay_entry *relay_flow_new(struct relay_flows *t, struct relay_clients *c,
                                   const struct rng *rng, uint32_t asker, uint32_t peer) {
    if (t->used >= t->max || !room(t))
        return NULL;
    const uint32_t place = t->free_1 != 0 ? t->free_1 - 1 : t->count;
    struct relay_entry *f = relay_flow_at(t, place);
    if (t->free_1 != 0)
        t->free_1 = f->next_free_1;
    else
        t->count++;
    t->used++;
    *f = (struct relay_entry){.place = place, .state = RELAY_PENDING};
    for (uint32_t side = 0; side < 2; side++) {
        struct relay_end *e = &f->ends[side];
        e->client = side == 0 ? asker : peer;
        e->number = new_number(t, rng, 2 * place + side);
        e->out.socket = (int8_t)hop_socket(&c->seats[e->client].hop);
        enter(t, c, e);
    }
    return f;
}

void relay_flow_free(struct relay_flows *t, struct relay_clients *c, struct relay_entry *f) {
    for (unsigned side = 0; side < 2; side++) {
        assert(!f->ends[side].out.first);
        leave(t, c, &f->ends[side]);
    }
    const uint32_t place = f->place;
    *f = (struct relay_entry){.place = place, .next_free_1 = t->free_1};
    t->free_1 = place + 1;
    t->used--;
}
