#include "sim/run/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"

void metrics_clear(struct metrics *m) {
    for (size_t i = 0; i < m->count; i++)
        samples_clear(&m->items[i].samples);
    mem_free(m->items);
    *m = (struct metrics){0};
}

static struct metric *find(const struct metrics *m, const char *name) {
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->items[i].name, name) == 0)
            return &m->items[i];
    return NULL;
}

static struct metric *named(struct metrics *m, const char *name) {
    struct metric *item = find(m, name);
    if (item)
        return item;
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 128;
        m->items = mem_realloc(m->items, m->cap * sizeof *m->items);
        if (!m->items)
            abort();
    }
    item = &m->items[m->count++];
    *item = (struct metric){0};
    (void)snprintf(item->name, sizeof item->name, "%s", name);
    return item;
}

void metrics_set(struct metrics *m, const char *name, double value) {
    named(m, name)->value = value;
}

void metrics_set_in(struct metrics *m, const char *group, const char *name, uint64_t value) {
    char full[sizeof m->items->name];
    (void)snprintf(full, sizeof full, "%s.%s", group, name);
    metrics_set(m, full, (double)value);
}

struct samples *metrics_samples(struct metrics *m, const char *name) {
    struct metric *item = named(m, name);
    item->sampled = true;
    return &item->samples;
}

void metrics_merge(struct metrics *m, const struct metrics *more) {
    for (size_t i = 0; i < more->count; i++) {
        const struct metric *from = &more->items[i];
        struct metric *to = named(m, from->name);
        to->sampled = from->sampled;
        to->value += from->value;
        samples_append(&to->samples, &from->samples);
    }
}

bool metrics_is_real_time(const char *name) {
    return strcmp(name, "sim.wall_seconds") == 0 || strcmp(name, "sim.events_per_s") == 0 ||
           strcmp(name, "sim.datagrams_per_s") == 0;
}

bool metrics_is_time(const char *name) {
    static const char *const times[] = {
        "transfer.seconds", "transfer.stall", "handshake",    "reconnect",           "ping",
        "message",          "flow",           "session.srtt", "transfer.first_byte", "path.gap",
        "flow.gap",         "peer.noticed"};
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(times[i], name) == 0)
            return true;
    return false;
}

/* By how a name begins; the first row that fits. */
static const struct {
    const char *begins, *base;
} bases[] = {
    {"transfer.", "asked.transfer"},
    {"message.", "asked.message"},
    {"ping", "asked.ping"},
    {"handshake", "peers.wanted"},
    {"reconnect", "peers.wanted"},
    {"healed.", "healed.asked"},
    {"flow.", "flow.sent"},
    {"path.gap", "asked.transfer"},
    {"load.", "load.done"},
    {"work.", "work.asked"},
    {"peers.", "peers.wanted"},
    {"peer.doubted", "peers.wanted"},
    {"disk.wrong", "disk.written_bytes"},
    {"disk.temp", "disk.written_bytes"},
    {"event.", "peers.wanted"},
    {"session.", "peers.wanted"},
    {"endpoint.", "datagram.sent"},
    {"drop.", "datagram.sent"},
    {"fault.", "datagram.sent"},
    {"ecn.", "datagram.sent"},
};

const char *metrics_base(const char *name) {
    for (unsigned i = 0; i < sizeof bases / sizeof *bases; i++)
        if (strncmp(name, bases[i].begins, strlen(bases[i].begins)) == 0)
            return bases[i].base;
    return NULL;
}

enum metrics_lookup metrics_value(struct metrics *m, const char *name, enum statistic bare,
                                  double *out) {
    struct metric *item = find(m, name);
    enum statistic which = bare;
    if (!item) {
        char group[sizeof item->name];
        const char *dot = strrchr(name, '.');
        if (!dot || (size_t)(dot - name) >= sizeof group || !stat_find(dot + 1, &which))
            return METRIC_UNKNOWN;
        memcpy(group, name, (size_t)(dot - name));
        group[dot - name] = '\0';
        item = find(m, group);
        if (!item || !item->sampled)
            return METRIC_UNKNOWN;
    }
    if (!item->sampled) {
        *out = item->value;
        return METRIC_FOUND;
    }
    return samples_stat(&item->samples, which, out) ? METRIC_FOUND : METRIC_EMPTY;
}
