/* famine.c: two people pair by a ticket, write to each other and send a file, and one allocation of
 * one of them fails: the first, the second, and so on to the last. Nobody may crash, nothing that
 * was taken may be lost, and nobody may be locked out.
 *
 *     famine [STRIDE [SPAN [FIRST]]]   every STRIDE-th allocation of each side, from FIRST on, and
 *                                      those after it, SPAN in all
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/world/sim_int.h"

enum { HOSTS = 2, ROUNDS = 3, SIZE = 300000, TRIES = 200 };

struct story {
    struct sim *sim;
    uint32_t victim;
    uint64_t asked; /* which allocation is to fail */
    uint64_t span;  /* and so many in all */
    uint64_t sent[HOSTS];
    const char *broken;
};

static char current[64]; /* for the handler of signals */

static void on_signal(int number) {
    const ssize_t n = write(STDERR_FILENO, current, strlen(current));
    (void)n;
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void broken(struct story *t, const char *what) {
    if (!t->broken)
        t->broken = what;
}

static void run_for(struct story *t, uint64_t ns) {
    sim_run_until(t->sim, sim_now_ns(t->sim) + ns);
    if (sim_failure(t->sim))
        broken(t, sim_failure(t->sim));
}

static bool online(struct story *t, uint32_t from) {
    struct contact_info info;
    return node_contact_get(sim_node(t->sim, from), sim_node_now_us(t->sim, from),
                            sim_host_name(t->sim, !from), &info) &&
           info.paired && info.online;
}

static void forget(struct story *t, uint32_t at) {
    struct arena *before = arena_enter(&t->sim->world.hosts[at]->arena);
    const int err = node_contact_remove(sim_node(t->sim, at), sim_node_now_us(t->sim, at),
                                        sim_host_name(t->sim, !at));
    (void)err; /* there may be nothing */
    (void)arena_enter(before);
    sim_touch(t->sim, at);
}

static void dial(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        int err = sim_connect(t->sim, i, !i);
        err = sim_ping(t->sim, i, !i);
        (void)err; /* it may know nobody of this name */
    }
}

/* A ticket whose making or taking was refused is made once more; one that was taken must do. */
static void pair(struct story *t) {
    int err = ERR_NOMEM;
    for (unsigned i = 0; i < TRIES && err; i++) {
        err = sim_use_ticket(t->sim, 1, 0);
        if (err && err != ERR_NOMEM)
            broken(t, "a ticket is refused for another reason");
        if (err)
            forget(t, 0);
        run_for(t, SIM_S);
    }
    if (err)
        broken(t, "no ticket can be used");
    for (unsigned i = 0; i < 10 && !(online(t, 0) && online(t, 1)); i++) {
        dial(t);
        run_for(t, 12 * SIM_S);
    }
    if (!online(t, 0) || !online(t, 1))
        broken(t, "they are not paired");
}

static void write_both(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        int err = ERR_NOMEM;
        for (unsigned k = 0; k < TRIES && err; k++)
            err = sim_message(t->sim, i, !i, 1, 100 + 30000 * i);
        if (err)
            broken(t, "a message is not taken");
        t->sent[i]++;
    }
}

static void send_file(struct story *t) {
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t index;
        dial(t);
        run_for(t, SIM_S);
        if (sim_transfer(t->sim, 0, 1, SIZE, &index))
            continue;
        run_for(t, 60 * SIM_S);
        const struct ledger_transfer *x = &sim_ledger(t->sim)->transfers[index];
        if (x->ended_ns == LEDGER_NEVER)
            broken(t, "a transfer does not end");
        if (x->done && !x->verified)
            broken(t, "a transfer is done and its file is not there");
        if (x->done || t->broken)
            return;
    }
    broken(t, "no file goes through");
}

static void judge(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        struct message_info m;
        uint64_t came = 0, gone = 0;
        unsigned long long last = 0, serial;
        for (uint64_t seq = 0; node_message_next(sim_node(t->sim, i), seq, NULL, &m); seq = m.seq) {
            if (m.outgoing) {
                gone++;
                if (!m.delivered)
                    broken(t, "a message stays");
                continue;
            }
            came++;
            if (sscanf(m.text, "#%llu", &serial) != 1 || (came > 1 && serial <= last))
                broken(t, "messages are out of order");
            last = serial;
        }
        if (gone != t->sent[i])
            broken(t, "the history of what was sent is wrong");
        if (came != t->sent[!i])
            broken(t, came < t->sent[!i] ? "a message is lost" : "a message has come twice");
    }
    for (unsigned i = 0; i < INVARIANTS; i++)
        if (watch_verdict(sim_watch(t->sim), (enum invariant)i)->count > 0)
            broken(t, watch_verdict(sim_watch(t->sim), (enum invariant)i)->text);
}

static void draw_zeroes(void *ctx, void *buf, size_t len) {
    (void)ctx;
    memset(buf, 0, len);
}

/* The node starts with what it has stored, and one allocation after another fails: it starts or
 * not, keeps nothing that it has taken, and leaves its store as it is. Gives how many a start
 * takes. */
static uint64_t start_hungry(struct story *t) {
    struct host *h = t->sim->world.hosts[t->victim];
    const struct node_config cfg = {.identity = &h->identity, .wall_us = host_wall_us(h)};
    const struct env env = {.rng = {draw_zeroes, NULL}, .store = store_mem_face(h->store)};
    uint64_t n = 1;
    sim_kill(t->sim, t->victim);
    for (bool hungry = true; hungry; n++) {
        struct arena arena = {.fail_after = n};
        struct arena *before = arena_enter(&arena);
        struct node *node = node_new(&cfg, &env, host_now_us(h));
        hungry = arena.fail_after == 0;
        if (!node && !hungry)
            broken(t, "a node does not start");
        node_free(node);
        (void)arena_enter(before);
        if (arena.bytes > 0)
            broken(t, "a start that failed keeps memory");
        arena_clear(&arena);
    }
    if (sim_start(t->sim, t->victim))
        broken(t, "a node does not start afterwards");
    run_for(t, SIM_S);
    return n;
}

/* Gives how many allocations the victim has made. */
static uint64_t tell(struct story *t) {
    static const char *const names[HOSTS] = {"a", "b"};
    t->sim = sim_new(&(struct sim_config){.seed = 1, .watched = true});
    for (uint32_t i = 0; i < HOSTS; i++) {
        uint32_t host;
        struct link_config link;
        const struct sim_host_options o = {
            .name = names[i], .cc = CC_CUBIC, .site = SITE_NONE, .region = SITE_NONE};
        if (sim_host_add(t->sim, &o, &host) || host != i)
            abort();
        sim_link_get(t->sim, i, SIM_UP, &link);
        link.delay_ns = 10 * SIM_MS;
        sim_link_set(t->sim, i, SIM_UP, &link);
    }
    sim_begin(t->sim);
    struct arena *arena = &t->sim->world.hosts[t->victim]->arena;
    const uint64_t before = arena->allocations;
    arena->fail_after = t->asked;
    arena->fail_more = t->span - 1;
    pair(t);
    for (unsigned i = 0; i < ROUNDS && !t->broken; i++) {
        write_both(t);
        run_for(t, 200 * SIM_MS);
    }
    if (!t->broken)
        send_file(t);
    for (unsigned i = 0; i < 5 && !t->broken; i++) {
        dial(t);
        run_for(t, 40 * SIM_S);
    }
    const uint64_t made = arena->allocations - before;
    if (!t->broken && t->asked == 1)
        printf("side %u: %llu allocations to start\n", t->victim,
               (unsigned long long)start_hungry(t));
    if (!t->broken)
        judge(t);
    sim_end(t->sim);
    sim_free(t->sim);
    return made;
}

int main(int argc, char **argv) {
    const uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t span = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    unsigned failed = 0, stories = 0;
    if (argc > 4 || stride == 0 || span == 0 || first == 0) {
        fprintf(stderr, "usage: famine [STRIDE [SPAN [FIRST]]]\n");
        return 2;
    }
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGSEGV, on_signal);
    for (uint32_t victim = 0; victim < HOSTS; victim++) {
        uint64_t made = UINT64_MAX, n;
        for (n = first; n <= made; n += stride) {
            struct story t = {.victim = victim, .asked = n, .span = span};
            (void)snprintf(current, sizeof current, "allocation %llu of %u:\n",
                           (unsigned long long)n, victim);
            made = tell(&t);
            stories++;
            if (t.broken) {
                printf("allocation %llu of %u: %s\n", (unsigned long long)n, victim, t.broken);
                failed++;
            }
        }
        printf("side %u: %llu allocations\n", victim, (unsigned long long)made);
    }
    printf("%u stories, %u failed\n", stories, failed);
    return failed > 0 || stories < HOSTS;
}
