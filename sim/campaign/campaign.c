#include "sim/campaign/campaign.h"

#include <stdlib.h>

#include "crypto/base/mem.h"

struct seat { /* one process and what it works on, or its result until its turn comes */
    bool busy, done;
    uint64_t seed;
    struct text text;
    struct trial_process process;
    struct trial trial;
};

struct state {
    const struct campaign *c;
    struct seat *seats; /* twice as many as processes, so that a slow one holds few others up */
    unsigned count, running;
    uint64_t next, due; /* the seed to start, and the one to hand out */
    bool failed, stopped;
};

static void start_some(struct state *s) {
    for (unsigned i = 0; i < s->count && s->running < s->c->jobs; i++) {
        struct seat *x = &s->seats[i];
        if (x->busy || s->next > s->c->last || s->failed || s->stopped)
            continue;
        struct trial_job job = *s->c->model;
        x->seed = s->next;
        s->c->draw(s->c->ctx, x->seed, &x->text);
        job.text = text_of(&x->text);
        job.seed = x->seed;
        if (!trial_start(&x->process, &job)) {
            text_clear(&x->text);
            s->failed = true;
            return;
        }
        x->busy = true;
        x->done = false;
        s->running++;
        s->next++;
    }
}

_Static_assert(2 * (int)CAMPAIGN_JOBS_MAX <= (int)OS_CHILDREN_MAX, "all of them are waited for");

static void collect(struct state *s) {
    struct os_child *children[OS_CHILDREN_MAX];
    for (unsigned i = 0; i < s->count; i++) {
        struct seat *x = &s->seats[i];
        children[i] = x->busy && !x->done ? &x->process.child : NULL;
    }
    os_child_wait(children, s->count, 200);
    for (unsigned i = 0; i < s->count; i++) {
        struct seat *x = &s->seats[i];
        if (x->busy && !x->done && trial_poll(&x->process, &x->trial)) {
            x->done = true;
            s->running--;
        }
    }
}

static void hand_out(struct state *s) {
    for (unsigned i = 0; i < s->count && !s->stopped; i++) {
        struct seat *x = &s->seats[i];
        if (!x->busy || !x->done || x->seed != s->due)
            continue;
        s->stopped = !s->c->result(s->c->ctx, x->seed, text_of(&x->text), &x->trial);
        trial_clear(&x->trial);
        text_clear(&x->text);
        x->busy = false;
        s->due++;
        i = UINT32_MAX; /* from the beginning: the next one may be there already */
    }
}

bool campaign_run(const struct campaign *c) {
    struct state s = {.c = c, .count = 2 * c->jobs, .next = c->first, .due = c->first};
    s.seats = mem_calloc(s.count, sizeof *s.seats);
    if (!s.seats)
        abort();
    while (!s.stopped && (s.due <= c->last) && !(s.failed && s.running == 0)) {
        start_some(&s);
        collect(&s);
        hand_out(&s);
    }
    for (unsigned i = 0; i < s.count; i++) {
        struct seat *x = &s.seats[i];
        if (x->busy && !x->done)
            trial_stop(&x->process);
        if (x->busy && x->done)
            trial_clear(&x->trial);
        text_clear(&x->text);
    }
    mem_free(s.seats);
    return !s.failed;
}
