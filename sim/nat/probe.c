#include "sim/nat/probe.h"

#include <stdlib.h>

enum { PORT_BASE = 20000, SAMPLES = 24, HOUR_S = 3600 };
static const uint64_t second_ns = 1000000000;
static const uint64_t gap_ns =
    2 * UINT64_C(3600) * 1000000000; /* so long after everything is forgotten */

struct prober {
    struct nat *n;
    uint64_t now_ns;
    uint16_t port; /* the next inner port that was not used yet */
};

static struct addr inside(uint8_t host, uint16_t port) {
    return (struct addr){.kind = ADDR_IPV4, .port = port, .ip = {192, 168, 1, host}};
}

/* Two servers with two ports each. */
static struct addr server(unsigned host, unsigned port) {
    return (struct addr){.kind = ADDR_IPV4,
                         .port = (uint16_t)(3478 + port),
                         .ip = {203, 0, 113, (uint8_t)(1 + host)}};
}

/* What the server sees; false if nothing came. */
static bool ask(struct prober *p, const struct addr *from, const struct addr *to,
                struct addr *seen) {
    *seen = *from;
    return nat_out(p->n, p->now_ns, seen, to) == NAT_PASS;
}

static bool gets_in(struct prober *p, const struct addr *from, const struct addr *mapped,
                    const struct addr *inner) {
    struct addr to = *mapped;
    return nat_in(p->n, p->now_ns, from, &to) == NAT_PASS && addr_equal(&to, inner);
}

static struct addr fresh(struct prober *p) {
    p->now_ns += second_ns;
    return inside(2, p->port++);
}

/* RFC 5780 §4.3 */
static enum nat_dependence find_mapping(struct prober *p) {
    const struct addr from = fresh(p), s00 = server(0, 0), s10 = server(1, 0), s11 = server(1, 1);
    struct addr a, b, c;
    if (!ask(p, &from, &s00, &a) || !ask(p, &from, &s10, &b) || !ask(p, &from, &s11, &c))
        abort();
    if (addr_equal(&a, &b) && addr_equal(&b, &c))
        return NAT_ENDPOINT_INDEPENDENT;
    return addr_equal(&b, &c) ? NAT_ADDRESS_DEPENDENT : NAT_ADDRESS_PORT_DEPENDENT;
}

/* RFC 5780 §4.4 */
static enum nat_dependence find_filtering(struct prober *p) {
    const struct addr from = fresh(p), s00 = server(0, 0), s01 = server(0, 1), s10 = server(1, 0);
    struct addr mapped;
    if (!ask(p, &from, &s00, &mapped))
        abort();
    if (gets_in(p, &s10, &mapped, &from))
        return NAT_ENDPOINT_INDEPENDENT;
    return gets_in(p, &s01, &mapped, &from) ? NAT_ADDRESS_DEPENDENT : NAT_ADDRESS_PORT_DEPENDENT;
}

/* New mappings, one after the other: kept ports, a constant step, or neither; in the last case a
 * narrow range is a block. */
static enum nat_ports find_ports(struct prober *p, uint32_t *step) {
    uint32_t kept = 0, least = 65535, most = 0;
    uint16_t ports[SAMPLES];
    const struct addr to = server(0, 0);
    for (unsigned i = 0; i < SAMPLES; i++) {
        const struct addr from = fresh(p);
        struct addr seen;
        if (!ask(p, &from, &to, &seen))
            abort();
        ports[i] = seen.port;
        kept += seen.port == from.port;
        least = seen.port < least ? seen.port : least;
        most = seen.port > most ? seen.port : most;
    }
    uint32_t steady = 0;
    *step = (uint16_t)(ports[SAMPLES - 1] - ports[SAMPLES - 2]);
    for (unsigned i = 1; i < SAMPLES; i++)
        steady += (uint16_t)(ports[i] - ports[i - 1]) == *step;
    if (kept == SAMPLES)
        return NAT_PORTS_PRESERVE;
    if (steady >= SAMPLES - 3) /* it may have wrapped around in between */
        return NAT_PORTS_SEQUENTIAL;
    return most - least < 8192 ? NAT_PORTS_BLOCK : NAT_PORTS_RANDOM;
}

/* RFC 5780 §4.5, and which source address the other inner host sees (RFC 4787 §6). The other one
 * has a mapping made on request, which lets everybody in: so no filter hides the answer. */
static enum nat_hairpin_kind find_hairpin(struct prober *p) {
    const struct addr a = fresh(p), b = inside(3, p->port++);
    struct addr open;
    if (!nat_map_fixed(p->n, p->now_ns, &b, b.port, UINT64_MAX, &open))
        abort();
    struct addr src = a, dst = open;
    const enum nat_verdict v = nat_hairpin(p->n, p->now_ns, &src, &dst);
    nat_unmap_fixed(p->n, &b);
    if (v != NAT_PASS || !addr_equal(&dst, &b))
        return NAT_HAIRPIN_NONE;
    return addr_equal(&src, &a) ? NAT_HAIRPIN_INTERNAL : NAT_HAIRPIN_EXTERNAL;
}

/* Whether a fresh mapping still lets its server in after so long a silence. */
static bool lives(struct prober *p, uint64_t silence_ns) {
    p->now_ns += gap_ns;
    const struct addr from = fresh(p), s = server(0, 0);
    struct addr mapped;
    if (!ask(p, &from, &s, &mapped))
        abort();
    p->now_ns += silence_ns;
    return gets_in(p, &s, &mapped, &from);
}

static uint64_t find_timeout(struct prober *p) {
    uint64_t lo = 0, hi = (uint64_t)HOUR_S * second_ns;
    if (lives(p, hi))
        return UINT64_MAX;
    while (hi - lo > second_ns / 2) {
        const uint64_t mid = lo + (hi - lo) / 2;
        if (lives(p, mid))
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* One packet in that direction at half the time: does the mapping live on beyond its time? */
static bool refreshes(struct prober *p, uint64_t timeout_ns, bool outbound) {
    p->now_ns += gap_ns;
    const struct addr from = fresh(p), s = server(0, 0);
    struct addr mapped, again;
    if (!ask(p, &from, &s, &mapped))
        abort();
    p->now_ns += timeout_ns / 2;
    if (outbound)
        (void)ask(p, &from, &s, &again);
    else
        (void)gets_in(p, &s, &mapped, &from);
    p->now_ns += timeout_ns * 3 / 4;
    return gets_in(p, &s, &mapped, &from);
}

uint64_t probe_run(struct nat *n, uint64_t now_ns, struct probe *out) {
    struct prober p = {.n = n, .now_ns = now_ns, .port = PORT_BASE};
    *out = (struct probe){0};
    out->mapping = find_mapping(&p);
    p.now_ns += gap_ns; /* each question to a NAT that has forgotten the one before */
    out->filtering = find_filtering(&p);
    p.now_ns += gap_ns;
    out->ports = find_ports(&p, &out->port_step);
    if (out->ports != NAT_PORTS_SEQUENTIAL)
        out->port_step = 0;
    p.now_ns += gap_ns;
    out->hairpin = find_hairpin(&p);
    out->timeout_ns = find_timeout(&p);
    if (out->timeout_ns != UINT64_MAX) {
        out->out_refreshes = refreshes(&p, out->timeout_ns, true);
        out->in_refreshes = refreshes(&p, out->timeout_ns, false);
    }
    return p.now_ns;
}

void probe_print(FILE *out, const struct probe *p) {
    static const char *const maps[] = {"endpoint-independent", "address-dependent",
                                       "address- and port-dependent"},
                             *const ports[] = {"preserved", "sequential", "random", "from a block"},
                             *const hairpins[] = {"none", "external source", "internal source"};
    fprintf(out, "mapping    %s\nfiltering  %s\nports      %s", maps[p->mapping],
            maps[p->filtering], ports[p->ports]);
    if (p->ports == NAT_PORTS_SEQUENTIAL)
        fprintf(out, " (+%u)", p->port_step);
    fprintf(out, "\nhairpin    %s\ntimeout    ", hairpins[p->hairpin]);
    if (p->timeout_ns == UINT64_MAX)
        fprintf(out, "more than an hour\n");
    else
        fprintf(out, "%.1f s\n", (double)p->timeout_ns / 1e9);
    fprintf(out, "refreshed  %s\n",
            p->out_refreshes && p->in_refreshes ? "by both directions"
            : p->out_refreshes                  ? "by outbound packets"
            : p->in_refreshes                   ? "by inbound packets"
                                                : "by nothing");
}
