/* probe.h: finds out what a NAT is by using it, as RFC 5780 does with two servers of two ports
 * each: it sends from inside, sees what comes out, and tries what gets back in. It knows nothing
 * else of the NAT.
 */
#ifndef MESHD_SIM_NAT_PROBE_H
#define MESHD_SIM_NAT_PROBE_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/nat/nat.h"

struct probe { /* what it found */
    enum nat_dependence mapping, filtering;
    enum nat_ports ports;
    uint32_t port_step; /* sequential */
    enum nat_hairpin_kind hairpin;
    uint64_t timeout_ns; /* within half a second; UINT64_MAX: longer than an hour */
    bool out_refreshes, in_refreshes;
};

/* Runs on a fresh NAT with its external addresses set; uses up simulated time from now_ns on and
 * gives the time at its end. */
uint64_t probe_run(struct nat *n, uint64_t now_ns, struct probe *out);
void probe_print(FILE *out, const struct probe *p);

#endif
