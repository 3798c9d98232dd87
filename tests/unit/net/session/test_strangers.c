/* Holders of tickets, who are nobody until one handshake of theirs is confirmed; and who opens at
 * the same moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_forge.h"
#include "support_sniff.h"

enum { MS = 1000, S = 1000000 };

static const struct psk ticket_a = {{1, 2, 3}}, ticket_b = {{4, 5, 6}};
static uint8_t out_bytes[TRAIN_MAX_BYTES];

/* ---- strangers ---- */

struct stranger {
    struct identity id;
    struct key_cert cert;
};

/* Shows a ticket at side 1, and confirms nothing. True: it was answered. */
static bool stranger_knocks(struct pair *p, struct stranger *x, const struct psk *ticket,
                            const struct addr *from) {
    identity_generate(&x->id, &p->rng);
    identity_cert(&x->id, &x->cert);
    struct handshake_self self = p->ep[0]->self;
    self.identity = &x->id;
    const struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                        .suites = (uint8_t)p->ep[0]->suites,
                                        .timestamp_us = 1,
                                        .session_id = 7,
                                        .psk_id = psk_id(ticket),
                                        .cert = x->cert};
    struct noise n;
    uint8_t msg[INITIATION_BYTES];
    struct train t = {.buf = out_bytes};
    assert_true(forge_initiation(&n, &self, &p->rng, &p->id[1].transport_public, &f, 9, msg));
    endpoint_input(p->ep[1], p->now_us, AT(from), ECN_NOT_ECT, msg, sizeof msg);
    bool answered = false;
    while (endpoint_output(p->ep[1], p->now_us, &t))
        answered |= t.buf[0] == PACKET_RESPONSE;
    return answered;
}

/* Below the rate at which only a cookie helps. NULL: each from another address. */
static void knock_often(struct pair *p, unsigned n, const struct psk *ticket,
                        const struct addr *from) {
    struct stranger x;
    for (unsigned i = 0; i < n; i++) {
        struct addr any = {.kind = ADDR_IPV4, .port = 7};
        for (unsigned k = 0; k < 4; k++)
            any.ip[k] = (uint8_t)(pair_draw(p) >> 32);
        p->now_us += 6 * MS;
        assert_true(stranger_knocks(p, &x, ticket, from ? from : &any));
    }
}

static void strangers_leave_nothing_behind(void **state) {
    (void)state;
    struct pair *p = pair_new(12);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
    knock_often(p, 3 * HALF_OPEN_MAX, &ticket_a, &elsewhere);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), HALF_OPEN_MAX);
    assert_int_equal(p->ep[1]->peers.used, HALF_OPEN_MAX);
    assert_true(p->ep[1]->peers.count <= HALF_OPEN_MAX + 1); /* the places are used again */
    pair_run(p, HALF_OPEN_US + S, -1, -1);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
    assert_int_equal(p->ep[1]->peers.used, 0);
    pair_free(p);
}

/* Somebody asks again and again before it is confirmed: one entry, one half-open session. */
static void a_stranger_who_asks_again_counts_once(void **state) {
    (void)state;
    struct pair *p = pair_new(13);
    struct sniffed f;
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
    pair_know(p, 0, &ticket_a, true);
    for (int i = 0; i < 5; i++) {
        listen_in(p, &f);
        f.drop_data = true;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 100 * MS, -1, -1);
        assert_int_equal(endpoint_half_open_count(p->ep[1]), 1);
        assert_int_equal(p->ep[1]->peers.used, 1);
        pair_restart(p, 0);
        pair_know(p, 0, &ticket_a, true);
    }
    p->tap = NULL;
    assert_true(comes_up(p, 0));
    assert_int_equal(endpoint_half_open_count(p->ep[1]), 0);
    assert_int_equal(p->ep[1]->peers.used, 1);
    pair_free(p);
}

static void our_own_dials_take_no_strangers_place(void **state) {
    (void)state;
    struct pair *p = pair_new(14);
    pair_start(p, 0);
    for (int i = 0; i < HALF_OPEN_MAX; i++) {
        struct identity id;
        struct peer_ref r;
        identity_generate(&id, &p->rng);
        struct peer_setup s = {
            .id = id.id, .transport = id.transport_public, .addrs = {elsewhere}, .addr_count = 1};
        assert_int_equal(endpoint_peer_add(p->ep[1], &s, &r), 0);
        assert_int_equal(endpoint_connect(p->ep[1], p->now_us, r), 0);
    }
    struct train t = {.buf = out_bytes};
    while (endpoint_output(p->ep[1], p->now_us, &t)) {
        /* To nobody. */
    }
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
    pair_know(p, 0, &ticket_a, true);
    assert_true(comes_up(p, 0));
    pair_free(p);
}

/* Who holds one ticket, or sits at one address, takes no place from another. */
static void the_largest_share_gives_way(void **state) {
    (void)state;
    /* Another ticket; another address; the same of both; another ticket against many addresses. */
    for (int way = 0; way < 4; way++) {
        struct pair *p = pair_new(15);
        struct sniffed f;
        pair_start(p, 0);
        assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
        assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_b, TIME_NEVER), 0);
        const struct psk *mine = way == 0 || way == 3 ? &ticket_b : &ticket_a;
        const struct addr *theirs = way == 1 ? &elsewhere : way == 3 ? NULL : &p->addr[0];
        pair_know(p, 0, mine, true);
        knock_often(p, HALF_OPEN_MAX, &ticket_a, theirs);
        listen_in(p, &f);
        f.drop_data = true;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 50 * MS, -1, -1);
        knock_often(p, HALF_OPEN_MAX + 10, &ticket_a, theirs);
        assert_true(endpoint_half_open_count(p->ep[1]) <= HALF_OPEN_MAX);
        f.drop_data = false;
        pair_run(p, 2 * S, -1, -1);
        assert_int_equal(pair_count(p, 1, EP_PAIRED), way != 2);
        pair_free(p);
    }
}

/* What one takes who asks: the least of ten times. */
static clock_t cost_of_ten(struct pair *p, unsigned tens) {
    clock_t least = 0;
    for (unsigned i = 0; i < tens; i++) {
        const clock_t from = clock();
        knock_often(p, 10, &ticket_a, NULL);
        const clock_t took = clock() - from;
        least = i == 0 || took < least ? took : least;
    }
    return least;
}

/* The budget of handshakes (limits.h) reckons with what one costs, however many are half-open. */
static void who_pays_is_found_without_looking_at_all_pairs(void **state) {
    (void)state;
    struct pair *p = pair_new(17);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
    const clock_t room = cost_of_ten(p, 20);
    knock_often(p, HALF_OPEN_MAX, &ticket_a, NULL);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), HALF_OPEN_MAX);
    assert_true(cost_of_ten(p, 20) < room + room / 2);
    pair_free(p);
}

/* The user adds the one who is about to come in: no stranger any more, and no one's to push out. */
static void a_stranger_who_is_added_is_none(void **state) {
    (void)state;
    struct pair *p = pair_new(16);
    struct sniffed f;
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket_a, TIME_NEVER), 0);
    pair_know(p, 0, &ticket_a, true);
    listen_in(p, &f);
    f.drop_data = true;
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
    pair_run(p, 50 * MS, -1, -1);
    pair_know(p, 1, &ticket_a, true);
    knock_often(p, HALF_OPEN_MAX + 10, &ticket_a, &p->addr[0]);
    assert_int_equal(endpoint_half_open_count(p->ep[1]), HALF_OPEN_MAX + 1);
    f.drop_data = false;
    pair_run(p, 2 * S, -1, -1);
    assert_int_equal(pair_count(p, 1, EP_PAIRED), 1);
    pair_free(p);
}

/* ---- who opens at the same moment ---- */

static bool drop_data(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    (void)len;
    return from != 0 || data[0] != PACKET_DATA;
}

/* Ours has been answered, but the other side cannot know yet that we know, and opens as well. */
static void an_open_that_crosses_an_answer_makes_no_second_session(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct pair *p = pair_known(seed, 0);
        p->tap = drop_data;
        assert_int_equal(endpoint_connect(p->ep[0], p->now_us, p->peer[0]), 0);
        pair_run(p, 11 * MS, -1, -1);
        assert_int_equal(endpoint_connect(p->ep[1], p->now_us, p->peer[1]), 0);
        pair_run(p, 150 * MS, -1, -1);
        p->tap = NULL;
        pair_run(p, 3 * S, -1, -1);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(pair_count(p, i, EP_SESSION_UP), 1);
            assert_int_equal(pair_count(p, i, EP_SESSION_DOWN), 0);
        }
        pair_free(p);
    }
}

static bool lose_some(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)from;
    (void)data;
    (void)len;
    return pair_draw(p) % 100 >= 40;
}

static void opens_that_cross_in_any_way_end_in_one_session(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct pair *p = pair_known(seed, 0);
        p->jitter_us = 30 * MS;
        p->tap = lose_some;
        int first = (int)(seed & 1);
        assert_int_equal(endpoint_connect(p->ep[first], p->now_us, p->peer[first]), 0);
        pair_run(p, pair_draw(p) % (1500 * MS), -1, -1);
        assert_int_equal(endpoint_connect(p->ep[!first], p->now_us, p->peer[!first]), 0);
        pair_run(p, 6 * S, -1, -1);
        p->tap = NULL;
        pair_run(p, 6 * S, -1, -1);
        struct session_info info[2];
        struct session_ref s[2];
        for (int i = 0; i < 2; i++) {
            assert_true(endpoint_session(p->ep[i], p->peer[i], &s[i]));
            assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info[i]));
        }
        assert_true(info[0].session_id == info[1].session_id);
        for (int i = 0; i < 2; i++)
            assert_int_equal(session_ping(p->ep[i], p->now_us, s[i], 5), 0);
        pair_run(p, S, -1, -1);
        for (int i = 0; i < 2; i++)
            assert_int_equal(pair_count(p, i, EP_PONG), 1);
        pair_free(p);
    }
}

/* Both were silent to each other for so long that neither insists any more. */
static void opens_that_cross_late_end_in_one_session(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        for (uint64_t cut_us = 1000 * MS; cut_us < 3000 * MS; cut_us += 97 * MS) {
            struct pair *p = pair_known(seed, 0);
            p->cut = true;
            for (int i = 0; i < 2; i++)
                assert_int_equal(endpoint_connect(p->ep[i], p->now_us, p->peer[i]), 0);
            pair_run(p, cut_us, -1, -1);
            p->cut = false;
            pair_run(p, 3 * S, -1, -1);
            struct session_info info[2];
            struct session_ref s[2];
            for (int i = 0; i < 2; i++) {
                assert_true(endpoint_session(p->ep[i], p->peer[i], &s[i]));
                assert_true(endpoint_session_info(p->ep[i], p->now_us, s[i], &info[i]));
            }
            assert_true(info[0].session_id == info[1].session_id);
            pair_free(p);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_leave_nothing_behind),
        cmocka_unit_test(a_stranger_who_asks_again_counts_once),
        cmocka_unit_test(our_own_dials_take_no_strangers_place),
        cmocka_unit_test(the_largest_share_gives_way),
        cmocka_unit_test(who_pays_is_found_without_looking_at_all_pairs),
        cmocka_unit_test(a_stranger_who_is_added_is_none),
        cmocka_unit_test(an_open_that_crosses_an_answer_makes_no_second_session),
        cmocka_unit_test(opens_that_cross_in_any_way_end_in_one_session),
        cmocka_unit_test(opens_that_cross_late_end_in_one_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
