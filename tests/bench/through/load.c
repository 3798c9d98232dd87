/* One thread, which never sleeps while it measures: the relay has the other core. */
#include "tests/bench/through/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STALL_NS = 5 * 1000 * 1000,
    DRAIN_NS = 100 * 1000 * 1000,
    TEND_NS = 100 * 1000 * 1000,
    SECOND_NS = 1000 * 1000 * 1000,
    RACE_LIMIT_S = 60
};

struct measured { /* while a load is on */
    struct load *l;
    uint64_t begin_ns, tended_ns, sent, received;
    double cpu_s;
    uint64_t *took_ns;
    size_t took_count, took_max;
};

/* User and system time of the process, as proc(5) has it, in whole ticks. */
static double cpu_s(pid_t pid) {
    char path[64], text[1024];
    unsigned long user, system;
    if (pid == 0)
        return 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        die("the relay is gone");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    (void)fclose(f);
    const char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) != 2)
        die(path);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void tend(struct measured *m, uint64_t now_ns) {
    if (now_ns - m->tended_ns < TEND_NS)
        return;
    m->tended_ns = now_ns;
    if (m->l->tend)
        m->l->tend();
}

static void took(void *ctx, uint64_t ns) {
    struct measured *m = ctx;
    if (m->took_count < m->took_max)
        m->took_ns[m->took_count++] = ns;
}

static void receive(struct measured *m, unsigned i) {
    pair_receive(&m->l->pairs[i], i, m->l->bytes, m->took_ns ? took : NULL, m);
}

static void begin(struct measured *m, struct load *l) {
    *m = (struct measured){.l = l, .begin_ns = clock_ns(), .cpu_s = cpu_s(l->relay)};
    for (unsigned i = 0; i < l->count; i++) {
        l->pairs[i].seen = l->pairs[i].next;
        l->pairs[i].heard_ns = m->begin_ns;
        m->sent += l->pairs[i].next;
        m->received += l->pairs[i].received;
    }
}

static void drain(struct measured *m) {
    for (const uint64_t from = clock_ns(); clock_ns() - from < DRAIN_NS;) {
        tend(m, clock_ns());
        for (unsigned i = 0; i < m->l->count; i++)
            receive(m, i);
    }
}

/* What was received until now counts for the rate; what is still under way, for the loss. */
static struct load_result end(struct measured *m) {
    struct load_result r = {.seconds = (double)(clock_ns() - m->begin_ns) / SECOND_NS};
    r.cpu_s = cpu_s(m->l->relay) - m->cpu_s;
    drain(m);
    for (unsigned i = 0; i < m->l->count; i++) {
        r.sent += m->l->pairs[i].next;
        r.received += m->l->pairs[i].received;
    }
    r.sent -= m->sent;
    r.received -= m->received;
    return r;
}

/* Sends what the window leaves room for: whole runs while there are some to send. */
static void fill(struct measured *m, unsigned i, uint64_t now_ns, unsigned window, uint64_t run) {
    struct pair *p = &m->l->pairs[i];
    if (p->next > p->seen && now_ns > p->heard_ns + STALL_NS) {
        p->seen = p->next;
        p->heard_ns = now_ns;
    }
    while (p->next - p->seen + run <= window) {
        if (p->next == p->seen)
            p->heard_ns = now_ns;
        pair_send(p, i, (unsigned)run, m->l->bytes);
    }
}

struct load_result load_most(struct load *l, double seconds, unsigned window, unsigned run) {
    struct measured m;
    begin(&m, l);
    const uint64_t until_ns = m.begin_ns + (uint64_t)(seconds * SECOND_NS);
    for (uint64_t now_ns = m.begin_ns; now_ns < until_ns; now_ns = clock_ns()) {
        tend(&m, now_ns);
        for (unsigned i = 0; i < l->count; i++) {
            fill(&m, i, now_ns, window, run < window ? run : window);
            receive(&m, i);
        }
    }
    return end(&m);
}

static int ascending(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

struct load_result load_rate(struct load *l, double seconds, unsigned per_s) {
    struct measured m;
    const uint64_t all = (uint64_t)(seconds * per_s);
    begin(&m, l);
    m.took_max = all;
    m.took_ns = calloc(all + 1, sizeof *m.took_ns);
    if (!m.took_ns)
        die("memory");
    uint64_t due_ns = m.begin_ns;
    for (uint64_t n = 0; n < all;) {
        const uint64_t now_ns = clock_ns(), gap_ns = SECOND_NS / per_s;
        tend(&m, now_ns);
        if (now_ns >= due_ns) { /* time in which this process was not let run is left out */
            const unsigned i = (unsigned)(n++ % l->count);
            pair_send(&l->pairs[i], i, 1, l->bytes);
            due_ns += gap_ns * (1 + (now_ns - due_ns) / gap_ns);
        }
        for (unsigned i = 0; i < l->count; i++)
            receive(&m, i);
    }
    struct load_result r = end(&m);
    if (m.took_count > 0) {
        qsort(m.took_ns, m.took_count, sizeof *m.took_ns, ascending);
        r.p50_ns = m.took_ns[m.took_count / 2];
        r.p99_ns = m.took_ns[m.took_count * 99 / 100];
        r.max_ns = m.took_ns[m.took_count - 1];
    }
    free(m.took_ns);
    return r;
}

struct load_result load_race(struct load *l, uint64_t packets, unsigned window, unsigned run) {
    struct measured m;
    uint64_t goal[PAIRS_MAX] = {0};
    double done_s[PAIRS_MAX] = {0};
    unsigned left = l->count;
    begin(&m, l);
    for (unsigned i = 0; i < l->count; i++)
        goal[i] = l->pairs[i].received + packets;
    while (left > 0) {
        const uint64_t now_ns = clock_ns();
        if (now_ns - m.begin_ns > (uint64_t)RACE_LIMIT_S * SECOND_NS)
            die("pairs that do not get through");
        tend(&m, now_ns);
        for (unsigned i = 0; i < l->count; i++) {
            receive(&m, i);
            if (done_s[i] > 0)
                continue;
            fill(&m, i, now_ns, window, run < window ? run : window);
            if (l->pairs[i].received >= goal[i]) {
                done_s[i] = (double)(now_ns - m.begin_ns) / SECOND_NS;
                left--;
            }
        }
    }
    struct load_result r = end(&m);
    r.first_s = done_s[0];
    for (unsigned i = 0; i < l->count; i++) {
        r.first_s = done_s[i] < r.first_s ? done_s[i] : r.first_s;
        r.last_s = done_s[i] > r.last_s ? done_s[i] : r.last_s;
    }
    return r;
}
