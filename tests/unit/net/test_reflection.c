/* Nobody is made to send much to who has not asked for it, whatever a hostile contact, or somebody
 * who sees all packets and sends copies of them, says in whose name (RFC 9000 §8, §21.1.1); and
 * none of that keeps two honest ones apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_pair.h"
#include "support_rand.h"

enum { MS = 1000, S = 1000 * MS };

static const struct addr X = {.kind = ADDR_IPV4, .port = 9, .ip = {203, 0, 113, 9}};

static struct {
    uint64_t to_x, from_x; /* bytes */
    unsigned to_x_packets;
    bool deaf;   /* side 0 hears nothing */
    bool thief;  /* RESPONSEs come to side 0 first, from X */
    bool copied; /* INITIATIONs come to side 1 first, from X */
    uint8_t initiation[INITIATION_BYTES];
} net;

static bool victim(struct pair *p, int from, const struct train *t) {
    if (hop_is_to(&t->to, &X)) {
        net.to_x += t->len;
        net.to_x_packets++;
    }
    return hop_is_to(&t->to, &p->addr[!from]);
}

enum { CROWD = 12 };

static struct { uint64_t to[CROWD], from[CROWD]; /* bytes, of X with this port */ } crowd;

static bool crowd_hears(struct pair *p, int from, const struct train *t) {
    struct addr a = *hop_addr(&t->to);
    const uint16_t port = a.port;
    a.port = X.port;
    if (addr_equal(&a, &X) && port < CROWD)
        crowd.to[port] += t->len;
    return hop_is_to(&t->to, &p->addr[!from]);
}

static void from_x(struct pair *p, int to, const uint8_t *data, size_t len, uint64_t delay_us) {
    net.from_x += len;
    pair_inject(p, to, &X, data, len);
    p->queue[p->in_flight - 1].at_us = p->now_us + delay_us;
}

static bool tap(struct pair *p, int from, uint8_t *data, size_t len) {
    if (data[0] == PACKET_INITIATION)
        memcpy(net.initiation, data, sizeof net.initiation);
    if (from == 0 && net.copied && data[0] == PACKET_INITIATION)
        from_x(p, 1, data, len, p->delay_us - MS);
    if (from == 1 && net.thief && data[0] == PACKET_RESPONSE)
        from_x(p, 0, data, len, p->delay_us - MS);
    return !(from == 1 && net.deaf);
}

static void know(struct pair *p, int side, const struct addr *addrs, unsigned n) {
    struct peer_setup s = {.id = p->id[!side].id, .transport = p->id[!side].transport_public};
    for (; s.addr_count < n; s.addr_count++)
        s.addrs[s.addr_count] = addrs[s.addr_count];
    assert_int_equal(endpoint_peer_add(p->ep[side], &s, &p->peer[side]), 0);
}

static struct pair *start(const char *name, uint64_t rekey_us) {
    memset(&net, 0, sizeof net);
    struct pair *p = pair_new(rand_seeded(name, 1).x);
    pair_start(p, rekey_us);
    know(p, 0, &p->addr[1], 1);
    know(p, 1, &p->addr[0], 1);
    p->route = victim;
    p->tap = tap;
    return p;
}

static struct session *inner(struct pair *p, int side, const struct session_ref *s) {
    return endpoint_find(p->ep[side], s[side]);
}

/* Frames from side 0 as it likes them, from anywhere. */
static void say(struct pair *p, const struct session_ref *s, const struct addr *from,
                const uint8_t *frames, size_t len) {
    uint8_t buf[DATA_OVERHEAD_BYTES + 100];
    struct session *mine = inner(p, 0, s);
    assert_non_null(mine);
    memcpy(buf + DATA_HEADER_BYTES, frames, len);
    len = session_seal(mine, p->ep[0]->aead, mine->send_counter++, buf, len);
    if (addr_equal(from, &X))
        net.from_x += len;
    pair_inject(p, 1, from, buf, len);
}

static void within_budget(void) {
    assert_true(net.to_x <= 3 * net.from_x);
}

/* A session whose INITIATION has come from X as well, and first: where the peer is has to be found
 * out. */
static void connect_in_doubt(struct pair *p, struct session_ref s[2]) {
    net.copied = net.deaf = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 2 * p->delay_us, -1, -1);
    net.deaf = false; /* the repetition is answered to both */
    assert_true(pair_run(p, 2 * S, 0, EP_SESSION_UP));
    net.copied = false;
    net.deaf = true;
    if (!pair_event(p, 1, EP_SESSION_UP))
        assert_true(pair_run(p, S, 1, EP_SESSION_UP));
    for (int i = 0; i < 2; i++)
        s[i] = pair_event(p, i, EP_SESSION_UP)->session;
    assert_true(hop_is_to(session_hop(inner(p, 1, s)), &X));
}

/* What is asked from one place is not answered without end to another. */
static void answers_along_a_path_in_doubt_have_a_bound(void **state) {
    (void)state;
    static const uint8_t frames[] = {FRAME_CONFIRM, FRAME_ECHO, 1, 0, 0, 0, 0, 0, 0, 0,
                                     FRAME_ECHO,    2,          0, 0, 0, 0, 0, 0, 0};
    struct pair *p = start("doubt", 0);
    struct session_ref s[2];
    connect_in_doubt(p, s);
    for (int i = 0; i < 300; i++) {
        say(p, s, &p->addr[0], frames, sizeof frames);
        pair_run(p, 20 * MS, -1, -1);
        within_budget();
    }
    pair_free(p);
}

/* Nor is a rekey asked for there without end. */
static void a_rekey_along_a_path_in_doubt_has_a_bound(void **state) {
    (void)state;
    static const uint8_t ping = FRAME_PING;
    struct pair *p = start("rekey in doubt", S);
    struct session_ref s[2];
    connect_in_doubt(p, s);
    say(p, s, &X, &ping, 1);
    for (int i = 0; i < 300; i++) {
        pair_run(p, 100 * MS, -1, -1);
        within_budget();
    }
    pair_free(p);
}

/* And where nobody answers a session does not stay, waking its node. */
static void a_path_in_doubt_is_given_up(void **state) {
    (void)state;
    static const uint8_t ping = FRAME_PING;
    struct pair *p = start("given up", 0);
    struct session_ref s[2];
    connect_in_doubt(p, s);
    say(p, s, &X, &ping, 1);
    pair_run(p, 10 * S, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_DOWN), 0);
    pair_run(p, 7 * S, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_SESSION_DOWN), 1);
    assert_true(endpoint_deadline_us(p->ep[1]) == TIME_NEVER);
    pair_free(p);
}

static void write_much(struct pair *p, struct session_ref s) {
    static const uint8_t data[200000];
    uint64_t id;
    size_t taken;
    assert_int_equal(stream_open(p->ep[0], s, &id), 0);
    assert_int_equal(stream_write(p->ep[0], s, id, data, sizeof data, &taken), 0);
    assert_int_equal(taken, sizeof data);
}

/* A RESPONSE proves that the peer is somewhere, not that it is where it seems to come from: a
 * contact can name another one of the addresses that it was called at, and who sees the RESPONSE
 * can name any. */
static void an_answer_to_a_call_makes_no_victim_and_keeps_nobody_out(void **state) {
    (void)state;
    for (int called = 0; called < 2; called++) { /* X is one of the addresses called */
        struct pair *p = start("thief", 0);
        const struct addr addrs[] = {p->addr[1], X};
        know(p, 0, addrs, called ? 2 : 1);
        net.thief = true;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        assert_true(pair_run(p, 2 * S, 0, EP_SESSION_UP));
        net.to_x = 0; /* but for the call */
        write_much(p, pair_event(p, 0, EP_SESSION_UP)->session);
        const uint64_t from_us = p->now_us;
        struct session_ref s;
        while (!endpoint_session(p->ep[1], p->peer[1], &s) ||
               inner(p, 1, (struct session_ref[]){s, s})->bytes_received < 200000) {
            pair_run(p, 10 * MS, -1, -1);
            within_budget();
            assert_true(p->now_us - from_us < 2 * S);
        }
        assert_true(called == (net.to_x > 0));
        assert_true(endpoint_session(p->ep[0], p->peer[0], &s));
        assert_true(hop_is_to(session_hop(endpoint_find(p->ep[0], s)), &p->addr[1]));
        assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 0);
        pair_free(p);
    }
}

/* The same for a rekey, which is asked for along the path first. */
static void an_answer_to_a_rekey_makes_no_victim(void **state) {
    (void)state;
    struct pair *p = start("thief of a rekey", S);
    struct session_ref s[2];
    pair_connect(p, s);
    const struct addr addrs[] = {p->addr[1], X};
    know(p, 0, addrs, 2);
    net.thief = true;
    write_much(p, s[0]);
    for (int i = 0; i < 100; i++) {
        pair_run(p, 100 * MS, -1, -1);
        assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
        within_budget();
    }
    assert_true(endpoint_counters(p->ep[0])->rekeys > 3);
    assert_int_equal(pair_count(p, 0, EP_ROAMED), 0);
    assert_int_equal(pair_count(p, 0, EP_SESSION_DOWN), 0);
    pair_free(p);
}

/* 80 bytes in a third's name bring it no 288. */
static void a_retry_brings_no_call_to_who_was_not_called(void **state) {
    (void)state;
    for (int rekey = 0; rekey < 2; rekey++)
        for (int kind = 0; kind < 2; kind++) { /* a cookie, a challenge */
            struct pair *p = start("retry", S);
            struct session_ref s[2];
            if (rekey) {
                pair_connect(p, s);
                pair_run(p, 2 * S, -1, -1);
            }
            p->cut = true;
            if (rekey)
                assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], 1), 0);
            else
                assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
            memset(net.initiation, 0, sizeof net.initiation);
            pair_run(p, 10 * MS, -1, -1);
            assert_int_equal(net.initiation[0], PACKET_INITIATION);
            for (uint8_t i = 1; i <= 20; i++) {
                uint8_t retry[RETRY_BYTES] = {PACKET_RETRY}, values[2][COOKIE_BYTES] = {{0}};
                memcpy(retry + 4, net.initiation + 4, 4);
                values[kind][0] = i;
                cookie_seal(&p->id[1].transport_public, retry + 8,
                            net.initiation + INITIATION_BYTES - 2 * MAC_BYTES, values[0], values[1],
                            retry + 8 + COOKIE_NONCE_BYTES);
                from_x(p, 0, retry, sizeof retry, 0);
                pair_run(p, 5 * MS, -1, -1);
                within_budget();
            }
            pair_free(p);
        }
}

/* ---- echoes ---- */

/* The first ping after a move is answered where the peer is now; and a copy that came first from
 * elsewhere keeps no answer back. */
static void an_echo_is_answered_where_it_came_from_and_along_the_path(void **state) {
    (void)state;
    struct pair *p = start("echo", 0);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, 5 * S, -1, -1);
    for (unsigned i = 1; i <= 3; i++) {
        p->addr[0].port++;
        assert_int_equal(session_ping(p->ep[0], p->now_us, s[0], i), 0);
        assert_true(pair_run(p, 2 * p->delay_us, 0, EP_PONG));
        assert_int_equal(pair_event(p, 0, EP_PONG)->id, i);
        pair_run(p, 10 * S, -1, -1);
        assert_int_equal(pair_count(p, 0, EP_PONG), i);
        assert_true(hop_is_to(session_hop(inner(p, 1, s)), &p->addr[0]));
    }
    static const uint8_t echo[] = {FRAME_ECHO, 9, 0, 0, 0, 0, 0, 0, 0};
    say(p, s, &X, echo, sizeof echo);
    assert_true(pair_run(p, p->delay_us, 0, EP_PONG));
    assert_int_equal(pair_event(p, 0, EP_PONG)->id, 9);
    pair_run(p, 10 * S, -1, -1);
    assert_true(net.to_x_packets > 0);
    within_budget();
    pair_free(p);
}

/* Many questions in one packet are not answered with more than three times its bytes. */
static void answers_to_elsewhere_have_a_bound(void **state) {
    (void)state;
    uint8_t frames[ANSWERS_PER_PACKET * 9] = {0};
    struct pair *p = start("echoes", 0);
    struct session_ref s[2];
    pair_connect(p, s);
    for (size_t at = 0; at < sizeof frames; at += 9)
        frames[at] = FRAME_ECHO;
    for (int i = 0; i < 100; i++) {
        if (i % 3 == 2) /* not the newest, so its path is not looked at */
            inner(p, 0, s)->send_counter -= 3;
        else
            inner(p, 0, s)->send_counter += 2;
        say(p, s, &X, frames, 9 * (size_t)(1 + i % ANSWERS_PER_PACKET));
        pair_run(p, (uint64_t)(i % 7) * 100 * MS, -1, -1);
        within_budget();
    }
    pair_free(p);
}

/* Nor is one challenge, which brings an answer and challenges back. */
static void a_challenge_from_elsewhere_brings_no_more_than_thrice_itself(void **state) {
    (void)state;
    struct pair *p = start("challenge", 0);
    struct session_ref s[2];
    pair_connect(p, s);
    pair_run(p, 5 * S, -1, -1);
    uint8_t frame[1 + PATH_CHALLENGE_BYTES] = {FRAME_PATH_CHALLENGE};
    for (uint8_t i = 0; i < 20; i++) {
        frame[1] = i;
        say(p, s, &X, frame, sizeof frame);
        pair_run(p, (uint64_t)(1 + i % 5) * S, -1, -1);
        within_budget();
    }
    assert_true(net.to_x_packets > 0);
    pair_free(p);
}

/* Whatever is said, in whose names, and when: for each it holds. */
static void many_names_bring_each_no_more_than_thrice_what_came(void **state) {
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct pair *p = start("names", 0);
        struct rand_state rnd = rand_seeded("names", seed);
        struct session_ref s[2];
        pair_connect(p, s);
        pair_run(p, 5 * S, -1, -1);
        memset(&crowd, 0, sizeof crowd);
        p->route = crowd_hears;
        for (unsigned i = 0; i < 400 && inner(p, 0, s) && inner(p, 1, s); i++) {
            static const struct {
                uint8_t frame[12];
                size_t len;
            } said[] = {{{FRAME_PATH_CHALLENGE}, 9},
                        {{FRAME_ECHO}, 9},
                        {{FRAME_CONFIRM}, 1},
                        {{FRAME_CONFIRMED}, 1},
                        {{FRAME_PING}, 1},
                        {{FRAME_PATH_RESPONSE}, 9},
                        {{FRAME_PATH_REPORT, 3, 9, 9, 9}, 5}};
            uint8_t frames[60] = {0};
            size_t len = 0;
            for (unsigned n = 1 + (unsigned)(rand_u64(&rnd) % 4); n > 0; n--) {
                const unsigned k = (unsigned)(rand_u64(&rnd) % 7);
                memcpy(frames + len, said[k].frame, said[k].len);
                if (said[k].len == 9)
                    frames[len + 1] = (uint8_t)i;
                len += said[k].len;
            }
            struct addr from = X;
            from.port = (uint16_t)(rand_u64(&rnd) % CROWD);
            crowd.from[from.port] += len + DATA_OVERHEAD_BYTES;
            say(p, s, &from, frames, len);
            pair_run(p, rand_u64(&rnd) % 4 ? rand_u64(&rnd) % (50 * MS) : rand_u64(&rnd) % (2 * S),
                     -1, -1);
            for (unsigned n = 0; n < CROWD; n++)
                assert_true(crowd.to[n] <= 3 * crowd.from[n]);
        }
        pair_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_along_a_path_in_doubt_have_a_bound),
        cmocka_unit_test(a_rekey_along_a_path_in_doubt_has_a_bound),
        cmocka_unit_test(a_path_in_doubt_is_given_up),
        cmocka_unit_test(an_answer_to_a_call_makes_no_victim_and_keeps_nobody_out),
        cmocka_unit_test(an_answer_to_a_rekey_makes_no_victim),
        cmocka_unit_test(a_retry_brings_no_call_to_who_was_not_called),
        cmocka_unit_test(an_echo_is_answered_where_it_came_from_and_along_the_path),
        cmocka_unit_test(answers_to_elsewhere_have_a_bound),
        cmocka_unit_test(a_challenge_from_elsewhere_brings_no_more_than_thrice_itself),
        cmocka_unit_test(many_names_bring_each_no_more_than_thrice_what_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
