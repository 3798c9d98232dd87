/* fault.h: what lies between hosts: cuts (nothing passes) and clogs (everything waits), each between two sets of
 * hosts, one way or both, for a while or until healed.
 */
#ifndef MESHD_SIM_FAULT_H
#define MESHD_SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_CUT, FAULT_CLOG };

struct fault {
    enum fault_kind kind;
    uint8_t *from, *to; /* sets: one bit per host */
    uint32_t hosts;     /* size of the sets */
    bool oneway;
    uint64_t until_ns; /* UINT64_MAX: until healed */
};

struct faults { /* all zeroes is none */
    struct fault *list;
    uint32_t count, cap;
};

void faults_clear(struct faults *f);
/* `hosts` is how many there are in the world; the lists are copied. */
void faults_add(struct faults *f, const struct fault *model, const uint32_t *from,
                uint32_t from_count, const uint32_t *to, uint32_t to_count);
/* A packet on its way between two hosts: true if it is cut off. *held_until_ns: 0, or when a clog lets it go. */
bool faults_judge(struct faults *f, uint64_t now_ns, uint32_t from, uint32_t to,
                  uint64_t *held_until_ns);

#endif
