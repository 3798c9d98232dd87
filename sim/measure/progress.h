/* progress.h: how long nothing comes through: data of running transfers around a fault, and the
 * datagrams of a flow. By receiving host, whoever sends; times are of the run, in nanoseconds.
 */
#ifndef MESHD_SIM_MEASURE_PROGRESS_H
#define MESHD_SIM_MEASURE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/measure/samples.h"

enum {
    PROGRESS_AFTER_S = 5,      /* a pause that ends so long after a fault is still of it */
    PROGRESS_DATA_BYTES = 500, /* an accepted datagram of more is data; of less, perhaps an ACK */
};

struct progress_host {
    uint64_t data_ns; /* 1 + when data came last; 0: no transfer to it runs */
    uint64_t gap_ns;  /* the longest pause around the last fault */
    bool gapped;      /* something ran when that fault came */
    uint64_t flow_ns; /* 1 + when a flow's datagram came last */
    uint64_t flow_gap_ns;
};

struct progress { /* all zeroes is empty */
    struct progress_host *hosts;
    uint32_t count, cap;
    uint64_t fault_ns; /* 1 + when the last one came; 0: none */
    struct samples gaps;
};

void progress_clear(struct progress *p);
void progress_fault(struct progress *p, uint64_t now_ns);
/* Data of a transfer has come to a host; no transfer to it runs any more. */
void progress_data(struct progress *p, uint64_t now_ns, uint32_t host);
void progress_over(struct progress *p, uint32_t host);
void progress_flow(struct progress *p, uint64_t now_ns, uint32_t host);
/* One sample for each fault and each host to which something ran then; with the pauses that last
 * still. One for each host with a flow. Seconds. */
void progress_gaps(const struct progress *p, uint64_t now_ns, struct samples *out);
void progress_flow_gaps(const struct progress *p, struct samples *out);

#endif
