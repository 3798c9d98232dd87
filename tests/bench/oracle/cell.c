/* A cell as text and back, and how long it runs. */
#include "tests/bench/oracle/cell.h"

#include <stdio.h>
#include <string.h>

static const uint64_t ns_per_s = UINT64_C(1000000000), ns_per_ms = 1000000;
static const char *const jitter_names[] = {"none", "gauss", "wifi", "tail"};
static const char *const share_names[] = {"alone", "same", "mixed"};

/* Slow links need longer for the same number of packets; gigabits are cut short for the sake of the
 * machine that computes them. Two flows need time to come to terms. */
uint64_t cell_duration_ns(const struct cell *c) {
    uint64_t s = 10, rtts_s = 100 * c->rtt_ns / ns_per_s;
    if (c->rate_bps < 100000000)
        s = c->rate_bps < 10000000 ? 60 : 30;
    if (rtts_s > s && c->rate_bps < 1000000000)
        s = rtts_s;
    if (c->share != SHARE_ALONE && c->rate_bps < 1000000000)
        s = s < 60 ? 60 : 2 * s;
    return s * ns_per_s;
}

uint64_t cell_queue_bytes(const struct cell *c) {
    const uint64_t bdp_bytes = c->rate_bps / 8 * (c->rtt_ns / 1000) / 1000000;
    const uint64_t bytes = bdp_bytes * c->buffer_permille_bdp / 1000;
    return bytes > CELL_QUEUE_MIN_BYTES ? bytes : CELL_QUEUE_MIN_BYTES;
}

uint64_t cell_packet_ns(const struct cell *c) {
    return CELL_PACKET_BYTES * 8 * ns_per_s / c->rate_bps;
}

bool cell_has_chance(const struct cell *c) {
    return c->loss_ppb > 0 || c->reorder_pkts > 0 || c->jitter != JITTER_NONE ||
           c->share != SHARE_ALONE;
}

struct link_config cell_bottleneck(const struct cell *c) {
    return (struct link_config){
        .rate_bps = c->rate_bps,
        .delay_ns = c->rtt_ns / 2,
        .queue_bytes = cell_queue_bytes(c),
        .mtu_bytes = LINK_MTU_BYTES,
        .loss_ppb = c->loss_ppb,
        .reorder_ppb = c->reorder_pkts > 0 ? CELL_REORDER_PPB : 0,
        /* Half a packet more, so that exactly so many are in front. */
        .reorder_ns = cell_packet_ns(c) * (2 * c->reorder_pkts + 1) / 2,
        .jitter = c->jitter,
        .jitter_ns = c->jitter_ns,
    };
}

static bool name_index(const char *const *names, unsigned count, const char *name, unsigned *out) {
    for (*out = 0; *out < count; ++*out)
        if (strcmp(names[*out], name) == 0)
            return true;
    return false;
}

bool cell_parse(const char *text, struct cell *out) {
    double rate, rtt, loss, buffer, jitter_ms = 0;
    unsigned reorder, jitter = 0, share = 0;
    char jitter_text[16] = "none", share_text[16] = "alone";
    const int n = sscanf(text, "%lf,%lf,%lf,%u,%lf,%15[^,],%15s", &rate, &rtt, &loss, &reorder,
                         &buffer, jitter_text, share_text);
    if (n < 5 || rate <= 0 || rtt <= 0 || loss < 0 || buffer < 0)
        return false;
    char *colon = strchr(jitter_text, ':');
    if (colon) {
        *colon = 0;
        if (sscanf(colon + 1, "%lf", &jitter_ms) != 1 || jitter_ms < 0)
            return false;
    }
    if (!name_index(jitter_names, 4, jitter_text, &jitter) ||
        !name_index(share_names, 3, share_text, &share))
        return false;
    *out = (struct cell){.rate_bps = (uint64_t)(rate * 1e6 + 0.5),
                         .rtt_ns = (uint64_t)(rtt * 1e6 + 0.5),
                         .loss_ppb = (uint32_t)(loss * 1e7 + 0.5),
                         .reorder_pkts = reorder,
                         .buffer_permille_bdp = (uint32_t)(buffer * 1000 + 0.5),
                         .jitter = (enum link_jitter)jitter,
                         .jitter_ns = (uint64_t)(jitter_ms * 1e6 + 0.5),
                         .share = (enum cell_share)share};
    out->duration_ns = cell_duration_ns(out);
    return true;
}

void cell_name(const struct cell *c, char name[CELL_NAME_BYTES]) {
    int n = snprintf(name, CELL_NAME_BYTES, "%g,%g,%g,%u,%g", (double)c->rate_bps / 1e6,
                     (double)c->rtt_ns / (double)ns_per_ms, c->loss_ppb / 1e7, c->reorder_pkts,
                     c->buffer_permille_bdp / 1000.0);
    if (c->jitter != JITTER_NONE || c->share != SHARE_ALONE)
        n += snprintf(name + n, CELL_NAME_BYTES - (size_t)n, ",%s", jitter_names[c->jitter]);
    if (c->jitter != JITTER_NONE)
        n += snprintf(name + n, CELL_NAME_BYTES - (size_t)n, ":%g",
                      (double)c->jitter_ns / (double)ns_per_ms);
    if (c->share != SHARE_ALONE)
        snprintf(name + n, CELL_NAME_BYTES - (size_t)n, ",%s", share_names[c->share]);
}
