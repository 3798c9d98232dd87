/* campaign.h: many seeds, in so many processes at once. Results are handed out in the order of the
 * seeds, whatever the order in which they came, so a report does not depend on the number of
 * processes.
 */
#ifndef MESHD_SIM_CAMPAIGN_CAMPAIGN_H
#define MESHD_SIM_CAMPAIGN_CAMPAIGN_H

#include "sim/campaign/trial.h"

enum { CAMPAIGN_JOBS_MAX = 256 };

struct campaign {
    uint64_t first, last;
    unsigned jobs;                 /* 1 .. CAMPAIGN_JOBS_MAX */
    const struct trial_job *model; /* text and seed are filled in */
    void *ctx;
    /* The scenario of a seed. */
    void (*draw)(void *ctx, uint64_t seed, struct text *out);
    /* In order. False: stop here. */
    bool (*result)(void *ctx, uint64_t seed, const char *text, struct trial *t);
};

/* False: a process could not be made. */
bool campaign_run(const struct campaign *c);

#endif
