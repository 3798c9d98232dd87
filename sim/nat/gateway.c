#include "sim/nat/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/text/quantity.h"

static const uint64_t ns_per_s = 1000000000;

struct gateway {
    struct nat *nat;
    struct gateway_config cfg;
    uint64_t started_ns, forgot_ns;
    struct addr leases[GATEWAY_LEASES_MAX]; /* by inner address; ADDR_NONE: free */
};

const char *gateway_config_read(struct gateway_config *out, const char *text) {
    static const char *const names[] = {"grant", "refuse", "shorten", "lie",
                                        "wrong", "forget", "off"};
    const size_t head = strcspn(text, "("), len = strlen(text);
    char span[32];
    *out = (struct gateway_config){0};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) != head || strncmp(names[i], text, head) != 0)
            continue;
        out->kind = (enum gateway_kind)i;
        const bool timed = i == GATEWAY_SHORTEN || i == GATEWAY_FORGET;
        if (!timed)
            return head == len ? NULL : "only shorten and forget take a time";
        if (head == len || text[len - 1] != ')' || len - head - 2 >= sizeof span)
            break;
        memcpy(span, text + head + 1, len - head - 2);
        span[len - head - 2] = '\0';
        const char *wrong = quantity_parse(span, QUANTITY_DURATION, &out->time_ns);
        return !wrong && out->time_ns < ns_per_s ? "at least 1s" : wrong;
    }
    return "a gateway is grant, refuse, shorten(TIME), lie, wrong, forget(TIME) or off";
}

struct gateway *gateway_new(struct nat *nat, uint64_t now_ns) {
    struct gateway *g = mem_calloc(1, sizeof *g);
    if (!g)
        abort();
    g->nat = nat;
    g->started_ns = g->forgot_ns = now_ns;
    return g;
}

void gateway_free(struct gateway *g) {
    mem_free(g);
}

/* When the next leases are lost: the NAT itself lets go of them then. */
static uint64_t forgets_ns(const struct gateway *g) {
    return g->cfg.kind == GATEWAY_FORGET ? g->forgot_ns + g->cfg.time_ns : UINT64_MAX;
}

void gateway_configure(struct gateway *g, uint64_t now_ns, const struct gateway_config *c) {
    g->cfg = *c;
    g->forgot_ns = now_ns;
    for (unsigned i = 0; i < GATEWAY_LEASES_MAX; i++)
        if (g->leases[i].kind != ADDR_NONE)
            nat_fixed_until(g->nat, &g->leases[i], forgets_ns(g));
}

static void drop_leases(struct gateway *g) {
    for (unsigned i = 0; i < GATEWAY_LEASES_MAX; i++)
        if (g->leases[i].kind != ADDR_NONE)
            nat_unmap_fixed(g->nat, &g->leases[i]);
    memset(g->leases, 0, sizeof g->leases);
}

void gateway_reboot(struct gateway *g, uint64_t now_ns) {
    drop_leases(g);
    g->started_ns = g->forgot_ns = now_ns;
}

/* Where this inner address has its lease, or could have one; NULL: the table is full. */
static struct addr *lease_of(struct gateway *g, const struct addr *inner) {
    struct addr *room = NULL;
    for (unsigned i = 0; i < GATEWAY_LEASES_MAX; i++) {
        if (addr_equal(&g->leases[i], inner) && g->leases[i].kind != ADDR_NONE)
            return &g->leases[i];
        if (g->leases[i].kind == ADDR_NONE && !room)
            room = &g->leases[i];
    }
    return room;
}

static uint32_t lifetime(const struct gateway *g, uint32_t asked_s) {
    uint64_t s = asked_s < GATEWAY_LIFETIME_MAX_S ? asked_s : GATEWAY_LIFETIME_MAX_S;
    if (g->cfg.kind == GATEWAY_SHORTEN && s > g->cfg.time_ns / ns_per_s)
        s = g->cfg.time_ns / ns_per_s;
    return (uint32_t)s;
}

enum gateway_verdict gateway_map(struct gateway *g, uint64_t now_ns,
                                 const struct gateway_request *r, struct gateway_answer *out) {
    if (g->cfg.kind == GATEWAY_OFF)
        return GATEWAY_SILENT;
    if (now_ns >= forgets_ns(g)) {
        drop_leases(g);
        g->forgot_ns = now_ns - (now_ns - g->forgot_ns) % g->cfg.time_ns;
    }
    struct addr *lease = lease_of(g, &r->inner);
    if (g->cfg.kind == GATEWAY_REFUSE || !lease)
        return GATEWAY_REFUSED;
    *out = (struct gateway_answer){.lifetime_s = lifetime(g, r->lifetime_s),
                                   .epoch_s = (uint32_t)((now_ns - g->started_ns) / ns_per_s)};
    if (r->lifetime_s == 0) {
        nat_unmap_fixed(g->nat, &r->inner);
        *lease = (struct addr){.kind = ADDR_NONE};
        return GATEWAY_OK;
    }
    uint64_t expires_ns = now_ns + out->lifetime_s * ns_per_s;
    if (expires_ns > forgets_ns(g))
        expires_ns = forgets_ns(g);
    if (!nat_map_fixed(g->nat, now_ns, &r->inner, r->wanted_port, expires_ns, &out->external))
        return GATEWAY_REFUSED;
    *lease = r->inner;
    if (g->cfg.kind == GATEWAY_LIE)
        nat_unmap_fixed(g->nat, &r->inner);
    if (g->cfg.kind == GATEWAY_WRONG)
        out->external.ip[3] = (uint8_t)(out->external.ip[3] ^ 0x55);
    return GATEWAY_OK;
}
