#include "sim/report/series.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

static const char *const kind_names[SERIES_KINDS] = {"data", "initiation", "response", "retry",
                                                     "other"};

const char *series_kind_name(unsigned kind) {
    return kind_names[kind];
}

void series_clear(struct series *s) {
    watch_map_clear(&s->pairs);
    mem_free(s->notes);
    *s = (struct series){0};
}

static unsigned bucket_of(const struct series *s, uint64_t time_ns) {
    const uint64_t width = s->duration_ns / SERIES_BUCKETS + 1;
    const uint64_t i = time_ns / width;
    return i < SERIES_BUCKETS ? (unsigned)i : SERIES_BUCKETS - 1;
}

double series_time_s(const struct series *s, unsigned i) {
    return (double)(s->duration_ns / SERIES_BUCKETS + 1) * i / 1e9;
}

static unsigned kind_of(const struct sim_datagram *d) {
    static const unsigned kinds[] = {4, 1, 2, 3, 0};
    return d->len > 0 && d->data[0] < 5 ? kinds[d->data[0]] : 4;
}

void series_datagram(struct series *s, const struct sim_datagram *d) {
    const unsigned at = bucket_of(s, d->time_ns);
    if (d->fate == FATE_DELIVERED)
        s->bytes[kind_of(d)][at] += d->len;
    else
        s->drops[d->fate][at] += 1;
    if (d->target == SIM_NO_HOST)
        return;
    const bool order = d->source < d->target;
    struct watch_entry *e =
        watch_map_at(&s->pairs, order ? d->source : d->target, order ? d->target : d->source, 0);
    if (d->fate == FATE_DELIVERED)
        e->a += d->len;
    else
        e->b++;
}

void series_event(struct series *s, uint64_t time_ns, const char *host,
                  const struct node_event *e) {
    if (e->kind == NODE_TRANSFER_PROGRESS || e->kind == NODE_PONG || e->kind == NODE_MESSAGE ||
        e->kind == NODE_MESSAGE_DELIVERED)
        return;
    if (s->note_count == SERIES_NOTES) {
        s->notes_dropped++;
        return;
    }
    grow(&s->notes, &s->note_cap, s->note_count + 1, sizeof *s->notes);
    struct series_note *n = &s->notes[s->note_count++];
    n->time_ns = time_ns;
    (void)snprintf(n->text, sizeof n->text, "%.32s: %s %.40s%s%s", host, node_event_name(e->kind),
                   e->contact, e->err ? " " : "", e->err ? err_name(e->err) : "");
}
