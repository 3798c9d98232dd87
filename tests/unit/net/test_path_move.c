/* When a session's path moves, and when it does not, whoever sends what from where (RFC 9000 §8.1,
 * §9.3, §21.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_rand.h"
#include "support_world.h"

static const struct addr X = {.kind = ADDR_IPV4, .port = 9, .ip = {203, 0, 113, 9}};

enum { FEED = 16 << 10 }; /* in 5 ms: 3 MB/s */

static struct session *inner(struct world *w, int side) {
    struct session *s = endpoint_find(w->p->ep[side], w->s[side]);
    assert_non_null(s);
    return s;
}

/* What the test's network does with trains to X. */
static struct {
    bool racing;     /* copies of what side 1 sends come to side 0 first, from X */
    bool crowd;      /* and all but a few of them from a new place each */
    bool forwarding; /* small packets to X are passed on, from X */
    uint64_t to_x_bytes, from_x_bytes, copies;
} net;

static void to(struct pair *p, int side, const struct addr *from, const uint8_t *data, size_t len,
               uint64_t delay_us) {
    pair_inject(p, side, from, data, len);
    p->queue[p->in_flight - 1].at_us = p->now_us + delay_us;
}

static bool only_the_peers_address(struct pair *p, int from, const struct train *t) {
    if (hop_is_to(&t->to, &p->addr[!from]))
        return true;
    net.to_x_bytes += t->len;
    if (net.forwarding && t->len < 100)
        to(p, !from, &X, t->buf, t->len, p->delay_us);
    return false;
}

static bool racer(struct pair *p, int from, uint8_t *data, size_t len) {
    if (net.racing && from == 1 && data[0] == PACKET_DATA) {
        struct addr from_x = X;
        if (net.crowd && net.copies % 8 != 0)
            from_x.port = (uint16_t)(1000 + net.copies % 60000);
        to(p, 0, &from_x, data, len, p->delay_us - MS);
        net.copies++;
    }
    return true;
}

static struct world *start(const char *name, uint64_t seed) {
    memset(&net, 0, sizeof net);
    struct world *w = world_new(rand_seeded(name, seed).x);
    w->p->route = only_the_peers_address;
    w->p->tap = racer;
    return w;
}

static void feed_for(struct world *w, int side, uint64_t id, uint64_t us) {
    for (uint64_t t = 0; t < us; t += 5 * MS) {
        world_feed(w, side, id, w->written[side][id] + FEED);
        world_run(w, 5 * MS);
    }
}

/* A contact names a victim as the source of its packets: once, often, with bytes of the transport
 * and without, while much waits to be sent. */
static void a_named_victim_gets_at_most_three_times_what_came_from_it(void **state) {
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        static const uint8_t frames[5][10] = {{FRAME_PING},
                                              {FRAME_PADDING},
                                              {FRAME_PATH_CHALLENGE, 1},
                                              {FRAME_ECHO, 1},
                                              /* answered and asked about: both count */
                                              {FRAME_PATH_CHALLENGE, 1, [9] = FRAME_PING}};
        static const size_t lens[] = {1, 1, 9, 9, 10};
        struct world *w = start("victim", 1);
        w->p->mtu = 1472;
        const uint64_t id = world_open(w, 1);
        feed_for(w, 1, id, 300 * MS);
        uint64_t read = w->read[0][id];
        for (int i = 0; i < 100; i++) {
            uint8_t buf[DATA_OVERHEAD_BYTES + 10];
            struct session *s = inner(w, 0);
            memcpy(buf + DATA_HEADER_BYTES, frames[kind], lens[kind]);
            size_t len = session_seal(s, w->p->ep[0]->aead, s->send_counter++, buf, lens[kind]);
            if (i < 30 || i % 10 == 0) {
                endpoint_input(w->p->ep[1], w->p->now_us, AT(&X), 0, buf, len);
                net.from_x_bytes += len;
            }
            feed_for(w, 1, id, 20 * MS);
            assert_true(net.to_x_bytes <= 3 * net.from_x_bytes);
        }
        assert_true(hop_is_to(session_hop(inner(w, 1)), &w->p->addr[0]));
        assert_true(w->read[0][id] > read + (5 << 20)); /* it goes on where the peer is */
        world_nobody_hung_up(w);
        world_free(w);
    }
}

/* The answer to a challenge is part of what a place gets: one packet, and then nothing more of
 * it. */
static void an_answer_counts_among_the_three_times(void **state) {
    (void)state;
    struct world *w = start("counted", 3);
    uint8_t buf[DATA_OVERHEAD_BYTES + 10] = {0};
    struct session *s = inner(w, 0);
    world_run(w, 500 * MS);
    buf[DATA_HEADER_BYTES] = FRAME_PATH_CHALLENGE;
    buf[DATA_HEADER_BYTES + 9] = FRAME_PING;
    const size_t len = session_seal(s, w->p->ep[0]->aead, s->send_counter++, buf, 10);
    endpoint_input(w->p->ep[1], w->p->now_us, AT(&X), 0, buf, len);
    world_run(w, 10000 * MS);
    assert_true(net.to_x_bytes > len);
    assert_true(net.to_x_bytes <= 3 * len);
    world_nobody_hung_up(w);
    world_free(w);
}

/* A challenge is answered to where it came from, from the address it came to; if that is not the
 * path in use, along this, too, since a copy of it may have come first. Along the path in use the
 * answer is more than a probe, which brings back a peer that was lured away. */
static void a_challenge_is_answered_from_where_it_was_asked(void **state) {
    (void)state;
    struct world *w = start("asked", 2);
    struct endpoint *e = w->p->ep[1];
    static uint8_t out[TRAIN_MAX_BYTES];
    world_run(w, 5000 * MS); /* all is quiet */
    const struct session *s1 = inner(w, 1);
    const struct {
        struct addr from;
        uint32_t local;
        size_t more;
    } cases[] = {{X, 7, 0}, {session_hop(s1)->udp.remote, session_hop(s1)->udp.local, 1}};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t buf[DATA_OVERHEAD_BYTES + 9];
        struct session *s = inner(w, 0);
        struct train t = {.buf = out};
        unsigned answers = 0;
        memset(buf, 0, sizeof buf);
        buf[DATA_HEADER_BYTES] = FRAME_PATH_CHALLENGE;
        const size_t len = session_seal(s, w->p->ep[0]->aead, s->send_counter++, buf, 9);
        endpoint_input(e, w->p->now_us, AT_SOCKET(&cases[i].from, cases[i].local), 0, buf, len);
        while (endpoint_output(e, w->p->now_us, &t)) {
            const bool along = hop_same_place(&t.to, session_hop(s1));
            assert_true(along || hop_is_to(&t.to, &cases[i].from));
            assert_int_equal(t.to.udp.local, along ? session_hop(s1)->udp.local : cases[i].local);
            assert_int_equal(t.len, DATA_OVERHEAD_BYTES + 9 + cases[i].more);
            answers += along ? 1 : 10;
        }
        assert_int_equal(answers, i == 0 ? 21 : 1); /* and X is asked in turn, once */
    }
    world_nobody_hung_up(w);
    world_free(w);
}

/* Somebody between the two sees every packet of the receiver, and a copy of his comes first, from
 * where nobody is. */
static void early_copies_from_nowhere_move_nothing_and_end_nothing(void **state) {
    (void)state;
    uint64_t read[2];
    for (int racing = 0; racing < 2; racing++) {
        struct world *w = start("racer", 2);
        const uint64_t id = world_open(w, 0);
        feed_for(w, 0, id, 500 * MS);
        net.racing = racing;
        feed_for(w, 0, id, 8000 * MS);
        read[racing] = w->read[1][id];
        assert_true(!racing || net.copies > 300);
        assert_int_equal(endpoint_counters(w->p->ep[0])->roamed, 0);
        world_nobody_hung_up(w);
        world_free(w);
    }
    assert_true(read[1] > read[0] / 10 * 9);
}

/* The same, and he passes on challenges and answers, so that the path is moved to him; what counts
 * he drops. */
static void who_lures_the_path_away_does_not_keep_it(void **state) {
    (void)state;
    struct world *w = start("lured", 3);
    const uint64_t id = world_open(w, 0);
    feed_for(w, 0, id, 500 * MS);
    net.racing = net.forwarding = true;
    uint64_t longest = 0, last = w->p->now_us, read = w->read[1][id], first = read;
    for (int i = 0; i < 2000; i++) {
        feed_for(w, 0, id, 10 * MS);
        if (w->read[1][id] == read)
            continue;
        longest = w->p->now_us - last > longest ? w->p->now_us - last : longest;
        last = w->p->now_us;
        read = w->read[1][id];
    }
    assert_true(endpoint_counters(w->p->ep[0])->paths_rescued > 0); /* he had it */
    assert_true(longest < 1500 * MS);
    assert_true(read > first + (30 << 20));
    world_nobody_hung_up(w);
    /* He stops, and the path is the peer's. */
    net.racing = net.forwarding = false;
    feed_for(w, 0, id, 2000 * MS);
    assert_true(hop_is_to(session_hop(inner(w, 0)), &w->p->addr[1]));
    world_nobody_hung_up(w);
    world_free(w);
}

/* And more copies come from so many other places that every one that can be looked at is his, and
 * the path goes from one of these to the next: what it was before all of them is not forgotten. */
static void who_lures_it_away_and_sends_a_crowd_does_not_keep_it(void **state) {
    (void)state;
    struct world *w = start("crowd", 9);
    const uint64_t id = world_open(w, 0), back = world_open(w, 1);
    feed_for(w, 0, id, 500 * MS);
    net.racing = net.forwarding = net.crowd = true;
    uint64_t longest = 0, last = w->p->now_us, read = w->read[1][id], first = read;
    for (int i = 0; i < 2000; i++) {
        world_feed(w, 1, back, w->written[1][back] + FEED); /* he has always something to copy */
        feed_for(w, 0, id, 10 * MS);
        if (w->read[1][id] != read)
            last = w->p->now_us;
        read = w->read[1][id];
        longest = w->p->now_us - last > longest ? w->p->now_us - last : longest;
    }
    assert_true(endpoint_counters(w->p->ep[0])->paths_rescued > 0); /* he had it */
    assert_true(longest < 3500 * MS); /* two probe timeouts of a path that nothing is known of */
    assert_true(read > first + (40 << 20));
    world_nobody_hung_up(w);
    world_free(w);
}

/* The address of one side changes and the old one is dead at once, whether that side sends or
 * reads. (What it acknowledges may leave up to 25 ms later.) */
static void a_side_that_has_moved_is_followed_within_two_round_trips(void **state) {
    (void)state;
    for (int mover = 0; mover < 2; mover++) {
        struct world *w = start("moved", 4);
        const uint64_t id = world_open(w, 0);
        feed_for(w, 0, id, 500 * MS);
        for (unsigned i = 1; i <= 10; i++) {
            w->p->addr[mover].port++;
            const uint64_t moved_us = w->p->now_us;
            while (!hop_is_to(session_hop(inner(w, !mover)), &w->p->addr[mover])) {
                world_feed(w, 0, id, w->written[0][id] + FEED);
                world_run(w, MS);
                assert_true(w->p->now_us - moved_us < 2 * 20 * MS + 25 * MS);
            }
            const uint64_t read = w->read[1][id];
            while (w->read[1][id] < read + 20000) {
                world_feed(w, 0, id, w->written[0][id] + FEED);
                world_run(w, MS);
                assert_true(w->p->now_us - moved_us < 10 * 20 * MS);
            }
            feed_for(w, 0, id, 1500 * MS);
            assert_int_equal(pair_count(w->p, !mover, EP_ROAMED), i);
        }
        assert_int_equal(pair_count(w->p, mover, EP_ROAMED), 0);
        world_nobody_hung_up(w);
        world_free(w);
    }
}

/* Nothing is under way but an echo now and then. Afterwards both are as idle as before. */
static void an_idle_peer_is_followed_and_costs_nothing_afterwards(void **state) {
    (void)state;
    struct world *w = start("idle", 5);
    world_run(w, 5000 * MS);
    assert_null(world_tp(w, 0));
    w->p->addr[0].port++;
    assert_int_equal(session_ping(w->p->ep[0], w->p->now_us, w->s[0], 1), 0);
    world_run(w, 31 * MS);
    assert_true(hop_is_to(session_hop(inner(w, 1)), &w->p->addr[0]));
    assert_int_equal(session_ping(w->p->ep[0], w->p->now_us, w->s[0], 2), 0);
    assert_true(pair_run(w->p, 21 * MS, 0, EP_PONG));
    world_run(w, 10000 * MS);
    const uint64_t sent = w->p->sent_bytes[0] + w->p->sent_bytes[1] + net.to_x_bytes;
    world_run(w, 60000 * MS);
    assert_int_equal(w->p->sent_bytes[0] + w->p->sent_bytes[1] + net.to_x_bytes, sent);
    assert_true(endpoint_deadline_us(w->p->ep[1]) > w->p->now_us + 60000 * MS);
    assert_null(world_tp(w, 0));
    assert_null(world_tp(w, 1));
    world_free(w);
}

/* Moving itself, a side asks first, too: it stays where the peer answers. */
static void who_moves_itself_asks_first(void **state) {
    (void)state;
    struct world *w = start("itself", 6);
    const uint64_t id = world_open(w, 0);
    feed_for(w, 0, id, 500 * MS);
    const uint64_t read = w->read[1][id];
    assert_int_equal(session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], AT(&X)), 0);
    feed_for(w, 0, id, 8000 * MS);
    assert_int_equal(pair_count(w->p, 0, EP_ROAMED), 0);
    assert_true(net.to_x_bytes > 0 && net.to_x_bytes < 400);
    assert_true(w->read[1][id] > read + (5 << 20));
    /* Another socket of its own, whose address the peer does not know yet. */
    w->p->addr[0].port++;
    w->p->local[0] = 1;
    assert_int_equal(
        session_switch_path(w->p->ep[0], w->p->now_us, w->s[0], AT_SOCKET(&w->p->addr[1], 1)), 0);
    feed_for(w, 0, id, 21 * MS);
    assert_int_equal(pair_count(w->p, 0, EP_ROAMED), 1);
    assert_int_equal(session_hop(inner(w, 0))->udp.local, 1);
    feed_for(w, 0, id, 60 * MS);
    assert_int_equal(pair_count(w->p, 1, EP_ROAMED), 1);
    assert_true(hop_is_to(session_hop(inner(w, 1)), &w->p->addr[0]));
    world_nobody_hung_up(w);
    world_free(w);
}

/* ---- anything from anywhere ---- */

enum { VICTIMS = 5 };

static uint64_t to_victim[VICTIMS], from_victim[VICTIMS];

static bool victims(struct pair *p, int from, const struct train *t) {
    (void)p;
    if (from == 1 && t->to.udp.remote.ip[0] == X.ip[0])
        to_victim[t->to.udp.remote.port] += t->len;
    return t->to.udp.remote.ip[0] != X.ip[0];
}

/* A hostile contact sends well-formed frames of every kind from its own address and in others'
 * names, whom it cannot hear. */
static void no_order_of_frames_from_anywhere_makes_a_victim(void **state) {
    (void)state;
    static const uint8_t frames[][9] = {
        {FRAME_PING}, {FRAME_PADDING}, {FRAME_PATH_CHALLENGE}, {FRAME_PATH_RESPONSE},
        {FRAME_ECHO}, {FRAME_CONFIRM}, {FRAME_CONFIRMED},      {FRAME_MAX_DATA, 1}};
    static const size_t lens[] = {1, 1, 9, 9, 9, 1, 1, 2};
    struct rand_state r = rand_seeded("anywhere", 8);
    struct world *w = start("anywhere", r.x);
    w->p->route = victims;
    w->p->mtu = 1472;
    memset(to_victim, 0, sizeof to_victim);
    memset(from_victim, 0, sizeof from_victim);
    const uint64_t id = world_open(w, 1);
    for (int i = 0; i < 4000; i++) {
        uint8_t buf[DATA_OVERHEAD_BYTES + 10 * 9];
        size_t len = 0;
        struct session *s = inner(w, 0);
        for (uint64_t n = rand_below(&r, 4); n > 0; n--) {
            const size_t k = (size_t)rand_below(&r, sizeof lens / sizeof lens[0]);
            memcpy(buf + DATA_HEADER_BYTES + len, frames[k], lens[k]);
            len += lens[k];
        }
        len = session_seal(s, w->p->ep[0]->aead, s->send_counter++, buf, len);
        const size_t k = (size_t)rand_below(&r, VICTIMS + 1);
        struct addr from = X;
        from.port = (uint16_t)k;
        if (k < VICTIMS)
            from_victim[k] += len;
        else
            from = w->p->addr[0];
        endpoint_input(w->p->ep[1], w->p->now_us, AT_SOCKET(&from, (uint32_t)rand_below(&r, 2)), 0,
                       buf, len);
        world_feed(w, 1, id, w->written[1][id] + 4096);
        world_run(w, rand_below(&r, 4) * rand_below(&r, 20) * MS);
        for (size_t v = 0; v < VICTIMS; v++)
            assert_true(to_victim[v] <= PATH_AMPLIFICATION * from_victim[v]);
    }
    assert_true(endpoint_counters(w->p->ep[1])->paths_challenged > 100);
    world_nobody_hung_up(w);
    world_free(w);
}

/* ---- the first path ---- */

static struct {
    bool lying;      /* what side 0 sends comes from X */
    bool copied;     /* its INITIATION came from X, too, and first */
    uint64_t id;     /* of side 1's stream */
    uint64_t got;    /* of it by side 0 */
    uint64_t up_us;  /* when side 1 had the session */
    uint64_t got_us; /* when side 0 had the first byte */
} first;

static bool first_tap(struct pair *p, int from, uint8_t *data, size_t len) {
    if (from != 0)
        return true;
    if (data[0] == PACKET_INITIATION) {
        to(p, 1, &X, data, len, p->delay_us - MS);
        net.from_x_bytes += len;
        first.copied = true;
        return true;
    }
    if (!first.lying)
        return true;
    to(p, 1, &X, data, len, p->delay_us);
    net.from_x_bytes += len;
    return false;
}

static void first_event(struct pair *p, int side, const struct ep_event *e) {
    static const uint8_t data[100000];
    size_t taken;
    if (side == 1 && e->kind == EP_SESSION_UP) {
        first.up_us = p->now_us;
        assert_int_equal(stream_open(p->ep[1], e->session, &first.id), 0);
        assert_true(stream_write(p->ep[1], e->session, first.id, data, sizeof data, &taken) == 0);
    }
    if (side != 0 || e->kind != EP_STREAM_READABLE)
        return;
    struct span v[16];
    bool fin;
    for (unsigned n; (n = stream_peek(p->ep[0], e->session, e->stream, 0, v, 16, &fin)) > 0;) {
        size_t total = 0;
        for (unsigned i = 0; i < n; i++)
            total += v[i].len;
        if (first.got == 0)
            first.got_us = p->now_us;
        first.got += total;
        stream_consume(p->ep[0], p->now_us, e->session, e->stream, total);
    }
}

/* The answer to an INITIATION has gone to two addresses, since it came from both: which of them its
 * sender reads is not known by what it says afterwards, only by an answer. */
static void who_shows_one_initiation_from_two_places_gets_no_victim(void **state) {
    (void)state;
    for (int lying = 0; lying < 2; lying++) {
        memset(&net, 0, sizeof net);
        memset(&first, 0, sizeof first);
        struct pair *p = pair_new(rand_seeded("two places", 7).x);
        pair_start(p, 0);
        pair_know(p, 0, NULL, false);
        pair_know(p, 1, NULL, false);
        p->route = only_the_peers_address;
        p->tap = first_tap;
        p->on_event = first_event;
        first.lying = lying;
        struct session_ref s[2];
        pair_connect(p, s);
        for (int i = 0; i < 6000; i++) {
            pair_run(p, MS, -1, -1);
            assert_true(net.to_x_bytes <= 3 * net.from_x_bytes);
        }
        assert_true(first.copied && first.up_us > 0);
        if (!lying) {
            assert_int_equal(first.got, 100000);
            assert_true(first.got_us - first.up_us <= 2 * 20 * MS);
        }
        pair_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_order_of_frames_from_anywhere_makes_a_victim),
        cmocka_unit_test(who_shows_one_initiation_from_two_places_gets_no_victim),
        cmocka_unit_test(a_named_victim_gets_at_most_three_times_what_came_from_it),
        cmocka_unit_test(an_answer_counts_among_the_three_times),
        cmocka_unit_test(a_challenge_is_answered_from_where_it_was_asked),
        cmocka_unit_test(early_copies_from_nowhere_move_nothing_and_end_nothing),
        cmocka_unit_test(who_lures_the_path_away_does_not_keep_it),
        cmocka_unit_test(who_lures_it_away_and_sends_a_crowd_does_not_keep_it),
        cmocka_unit_test(a_side_that_has_moved_is_followed_within_two_round_trips),
        cmocka_unit_test(an_idle_peer_is_followed_and_costs_nothing_afterwards),
        cmocka_unit_test(who_moves_itself_asks_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
