/* The nodes' clock, wires, disks and stores. */
#include "support_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "node/node_int.h"

struct packet {
    struct packet *next;
    uint64_t at_us;
    unsigned to;
    struct addr from;
    size_t len;
    uint8_t ecn;
    uint8_t buf[];
};

struct job { /* a file operation that takes time */
    struct job *next;
    uint64_t at_us;
    unsigned node;
    struct file_op *op;
    uint64_t token; /* of a barrier */
};

static uint64_t draw(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill(void *ctx, void *buf, size_t len) {
    uint8_t *out = buf;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)draw(ctx);
}

/* ---- nodes ---- */
void world_name(unsigned i, char out[static 8]) {
    snprintf(out, 8, "n%u", i % 100);
}

struct endpoint *world_endpoint(struct node *n) {
    return n->turn.ep;
}

void world_sync(struct world *w, unsigned i) {
    struct store_mem *s = w->nodes[i].store;
    int err = store_mem_sync_end(s, store_mem_sync_begin(s));
    assert(err == 0);
}

void world_start(struct world *w, unsigned i) {
    struct world_node *n = &w->nodes[i];
    n->cfg.identity = &n->identity;
    /* What it finds is safe, unless the barriers fail. */
    int err = store_mem_sync_end(n->store, store_mem_sync_begin(n->store));
    (void)err;
    n->cfg.wall_us = UINT64_C(1700000000000000) + w->now_us;
    n->node = node_new(&n->cfg, &n->env, w->now_us);
    assert(n->node);
}

void world_kill(struct world *w, unsigned i) {
    for (struct job **at = &w->jobs; *at;) {
        struct job *j = *at;
        if (j->node != i) {
            at = &j->next;
            continue;
        }
        /* As in the core: an operation owns its spans' references. */
        for (unsigned s = 0; s < j->op->nspans; s++)
            block_put(j->op->spans[s].block);
        mem_free(j->op);
        *at = j->next;
        free(j);
    }
    store_mem_freeze(w->nodes[i].store, true);
    node_free(w->nodes[i].node);
    store_mem_freeze(w->nodes[i].store, false);
    w->nodes[i].node = NULL;
    disk_crash(w->nodes[i].disk);
    disk_sweep(w->nodes[i].disk);
    mem_store_die_at(w->nodes[i].store, 0);
    store_mem_fail_sync(w->nodes[i].store, 0, 0);
}

struct world *world_new(unsigned count, uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    w->now_us = 1000000;
    w->seed = seed;
    draw_init(&w->draw, seed);
    w->delay_us = 1000;
    w->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct world_node *n = &w->nodes[i];
        n->world = w;
        n->rng = seed * 100 + i;
        n->addr =
            (struct addr){.kind = ADDR_IPV4, .port = 4000, .ip = {10, 0, 0, (uint8_t)(i + 1)}};
        n->store = store_mem_new();
        n->disk = disk_new(&w->draw, i);
        disk_keep_bytes(n->disk);
        n->env.rng = (struct rng){fill, &n->rng};
        n->env.store = store_mem_face(n->store);
        identity_generate(&n->identity, &n->env.rng);
        n->cfg.download_dir = "in";
        n->cfg.tell[0] = n->addr;
        n->cfg.tell_count = 1;
        world_start(w, i);
    }
    return w;
}

void world_free(struct world *w) {
    for (unsigned i = 0; i < w->count; i++) {
        world_kill(w, i);
        store_mem_free(w->nodes[i].store);
        disk_free(w->nodes[i].disk);
        identity_clear(&w->nodes[i].identity);
    }
    while (w->packets) {
        struct packet *p = w->packets;
        w->packets = p->next;
        free(p);
    }
    free(w);
}

/* ---- time ---- */
bool world_dead(const struct world_node *n) {
    return !n->node || (n->mortal && store_mem_failed(n->store));
}

static void post(struct world *w, struct world_node *from, const struct addr *to, uint8_t ecn,
                 const uint8_t *buf, size_t len) {
    unsigned i = 0;
    from->sent++;
    while (i < w->count && !addr_equal(&w->nodes[i].addr, to))
        i++;
    if (i < w->count)
        w->between[from - w->nodes][i]++;
    if (i == w->count || from->unplugged || world_dead(from) ||
        (from->black_hole && buf[0] == PACKET_FORWARDED) || draw(&w->seed) % 100 < w->loss_percent)
        return;
    if (w->hubs && i >= w->hubs && from >= &w->nodes[w->hubs]) {
        w->direct++;
        return;
    }
    struct packet *p = malloc(sizeof *p + len);
    *p = (struct packet){
        .at_us = w->now_us + w->delay_us, .to = i, .from = from->addr, .len = len, .ecn = ecn};
    memcpy(p->buf, buf, len);
    p->next = NULL; /* the delay is one for all, so the order of sending is the order of arrival */
    if (w->packets)
        w->last->next = p;
    else
        w->packets = p;
    w->last = p;
}

static void sync_done(struct world_node *n, struct file_op *op, uint64_t token) {
    op->err = store_mem_sync_end(n->store, token);
    n->scrubs += op->err == 0 && (op->id & STORE_SYNC_SCRUB);
}

static void run_job(struct world *w, struct world_node *n, struct file_op *op, uint64_t token) {
    if (world_dead(n)) {
        for (unsigned s = 0; s < op->nspans; s++)
            block_put(op->spans[s].block);
        mem_free(op);
        return;
    }
    if (op->kind == FILE_OP_STORE_SYNC)
        sync_done(n, op, token);
    else
        disk_run(n->disk, w->now_us * 1000, op);
    node_file_done(n->node, w->now_us, op);
}

static void start_job(struct world *w, unsigned i, struct file_op *op) {
    bool sync = op->kind == FILE_OP_STORE_SYNC;
    uint64_t token = sync ? store_mem_sync_begin(w->nodes[i].store) : 0;
    uint64_t takes_us = sync && w->sync_us ? w->sync_us : w->disk_us;
    if (takes_us == 0) {
        run_job(w, &w->nodes[i], op, token);
        return;
    }
    struct job *j = malloc(sizeof *j);
    *j = (struct job){.at_us = w->now_us + takes_us, .node = i, .op = op, .token = token};
    struct job **at = &w->jobs; /* by time */
    while (*at && (*at)->at_us <= j->at_us)
        at = &(*at)->next;
    j->next = *at;
    *at = j;
}

/* The nodes are hosts n0, n1, ... */
static bool answer_name(struct world *w, struct node *n) {
    struct resolve q;
    if (!node_next_resolve(n, &q))
        return false;
    w->lookups++;
    for (unsigned i = 0; i < w->count; i++) {
        char name[8];
        world_name(i, name);
        if (strcmp(name, q.host) == 0) {
            node_resolved(n, w->now_us, q.id, &w->nodes[i].addr, 1);
            return true;
        }
    }
    node_resolved(n, w->now_us, q.id, NULL, 0);
    return true;
}

static void pull(struct world *w, unsigned i) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct world_node *n = &w->nodes[i];
    struct file_op *op;
    struct train t = {.buf = buf};
    bool more = true;
    while (more && !world_dead(n)) {
        more = false;
        while ((op = node_next_file_op(n->node)) != NULL) {
            start_job(w, i, op);
            more = true;
        }
        while (answer_name(w, n->node))
            more = true;
        while (n->log_count < WORLD_LOG && node_poll(n->node, &n->log[n->log_count]) &&
               !world_dead(n)) {
            if (n->heard)
                n->heard(n->heard_ctx, &n->log[n->log_count]);
            n->log_count++;
        }
        while (node_output(n->node, w->now_us, &t)) {
            for (size_t at = 0; at < t.len; at += t.segment_bytes)
                post(w, n, hop_addr(&t.to), t.ecn, buf + at,
                     t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes);
            more = true;
        }
    }
}

static uint64_t next_time(const struct world *w) {
    uint64_t at = UINT64_MAX;
    if (w->packets)
        at = w->packets->at_us;
    for (const struct job *j = w->jobs; j; j = j->next)
        at = j->at_us < at ? j->at_us : at;
    for (unsigned i = 0; i < w->count; i++)
        if (!world_dead(&w->nodes[i]) && node_deadline_us(w->nodes[i].node) < at)
            at = node_deadline_us(w->nodes[i].node);
    return at;
}

/* One moment: everything due is done. */
static void moment(struct world *w) {
    while (w->packets && w->packets->at_us <= w->now_us) {
        struct packet *p = w->packets;
        struct world_node *n = &w->nodes[p->to];
        w->packets = p->next;
        const struct hop from = hop_udp(&p->from, 0);
        const struct train_in one = train_in_of_one(&from, p->ecn, p->buf, p->len);
        if (!world_dead(n) && !n->unplugged)
            node_input(n->node, w->now_us, &one);
        free(p);
        if (w->heard)
            w->heard(w->heard_ctx);
    }
    while (w->jobs && w->jobs->at_us <= w->now_us) {
        struct job *j = w->jobs;
        w->jobs = j->next;
        run_job(w, &w->nodes[j->node], j->op, j->token);
        free(j);
    }
    for (unsigned i = 0; i < w->count; i++) {
        if (world_dead(&w->nodes[i]))
            continue;
        if (node_deadline_us(w->nodes[i].node) <= w->now_us)
            node_timeout(w->nodes[i].node, w->now_us);
        pull(w, i);
    }
}

/* Runs to `end`, or until node i has logged something of this kind. */
static struct node_event *go(struct world *w, uint64_t end, int i, enum node_event_kind kind) {
    unsigned same = 0;
    for (;;) {
        moment(w);
        if (i >= 0) {
            struct world_node *n = &w->nodes[i];
            for (unsigned k = n->log_seen; k < n->log_count; k++)
                if (n->log[k].kind == kind) {
                    n->log_seen = k + 1;
                    return &n->log[k];
                }
        }
        uint64_t at = next_time(w);
        if (at > end) {
            w->now_us = end;
            return NULL;
        }
        same = at <= w->now_us ? same + 1 : 0;
        assert(same < 1000); /* a node that is always due would stand still here */
        if (at > w->now_us)
            w->now_us = at;
    }
}

void world_run(struct world *w, uint64_t us) {
    go(w, w->now_us + us, -1, NODE_PEER_UP);
}

struct node_event *world_wait(struct world *w, unsigned i, enum node_event_kind kind,
                              uint64_t limit_us) {
    return go(w, w->now_us + limit_us, (int)i, kind);
}

unsigned world_count(const struct world *w, unsigned i, enum node_event_kind kind) {
    unsigned n = 0;
    for (unsigned k = 0; k < w->nodes[i].log_count; k++)
        n += w->nodes[i].log[k].kind == kind;
    return n;
}

void world_pair(struct world *w, unsigned a, unsigned b) {
    char ticket[TICKET_TEXT_MAX + 1], name_a[8], name_b[8];
    world_name(a, name_a);
    world_name(b, name_b);
    int err = node_ticket_new(w->nodes[a].node, w->now_us, name_b, 3600, ticket);
    assert(err == 0);
    err = node_contact_add(w->nodes[b].node, w->now_us, name_a, ticket);
    assert(err == 0);
    struct contact_info info_a, info_b;
    for (unsigned i = 0; i < 100; i++) {
        world_run(w, 100000);
        if (node_contact_get(w->nodes[a].node, w->now_us, name_b, &info_a) && info_a.online &&
            node_contact_get(w->nodes[b].node, w->now_us, name_a, &info_b) && info_b.online)
            return;
    }
    assert(false && "the nodes did not pair");
}

/* ---- disk and store ---- */
void disk_fill(struct world *w, unsigned i, const char *path, size_t len, unsigned salt) {
    int err = disk_make_again(w->nodes[i].disk, path, len, salt);
    assert(err == 0);
}

bool disk_has(struct world *w, unsigned i, const char *path, size_t len) {
    struct disk_file_info info;
    return disk_file_info(w->nodes[i].disk, path, &info) && info.size == len;
}

unsigned disk_count(struct world *w, unsigned i) {
    struct disk_totals t;
    disk_totals(w->nodes[i].disk, &t);
    return (unsigned)t.files;
}

unsigned disk_open_count(struct world *w, unsigned i) {
    struct disk_totals t;
    disk_totals(w->nodes[i].disk, &t);
    return (unsigned)t.open_slots;
}

struct disk_faults *disk_faults(struct world *w, unsigned i) {
    return disk_faults_of(w->nodes[i].disk);
}

void mem_store_die_at(struct store_mem *s, unsigned n) {
    store_mem_fail(s, n > 0 ? n - 1 : 0, n > 0 ? ERR_IO : 0);
}

void world_power_cut(struct world *w, unsigned i, unsigned spared) {
    world_kill(w, i);
    store_mem_power_cut(w->nodes[i].store, spared);
}

void store_die_at(struct world *w, unsigned i, unsigned n) {
    mem_store_die_at(w->nodes[i].store, n);
}

unsigned store_count(struct world *w, unsigned i, const char *table) {
    return (unsigned)store_mem_count(w->nodes[i].store, table);
}
