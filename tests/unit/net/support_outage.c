/* The outage, who reads meanwhile, and a path without initiations. */
#include "support_outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/wire/packet.h"

bool cut(struct pair *p, int from, uint8_t *data, size_t len) {
    const struct run *r = p->user;
    (void)data;
    (void)len;
    uint64_t at = p->now_us - r->up_us;
    return !(r->dead & 1u << from && at >= r->cut_from_us && at < r->cut_from_us + OUTAGE_US);
}

void read_all(struct pair *p, int side, const struct ep_event *e) {
    struct run *r = p->user;
    r->downs += e->kind == EP_SESSION_DOWN;
    if (e->kind != EP_STREAM_READABLE)
        return;
    struct span v[16];
    bool fin;
    unsigned n;
    while ((n = stream_peek(p->ep[side], e->session, e->stream, 0, v, 16, &fin)) > 0) {
        size_t total = 0;
        for (unsigned i = 0; i < n; i++)
            total += v[i].len;
        r->got[!side] += total;
        stream_consume(p->ep[side], p->now_us, e->session, e->stream, total);
    }
}

bool no_initiation(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    (void)from;
    (void)len;
    return data[0] != PACKET_INITIATION;
}
