/* series.h: what a report draws: bytes by kind of datagram and drops by fate over time, who talked
 * with whom, notable events. Fed by taps; bounded: SERIES_BUCKETS in time, SERIES_NOTES events
 * (then only counted), one entry a pair of hosts.
 */
#ifndef MESHD_SIM_REPORT_SERIES_H
#define MESHD_SIM_REPORT_SERIES_H

#include "sim/invariants/watch_set.h"
#include "sim/world/sim.h"

enum { SERIES_BUCKETS = 240, SERIES_KINDS = 5, SERIES_NOTES = 2000, SERIES_LABELS = 16 };

const char *series_kind_name(unsigned kind); /* data initiation response retry other */

struct series_note {
    uint64_t time_ns;
    char text[120];
};

struct series { /* all zeroes is empty; duration_ns must be set */
    uint64_t duration_ns;
    double bytes[SERIES_KINDS][SERIES_BUCKETS];
    double drops[FATE_COUNT][SERIES_BUCKETS];
    struct watch_map
        pairs; /* (smaller host, larger host): a = bytes delivered, b = datagrams dropped */
    struct series_note *notes;
    uint32_t note_count, note_cap;
    uint64_t notes_dropped;
};

void series_clear(struct series *s);
void series_datagram(struct series *s, const struct sim_datagram *d);
void series_event(struct series *s, uint64_t time_ns, const char *host, const struct node_event *e);
/* When bucket i begins, in seconds. */
double series_time_s(const struct series *s, unsigned i);

#endif
