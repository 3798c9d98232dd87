#include "sim/invariants/policy_watch.h"

#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

enum { FORWARD = 5 };

void policy_watch_clear(struct policy_watch *w) {
    mem_free(w->hosts);
    watch_map_clear(&w->places);
    *w = (struct policy_watch){0};
}

static struct policy_host *host_of(struct policy_watch *w, uint32_t host) {
    if (host >= w->host_count) {
        grow(&w->hosts, &w->host_cap, host + 1, sizeof *w->hosts);
        memset(w->hosts + w->host_count, 0, (host + 1 - w->host_count) * sizeof *w->hosts);
        w->host_count = host + 1;
    }
    return &w->hosts[host];
}

static const struct policy_host *known(const struct policy_watch *w, uint32_t host) {
    static const struct policy_host any;
    return host < w->host_count ? &w->hosts[host] : &any;
}

enum watch_policy policy_watch_of(const struct policy_watch *w, uint32_t host) {
    return known(w, host)->policy;
}

static void add_places(struct policy_watch *w, const struct policy_host *h) {
    for (unsigned i = 0; i < h->own_count; i++) {
        const struct addr *a = &h->own[i];
        (void)watch_map_at(&w->places, (uint64_t)a->port << 4 | a->kind, load_le64(a->ip),
                           load_le64(a->ip + 8));
    }
}

static bool is_relays(const struct policy_watch *w, const struct addr *a) {
    return watch_map_find(&w->places, (uint64_t)a->port << 4 | a->kind, load_le64(a->ip),
                          load_le64(a->ip + 8)) != NULL;
}

void policy_watch_host(struct policy_watch *w, uint32_t host, enum watch_policy policy,
                       bool relay) {
    struct policy_host *h = host_of(w, host);
    h->changed = h->changed || (h->known && h->policy != policy);
    h->known = true;
    h->policy = policy;
    h->relay = relay;
    if (relay)
        add_places(w, h);
}

void policy_watch_addresses(struct policy_watch *w, uint32_t host, const struct addr *addrs,
                            unsigned count) {
    struct policy_host *h = host_of(w, host);
    h->own_count = 0;
    for (unsigned i = 0; i < count && h->own_count < POLICY_WATCH_ADDRS; i++)
        if (addrs[i].kind != ADDR_NONE)
            h->own[h->own_count++] = addrs[i];
    if (h->relay)
        add_places(w, h);
}

static bool shows(const struct policy_packet *p, const struct addr *a) {
    uint8_t wire[ADDR_WIRE_MAX];
    const size_t n = addr_write(a, wire);
    return n > 1 && memmem(p->data, p->len, wire + 1, n - 1) != NULL;
}

const char *policy_watch_sent(struct policy_watch *w, const struct policy_packet *p, bool *judged) {
    const struct policy_host *h = known(w, p->at);
    *judged = h->policy != WATCH_ANY_PATH;
    switch (h->policy) {
    case WATCH_ANY_PATH:
        break;
    case WATCH_RELAY_ONLY:
        if (!is_relays(w, p->dst))
            return "sends to an address that is no relay's";
        for (unsigned i = 0; i < h->own_count; i++)
            if (shows(p, &h->own[i]))
                return "shows an address of its own";
        break;
    case WATCH_DIRECT_ONLY:
        if (p->len > 0 && p->data[0] == FORWARD)
            return "gives a relay something to forward";
        break;
    }
    return NULL;
}

const char *policy_watch_received(const struct policy_watch *w, const struct policy_packet *p,
                                  bool *judged) {
    const struct policy_host *from = known(w, p->from), *at = known(w, p->at);
    *judged = (from->policy == WATCH_RELAY_ONLY && !from->changed) ||
              (at->policy == WATCH_RELAY_ONLY && !at->changed);
    if (*judged && !from->relay && !at->relay)
        return "has got a packet past the relays from";
    return NULL;
}
