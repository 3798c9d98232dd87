/* linkem: a link between two network namespaces with a rate, a delay, a buffer and loss. One thread
 * carries packets between two TUN devices through two wires. After a round that moved packets it
 * looks at the devices again only a GRAIN later: packets are read and written in batches, without a
 * wake-up for each, and come out late by a GRAIN at most. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/linkem/options.h"

enum {
    GRAIN_NS = 50 * 1000,
    BATCH_PKTS = 64, /* read from one device before the other has its turn */
};

struct link {
    struct wire wire[2]; /* [i] carries what side i sends */
    int tun[2], timer, signals;
    int all, quiet; /* epoll sets: everything; the timer and the signals only */
    bool broken;    /* a device is gone */
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned pull(struct link *l, int side) {
    struct wire *w = &l->wire[side];
    uint8_t thrown[65536];
    for (unsigned n = 0; n < BATCH_PKTS; n++) {
        void *room = wire_room(w);
        ssize_t len = read(l->tun[side], room ? room : thrown, w->cfg.packet_max);
        if (len <= 0) {
            l->broken = len == 0 || (errno != EAGAIN && errno != EINTR);
            return n;
        }
        if (room)
            wire_arrive(w, now_ns(), (size_t)len);
        else
            wire_spill(w, (size_t)len);
    }
    return BATCH_PKTS;
}

/* A device that is being taken down refuses packets: they are lost, as on any link. */
static unsigned push(struct link *l, int side) {
    struct wire *w = &l->wire[side];
    const void *packet;
    size_t len;
    unsigned n = 0;
    for (uint64_t now = now_ns(); (packet = wire_due(w, now, &len)); n++) {
        ssize_t sent = write(l->tun[!side], packet, len);
        (void)sent;
        wire_leave(w, now);
    }
    return n;
}

static void arm(const struct link *l, uint64_t at_ns) {
    struct itimerspec t = {{0, 0}, {0, 0}};
    if (at_ns != UINT64_MAX) {
        t.it_value.tv_sec = (time_t)(at_ns / 1000000000u);
        t.it_value.tv_nsec = (long)(at_ns % 1000000000u);
    }
    timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static uint64_t deadline_ns(const struct link *l) {
    uint64_t a = wire_deadline_ns(&l->wire[0]), b = wire_deadline_ns(&l->wire[1]);
    return a < b ? a : b;
}

/* Until a signal comes: true; or a device goes: false. */
static bool run(struct link *l) {
    for (;;) {
        unsigned moved = 0;
        for (int i = 0; i < 2; i++) {
            moved += pull(l, i);
            if (l->broken)
                return false;
            moved += push(l, i);
        }
        arm(l, moved ? now_ns() + GRAIN_NS : deadline_ns(l));
        struct epoll_event ev[4];
        int n = epoll_wait(moved ? l->quiet : l->all, ev, 4, -1);
        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == l->signals)
                return true;
    }
}

static int watch(int set, int fd) {
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
}

static bool start(struct link *l, const struct options *o) {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    l->signals = signalfd(-1, &stop, SFD_CLOEXEC);
    l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    l->all = epoll_create1(EPOLL_CLOEXEC);
    l->quiet = epoll_create1(EPOLL_CLOEXEC);
    if (watch(l->all, l->signals) || watch(l->quiet, l->signals) || watch(l->all, l->timer) ||
        watch(l->quiet, l->timer))
        return false;
    for (int i = 0; i < 2; i++) {
        struct wire_config cfg = o->wire;
        cfg.seed = 2 * cfg.seed + (uint64_t)i;
        l->tun[i] = tun_open(&o->side[i]);
        if (l->tun[i] < 0 || watch(l->all, l->tun[i]) || wire_init(&l->wire[i], &cfg) < 0)
            return false;
    }
    return true;
}

/* A link does not wait for its turn on a busy machine. */
static void hurry(void) {
    struct sched_param p = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_FIFO, &p) != 0 && setpriority(PRIO_PROCESS, 0, -20) != 0)
        fprintf(stderr, "linkem: no priority over other processes: delays may be off\n");
}

static void write_wire(FILE *f, const char *name, const struct wire_stats *s) {
    fprintf(f,
            "\"%s\":{\"in_pkts\":%llu,\"in_bytes\":%llu,\"out_pkts\":%llu,\"out_bytes\":%llu,"
            "\"full_pkts\":%llu,\"lost_pkts\":%llu,\"memory_pkts\":%llu,\"queue_max_bytes\":%llu,"
            "\"late_mean_us\":%.1f,\"late_max_us\":%.1f,\"late_1ms_pkts\":%llu},",
            name, (unsigned long long)s->in_pkts, (unsigned long long)s->in_bytes,
            (unsigned long long)s->out_pkts, (unsigned long long)s->out_bytes,
            (unsigned long long)s->full_pkts, (unsigned long long)s->lost_pkts,
            (unsigned long long)s->memory_pkts, (unsigned long long)s->queue_max_bytes,
            s->out_pkts ? (double)s->late_sum_ns / (double)s->out_pkts / 1e3 : 0.0,
            (double)s->late_max_ns / 1e3, (unsigned long long)s->late_pkts);
}

static bool write_stats(const struct link *l, const char *path, double wall_s) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fputc('{', f);
    write_wire(f, "a_to_b", &l->wire[0].stats);
    write_wire(f, "b_to_a", &l->wire[1].stats);
    fprintf(f, "\"buffer_bytes\":%llu,\"wall_s\":%.3f,\"cpu_s\":%.3f}\n",
            (unsigned long long)l->wire[0].cfg.buffer_bytes, wall_s,
            (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    return fclose(f) == 0;
}

int main(int argc, char **argv) {
    static struct link l;
    struct options o;
    if (!options_parse(&o, argc, argv))
        return 2;
    if (!start(&l, &o))
        return 1;
    hurry();
    puts("ready");
    fflush(stdout);
    uint64_t begin_ns = now_ns();
    bool ended = run(&l);
    if (!ended)
        fprintf(stderr, "linkem: a device is gone\n");
    if (o.stats && !write_stats(&l, o.stats, (double)(now_ns() - begin_ns) / 1e9))
        fprintf(stderr, "linkem: cannot write %s\n", o.stats);
    wire_clear(&l.wire[0]);
    wire_clear(&l.wire[1]);
    return ended ? 0 : 1;
}
