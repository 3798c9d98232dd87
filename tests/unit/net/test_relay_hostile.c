/* What third parties, guests and relays themselves can do to those who use a relay, and to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/relay/relay_limits.h"
#include "net/wire/frame.h"
#include "support_trio.h"

enum { S = 1000000, MS = 1000 };

static const struct addr elsewhere = {.kind = ADDR_IPV4, .port = 9, .ip = {203, 0, 113, 9}};

/* A and B, guests of R, with a session through it; X is there, too. */
static struct trio *talking(const char *name, uint64_t number) {
    struct trio *t = trio_new(name, number, 5);
    trio_talk_by_relay(t);
    trio_run(t, 5 * S, 0, -1);
    return t;
}

static struct relay_counters counters_of(const struct trio *t, unsigned i) {
    struct relay_stats s;
    assert_true(endpoint_relay_stats(t->ep[i], &s));
    return s.counters;
}

/* Keeps what passes between A or B and the relay. */
struct heard {
    uint8_t type;
    unsigned from, count;
    uint8_t data[2048];
    size_t len;
};

static bool keep(struct trio *t, unsigned from, unsigned to, uint8_t *data, size_t len) {
    struct heard *h = t->ctx;
    (void)to;
    if (data[0] == h->type && from == h->from && len <= sizeof h->data) {
        memcpy(h->data, data, len);
        h->len = len;
        h->count++;
    }
    return true;
}

static void ping(struct trio *t, unsigned i, unsigned k) {
    struct session_ref s;
    assert_true(endpoint_session(t->ep[i], t->peer[i][k], &s));
    const unsigned before = trio_count(t, i, EP_PONG);
    assert_int_equal(session_ping(t->ep[i], t->now_us, s, 77), 0);
    trio_run(t, S, 0, -1);
    assert_int_equal(trio_count(t, i, EP_PONG), before + 1);
}

/* Somebody who sees all that passes sends it again, changed or not, from another address. */
static void what_is_forwarded_comes_from_where_its_client_is(void **state) {
    (void)state;
    struct trio *t = talking("copied", 1);
    struct heard h = {.type = PACKET_FORWARD, .from = A};
    t->tap = keep;
    t->ctx = &h;
    ping(t, A, B);
    assert_true(h.count > 0);
    const struct relay_counters before = counters_of(t, R);
    const uint64_t sent = t->sent_pkts[R];
    for (unsigned n = 0; n < 100; n++) {
        h.data[n % 2 ? h.len - 1 : FORWARD_HEADER_BYTES + 9] ^= (uint8_t)n;
        trio_inject(t, R, n % 3 ? &elsewhere : &t->addr[X], h.data, h.len);
        trio_run(t, MS, 0, -1);
    }
    const struct relay_counters after = counters_of(t, R);
    assert_int_equal(after.wrong_source, before.wrong_source + 100);
    assert_int_equal(after.forwarded_pkts, before.forwarded_pkts);
    assert_int_equal(t->sent_pkts[R], sent);
    ping(t, A, B);
    trio_free(t);
}

/* The same with what the relay sends, and from the relay's address with guessed numbers. */
static void what_was_forwarded_comes_from_the_relay_by_a_flow_that_is_held(void **state) {
    (void)state;
    struct trio *t = talking("forged", 1);
    struct heard h = {.type = PACKET_FORWARDED, .from = R};
    t->tap = keep;
    t->ctx = &h;
    ping(t, A, B); /* the last one goes to A: it is the answer */
    assert_true(h.count > 1);
    const struct endpoint_counters *c = endpoint_counters(t->ep[A]);
    uint64_t refused = c->relayed_refused;
    for (unsigned n = 0; n < 50; n++)
        trio_inject(t, A, n % 2 ? &elsewhere : &t->addr[B], h.data, h.len);
    trio_run(t, MS, 0, -1);
    assert_int_equal(c->relayed_refused, refused + 50);
    refused = c->relayed_refused;
    const uint64_t in = c->data_accepted;
    for (unsigned n = 0; n < 1000; n++) {
        uint8_t guess[2048];
        memcpy(guess, h.data, h.len);
        store_le32(guess + 4, (uint32_t)trio_draw(t) | 1);
        trio_inject(t, A, &t->addr[R], guess, h.len);
        trio_run(t, 10, 0, -1);
    }
    assert_int_equal(c->relayed_refused, refused + 1000);
    assert_int_equal(c->data_accepted, in);
    /* On the path somebody knows the number; what is in it is sealed all the same. */
    const uint64_t replayed = c->replay_dropped, auth = c->auth_fail;
    trio_inject(t, A, &t->addr[R], h.data, h.len);
    h.data[h.len - 1] ^= 1;
    h.data[FORWARD_HEADER_BYTES + 8] ^= 0x80; /* another counter */
    trio_inject(t, A, &t->addr[R], h.data, h.len);
    trio_run(t, MS, 0, -1);
    assert_int_equal(c->replay_dropped, replayed + 1);
    assert_int_equal(c->auth_fail, auth + 1);
    ping(t, A, B);
    trio_free(t);
}

/* Of each type, of all sizes, right but for one thing or not at all: counted, and nothing leaves
 * that is larger. */
static void garbage_is_counted_and_costs_nothing(void **state) {
    (void)state;
    struct trio *t = talking("garbage", 1);
    uint8_t buf[1500];
    uint64_t in_bytes = 0;
    const uint64_t out = t->sent_bytes[A] + t->sent_bytes[R];
    for (unsigned n = 0; n < 20000; n++) {
        const size_t len = 1 + trio_draw(t) % (n % 4 ? 200 : sizeof buf);
        for (size_t i = 0; i < len; i++)
            buf[i] = (uint8_t)(trio_draw(t) >> 32);
        buf[0] = (uint8_t)(PACKET_FORWARD + n % 5);
        if (n % 2)
            memset(buf + 1, 0, len > 4 ? 3 : len - 1);
        trio_inject(t, n % 3 ? R : A, n % 2 ? &elsewhere : &t->addr[n % 3 ? A : R], buf, len);
        in_bytes += len;
        if (n % 100 == 0)
            trio_run(t, 100, 0, -1);
    }
    trio_run(t, 100 * MS, 0, -1);
    assert_true(t->sent_bytes[A] + t->sent_bytes[R] - out < in_bytes / 100);
    ping(t, A, B);
    ping(t, B, A);
    assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
    trio_free(t);
}

/* ---- guests ---- */

static void frames_of_guest(struct trio *t, unsigned i, const void *frames, size_t len) {
    uint8_t buf[256];
    struct session *s = trio_session(t, i, R);
    memcpy(buf + DATA_HEADER_BYTES, frames, len);
    const size_t n = session_seal(s, t->ep[i]->aead, s->send_counter++, buf, len);
    trio_inject(t, R, &t->addr[i], buf, n);
    trio_run(t, 100 * MS, 0, -1);
}

static void a_guest_that_does_more_than_a_guest_may_is_thrown_out(void **state) {
    (void)state;
    static const uint8_t frames[][8] = {
        {FRAME_STREAM | STREAM_LEN, 0, 1, 'x'},
        {FRAME_PING},
        {FRAME_DATAGRAM, 1, 'x'},
        {FRAME_RECORD, 2, RECORD_KIND_RELAY + 1, 'x'},
        {FRAME_RECORD, 0},
        {FRAME_MAX_DATA, 1},
        {FRAME_LATER_TRANSPORT, 0},
        {FRAME_ACK, 0, 0, 0, 0},
    };
    static const size_t lens[] = {4, 1, 3, 4, 2, 2, 2, 5};
    for (unsigned n = 0; n < sizeof lens / sizeof lens[0]; n++) {
        struct trio *t = talking("guest", n);
        assert_true(trio_told(t, R, EP_SESSION_UP).guest);
        frames_of_guest(t, A, frames[n], lens[n]);
        assert_int_equal(endpoint_counters(t->ep[R])->guests_ended, 1);
        assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 1); /* it hears why */
        assert_int_equal(trio_told(t, A, EP_SESSION_DOWN).err, ERR_PROTO);
        assert_int_equal(trio_count(t, B, EP_RELAY_ENDED), 1); /* and B that its flow has gone */
        assert_int_equal(trio_count(t, R, EP_STREAM_OPENED) + trio_count(t, R, EP_DATAGRAM) +
                             trio_count(t, R, EP_RECORD),
                         0);
        assert_null(peers_by_id(&t->ep[R]->peers, &t->id[A].id)); /* nothing is left of it */
        assert_int_equal(t->ep[R]->guests.count, 1);
        trio_free(t);
    }
}

static void what_a_guest_may_does_not_end_it(void **state) {
    (void)state;
    static const uint8_t frames[][12] = {
        {FRAME_ECHO, 1, 2, 3, 4, 5, 6, 7, 8},
        {FRAME_CONFIRM},
        {FRAME_PATH_CHALLENGE, 1, 2, 3, 4, 5, 6, 7, 8},
        {FRAME_RECORD, 2, RECORD_KIND_RELAY, 0x7f}, /* one of a later version */
        {FRAME_LATER_SESSION, 1, 0},
        {FRAME_PADDING},
    };
    static const size_t lens[] = {9, 1, 9, 4, 3, 1};
    struct trio *t = talking("may", 1);
    for (unsigned n = 0; n < sizeof lens / sizeof lens[0]; n++)
        frames_of_guest(t, A, frames[n], lens[n]);
    assert_true(trio_has_session(t, A, R));
    assert_int_equal(endpoint_counters(t->ep[R])->guests_ended, 0);
    ping(t, A, B);
    trio_free(t);
}

static void only_who_serves_has_guests(void **state) {
    (void)state;
    struct trio *t = trio_new("door", 1, 3);
    trio_know(t, A, R, true, NULL, false, PATH_AUTO);
    assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][R]), 0);
    assert_true(trio_run(t, 9 * S, A, EP_CONNECT_FAILED));
    assert_int_equal(trio_told(t, A, EP_CONNECT_FAILED).err, ERR_UNKNOWN);
    trio_serve(t, R);
    trio_use_relay(t, A, R);
    /* A secret that is not known opens nothing, then neither. */
    struct psk secret;
    memset(&secret, 3, sizeof secret);
    trio_know(t, B, R, true, &secret, false, PATH_AUTO);
    assert_int_equal(endpoint_connect(t->ep[B], t->now_us, t->peer[B][R]), 0);
    assert_true(trio_run(t, 9 * S, B, EP_CONNECT_FAILED));
    assert_int_equal(trio_told(t, B, EP_CONNECT_FAILED).err, ERR_UNKNOWN);
    /* And when it serves no more, they go at once; and a client that is named hears. */
    trio_know(t, R, B, true, NULL, false, PATH_AUTO);
    trio_use_relay(t, B, R);
    assert_int_equal(endpoint_relay_serve(t->ep[R], NULL, t->now_us), 0);
    assert_true(trio_run(t, S, A, EP_SESSION_DOWN));
    trio_run(t, S, 0, -1);
    assert_int_equal(trio_count(t, B, EP_RELAY_RESTARTING), RELAY_RESTARTING_TRIES);
    assert_true(trio_has_session(t, B, R));
    assert_int_equal(t->ep[R]->guests.count, 0);
    assert_int_equal(endpoint_session_count(t->ep[R]), 1);
    trio_free(t);
}

static void a_guest_with_nothing_here_goes(void **state) {
    (void)state;
    struct trio *t = trio_new("idle", 1, 3);
    trio_serve(t, R);
    trio_know(t, A, R, true, NULL, false, PATH_AUTO);
    trio_connect(t, A, R);
    trio_use_relay(t, B, R);
    assert_int_equal(endpoint_keepalive(t->ep[A], t->now_us, t->peer[A][R], 5 * S), 0);
    trio_run(t, 25 * S, 0, -1);
    assert_true(trio_has_session(t, A, R));
    trio_run(t, 10 * S, 0, -1);
    assert_false(trio_has_session(t, A, R)); /* whatever it does to stay */
    assert_true(trio_has_session(t, B, R));
    assert_int_equal(t->ep[R]->guests.count, 1);
    trio_free(t);
}

/* As many as GUESTS_SOURCE_MAX of one address; the next hears that it is full, and whoever comes
 * from another gets in. */
static void one_source_has_few_of_the_places(void **state) {
    (void)state;
    struct trio *t = trio_new("crowd", 1, 4);
    trio_serve(t, R);
    const uint64_t source = hop_source(AT(&t->addr[A]));
    for (unsigned n = 0; n < GUESTS_SOURCE_MAX; n++)
        assert_true(guests_add(&t->ep[R]->guests, source));
    trio_know(t, A, R, true, NULL, false, PATH_AUTO);
    assert_int_equal(endpoint_connect(t->ep[A], t->now_us, t->peer[A][R]), 0);
    assert_true(trio_run(t, 9 * S, A, EP_CONNECT_FAILED));
    assert_int_equal(trio_told(t, A, EP_CONNECT_FAILED).err, ERR_FULL);
    assert_int_equal(endpoint_counters(t->ep[R])->guests_refused, 1);
    trio_use_relay(t, B, R);
    guests_remove(&t->ep[R]->guests, source);
    trio_use_relay(t, A, R);
    trio_free(t);
}

struct victim {
    uint64_t from_bytes, to_bytes;
};

/* X calls from a victim's address, and with the same bytes from its own. */
static bool from_two_places(struct trio *t, unsigned from, unsigned to, uint8_t *data, size_t len) {
    struct victim *v = t->ctx;
    if (from == X && to == R && data[0] == PACKET_INITIATION) {
        trio_inject(t, R, &elsewhere, data, len); /* comes first */
        v->from_bytes += len;
    }
    v->to_bytes += from == R && to == TRIO_MAX ? len : 0;
    return true;
}

/* Where a client is must be known before anything is forwarded to it. */
static void nothing_is_forwarded_to_where_a_client_only_seems_to_be(void **state) {
    (void)state;
    struct trio *t = talking("victim", 1);
    struct victim v = {0};
    t->tap = from_two_places;
    t->ctx = &v;
    trio_know(t, X, R, true, NULL, false, PATH_AUTO);
    assert_int_equal(endpoint_connect(t->ep[X], t->now_us, t->peer[X][R]), 0);
    assert_true(trio_run(t, S, X, EP_SESSION_UP));
    const uint64_t passed_over = endpoint_counters(t->ep[R])->relay_records_bad;
    assert_int_equal(relay_reserve(t->ep[X], t->now_us, t->peer[X][R]), 0);
    assert_true(trio_run(t, 5 * S, X, EP_RELAY_RESERVED)); /* once it has answered */
    assert_true(endpoint_counters(t->ep[R])->relay_records_bad > passed_over);
    assert_true(v.to_bytes > 0 && v.to_bytes <= 3 * v.from_bytes);
    trio_run(t, 10 * S, 0, -1);
    assert_true(v.to_bytes <= 3 * v.from_bytes);
    trio_free(t);
}

static void a_guest_that_is_named_is_a_peer_like_others(void **state) {
    (void)state;
    struct trio *t = talking("named", 1);
    trio_know(t, R, A, true, NULL, false, PATH_AUTO);
    assert_true(trio_has_session(t, R, A));
    assert_int_equal(t->ep[R]->guests.count, 1);
    trio_transfer(t, A, R, 100000, 10 * S);
    assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
    ping(t, A, B); /* what it has here stays */
    /* It shows a ticket while it is a guest. */
    struct psk secret;
    memset(&secret, 5, sizeof secret);
    assert_int_equal(endpoint_ticket_open(t->ep[R], &secret, t->now_us + 60 * S), 0);
    struct session_ref s;
    assert_true(endpoint_session(t->ep[B], t->peer[B][R], &s));
    endpoint_disconnect(t->ep[B], t->now_us, s, ERR_CLOSED);
    trio_run(t, S, 0, -1);
    trio_know(t, B, R, true, &secret, true, PATH_AUTO);
    trio_connect(t, B, R);
    assert_int_equal(trio_count(t, R, EP_PAIRED), 1);
    assert_int_equal(t->ep[R]->guests.count, 0);
    trio_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_forwarded_comes_from_where_its_client_is),
        cmocka_unit_test(what_was_forwarded_comes_from_the_relay_by_a_flow_that_is_held),
        cmocka_unit_test(garbage_is_counted_and_costs_nothing),
        cmocka_unit_test(a_guest_that_does_more_than_a_guest_may_is_thrown_out),
        cmocka_unit_test(what_a_guest_may_does_not_end_it),
        cmocka_unit_test(only_who_serves_has_guests),
        cmocka_unit_test(a_guest_with_nothing_here_goes),
        cmocka_unit_test(one_source_has_few_of_the_places),
        cmocka_unit_test(nothing_is_forwarded_to_where_a_client_only_seems_to_be),
        cmocka_unit_test(a_guest_that_is_named_is_a_peer_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
