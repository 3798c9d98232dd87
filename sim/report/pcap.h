/* pcap.h: writes what happened on the wire as pcapng (draft-ietf-opsawg-pcapng): an interface for
 * each host, times in nanoseconds since 1970 with the run's beginning at 2026-01-01, IP and UDP
 * headers made up around each datagram (their checksums are right, the ECN field is what it was). A
 * delivered datagram stands on its receiver's interface; one that was lost stands on its sender's,
 * with a comment that says what became of it. Streamed: memory does not grow.
 */
#ifndef MESHD_SIM_REPORT_PCAP_H
#define MESHD_SIM_REPORT_PCAP_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/world/sim.h"

struct pcap { /* all zeroes is closed */
    FILE *out;
    const struct sim *sim;
    uint32_t interfaces;     /* described so far */
    uint64_t from_ns, to_ns; /* only these; to 0: to the end */
    uint64_t packets;
};

/* False: the file cannot be made (errno). */
bool pcap_open(struct pcap *p, const char *path);
/* For struct sim_tap; needs pcap->sim. */
void pcap_datagram(struct pcap *p, const struct sim_datagram *d);
bool pcap_close(struct pcap *p); /* false: not all of it could be written */

#endif
