/* chores.c: what two people do with each other, a step after the other, while something fails at
 * one of them: they pair, write, call, send a file, move, rename and remove each other, pair again,
 * stop and start. What fails is one allocation or some in a row, the store from one write on, its
 * barriers, or the process (with the power, too) at one write; the first, the second, and so on to
 * the last. Nobody may crash or keep memory, what a node shows must be what its next start finds,
 * and once all is well again both can do everything.
 *
 *     chores alloc|allocs|write|barrier|die|cut [STRIDE [FIRST]]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/world/plug.h"
#include "sim/world/sim_int.h"

enum { HOSTS = 2, SHOWN_MAX = 1000, FILE_BYTES = 300000, IN_A_ROW = 5 };

enum kind { ALLOC, ALLOCS, WRITE, BARRIER, DIE, CUT, KINDS };

struct story {
    struct sim *sim;
    enum kind kind;
    uint32_t victim;
    uint64_t asked; /* at which it fails */
    bool on;
    bool came; /* it did */
    const char *broken;
    char detail[2 * SHOWN_MAX + 80];
};

static char current[80]; /* for the handler of signals */

static void on_signal(int number) {
    const ssize_t n = write(STDERR_FILENO, current, strlen(current));
    (void)n;
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void broken(struct story *t, const char *what, const char *detail) {
    if (t->broken)
        return;
    t->broken = what;
    (void)snprintf(t->detail, sizeof t->detail, "%s at %.3f s", detail,
                   (double)sim_now_ns(t->sim) / 1e9);
}

/* ---- what fails ---- */
static void begin(struct story *t) {
    struct arena *a = &t->sim->world.hosts[t->victim]->arena;
    t->on = true;
    switch (t->kind) {
    case ALLOC:
    case ALLOCS:
        a->fail_after = t->asked;
        a->fail_more = t->kind == ALLOC ? 0 : IN_A_ROW;
        break;
    case WRITE:
        sim_store_fails(t->sim, t->victim,
                        &(struct sim_store_fault){.after = t->asked - 1, .write_err = ERR_DISK});
        break;
    case BARRIER:
        store_mem_fail_sync(sim_store(t->sim, t->victim), t->asked - 1, ERR_IO);
        break;
    case DIE:
    case CUT:
        sim_die(t->sim, t->victim, t->asked - 1, t->kind == CUT);
        break;
    case KINDS:
        break;
    }
}

static void heal(struct story *t) {
    struct arena *a = &t->sim->world.hosts[t->victim]->arena;
    t->on = false;
    a->fail_after = a->fail_more = 0;
    sim_store_fails(t->sim, t->victim, &(struct sim_store_fault){0});
    store_mem_fail_sync(sim_store(t->sim, t->victim), 0, 0);
}

static void run_for(struct story *t, uint64_t ns) {
    sim_run_until(t->sim, sim_now_ns(t->sim) + ns);
    if (sim_failure(t->sim))
        broken(t, sim_failure(t->sim), "");
}

/* ---- what they do; what cannot be done is not ---- */
static void enter(struct story *t, uint32_t at, int (*act)(struct node *, uint64_t, const char *),
                  const char *name) {
    struct node *n = sim_node(t->sim, at);
    if (!n)
        return;
    struct arena *before = arena_enter(&t->sim->world.hosts[at]->arena);
    const int err = act(n, sim_node_now_us(t->sim, at), name);
    (void)err;
    (void)arena_enter(before);
    sim_touch(t->sim, at);
}

static int remove_one(struct node *n, uint64_t now_us, const char *name) {
    return node_contact_remove(n, now_us, name);
}

static int rename_one(struct node *n, uint64_t now_us, const char *name) {
    int err = node_contact_rename(n, now_us, name, "z");
    if (!err)
        err = node_contact_rename(n, now_us, "z", "m");
    return err;
}

static int rename_back(struct node *n, uint64_t now_us, const char *name) {
    int err = node_contact_rename(n, now_us, "m", name);
    if (err)
        err = node_contact_rename(n, now_us, "z", name);
    return err;
}

static void write_both(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        int err = sim_message(t->sim, i, !i, 2, 100);
        err = err ? err : sim_message(t->sim, i, !i, 1, 20000);
        (void)err;
    }
}

static void dial(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        int err = sim_connect(t->sim, i, !i);
        err = err ? err : sim_ping(t->sim, i, !i);
        (void)err;
    }
}

static void send_files(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        const int err = sim_transfer(t->sim, i, !i, FILE_BYTES, NULL);
        (void)err;
    }
}

static void call(struct story *t) {
    for (unsigned i = 0; i < 40; i++) {
        const int err = sim_flow(t->sim, i % 2, !(i % 2), 16 + 20 * i);
        (void)err;
    }
}

static void pair(struct story *t) {
    const int err = sim_use_ticket(t->sim, 1, 0);
    (void)err;
    run_for(t, 3 * SIM_S);
    dial(t);
    run_for(t, SIM_S);
}

/* ---- what a node shows ---- */
static void show(struct story *t, uint32_t at, char out[static SHOWN_MAX]) {
    struct node *n = sim_node(t->sim, at);
    struct contact_info c;
    struct message_info m;
    int len = 0;
    out[0] = '\0';
    struct arena *before = arena_enter(&t->sim->world.hosts[at]->arena);
    for (unsigned i = 0; n && len < 200 && node_contact_at(n, sim_node_now_us(t->sim, at), i, &c);
         i++)
        len += snprintf(out + len, SHOWN_MAX - (size_t)len, "%s%s ", c.name, c.paired ? "+" : "-");
    for (uint64_t seq = 0; n && len < SHOWN_MAX - 80 && node_message_next(n, seq, NULL, &m);
         seq = m.seq)
        len +=
            snprintf(out + len, SHOWN_MAX - (size_t)len, "%llu%c%.4s%s ", (unsigned long long)m.seq,
                     m.outgoing ? '>' : '<', m.text, m.delivered ? "!" : "");
    (void)arena_enter(before);
}

/* The world knows contacts by the names of their hosts: a name that stayed is put right at once. */
static void start(struct story *t, uint32_t at) {
    if (!sim_node(t->sim, at) && sim_start(t->sim, at) && (!t->on || at != t->victim))
        broken(t, "a node does not start", "");
    enter(t, at, rename_back, sim_host_name(t->sim, !at));
}

/* Killed and started: it is what it was. */
static void restart(struct story *t, uint32_t at) {
    char before[SHOWN_MAX], after[SHOWN_MAX], detail[2 * SHOWN_MAX + 40];
    if (!sim_node(t->sim, at))
        return;
    show(t, at, before);
    sim_kill(t->sim, at);
    start(t, at);
    if (!sim_node(t->sim, at))
        return;
    show(t, at, after);
    (void)snprintf(detail, sizeof detail, "[%s] then [%s]", before, after);
    if (strcmp(before, after) != 0)
        broken(t, "a node finds something else than it has shown", detail);
}

static void chores(struct story *t) {
    pair(t);
    write_both(t);
    call(t);
    run_for(t, 100 * SIM_MS);
    send_files(t);
    run_for(t, 60 * SIM_MS);
    sim_nic_roam(t->sim, t->victim, 0);
    run_for(t, 300 * SIM_MS);
    sim_nic_rebind(t->sim, !t->victim, 0);
    write_both(t);
    run_for(t, 3 * SIM_S);
    enter(t, t->victim, rename_one, sim_host_name(t->sim, !t->victim));
    enter(t, t->victim, rename_back, sim_host_name(t->sim, !t->victim));
    start(t, t->victim);
    send_files(t);
    write_both(t);
    run_for(t, 30 * SIM_MS);
    enter(t, t->victim, remove_one, sim_host_name(t->sim, !t->victim));
    write_both(t);
    run_for(t, SIM_S);
    enter(t, !t->victim, remove_one, sim_host_name(t->sim, t->victim));
    start(t, t->victim);
    pair(t);
    write_both(t);
    send_files(t);
    run_for(t, 50 * SIM_MS);
    const struct host *h = t->sim->world.hosts[t->victim];
    if (t->kind == ALLOC || t->kind == ALLOCS) /* its memory goes with it */
        t->came = h->arena.fail_after == 0 || (t->kind == ALLOCS && h->arena.fail_more < IN_A_ROW);
    sim_stop(t->sim, t->victim);
    run_for(t, SIM_S);
    start(t, t->victim);
    run_for(t, SIM_S);
}

/* ---- all is well again ---- */
static bool friends(struct story *t) {
    for (uint32_t i = 0; i < HOSTS; i++) {
        struct contact_info c;
        if (!node_contact_get(sim_node(t->sim, i), sim_node_now_us(t->sim, i),
                              sim_host_name(t->sim, !i), &c) ||
            !c.paired || !c.online)
            return false;
    }
    return true;
}

static void all_is_well(struct story *t) {
    uint64_t index = 0;
    for (uint32_t i = 0; i < HOSTS; i++)
        start(t, i);
    if (t->broken)
        return;
    run_for(t, 70 * SIM_S);
    for (uint32_t i = 0; i < HOSTS && !t->broken; i++)
        restart(t, i);
    for (unsigned i = 0; i < 8 && !t->broken && !friends(t); i++) {
        dial(t);
        run_for(t, 12 * SIM_S);
    }
    for (unsigned i = 0; i < 3 && !t->broken && !friends(t); i++) {
        for (uint32_t k = 0; k < HOSTS; k++) {
            enter(t, k, remove_one, sim_host_name(t->sim, !k));
            enter(t, k, remove_one, "m");
            enter(t, k, remove_one, "z");
        }
        pair(t);
        run_for(t, 12 * SIM_S);
    }
    if (t->broken)
        return;
    if (!friends(t)) {
        broken(t, "they cannot pair any more", "");
        return;
    }
    write_both(t);
    const int err = sim_transfer(t->sim, 0, 1, FILE_BYTES, &index);
    run_for(t, 20 * SIM_S);
    if (err || !sim_ledger(t->sim)->transfers[index].done)
        broken(t, "a file does not go through", err ? "refused" : "");
    for (uint32_t i = 0; i < HOSTS && !t->broken; i++) {
        struct node_status s;
        node_status(sim_node(t->sim, i), sim_node_now_us(t->sim, i), &s);
        if (s.messages_queued > 0)
            broken(t, "messages wait for nothing", "");
    }
}

static void tell(struct story *t) {
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
    begin(t);
    struct host *h = t->sim->world.hosts[t->victim];
    const uint64_t syncs = store_mem_syncs(h->store);
    chores(t);
    if (t->kind == WRITE)
        t->came = store_mem_failed(h->store);
    else if (t->kind == BARRIER)
        t->came = store_mem_syncs(h->store) - syncs >= t->asked;
    else if (t->kind > BARRIER)
        t->came = h->life > 2; /* it was stopped once */
    heal(t);
    if (!t->broken)
        all_is_well(t);
    sim_end(t->sim);
    for (uint32_t i = 0; i < HOSTS; i++)
        if (t->sim->world.hosts[i]->leaked_bytes > 0)
            broken(t, "a node keeps memory", "");
    for (unsigned i = 0; i < INVARIANTS; i++)
        if (watch_verdict(sim_watch(t->sim), (enum invariant)i)->count > 0)
            broken(t, watch_verdict(sim_watch(t->sim), (enum invariant)i)->text, "");
    sim_free(t->sim);
}

int main(int argc, char **argv) {
    static const char *const kinds[KINDS] = {"alloc", "allocs", "write", "barrier", "die", "cut"};
    const uint64_t stride = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    unsigned kind = 0, failed = 0, stories = 0;
    while (argc > 1 && kind < KINDS && strcmp(argv[1], kinds[kind]) != 0)
        kind++;
    if (argc < 2 || argc > 4 || kind == KINDS || stride == 0 || first == 0) {
        fprintf(stderr, "usage: chores alloc|allocs|write|barrier|die|cut [STRIDE [FIRST]]\n");
        return 2;
    }
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGSEGV, on_signal);
    for (uint32_t victim = 0; victim < HOSTS; victim++) {
        uint64_t n = first;
        for (bool came = true; came && n < 100000; n += stride) {
            struct story t = {.kind = (enum kind)kind, .victim = victim, .asked = n};
            (void)snprintf(current, sizeof current, "%s %llu of %u:\n", kinds[kind],
                           (unsigned long long)n, victim);
            tell(&t);
            came = t.came;
            stories++;
            if (t.broken) {
                printf("%s %llu of %u: %s (%s)\n", kinds[kind], (unsigned long long)n, victim,
                       t.broken, t.detail);
                failed++;
            }
        }
        printf("side %u: up to %llu\n", victim, (unsigned long long)(n - stride));
        (void)fflush(stdout);
    }
    printf("%u stories, %u failed\n", stories, failed);
    return failed > 0;
}
