/* trial.h: one run of a scenario's text in a process of its own, so that a crash, a hang or a
 * failed assertion is an outcome like any other. The result comes back through a pipe.
 */
#ifndef MESHD_SIM_CAMPAIGN_TRIAL_H
#define MESHD_SIM_CAMPAIGN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "net/os/child.h"
#include "sim/run/metrics.h"
#include "sim/scenario/scenario.h"
#include "sim/text/text.h"

enum trial_kind {
    TRIAL_OK,
    TRIAL_BROKEN, /* expectations, invariants, a world that stopped */
    TRIAL_CRASH,
    TRIAL_HANG,
    TRIAL_UNREADABLE, /* the scenario cannot be read or run */
};
const char *trial_kind_name(enum trial_kind k);

struct trial_job {
    const char *text;  /* the scenario */
    const char *label; /* a file name for messages */
    uint64_t seed;
    const struct scenario_let *lets;
    size_t let_count;
    bool has_crypto;
    enum crypto_mode crypto;
    unsigned limit_s; /* of real time */
    bool want_metrics;
};

struct trial { /* trial_clear when done */
    enum trial_kind kind;
    struct text why;       /* lines for people */
    struct text signature; /* what is broken, without values, a line each: "never replayed" */
    uint8_t hash[TRACE_BYTES];
    struct metrics metrics;
    uint64_t wall_us;
};

struct trial_process {
    struct os_child child;
    uint64_t started_us;
    unsigned limit_s;
    struct text got;
};

/* False: no process could be made. */
bool trial_start(struct trial_process *p, const struct trial_job *job);
/* Reads what has come. True when it has ended, or was ended for being over its time: *out is
 * filled. */
bool trial_poll(struct trial_process *p, struct trial *out);
/* Both in one: waits. */
void trial_run(const struct trial_job *job, struct trial *out);
/* Ends it without a result. */
void trial_stop(struct trial_process *p);
void trial_clear(struct trial *t);
/* Whether `t` has all that `wanted` (a signature) names, or at least its first line. */
bool trial_same(const struct trial *t, const struct text *wanted);

#endif
