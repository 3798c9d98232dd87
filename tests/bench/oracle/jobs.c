/* Runs in processes of their own, several at once; results by pipe. */
#include "tests/bench/oracle/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PARALLEL_MAX = 256 };

struct worker {
    pid_t pid; /* 0: free */
    int fd;    /* where its result comes */
    unsigned job;
};

static _Noreturn void work(const struct dumbbell_setup *s, int fd) {
    struct dumbbell_result r;
    dumbbell_run(s, NULL, &r);
    const bool written = write(fd, &r, sizeof r) == (ssize_t)sizeof r; /* below PIPE_BUF: whole */
    _exit(written ? 0 : 1);
}

static void begin(struct worker *w, const struct dumbbell_setup *s, unsigned job) {
    int fds[2];
    if (pipe(fds)) {
        perror("oracle: pipe");
        exit(2);
    }
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) {
        perror("oracle: fork");
        exit(2);
    }
    if (pid == 0) {
        close(fds[0]);
        work(s, fds[1]);
    }
    close(fds[1]);
    *w = (struct worker){.pid = pid, .fd = fds[0], .job = job};
}

/* Waits for one of them to end. */
static struct worker *await(struct worker *workers, unsigned count) {
    for (;;) {
        const pid_t pid = wait(NULL);
        if (pid < 0) {
            perror("oracle: wait");
            exit(2);
        }
        for (unsigned i = 0; i < count; i++)
            if (workers[i].pid == pid)
                return &workers[i];
    }
}

void jobs_run(const struct dumbbell_setup *setups, struct dumbbell_result *results, unsigned count,
              unsigned parallel, void (*done)(void *ctx, unsigned i), void *ctx) {
    struct worker workers[PARALLEL_MAX] = {0};
    unsigned next = 0, running = 0;
    if (parallel > PARALLEL_MAX)
        parallel = PARALLEL_MAX;
    while (next < count || running > 0) {
        if (next < count && running < parallel) {
            unsigned i = 0;
            while (workers[i].pid != 0)
                i++;
            begin(&workers[i], &setups[next], next);
            next++;
            running++;
            continue;
        }
        struct worker *w = await(workers, parallel);
        struct dumbbell_result *r = &results[w->job];
        if (read(w->fd, r, sizeof *r) != (ssize_t)sizeof *r)
            *r = (struct dumbbell_result){0};
        close(w->fd);
        w->pid = 0;
        running--;
        done(ctx, w->job);
    }
}
