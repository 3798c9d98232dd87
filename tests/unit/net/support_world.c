/* What is written to streams and read from them, and whether it is the same. */
#include "support_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/endpoint_int.h"

static uint8_t byte_at(int side, uint64_t id, uint64_t i) {
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + id * 13 + (uint64_t)side);
}

void world_read(struct world *w, int side, uint64_t id) {
    assert_true(id < IDS);
    struct span v[8];
    bool fin = false;
    unsigned n;
    do {
        n = stream_peek(w->p->ep[side], w->s[side], id, 0, v, 8, &fin);
        size_t total = 0;
        for (unsigned k = 0; k < n; k++)
            for (uint32_t b = 0; b < v[k].len; b++, total++)
                if (v[k].block->data[v[k].offset + b] !=
                    byte_at(!side, id, w->read[side][id] + total))
                    fail_msg("stream %u: byte %u differs", (unsigned)id,
                             (unsigned)(w->read[side][id] + total));
        if (total > 0 && w->read[side][id] == 0)
            w->first_us[side][id] = w->p->now_us;
        w->read[side][id] += total;
        stream_consume(w->p->ep[side], w->p->now_us, w->s[side], id, total);
    } while (n > 0 && !fin);
    if (fin && !w->fin[side][id]) {
        w->fin[side][id] = true;
        w->fins[side]++;
    }
}

struct transport *world_tp(struct world *w, int side) {
    struct session *s = endpoint_find(w->p->ep[side], w->s[side]);
    assert_non_null(s);
    return s->tp;
}

bool world_feed(struct world *w, int side, uint64_t id, uint64_t total) {
    while (w->written[side][id] < total) {
        uint8_t buf[4096];
        uint64_t left = total - w->written[side][id];
        size_t n = left < sizeof buf ? (size_t)left : sizeof buf, taken;
        for (size_t i = 0; i < n; i++)
            buf[i] = byte_at(side, id, w->written[side][id] + i);
        int err = stream_write(w->p->ep[side], w->s[side], id, buf, n, &taken);
        assert_true(err == 0 || err == ERR_AGAIN);
        w->written[side][id] += taken;
        if (taken == 0)
            return false;
    }
    return true;
}

void world_finish(struct world *w, int side, uint64_t id) {
    assert_int_equal(stream_finish(w->p->ep[side], w->s[side], id), 0);
}

static void on_event(struct pair *p, int side, const struct ep_event *e) {
    struct world *w = p->user;
    if (e->kind == EP_STREAM_READABLE && !w->deaf[side])
        world_read(w, side, e->stream);
    if (e->kind == EP_STREAM_WRITABLE && w->whole > 0 && world_feed(w, side, e->stream, w->whole))
        world_finish(w, side, e->stream);
}

void world_begin(struct world *w, uint64_t seed) {
    w->p = pair_new(seed);
    w->p->user = w;
    w->p->on_event = on_event;
}

void world_connect(struct world *w) {
    pair_start(w->p, 0);
    pair_know(w->p, 0, NULL, false);
    pair_know(w->p, 1, NULL, false);
    pair_connect(w->p, w->s);
}

struct world *world_new(uint64_t seed) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    world_begin(w, seed);
    world_connect(w);
    return w;
}

void world_free(struct world *w) {
    pair_free(w->p);
    free(w);
}

void world_run(struct world *w, uint64_t us) {
    pair_run(w->p, us, -1, -1);
}

uint64_t world_open(struct world *w, int side) {
    uint64_t id;
    assert_int_equal(stream_open(w->p->ep[side], w->s[side], &id), 0);
    return id;
}

void world_nobody_hung_up(const struct world *w) {
    assert_int_equal(pair_count(w->p, 0, EP_SESSION_DOWN), 0);
    assert_int_equal(pair_count(w->p, 1, EP_SESSION_DOWN), 0);
    assert_int_equal(endpoint_counters(w->p->ep[0])->frames_bad, 0);
    assert_int_equal(endpoint_counters(w->p->ep[1])->frames_bad, 0);
}

void world_credit_is_kept(struct world *w) {
    struct transport *a = world_tp(w, 0), *b = world_tp(w, 1);
    if (!a || !b)
        return;
    assert_true(a->memo->credit.send_used <= b->memo->credit.given.limit);
    for (uint32_t i = 0; i < a->hash_cap; i++)
        for (struct stream *s = a->hash[i]; s; s = s->hash_next) {
            struct stream *r = transport_stream(b, s->id);
            assert_true(s->out.next <= s->out.credit);
            assert_true(!r || r->in.has_final || s->out.credit <= r->in.given.limit);
        }
}

void world_send_all(struct world *w, uint64_t id, uint64_t total, uint64_t limit_us) {
    uint64_t end_us = w->p->now_us + limit_us;
    bool all = false;
    while (!w->fin[1][id] && w->p->now_us < end_us) {
        if (!all && world_feed(w, 0, id, total)) {
            all = true;
            world_finish(w, 0, id);
        }
        world_run(w, 5 * MS);
        world_credit_is_kept(w);
    }
    assert_true(w->fin[1][id]);
    assert_true(w->read[1][id] == total);
}
