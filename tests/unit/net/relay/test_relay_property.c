/* A relay and clients wired together, with whatever may happen drawn from a printed seed: records
 * are lost, doubled and late, clients come, go, move, ask, accept, refuse and close, and send what
 * they may and what they may not. Whatever the sequence: a datagram comes out only between two who
 * both wanted that flow, once, where its receiver is, and unchanged; no more bytes leave than have
 * come; nothing is left when all is over. What is true is told from the records, not by asking the
 * relay. */
#include <stdlib.h>

#include "net/relay/relay_client.h"
#include "support_relay.h"

enum { CLIENTS = 12, TOLD = 4096, WIRE = 256, STEPS = 20000 };

struct told { /* the relay has told client n that this number leads to that peer */
    uint32_t number, n, peer;
    bool wanted; /* n has asked for it, or accepted it */
};

struct on_wire {
    uint64_t at_us;
    uint32_t n; /* of the client */
    bool up;    /* to the relay */
    size_t len;
    uint8_t data[RELAY_MSG_MAX_BYTES];
};

struct world {
    struct rand_state rnd;
    struct relay_server *s;
    struct relay_client *c[CLIENTS];
    bool up[CLIENTS];
    uint32_t hop[CLIENTS]; /* where it is: a number of relay_hop */
    uint64_t now_us;
    struct told told[TOLD];
    uint32_t told_count;
    uint32_t asked[CLIENTS][TOLD]; /* whom a request was about */
    struct on_wire wire[WIRE];
    uint32_t wire_count;
    uint8_t out_of[1 << 18]; /* how often a mark has come out */
    uint32_t marks, next_hop, answered;
    uint64_t bytes_in, bytes_out, pkts_out;
};

static const struct peer_ref relay = {1, 1};
static uint8_t buf[TRAIN_MAX_BYTES];

static uint32_t draw(struct world *w, uint32_t n) {
    return (uint32_t)rand_below(&w->rnd, n);
}

static uint32_t number_of_id(const struct node_id *id) {
    return load_le32(id->bytes + 4);
}

static void put_on_wire(struct world *w, uint32_t n, bool up, const uint8_t *data, size_t len) {
    for (unsigned copies = draw(w, 10) == 0 ? 2 : 1; copies > 0; copies--) {
        if (w->wire_count == WIRE || draw(w, 10) == 0)
            return; /* lost */
        struct on_wire *x = &w->wire[w->wire_count++];
        *x = (struct on_wire){
            .at_us = w->now_us + draw(w, 80) * RELAY_MS, .n = n, .up = up, .len = len};
        memcpy(x->data, data, len);
    }
}

/* ---- what is true ---- */

static void note_told(struct world *w, uint32_t n, uint32_t number, uint32_t peer, bool wanted) {
    for (uint32_t i = 0; i < w->told_count; i++)
        if (w->told[i].number == number && w->told[i].n == n) {
            assert_int_equal(w->told[i].peer, peer); /* a number is never another's */
            w->told[i].wanted |= wanted;
            return;
        }
    assert_true(w->told_count < TOLD);
    w->told[w->told_count++] = (struct told){number, n, peer, wanted};
}

static struct told *what_leads(struct world *w, uint32_t n, uint32_t number) {
    for (uint32_t i = 0; i < w->told_count; i++)
        if (w->told[i].number == number && w->told[i].n == n)
            return &w->told[i];
    return NULL;
}

static void note_said_to(struct world *w, uint32_t n, const uint8_t *data, size_t len) {
    struct relay_msg m;
    assert_true(relay_msg_read(&m, data, len));
    if (m.op == RELAY_INCOMING)
        note_told(w, n, m.flow, number_of_id(&m.peer), false);
    if (m.op == RELAY_OPENED)
        note_told(w, n, m.flow, w->asked[n][m.request % TOLD], true);
}

static void note_said_by(struct world *w, uint32_t n, const struct on_wire *x) {
    struct relay_msg m;
    assert_true(relay_msg_read(&m, x->data, x->len));
    if (m.op == RELAY_OPEN)
        w->asked[n][m.request % TOLD] = number_of_id(&m.peer);
    struct told *t = m.op == RELAY_ACCEPT ? what_leads(w, n, m.flow) : NULL;
    if (t)
        t->wanted = true;
}

static void check_out(struct world *w, const struct train *t, const uint8_t *data, size_t len) {
    uint32_t to = 0;
    for (; to < CLIENTS; to++) {
        const struct hop hop = relay_hop(w->hop[to]);
        if (w->up[to] && hop_equal(&hop, &t->to))
            break;
    }
    assert_true(to < CLIENTS); /* where a client is now */
    assert_true(data[0] == PACKET_FORWARDED && len >= 40);
    const uint8_t *inner = data + FORWARD_HEADER_BYTES;
    const uint32_t mark = load_le32(inner + 16), from = load_le32(inner + 20);
    const uint32_t number = load_le32(inner + 24);
    const struct told *there = what_leads(w, to, load_le32(data + 4));
    const struct told *here = what_leads(w, from, number);
    assert_true(there && here && there->peer == from && here->peer == to);
    assert_true(there->wanted && here->wanted);
    assert_int_equal(load_le32(inner + 28), len);
    assert_int_equal(w->out_of[mark]++, 0);
    w->bytes_out += len;
    w->pkts_out++;
}

/* ---- what happens ---- */

static void flush(struct world *w) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct peer_ref to;
    size_t len;
    while (relay_server_next(w->s, w->now_us, &to, out, &len)) {
        note_said_to(w, relay_number_of(to), out, len);
        put_on_wire(w, relay_number_of(to), false, out, len);
    }
    for (uint32_t n = 0; n < CLIENTS; n++)
        while (relay_client_next(w->c[n], w->now_us, &to, out, &len))
            put_on_wire(w, n, true, out, len);
}

static void listen_to_events(struct world *w, uint32_t n) {
    struct relay_event e;
    while (relay_client_poll(w->c[n], &e))
        if (e.kind == RELAY_EV_INCOMING && draw(w, 8) != 0)
            w->answered += relay_client_answer(w->c[n], w->now_us, relay, e.flow, draw(w, 4) != 0,
                                               RELAY_DENIED) == 0;
}

static void deliver(struct world *w) {
    for (uint32_t i = 0; i < w->wire_count;) {
        struct on_wire x = w->wire[i];
        if (x.at_us > w->now_us) {
            i++;
            continue;
        }
        w->wire[i] = w->wire[--w->wire_count];
        if (!w->up[x.n])
            continue;
        if (x.up) {
            note_said_by(w, x.n, &x);
            relay_server_input(w->s, w->now_us, relay_peer(x.n), x.data, x.len);
        } else {
            relay_client_input(w->c[x.n], w->now_us, relay, x.data, x.len);
        }
    }
    for (uint32_t n = 0; n < CLIENTS; n++)
        listen_to_events(w, n);
}

static void go_up(struct world *w, uint32_t n) {
    const struct node_id id = relay_id(n);
    w->hop[n] = w->next_hop++;
    const struct hop hop = relay_hop(w->hop[n]);
    assert_int_equal(relay_server_client_up(w->s, w->now_us, relay_peer(n), &id, &hop), 0);
    w->up[n] = true;
    assert_int_equal(relay_client_reserve(w->c[n], w->now_us, relay), 0);
}

static void go_down(struct world *w, uint32_t n) {
    relay_server_client_down(w->s, w->now_us, relay_peer(n));
    relay_client_relay_down(w->c[n], w->now_us, relay);
    w->up[n] = false;
    for (uint32_t i = 0; i < w->wire_count;) /* of a session that is no more */
        if (w->wire[i].n == n)
            w->wire[i] = w->wire[--w->wire_count];
        else
            i++;
}

static void move(struct world *w, uint32_t n) {
    w->hop[n] = w->next_hop++;
    const struct hop hop = relay_hop(w->hop[n]);
    relay_server_client_moved(w->s, w->now_us, relay_peer(n), &hop);
}

/* A number that client n may know, or one it may not. */
static uint32_t some_number(struct world *w, uint32_t n) {
    uint32_t at = 0, pick = 0;
    struct relay_flow f;
    unsigned seen = 0;
    if (draw(w, 8) == 0)
        return w->told_count && draw(w, 2) ? w->told[draw(w, w->told_count)].number
                                           : 1 + draw(w, UINT32_MAX - 1);
    while (relay_client_each(w->c[n], &at, &f))
        if (f.flow != 0 && draw(w, ++seen) == 0)
            pick = f.flow;
    return pick;
}

static void send_run(struct world *w, uint32_t n) {
    const uint32_t number = some_number(w, n);
    const size_t segment = 40 + draw(w, 1400);
    const uint32_t count = 1 + draw(w, 20);
    const uint32_t from = draw(w, 16) == 0 ? draw(w, CLIENTS) : n; /* spoofed */
    if (number == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *at = buf + i * segment, *inner = at + FORWARD_HEADER_BYTES;
        relay_packet(at, segment, number, w->marks++);
        assert_true(w->marks < sizeof w->out_of);
        store_le32(inner + 20, from);
        store_le32(inner + 24, number);
        store_le32(inner + 28, (uint32_t)segment);
        if (draw(w, 50) == 0)
            at[draw(w, FORWARD_HEADER_BYTES + 1)] ^= (uint8_t)(1 << draw(w, 8));
    }
    const struct hop hop = relay_hop(draw(w, 30) == 0 ? 9999 : w->hop[from]);
    relay_forward_run(w->s, w->now_us, &hop, buf, count * segment, segment);
    w->bytes_in += count * segment;
}

static void drain(struct world *w, uint32_t full) {
    struct train t = {.buf = buf, .full = full};
    while (relay_server_output(w->s, w->now_us, &t))
        for (size_t at = 0; at < t.len; at += t.segment_bytes) {
            const size_t left = t.len - at;
            check_out(w, &t, t.buf + at, left < t.segment_bytes ? left : t.segment_bytes);
        }
}

static void act(struct world *w) {
    const uint32_t n = draw(w, CLIENTS), what = draw(w, 100);
    if (!w->up[n]) {
        if (what < 30)
            go_up(w, n);
    } else if (what < 1) {
        go_down(w, n);
    } else if (what < 3) {
        move(w, n);
    } else if (what < 20) {
        const struct node_id id = relay_id(draw(w, CLIENTS));
        uint32_t request;
        assert_int_equal(relay_client_open(w->c[n], w->now_us, relay, &id, &request), 0);
    } else if (what < 22) {
        relay_client_close(w->c[n], w->now_us, relay, some_number(w, n));
    } else if (what < 80) {
        send_run(w, n);
    } else {
        w->now_us += draw(w, what == 80 ? 20 * RELAY_S : 50 * RELAY_MS);
    }
}

static void pass_time(struct world *w) {
    relay_server_timeout(w->s, w->now_us);
    for (uint32_t n = 0; n < CLIENTS; n++)
        relay_client_timeout(w->c[n], w->now_us);
    flush(w);
    deliver(w);
}

static void nothing_passes_between_two_that_did_not_both_want_it(void **state) {
    (void)state;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->rnd = rand_seeded("relay_property", 1);
    w->now_us = RELAY_T0;
    struct relay_limits l = relay_limits_default();
    l.flow_s = 30;
    l.reservation_s = 120;
    w->s = relay_alone(&l, &w->rnd);
    for (uint32_t n = 0; n < CLIENTS; n++) {
        w->c[n] = relay_client_new(&(struct rng){relay_fill, &w->rnd});
        assert_non_null(w->c[n]);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        act(w);
        pass_time(w);
        if (draw(w, 3) == 0)
            drain(w, draw(w, 4) == 0 ? draw(w, 8) : 0);
        assert_true(w->bytes_out <= w->bytes_in);
    }
    const struct relay_stats st = relay_stats_of(w->s);
    printf("in %llu bytes, out %llu in %llu datagrams; opened %llu, unknown %llu, source %llu, not "
           "open %llu, malformed %llu, late %llu\n",
           (unsigned long long)w->bytes_in, (unsigned long long)w->bytes_out,
           (unsigned long long)w->pkts_out, (unsigned long long)st.counters.flows_opened,
           (unsigned long long)st.counters.unknown_flow,
           (unsigned long long)st.counters.wrong_source, (unsigned long long)st.counters.not_open,
           (unsigned long long)st.counters.malformed, (unsigned long long)st.counters.queue_late);
    /* All of it has happened. */
    assert_true(w->pkts_out > 1000 && st.counters.flows_opened > 50 &&
                st.counters.unknown_flow > 50 && st.counters.wrong_source > 50 &&
                st.counters.malformed > 50);
    for (uint32_t n = 0; n < CLIENTS; n++)
        if (w->up[n])
            go_down(w, n);
    const struct relay_stats end = relay_stats_of(w->s);
    assert_true(end.clients == 0 && end.flows == 0 && end.reservations == 0 &&
                end.queued_bytes == 0);
    for (uint32_t n = 0; n < CLIENTS; n++) {
        uint32_t at = 0;
        struct relay_flow f;
        assert_false(relay_client_each(w->c[n], &at, &f));
        relay_client_free(w->c[n]);
    }
    relay_server_free(w->s);
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_passes_between_two_that_did_not_both_want_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
