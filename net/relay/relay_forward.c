/* relay_forward.c: the relay's datagrams. A run is cut into pieces of one flow each; a piece is
 * looked up once, copied once into the queue of the other end, and its headers are written anew
 * there. */
#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/base/limits.h"
#include "net/relay/relay_server_int.h"

struct piece { /* of a run: datagrams of one flow */
    const uint8_t *data;
    size_t len, segment_bytes;
    uint32_t flow;
};

static uint64_t datagrams_in(const struct piece *p) {
    return (p->len + p->segment_bytes - 1) / p->segment_bytes;
}

/* From `at` on; flow 0: one datagram that is none of two ends. */
static struct piece piece_at(const struct train_in *run, size_t at) {
    const uint8_t *data = run->buf + at;
    const size_t first = train_in_bytes_at(run, at);
    struct piece p = {data, first, first, 0};
    if (p.len <= FORWARD_HEADER_BYTES || data[0] != PACKET_FORWARD)
        return p;
    p.flow = forward_read(data, p.len);
    if (p.flow == 0)
        return p;
    const uint64_t head = load_le64(data);
    for (size_t n; (n = train_in_bytes_at(run, at + p.len)) > FORWARD_HEADER_BYTES; p.len += n)
        if (load_le64(data + p.len) != head || forward_read(data + p.len, n) == 0)
            break;
    return p;
}

/* Why none of it is forwarded: the counter; NULL: it is. */
static uint64_t *refused(struct relay_server *s, uint64_t now_us, const struct hop *from,
                         const struct piece *p, struct relay_end *e) {
    struct relay_counters *k = &s->counters;
    if (p->segment_bytes > RELAY_TRAIN_BYTES)
        return &k->too_big;
    struct relay_seat *c = &s->clients.seats[e->client];
    struct relay_entry *f = relay_flow_of(e);
    if (!hop_covers(&c->hop, from))
        return &k->wrong_source;
    if (f->state != RELAY_OPENED_UP)
        return &k->not_open;
    const uint64_t rate = s->limits.client_bytes_per_s;
    if (rate > 0) {
        if (!relay_rate_may(&c->bytes, now_us, RELAY_CLIENT_BURST_US))
            return &k->over_rate;
        relay_rate_take_ns(&c->bytes, now_us, relay_rate_cost_ns(p->len, rate));
    }
    const uint64_t quota = s->limits.client_bytes_per_day;
    if (quota > 0) {
        if (relay_quota_used(&s->quota, now_us, &c->id) >= quota) {
            relay_end_flow(s, f, RELAY_QUOTA, RELAY_NOBODY);
            return &k->over_quota;
        }
        relay_quota_add(&s->quota, now_us, &c->id, p->len);
    }
    return NULL;
}

/* Into the other end's queue, in trains that may leave as such. */
static void queue(struct relay_server *s, uint64_t now_us, const struct piece *p, uint8_t ecn,
                  struct relay_end *to) {
    const size_t segment = p->segment_bytes;
    const size_t fit = RELAY_TRAIN_BYTES / segment;
    const size_t max = segment * (fit < TRAIN_MAX_SEGMENTS ? fit : TRAIN_MAX_SEGMENTS);
    for (size_t at = 0, n; at < p->len; at += n) {
        n = p->len - at < max ? p->len - at : max;
        uint8_t *out = relay_queue_push(&s->queues, &to->out, now_us, n, (uint16_t)segment, ecn);
        if (!out)
            continue; /* counted there */
        memcpy(out, p->data + at, n);
        for (size_t i = 0; i < n; i += segment)
            forward_write(out + i, PACKET_FORWARDED, to->number);
    }
}

static void forward(struct relay_server *s, uint64_t now_us, const struct train_in *run,
                    const struct piece *p) {
    struct relay_end *e = relay_flow_end(&s->flows, p->flow);
    if (!e) {
        s->counters.unknown_flow += datagrams_in(p);
        const uint32_t client = relay_clients_by_hop(&s->clients, &run->from);
        if (client != RELAY_NOBODY)
            relay_tell_no_flow(s, now_us, client, p->flow);
        return;
    }
    uint64_t *why = refused(s, now_us, &run->from, p, e);
    if (why) {
        *why += datagrams_in(p);
        return;
    }
    relay_flow_of(e)->used_us = now_us;
    relay_load_add(&s->load, now_us, p->len);
    queue(s, now_us, p, run->ecn, relay_end_other(e));
}

void relay_server_forward(struct relay_server *s, uint64_t now_us, const struct train_in *run) {
    assert(run->segment_bytes > 0);
    for (size_t at = 0; at < run->len;) {
        const struct piece p = piece_at(run, at);
        if (p.flow == 0)
            s->counters.malformed++;
        else
            forward(s, now_us, run, &p);
        at += p.len;
    }
}

bool relay_server_output(struct relay_server *s, uint64_t now_us, struct train *t) {
    const uint64_t rate = s->limits.bytes_per_s;
    struct relay_pulled got;
    if (!relay_queues_ready(&s->queues) && s->queues.aside_mask == 0)
        return false;
    if (rate > 0 && !relay_rate_may(&s->out, now_us, RELAY_OUT_BURST_US)) {
        s->out_from_us = relay_rate_when_us(&s->out, RELAY_OUT_BURST_US);
        return false;
    }
    s->out_from_us = 0;
    if (!relay_queue_pull(&s->queues, now_us, t->full, t->buf, &got))
        return false;
    if (rate > 0)
        relay_rate_take_ns(&s->out, now_us, relay_rate_cost_ns(got.len, rate));
    t->to = s->clients.seats[relay_end_of_fifo(got.of)->client].hop;
    t->len = got.len;
    t->segment_bytes = got.segment_bytes;
    t->ecn = got.ecn;
    s->counters.forwarded_pkts += (got.len + got.segment_bytes - 1) / got.segment_bytes;
    s->counters.forwarded_bytes += got.len;
    return true;
}
