#include "sim/world/pipes.h"

#include <assert.h>
#include <stdlib.h>

#include "crypto/base/err.h"
#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/pipe/segment.h"
#include "sim/world/host.h"

enum { PORT_FIRST = 49152 }; /* RFC 6335 §6 */

void pipes_init(struct pipes *ps, struct flight *f) {
    *ps = (struct pipes){.flight = f, .next_port = PORT_FIRST};
}

void pipes_clear(struct pipes *ps) {
    for (uint32_t i = 0; i < ps->count; i++)
        pipe_free(ps->ends[i].pipe);
    mem_free(ps->ends);
    mem_free(ps->listeners);
    pipes_init(ps, ps->flight);
}

static struct world *world_of(const struct pipes *ps) {
    return ps->flight->world;
}

static struct host *host_of(const struct pipes *ps, uint32_t host) {
    return world_of(ps)->hosts[host];
}

/* ---- segments ---- */

static void send_segment(struct pipes *ps, struct host *h, const struct addr *from,
                         const struct addr *to, const uint8_t *bytes, uint32_t len) {
    struct packet *p = packet_new(h, to, bytes, len);
    uint32_t nic;
    if (host_nic_with(h, from, &nic))
        packet_leave_by(h, p, (int)nic);
    p->from = *from;
    p->tcp = true;
    flight_send(ps->flight, p);
}

/* All that the end wants to send now; and when it wants to be asked again. */
static void flush(struct pipes *ps, uint32_t pipe) {
    uint8_t out[PIPE_MSS_BYTES + SEGMENT_HEAD_BYTES];
    struct pipe_end *e = &ps->ends[pipe];
    struct host *h = host_of(ps, e->host);
    uint32_t n, nic;
    while ((n = pipe_output(e->pipe, world_of(ps)->now_ns, out)) > 0)
        if (host_nic_with(h, &e->local,
                          &nic)) /* what was sent from an address that is gone goes nowhere */
            send_segment(ps, h, &e->local, &e->remote, out, n);
    const uint64_t at_ns = pipe_deadline_ns(e->pipe);
    if (at_ns >= e->wake_ns)
        return;
    e->wake_ns = at_ns;
    world_push(world_of(ps), h, &(struct event){.time_ns = at_ns, .kind = EVENT_PIPE, .tag = pipe});
}

void pipes_wake(struct pipes *ps, const struct event *e) {
    struct pipe_end *end = &ps->ends[e->tag];
    if (end->wake_ns != e->time_ns)
        return; /* an earlier one has come since */
    end->wake_ns = UINT64_MAX;
    pipe_timeout(end->pipe, world_of(ps)->now_ns);
    flush(ps, e->tag);
}

static uint32_t end_new(struct pipes *ps, uint32_t host, const struct addr *local,
                        const struct addr *remote) {
    grow(&ps->ends, &ps->cap, ps->count + 1, sizeof *ps->ends);
    struct pipe_end *e = &ps->ends[ps->count];
    *e = (struct pipe_end){.pipe = pipe_new(NULL),
                           .host = host,
                           .local = *local,
                           .remote = *remote,
                           .wake_ns = UINT64_MAX};
    if (!e->pipe)
        abort();
    return ps->count++;
}

/* The latest one between these two addresses; UINT32_MAX. */
static uint32_t find(const struct pipes *ps, uint32_t host, const struct packet *p) {
    for (uint32_t i = ps->count; i-- > 0;) {
        const struct pipe_end *e = &ps->ends[i];
        if (e->host == host && addr_equal(&e->local, &p->to) && addr_equal(&e->remote, &p->from))
            return i;
    }
    return UINT32_MAX;
}

static bool listens(const struct pipes *ps, uint32_t host, uint16_t port) {
    for (uint32_t i = 0; i < ps->listener_count; i++)
        if (ps->listeners[i].host == host && ps->listeners[i].port == port)
            return true;
    return false;
}

/* A SYN to somebody who listens makes a new end. */
static uint32_t take_syn(struct pipes *ps, const struct host *h, const struct packet *p) {
    struct segment s;
    if (!segment_read(p->data, p->len, 0, 0, &s) || !listens(ps, h->index, p->to.port) ||
        (s.flags & (SEGMENT_SYN | SEGMENT_ACK | SEGMENT_RST)) != SEGMENT_SYN)
        return UINT32_MAX;
    const uint32_t pipe = end_new(ps, h->index, &p->to, &p->from);
    ps->ends[pipe].incoming = true;
    pipe_accept(ps->ends[pipe].pipe);
    return pipe;
}

void pipes_receive(struct pipes *ps, struct host *h, struct packet *p) {
    struct world *w = world_of(ps);
    uint8_t refusal[SEGMENT_HEAD_BYTES];
    uint32_t pipe = find(ps, h->index, p);
    bool taken = pipe != UINT32_MAX && pipe_input(ps->ends[pipe].pipe, w->now_ns, p->data, p->len);
    packet_ended(w, p, FATE_DELIVERED);
    if (!taken) { /* to nobody, or to one that is over */
        struct pipe_info now = {.state = PIPE_CLOSED};
        if (pipe != UINT32_MAX)
            pipe_info(ps->ends[pipe].pipe, &now);
        if (now.state == PIPE_CLOSED && (pipe = take_syn(ps, h, p)) != UINT32_MAX)
            taken = pipe_input(ps->ends[pipe].pipe, w->now_ns, p->data, p->len);
        const uint32_t n =
            taken || now.state != PIPE_CLOSED ? 0 : segment_refuse(p->data, p->len, refusal);
        if (n > 0)
            send_segment(ps, h, &p->to, &p->from, refusal, n);
    }
    packet_free(w, p);
    if (taken)
        flush(ps, pipe);
}

/* ---- for whoever uses them ---- */

struct addr pipes_address(const struct pipes *ps, uint32_t host, uint16_t port) {
    const struct host *h = host_of(ps, host);
    struct addr a = h->first.addr_count > 0 ? h->first.addrs[0] : (struct addr){.kind = ADDR_NONE};
    a.port = port;
    return a;
}

bool pipes_forward(struct pipes *ps, uint32_t host, uint16_t port, struct addr *outside) {
    const struct addr inner = pipes_address(ps, host, port);
    const uint32_t site = host_of(ps, host)->first.site;
    if (site == SITE_NONE || inner.kind != ADDR_IPV4)
        return false;
    struct nat *n = sites_tcp_nat(ps->flight->sites, ps->flight->sites->list[site], false);
    return nat_map_fixed(n, world_of(ps)->now_ns, &inner, port, UINT64_MAX, outside);
}

int pipes_listen(struct pipes *ps, uint32_t host, uint16_t port) {
    if (listens(ps, host, port))
        return ERR_EXISTS;
    grow(&ps->listeners, &ps->listener_cap, ps->listener_count + 1, sizeof *ps->listeners);
    ps->listeners[ps->listener_count++] = (struct pipe_listener){host, port};
    return 0;
}

bool pipes_accept(struct pipes *ps, uint32_t host, uint16_t port, uint32_t *pipe) {
    for (uint32_t i = 0; i < ps->count; i++) {
        struct pipe_end *e = &ps->ends[i];
        struct pipe_info now;
        pipe_info(e->pipe, &now);
        if (e->host != host || !e->incoming || e->taken || e->local.port != port ||
            now.state != PIPE_OPEN)
            continue;
        e->taken = true;
        *pipe = i;
        return true;
    }
    return false;
}

int pipes_connect(struct pipes *ps, uint32_t host, const struct addr *to, uint32_t *pipe) {
    const struct host *h = host_of(ps, host);
    assert(world_of(ps)->begun);
    const struct addr *own = nic_addr(host_nic_of(h, host_route(h, to->kind)), to->kind);
    if (!own)
        return ERR_UNSUPPORTED;
    struct addr local = *own;
    local.port = ps->next_port;
    ps->next_port = ps->next_port == UINT16_MAX ? PORT_FIRST : (uint16_t)(ps->next_port + 1);
    *pipe = end_new(ps, host, &local, to);
    pipe_connect(ps->ends[*pipe].pipe);
    flush(ps, *pipe);
    return 0;
}

size_t pipes_write(struct pipes *ps, uint32_t pipe, const void *bytes, size_t len) {
    const size_t n = pipe_write(ps->ends[pipe].pipe, bytes, len);
    flush(ps, pipe);
    return n;
}

size_t pipes_read(struct pipes *ps, uint32_t pipe, void *out, size_t len) {
    const size_t n = pipe_read(ps->ends[pipe].pipe, out, len);
    flush(ps, pipe); /* there may be room again, of which the other end is told */
    return n;
}

void pipes_shut(struct pipes *ps, uint32_t pipe) {
    pipe_shut(ps->ends[pipe].pipe);
    flush(ps, pipe);
}

void pipes_reset(struct pipes *ps, uint32_t pipe) {
    pipe_reset(ps->ends[pipe].pipe);
    flush(ps, pipe);
}

void pipes_info(const struct pipes *ps, uint32_t pipe, struct pipe_info *out) {
    pipe_info(ps->ends[pipe].pipe, out);
}
