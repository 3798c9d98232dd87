/* The loop of a dumbbell: packets through the bottleneck, and whose time comes next. */
#include "tests/bench/oracle/dumbbell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/base/limits.h"
#include "sim/engine/heap.h"
#include "sim/link/link.h"

enum {
    BOTTLENECK_ENTITY = 1,
    START_ENTITY = 2,
    FLOW_ENTITY = 10, /* and upwards */
    WAIT_BUCKETS = 4096,
    STUCK_TURNS = 1000000, /* so many turns at one instant: somebody's deadline does not move */
    TRACE_ROWS = 1000,
    SETTLE_RTTS = 3,
};

static const uint64_t ns_per_s = UINT64_C(1000000000), start_of_time_ns = UINT64_C(1000000000),
                      settle_ns = 200000000;

struct packet {
    struct packet *next_free;
    unsigned flow;
    enum side to;
    size_t len;
    uint8_t data[FLOW_UDP_PAYLOAD_BYTES + 48];
};

struct waits { /* how long packets waited, in equal steps up to what the queue can hold */
    uint64_t step_ns, count;
    uint32_t buckets[WAIT_BUCKETS];
};

struct dumbbell {
    const struct dumbbell_setup *setup;
    struct draw draw;
    struct link bottleneck;
    bool begun; /* time 0 is over: the bottleneck exists */
    uint64_t now_ns;
    struct heap heap;
    uint32_t event_seq;
    struct packet *free_packets;
    struct flow *flows[FLOWS_MAX];
    uint64_t start_ns[FLOWS_MAX]; /* UINT64_MAX: started, or not yet known */
    uint64_t deadline_ns[FLOWS_MAX][SIDES];
    struct waits waits;
    uint64_t drops[FLOWS_MAX];
    struct dumbbell_result *result;
    uint8_t train_buf[TRAIN_MAX_BYTES];
};

/* ---- packets ---- */

static struct packet *packet_new(struct dumbbell *d) {
    struct packet *p = d->free_packets;
    if (p)
        d->free_packets = p->next_free;
    else if (!(p = malloc(sizeof *p)))
        abort();
    return p;
}

static void packet_free(struct dumbbell *d, struct packet *p) {
    p->next_free = d->free_packets;
    d->free_packets = p;
}

static void waits_note(struct waits *w, uint64_t wait_ns) {
    const uint64_t at = wait_ns / w->step_ns;
    w->buckets[at < WAIT_BUCKETS ? at : WAIT_BUCKETS - 1]++;
    w->count++;
}

static double waits_p99_s(const struct waits *w) {
    uint64_t below = 0;
    for (unsigned i = 0; i < WAIT_BUCKETS; i++) {
        below += w->buckets[i];
        if (below * 100 >= w->count * 99 && w->count > 0)
            return (double)((2 * i + (i > 0)) * w->step_ns) / 2 / (double)ns_per_s;
    }
    return 0;
}

/* Through the bottleneck; false if it is lost. */
static bool pass_bottleneck(struct dumbbell *d, unsigned flow, size_t len, uint64_t *at_ns) {
    struct link_out out;
    struct link *l = &d->bottleneck;
    const uint64_t wait_ns = l->free_ns > d->now_ns ? l->free_ns - d->now_ns : 0;
    link_pass(l, d->now_ns, (uint32_t)len + FLOW_OVERHEAD_BYTES, &out);
    d->result->sent_pkts++;
    if (out.fate == FATE_QUEUE || out.fate == FATE_MTU)
        d->result->queue_drops++;
    else
        waits_note(&d->waits, wait_ns);
    d->result->random_losses += out.fate == FATE_LOSS;
    d->drops[flow] += out.fate != FATE_DELIVERED;
    *at_ns = out.at_ns;
    return out.fate == FATE_DELIVERED;
}

static void launch(struct dumbbell *d, unsigned flow, enum side from, const uint8_t *data,
                   size_t len) {
    uint64_t at_ns = d->now_ns + d->setup->cell.rtt_ns / 2;
    if (d->begun && from == SIDE_A && !pass_bottleneck(d, flow, len, &at_ns))
        return;
    struct packet *p = packet_new(d);
    if (len > sizeof p->data)
        abort();
    p->flow = flow;
    p->to = from == SIDE_A ? SIDE_B : SIDE_A;
    p->len = len;
    memcpy(p->data, data, len);
    heap_push(&d->heap, &(struct event){.time_ns = at_ns, .seq = d->event_seq++, .ref = p});
}

static void pump(struct dumbbell *d, unsigned flow, enum side side) {
    struct flow *f = d->flows[flow];
    struct train t = {.buf = d->train_buf};
    while (f->ops->output(f, side, d->now_ns, &t))
        for (size_t at = 0; at < t.len; at += t.segment_bytes)
            launch(d, flow, side, t.buf + at,
                   t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes);
    d->deadline_ns[flow][side] = f->ops->deadline_ns(f, side);
}

/* ---- time ---- */

static uint64_t next_ns(const struct dumbbell *d) {
    const struct event *e = heap_top(&d->heap);
    uint64_t t = e ? e->time_ns : UINT64_MAX;
    for (unsigned f = 0; f < d->setup->flow_count; f++) {
        for (unsigned s = 0; s < SIDES; s++)
            if (d->deadline_ns[f][s] < t)
                t = d->deadline_ns[f][s];
        if (d->start_ns[f] < t)
            t = d->start_ns[f];
    }
    return t;
}

static void deliver(struct dumbbell *d) {
    struct event e;
    heap_pop(&d->heap, &e);
    struct packet *p = e.ref;
    struct flow *f = d->flows[p->flow];
    f->ops->input(f, p->to, d->now_ns, p->data, p->len);
    pump(d, p->flow, p->to);
    packet_free(d, p);
}

static void due(struct dumbbell *d, unsigned flow) {
    struct flow *f = d->flows[flow];
    for (unsigned s = 0; s < SIDES; s++)
        if (d->deadline_ns[flow][s] <= d->now_ns) {
            f->ops->timeout(f, (enum side)s, d->now_ns);
            pump(d, flow, (enum side)s);
        }
    if (d->start_ns[flow] <= d->now_ns) {
        d->start_ns[flow] = UINT64_MAX;
        f->ops->start(f, d->now_ns);
        pump(d, flow, SIDE_A);
    }
}

static void run_until(struct dumbbell *d, uint64_t end_ns) {
    uint64_t t;
    unsigned turns = 0;
    while ((t = next_ns(d)) <= end_ns) {
        if (t > d->now_ns) {
            d->now_ns = t;
            turns = 0;
        } else if (++turns > STUCK_TURNS) {
            fprintf(stderr, "oracle: stuck at %" PRIu64 " ns\n", d->now_ns);
            abort();
        }
        const struct event *e = heap_top(&d->heap);
        if (e && e->time_ns <= d->now_ns)
            deliver(d);
        else
            for (unsigned f = 0; f < d->setup->flow_count; f++)
                due(d, f);
    }
    d->now_ns = end_ns;
}

/* ---- a run ---- */

static void connect_all(struct dumbbell *d) {
    const struct dumbbell_setup *s = d->setup;
    for (unsigned f = 0; f < s->flow_count; f++) {
        const struct flow_config fc = {.cc = s->cc, .draw = &d->draw, .entity = FLOW_ENTITY + f};
        d->flows[f] = s->stacks[f]->open(&fc, d->now_ns);
        d->start_ns[f] = UINT64_MAX;
        pump(d, f, SIDE_A);
        pump(d, f, SIDE_B);
    }
    run_until(d, d->now_ns + SETTLE_RTTS * s->cell.rtt_ns + settle_ns);
    for (unsigned f = 0; f < s->flow_count; f++)
        if (!d->flows[f]->ops->connected(d->flows[f])) {
            fprintf(stderr, "oracle: %s did not connect\n", s->stacks[f]->name);
            abort();
        }
}

static void begin(struct dumbbell *d) {
    const struct dumbbell_setup *s = d->setup;
    link_init(&d->bottleneck, &d->draw, BOTTLENECK_ENTITY);
    d->bottleneck.cfg = cell_bottleneck(&s->cell);
    const uint64_t most_ns =
        link_queue_bytes(&d->bottleneck.cfg) * 8 * ns_per_s / s->cell.rate_bps +
        cell_packet_ns(&s->cell);
    d->waits.step_ns = most_ns / WAIT_BUCKETS + 1;
    d->begun = true;
    for (unsigned f = 0; f < s->flow_count; f++) {
        /* Two flows that start in the same instant would move in lockstep. */
        const uint64_t drawn = draw_u64(&d->draw, START_ENTITY, DRAW_CHOICE, f);
        const uint64_t spread_ms = s->flow_count > 1 ? s->cell.duration_ns / 20 / 1000000 : 0;
        d->start_ns[f] = d->now_ns + draw_below(drawn, spread_ms) * 1000000;
    }
}

static void trace_row(const struct dumbbell *d, FILE *trace, uint64_t t0_ns) {
    for (unsigned f = 0; f < d->setup->flow_count; f++) {
        const struct flow *flow = d->flows[f];
        const struct flow_state s = flow->ops->state(flow);
        const uint64_t wait_ns =
            d->bottleneck.free_ns > d->now_ns ? d->bottleneck.free_ns - d->now_ns : 0;
        fprintf(trace,
                "%.4f,%u,%s,%" PRIu64 ",%" PRId64 ",%" PRIu64 ",%.3f,%.3f,%" PRIu64 ",%" PRIu64
                "\n",
                (double)(d->now_ns - t0_ns) / (double)ns_per_s, f, flow->ops->name, s.cwnd_bytes,
                s.ssthresh_bytes == UINT64_MAX ? -1 : (int64_t)s.ssthresh_bytes, s.in_flight_bytes,
                (double)s.srtt_us / 1000, (double)wait_ns / 1e6, flow->ops->delivered_bytes(flow),
                d->drops[f]);
    }
}

static void run_traced(struct dumbbell *d, FILE *trace, uint64_t t0_ns, uint64_t end_ns) {
    const uint64_t step_ns = d->setup->cell.duration_ns / TRACE_ROWS;
    while (trace && d->now_ns + step_ns < end_ns) {
        run_until(d, d->now_ns + step_ns);
        trace_row(d, trace, t0_ns);
    }
    run_until(d, end_ns);
}

static void clear(struct dumbbell *d) {
    struct event e;
    while (heap_pop(&d->heap, &e))
        packet_free(d, e.ref);
    heap_clear(&d->heap);
    while (d->free_packets) {
        struct packet *p = d->free_packets;
        d->free_packets = p->next_free;
        free(p);
    }
    for (unsigned f = 0; f < d->setup->flow_count; f++)
        d->flows[f]->ops->free(d->flows[f]);
    free(d);
}

void dumbbell_run(const struct dumbbell_setup *s, FILE *trace, struct dumbbell_result *out) {
    struct dumbbell *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    *out = (struct dumbbell_result){0};
    d->setup = s;
    d->result = out;
    d->now_ns = start_of_time_ns;
    draw_init(&d->draw, s->seed);
    connect_all(d);
    begin(d);
    if (trace)
        fprintf(trace, "t_s,flow,stack,cwnd_bytes,ssthresh_bytes,in_flight_bytes,srtt_ms,queue_ms,"
                       "delivered_bytes,drops_pkts\n");
    const uint64_t t0_ns = d->now_ns, end_ns = t0_ns + s->cell.duration_ns;
    const uint64_t from_ns = s->flow_count > 1 ? t0_ns + s->cell.duration_ns / 2 : t0_ns;
    uint64_t before[FLOWS_MAX] = {0};
    run_traced(d, trace, t0_ns, from_ns);
    for (unsigned f = 0; f < s->flow_count; f++)
        before[f] = d->flows[f]->ops->delivered_bytes(d->flows[f]);
    run_traced(d, trace, t0_ns, end_ns);
    for (unsigned f = 0; f < s->flow_count; f++)
        out->goodput_bps[f] = (double)(d->flows[f]->ops->delivered_bytes(d->flows[f]) - before[f]) *
                              8 * (double)ns_per_s / (double)(end_ns - from_ns);
    out->queue_p99_s = waits_p99_s(&d->waits);
    out->valid = true;
    clear(d);
}
