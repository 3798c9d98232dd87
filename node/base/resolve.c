#include "node/base/resolve.h"

#include <stdio.h>
#include <string.h>

#include "crypto/base/mem.h"

void resolves_clear(struct resolves *r) {
    mem_free(r->list);
    r->list = NULL;
    r->waiting = r->out = r->told = r->told_out = 0;
}

static struct resolving *find(const struct resolves *r, const char *host) {
    for (unsigned i = 0; r->list && i < RESOLVES_MAX; i++)
        if (r->list[i].id && strcmp(r->list[i].host, host) == 0)
            return &r->list[i];
    return NULL;
}

static void not_told(struct resolves *r, struct resolving *at) {
    r->told -= at->told;
    r->told_out -= at->told && at->out;
    at->told = false;
}

static int ask(struct resolves *r, const char *host, bool told) {
    struct resolving *known = find(r, host);
    if (r->turn->shut)
        return ERR_CLOSED;
    if (known && !told)
        not_told(r, known);
    if (known)
        return 0;
    if (r->waiting + r->out == RESOLVES_MAX || (told && r->told == RESOLVES_TOLD_MAX))
        return ERR_FULL;
    if (!r->list)
        r->list = mem_calloc(RESOLVES_MAX, sizeof *r->list);
    if (!r->list)
        return ERR_NOMEM;
    struct resolving *at = r->list;
    while (at->id)
        at++;
    at->id = ++r->last_id;
    at->out = false;
    at->told = told;
    r->told += told;
    snprintf(at->host, sizeof at->host, "%s", host);
    r->waiting++;
    return 0;
}

int resolve_ask(struct resolves *r, const char *host) {
    return ask(r, host, false);
}

int resolve_ask_told(struct resolves *r, const char *host) {
    return ask(r, host, true);
}

static bool before(const struct resolving *a, const struct resolving *b) {
    return a->told == b->told ? a->id < b->id : !a->told;
}

bool resolve_next(struct resolves *r, struct resolve *out) {
    struct resolving *first = NULL;
    if (r->waiting == 0 || r->out == RESOLVE_OUT_MAX || r->turn->shut)
        return false;
    for (unsigned i = 0; i < RESOLVES_MAX; i++) {
        struct resolving *at = &r->list[i];
        const bool may = at->id && !at->out && (!at->told || r->told_out < RESOLVE_TOLD_OUT_MAX);
        if (may && (!first || before(at, first)))
            first = at;
    }
    if (!first)
        return false;
    first->out = true;
    r->told_out += first->told;
    r->waiting--;
    r->out++;
    out->id = first->id;
    memcpy(out->host, first->host, sizeof out->host);
    return true;
}

void resolve_done(struct resolves *r, uint64_t id, const struct addr *addrs, unsigned count) {
    unsigned i = 0;
    while (r->list && i < RESOLVES_MAX && !(r->list[i].id == id && r->list[i].out))
        i++;
    if (!r->list || i == RESOLVES_MAX)
        return;
    not_told(r, &r->list[i]);
    const struct resolving done = r->list[i];
    r->list[i] = (struct resolving){.id = 0};
    r->out--;
    if (r->waiting + r->out == 0)
        resolves_clear(r);
    if (!r->turn->shut)
        parts_resolved(&r->turn->parts, done.host, addrs,
                       count < RESOLVE_ADDRS_MAX ? count : RESOLVE_ADDRS_MAX);
}

/* ---- as a part of the node (node/base/part.h) ---- */
static void part_clear(void *self) {
    resolves_clear(self);
}

const struct part_ops resolves_part = {.clear = part_clear};
