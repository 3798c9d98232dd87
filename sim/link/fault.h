/* fault.h: what lies between hosts: cuts (nothing passes) and clogs (everything waits), each
 * between two sets of hosts, one way or both, for a while or until healed. Those that have ended
 * are remembered for a while: a packet whose last link only adds a delay is judged after it, for
 * the moment before (sim/world/flight.c).
 */
#ifndef MESHD_SIM_LINK_FAULT_H
#define MESHD_SIM_LINK_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_CUT, FAULT_CLOG };

struct fault {
    enum fault_kind kind;
    uint8_t *from, *to; /* sets: one bit per host */
    uint32_t hosts;     /* size of the sets */
    bool oneway;
    uint64_t from_ns, until_ns; /* until UINT64_MAX: until healed */
};

#define FAULT_MEMORY_NS (10 * UINT64_C(1000000000))

struct faults { /* all zeroes is none */
    struct fault *list;
    uint32_t count, cap;
};

void faults_clear(struct faults *f);
/* All end now. */
void faults_heal(struct faults *f, uint64_t now_ns);
/* `hosts` is how many there are in the world; the lists are copied. */
void faults_add(struct faults *f, const struct fault *model, const uint32_t *from,
                uint32_t from_count, const uint32_t *to, uint32_t to_count);
/* A packet that was between two hosts at that time, at most FAULT_MEMORY_NS ago: true if it was cut
 * off. *held_until_ns: 0, or when a clog lets it go. */
bool faults_judge(const struct faults *f, uint64_t at_ns, uint32_t from, uint32_t to,
                  uint64_t *held_until_ns);
/* Whether what `from` sends to `to` is hit by it while it lasts. */
bool fault_between(const struct fault *f, uint32_t from, uint32_t to);
/* Forgets what has ended so long ago that nobody asks for it. */
void faults_forget(struct faults *f, uint64_t now_ns);

#endif
