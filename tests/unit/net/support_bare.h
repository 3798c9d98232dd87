/* support_bare.h: one transport without session, keys and network: the test says when a packet is
 * built, which are acknowledged and what time it is. For worked examples that must hold to the
 * microsecond.
 */
#ifndef MESHD_TESTS_SUPPORT_BARE_H
#define MESHD_TESTS_SUPPORT_BARE_H

#include <stdlib.h>
#include <string.h>

#include "net/base/timer.h"
#include "net/endpoint.h"
#include "net/transport/transport.h"
#include "net/wire/frame.h"
#include "net/wire/packet.h"

struct bare {
    struct transport *t;
    struct transport_memo memo;
    struct events events;
    struct transport_shares shares;
    struct endpoint_counters counters;
    struct block_pool *pool;
    uint64_t now_us, next_pn;
    struct transport_packet info; /* of the last packet built */
    uint8_t buf[TRAIN_MAX_BYTES];
};

/* The farthest skip: 1,151 packets without one. */
static inline void bare_fill(void *ctx, void *buf, size_t len) {
    (void)ctx;
    memset(buf, 0xff, len);
}

static inline struct bare *bare_new(enum cc_kind cc, uint16_t mtu_max) {
    struct bare *b = calloc(1, sizeof *b);
    assert_non_null(b);
    transport_memo_init(&b->memo);
    b->pool = block_pool_new(1536, 8);
    b->now_us = 1000000;
    b->shares = (struct transport_shares){.streams.max = STREAMS_ALL_MAX, .sent.max = SENT_ALL_MAX};
    const struct transport_setup setup = {.memo = &b->memo,
                                          .pool = b->pool,
                                          .shares = &b->shares,
                                          .events = &b->events,
                                          .counters = &b->counters,
                                          .rng = {bare_fill, NULL},
                                          .initiator = true,
                                          .cc = cc,
                                          .mtu_max = mtu_max};
    b->t = transport_new(&setup, b->now_us, 0);
    assert_non_null(b->t);
    return b;
}

static inline void bare_free(struct bare *b) {
    transport_free(b->t);
    events_clear(&b->events);
    block_pool_free(b->pool);
    free(b);
}

/* A stream with `bytes` waiting to be sent, at most the initial credit. */
static inline struct stream *bare_stream(struct bare *b, size_t bytes) {
    uint64_t id;
    assert_int_equal(transport_stream_open(b->t, &id), 0);
    struct stream *s = transport_stream(b->t, id);
    assert_non_null(s);
    while (bytes > 0) {
        const size_t n = bytes < STREAM_BLOCK_BYTES ? bytes : STREAM_BLOCK_BYTES;
        struct block *block = block_new(b->pool, n);
        assert_non_null(block);
        memset(block->data, 0x5a, n);
        block->len = (uint32_t)n;
        assert_int_equal(sstream_push(&s->out, (struct span){block, 0, (uint32_t)n}), 0);
        bytes -= n;
    }
    transport_activate(b->t, s);
    return s;
}

/* One packet, if one may leave; gives its plaintext's length. */
static inline size_t bare_send(struct bare *b) {
    b->t->next_pn = b->next_pn;
    const size_t len =
        transport_build(b->t, b->now_us, b->next_pn, b->buf, sizeof b->buf - DATA_OVERHEAD_BYTES,
                        DATA_OVERHEAD_BYTES, true, &b->info);
    if (len > 0)
        b->next_pn += b->info.skip_after ? 2 : 1;
    b->t->next_pn = b->next_pn;
    return len;
}

/* One ack-eliciting packet without content, whatever the window says. */
static inline void bare_ping(struct bare *b, uint64_t now_us) {
    b->now_us = now_us;
    b->t->rec->probes = 1;
    assert_true(bare_send(b) > 0);
}

/* An ACK frame of [lo, hi) and, if hi2 > 0, of the older [lo2, hi2). */
static inline int bare_ack2(struct bare *b, uint64_t now_us, uint64_t lo2, uint64_t hi2,
                            uint64_t lo, uint64_t hi, uint64_t delay_us) {
    uint8_t buf[64];
    struct wr w = wr_init(buf, sizeof buf);
    struct ranges set;
    ranges_init(&set, 4);
    assert_int_equal(ranges_add(&set, lo, hi), 0);
    if (hi2 > 0)
        assert_int_equal(ranges_add(&set, lo2, hi2), 0);
    assert_true(frame_write_ack(&w, &set, delay_us, &(struct ecn_counts){0}, sizeof buf));
    ranges_clear(&set);
    struct rd r = rd_init(buf, wr_len(&w));
    bool eliciting = false;
    b->now_us = now_us;
    const uint8_t type = rd_u8(&r);
    const int err = transport_frame(b->t, now_us, type, &r, &eliciting);
    assert_false(eliciting);
    return err;
}

static inline void bare_ack(struct bare *b, uint64_t now_us, uint64_t lo, uint64_t hi) {
    assert_int_equal(bare_ack2(b, now_us, 0, 0, lo, hi, 0), 0);
}

#endif
