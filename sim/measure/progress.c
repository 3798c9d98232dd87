#include "sim/measure/progress.h"

#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

static const uint64_t ns_per_s = 1000000000;

void progress_clear(struct progress *p) {
    mem_free(p->hosts);
    samples_clear(&p->gaps);
    *p = (struct progress){0};
}

static struct progress_host *host_of(struct progress *p, uint32_t host) {
    if (host >= p->count) {
        grow(&p->hosts, &p->cap, host + 1, sizeof *p->hosts);
        memset(p->hosts + p->count, 0, (host + 1 - p->count) * sizeof *p->hosts);
        p->count = host + 1;
    }
    return &p->hosts[host];
}

/* A pause from `since` to now, if it is one around the last fault. */
static uint64_t pause_ns(const struct progress *p, const struct progress_host *h, uint64_t now_ns) {
    const bool is_near =
        p->fault_ns > 0 && now_ns + 1 >= p->fault_ns &&
        (h->data_ns < p->fault_ns || now_ns + 1 - p->fault_ns <= PROGRESS_AFTER_S * ns_per_s);
    return is_near && h->data_ns > 0 ? now_ns + 1 - h->data_ns : 0;
}

void progress_fault(struct progress *p, uint64_t now_ns) {
    if (p->fault_ns == now_ns + 1)
        return;
    for (uint32_t i = 0; i < p->count; i++) {
        struct progress_host *h = &p->hosts[i];
        const uint64_t gap_ns = pause_ns(p, h, now_ns);
        if (gap_ns > h->gap_ns)
            h->gap_ns = gap_ns;
        if (h->gapped)
            samples_add(&p->gaps, (double)h->gap_ns / 1e9);
        h->gapped = h->data_ns > 0;
        h->gap_ns = 0;
    }
    p->fault_ns = now_ns + 1;
}

void progress_data(struct progress *p, uint64_t now_ns, uint32_t host) {
    struct progress_host *h = host_of(p, host);
    const uint64_t gap_ns = pause_ns(p, h, now_ns);
    if (gap_ns > h->gap_ns)
        h->gap_ns = gap_ns;
    h->data_ns = now_ns + 1;
}

void progress_over(struct progress *p, uint32_t host) {
    host_of(p, host)->data_ns = 0;
}

void progress_flow(struct progress *p, uint64_t now_ns, uint32_t host) {
    struct progress_host *h = host_of(p, host);
    if (h->flow_ns > 0 && now_ns + 1 - h->flow_ns > h->flow_gap_ns)
        h->flow_gap_ns = now_ns + 1 - h->flow_ns;
    h->flow_ns = now_ns + 1;
}

void progress_gaps(const struct progress *p, uint64_t now_ns, struct samples *out) {
    samples_append(out, &p->gaps);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct progress_host *h = &p->hosts[i];
        const uint64_t open_ns = pause_ns(p, h, now_ns);
        if (h->gapped)
            samples_add(out, (double)(open_ns > h->gap_ns ? open_ns : h->gap_ns) / 1e9);
    }
}

void progress_flow_gaps(const struct progress *p, struct samples *out) {
    for (uint32_t i = 0; i < p->count; i++)
        if (p->hosts[i].flow_gap_ns > 0)
            samples_add(out, (double)p->hosts[i].flow_gap_ns / 1e9);
}
