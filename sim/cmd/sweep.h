/* sweep.h: what commands over many seeds have in common: a campaign as the options say, one report
 * of all its runs.
 *
 * sweep_init, then what is the command's own goes into `model` and `report`; sweep_run; sweep_tell;
 * sweep_clear.
 */
#ifndef MESHD_SIM_CMD_SWEEP_H
#define MESHD_SIM_CMD_SWEEP_H

#include "sim/campaign/campaign.h"
#include "sim/cmd/cmd.h"
#include "sim/report/report.h"

struct sweep {
    const struct options *o;
    struct trial_job model;
    struct report_sweep report;
    uint64_t *failed;
    uint32_t failed_cap;
    /* As in struct campaign; result counts with sweep_count. */
    void *ctx;
    void (*draw)(void *ctx, uint64_t seed, struct text *out);
    bool (*result)(void *ctx, uint64_t seed, const char *text, struct trial *t);
};

/* `label`: the file or what else messages and the report call it. */
void sweep_init(struct sweep *s, const struct options *o, const char *label);
/* False, with a message: a process could not be made. */
bool sweep_run(struct sweep *s);
/* One result goes into the report. False: it was broken. */
bool sweep_count(struct sweep *s, uint64_t seed, struct trial *t);
/* Writes the report where the options say; gives the exit code. */
int sweep_tell(struct sweep *s);
void sweep_clear(struct sweep *s);

#endif
