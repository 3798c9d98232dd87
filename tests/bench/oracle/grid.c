/* Cells one after the other: all of a grid, or those that are named. */
#include "tests/bench/oracle/grid.h"

#include <stdio.h>
#include <stdlib.h>

void grid_add(struct grid *g, const struct cell *c) {
    if (g->count == g->cap) {
        g->cap = g->cap ? 2 * g->cap : 64;
        struct cell *grown = realloc(g->cells, g->cap * sizeof *grown);
        if (!grown)
            abort();
        g->cells = grown;
    }
    g->cells[g->count++] = *c;
}

void grid_clear(struct grid *g) {
    free(g->cells);
    *g = (struct grid){0};
}

static void add_named(struct grid *g, const char *name, uint64_t duration_ns) {
    struct cell c;
    if (!cell_parse(name, &c)) {
        fprintf(stderr, "oracle: bad cell %s\n", name);
        abort();
    }
    if (duration_ns > 0)
        c.duration_ns = duration_ns;
    grid_add(g, &c);
}

static const unsigned rates_mbps[] = {1, 10, 100, 1000}, rtts_ms[] = {1, 20, 100, 300};
static const char *const losses_percent[] = {"0", "0.1", "1", "5"};
static const unsigned reorders_pkts[] = {0, 3, 20};
static const char *const buffers_bdp[] = {"0.2", "1", "4"};

enum {
    RATES = sizeof rates_mbps / sizeof rates_mbps[0],
    RTTS = sizeof rtts_ms / sizeof rtts_ms[0],
    LOSSES = sizeof losses_percent / sizeof losses_percent[0],
    REORDERS = sizeof reorders_pkts / sizeof reorders_pkts[0],
    BUFFERS = sizeof buffers_bdp / sizeof buffers_bdp[0],
};

static void add_product(struct grid *g) {
    char name[CELL_NAME_BYTES];
    for (unsigned rate = 0; rate < RATES; rate++)
        for (unsigned rtt = 0; rtt < RTTS; rtt++)
            for (unsigned loss = 0; loss < LOSSES; loss++)
                for (unsigned reorder = 0; reorder < REORDERS; reorder++)
                    for (unsigned buffer = 0; buffer < BUFFERS; buffer++) {
                        snprintf(name, sizeof name, "%u,%u,%s,%u,%s", rates_mbps[rate],
                                 rtts_ms[rtt], losses_percent[loss], reorders_pkts[reorder],
                                 buffers_bdp[buffer]);
                        add_named(g, name, 0);
                    }
}

static void add_jitter(struct grid *g) {
    static const char *const jitters[] = {"gauss:2", "gauss:10", "wifi:1", "tail:0.2"};
    char name[CELL_NAME_BYTES];
    for (unsigned rate = 1; rate < RATES - 1; rate++)
        for (unsigned rtt = 1; rtt < RTTS - 1; rtt++)
            for (unsigned j = 0; j < sizeof jitters / sizeof jitters[0]; j++) {
                snprintf(name, sizeof name, "%u,%u,0,0,1,%s", rates_mbps[rate], rtts_ms[rtt],
                         jitters[j]);
                add_named(g, name, 0);
            }
}

static void add_sharing(struct grid *g, const char *share) {
    char name[CELL_NAME_BYTES];
    for (unsigned rate = 1; rate < RATES - 1; rate++)
        for (unsigned rtt = 1; rtt < RTTS - 1; rtt++)
            for (unsigned buffer = 0; buffer < BUFFERS; buffer++) {
                snprintf(name, sizeof name, "%u,%u,0,0,%s,none,%s", rates_mbps[rate], rtts_ms[rtt],
                         buffers_bdp[buffer], share);
                add_named(g, name, 0);
            }
}

void grid_full(struct grid *g) {
    add_product(g);
    add_jitter(g);
    add_sharing(g, "same");
    add_sharing(g, "mixed");
}

void grid_short(struct grid *g) {
    static const char *const names[] = {
        "1,20,0,0,1",
        "1,100,0,0,4",
        "1,100,1,0,1",
        "1,300,0,20,1",
        "10,1,0,0,1",
        "10,20,0,0,0.2",
        "10,20,0,0,1",
        "10,20,0,0,4",
        "10,20,0.1,0,1",
        "10,20,1,0,1",
        "10,20,5,0,1",
        "10,20,0,20,1",
        "10,100,0,0,0.2",
        "10,100,0,0,1",
        "10,100,0.1,0,1",
        "10,100,1,20,1",
        "10,300,0,0,1",
        "100,1,0,0,0.2",
        "100,20,0,0,1",
        "100,20,1,0,1",
        "100,20,0,20,1",
        "100,100,0.1,0,1",
        "1000,1,1,0,1",
        "1000,100,0,0,4",
        "10,20,0,0,1,gauss:2",
        "10,20,0,0,1,none,same",
        "10,20,0,0,1,none,mixed",
    };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct cell c;
        if (!cell_parse(names[i], &c))
            abort();
        const uint64_t s = c.rate_bps < 10000000 ? 20 : c.rate_bps < 100000000 ? 10 : 4;
        add_named(g, names[i], s * UINT64_C(1000000000));
    }
}
