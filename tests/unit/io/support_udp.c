/* Two ends on the loopback, the loop that runs them, and trains that can be told apart. */
#include "support_udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/base/ecn_field.h"

uint8_t train_buf[TRAIN_MAX_BYTES];

static void on_datagram(void *ctx, const struct hop *from, uint8_t ecn, uint8_t *buf, size_t len) {
    struct end *e = ctx;
    assert_true(e->datagrams < SEEN_MAX);
    e->sizes[e->datagrams] = len;
    e->first_byte[e->datagrams++] = buf[0];
    e->bytes += len;
    e->from = from->udp.remote;
    e->ecn[ecn & ECN_MASK]++;
    e->local = from->udp.local;
    memset(buf, 0xee, len); /* it is ours to scribble on: must not disturb the next datagram */
}

static void on_train(void *ctx, const struct train_in *r) {
    for (size_t at = 0; at < r->len; at += r->segment_bytes)
        on_datagram(ctx, &r->from, r->ecn, r->buf + at, train_in_bytes_at(r, at));
}

static void on_batch_end(void *ctx) {
    ((struct end *)ctx)->batches++;
}

static void on_writable(void *ctx, uint32_t socket) {
    (void)socket;
    ((struct end *)ctx)->writables++;
}

static void on_too_big(void *ctx, const struct addr *to, size_t bytes) {
    struct end *e = ctx;
    assert_int_not_equal(to->port, 0);
    e->too_bigs++;
    e->too_big_bytes = bytes;
}

const struct udp_callbacks end_callbacks = {on_train, on_batch_end, on_writable, on_too_big};

struct addr loopback(bool ipv6) {
    if (ipv6)
        return (struct addr){.kind = ADDR_IPV6, .ip = {[15] = 1}};
    return (struct addr){.kind = ADDR_IPV4, .ip = {127, 0, 0, 1}};
}

int open_world(struct world *w, enum udp_kind kind, bool ipv6) {
    memset(w, 0, sizeof *w);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    struct addr at = loopback(ipv6);
    int r = udp_open(&w->a.udp, &w->loop, kind, &at, 7, &end_callbacks, &w->a);
    if (r == 0)
        r = udp_open(&w->b.udp, &w->loop, kind, &at, 8, &end_callbacks, &w->b);
    return r;
}

void close_world(struct world *w) {
    udp_close(w->a.udp);
    udp_close(w->b.udp);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void on_late(uv_timer_t *t) {
    ((struct world *)t->data)->late = true;
}

void run_until(struct world *w, const unsigned *what, unsigned n) {
    uv_timer_t t;
    w->late = false;
    uv_timer_init(&w->loop, &t);
    t.data = w;
    uv_timer_start(&t, on_late, 5000, 0);
    while (*what < n && !w->late)
        uv_run(&w->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&t, NULL);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_int_equal(*what, n);
}

struct train make_train(struct world *w, uint16_t segment, size_t len) {
    struct train t = {.buf = train_buf,
                      .len = len,
                      .segment_bytes = segment,
                      .to = {.kind = HOP_UDP, .udp.local = LOCAL_ANY}};
    memset(train_buf, 0xaa, len);
    for (size_t at = 0, i = 0; at < len; at += segment, i++)
        train_buf[at] = (uint8_t)i;
    udp_address(w->b.udp, &t.to.udp.remote);
    return t;
}

void expect_segments(const struct end *e, unsigned count, size_t segment, size_t last) {
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(e->sizes[i], i + 1 == count ? last : segment);
        assert_int_equal(e->first_byte[i], i & 0xff);
    }
}
