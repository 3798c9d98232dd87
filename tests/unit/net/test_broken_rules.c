/* Whoever has the keys and breaks a rule of docs/PROTOCOL.md: the session ends with error 16, or
 * the datagram is dropped in silence where it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "net/endpoint_int.h"
#include "net/wire/frame.h"
#include "support_forge.h"
#include "support_pair.h"

enum { MS = 1000, S = 1000000 };

static const struct addr elsewhere = {.kind = ADDR_IPV4, .port = 6, .ip = {9, 9, 9, 9}};
static const struct addr nearby = {.kind = ADDR_IPV4, .port = 6, .ip = {9, 9, 9, 8}};

struct fixture {
    struct pair *p;
    struct session_ref s[2];
    struct session *ours;
};

static void meet(struct fixture *f, uint64_t seed) {
    f->p = pair_new(seed);
    pair_start(f->p, 0);
    pair_know(f->p, 0, NULL, false);
    pair_know(f->p, 1, NULL, false);
    pair_connect(f->p, f->s);
    pair_run(f->p, S, -1, -1);
    f->ours = endpoint_find(f->p->ep[0], f->s[0]);
    assert_non_null(f->ours);
}

/* ---- frames ---- */

/* Side 0 has opened the session: its streams are 0, 2, ... */
static const struct {
    uint8_t bytes[32];
    size_t len;
    bool ends;
} frames[] = {
    {{0x0a, 0, 1, 'x'}, 4, false},      /* stream 0 */
    {{0x0a, 1, 1, 'x'}, 4, true},       /* one of side 1's that it has not opened */
    {{0x0a, 0x60, 0, 1, 'x'}, 5, true}, /* one more than 4,096 */
    {{0x0e, 0, 0x80, 0x07, 0xff, 0xff, 1, 'x'}, 8, false}, /* the last byte of the first credit */
    {{0x0e, 0, 0x80, 0x08, 0, 0, 1, 'x'}, 8, true},        /* one beyond it */
    {{0x0e, 0, 0x80, 0x07, 0xff, 0xff, 1, 'x', /* two streams to their end: all there is */
      0x0e, 2, 0x80, 0x07, 0xff, 0xff, 1, 'x'},
     16,
     false},
    {{0x0e, 0, 0x80, 0x07, 0xff, 0xff, 1, 'x', /* and a byte of a third */
      0x0e, 2, 0x80, 0x07, 0xff, 0xff, 1, 'x', 0x0a, 4, 1, 'x'},
     20,
     true},
    {{0x04, 0, 1, 0x80, 0x08, 0, 0}, 7, false}, /* RESET: its final size is credit, too */
    {{0x04, 0, 1, 0x80, 0x08, 0, 1}, 7, true},
    {{0x0e, 0,    0x80, 0x07, 0xff, 0xff, 1,    'x', 0x0e, 2,
      0x80, 0x07, 0xff, 0xff, 1,    'x',  0x04, 4,   1,    1},
     20,
     true},
    {{0x0b, 0, 1, 'x', 0x0b, 0, 1, 'x'}, 8, false},     /* the same end twice */
    {{0x0b, 0, 1, 'x', 0x0e, 0, 1, 1, 'x'}, 9, true},   /* a byte after the end */
    {{0x0b, 0, 2, 'x', 'y', 0x0b, 0, 1, 'x'}, 9, true}, /* another end */
    {{0x0b, 0, 1, 'x', 0x04, 0, 1, 2}, 8, true},        /* and a RESET with another one */
    {{0x0e, 0, 2, 1, 'x', 0x04, 0, 1, 1}, 9, true},     /* or before what has come */
    {{0x05, 1, 1}, 3, true},                            /* STOP of what is not there */
    {{0x11, 1, 9}, 3, true},
};

static void a_rule_that_is_broken_ends_the_session(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct fixture f;
        meet(&f, 10 + i);
        endpoint_send_frames(f.p->ep[0], f.ours, f.p->now_us, frames[i].bytes, frames[i].len);
        pair_run(f.p, 300 * MS, -1, -1);
        const struct ep_event *down = pair_event(f.p, 1, EP_SESSION_DOWN);
        if ((down != NULL) != frames[i].ends)
            fail_msg("frames %u: %s", i, down ? "ended" : "went on");
        if (down) {
            assert_int_equal(down->err, ERR_PROTO);
            assert_int_equal(pair_event(f.p, 0, EP_SESSION_DOWN)->err, ERR_PROTO);
        }
        pair_free(f.p);
    }
}

static void a_close_says_why_and_a_number_of_tomorrow_counts_as_failed(void **state) {
    (void)state;
    static const struct {
        uint8_t number;
        int err;
    } closes[] = {{7, ERR_UNKNOWN}, {27, ERR_UNKNOWN}, {60, ERR_FAILED}};
    for (unsigned i = 0; i < 3; i++) {
        struct fixture f;
        meet(&f, 50 + i);
        const uint8_t frame[] = {FRAME_CLOSE, closes[i].number};
        endpoint_send_frames(f.p->ep[0], f.ours, f.p->now_us, frame, sizeof frame);
        f.p->sent_bytes[1] = 0;
        pair_run(f.p, 300 * MS, -1, -1);
        assert_int_equal(pair_event(f.p, 1, EP_SESSION_DOWN)->err, closes[i].err);
        assert_int_equal(f.p->sent_bytes[1], 0); /* without an answer */
        pair_free(f.p);
    }
}

/* ---- reserved bytes ---- */

static size_t seal(struct fixture *f, unsigned reserved, uint8_t *buf) {
    const struct keygen *g = &f->ours->keys.current;
    const uint64_t counter = f->ours->send_counter++;
    static const uint8_t echo[9] = {FRAME_ECHO, 1};
    buf[0] = PACKET_DATA;
    buf[1] = g->epoch;
    store_le16(buf + 2, (uint16_t)reserved);
    store_le32(buf + 4, f->ours->remote_index);
    store_le64(buf + 8, counter);
    memcpy(buf + DATA_HEADER_BYTES, echo, sizeof echo);
    aead_seal(f->p->ep[0]->aead, g->suite, &g->send, g->send_id, counter, buf, DATA_HEADER_BYTES,
              buf + DATA_HEADER_BYTES, sizeof echo);
    return sizeof echo + DATA_OVERHEAD_BYTES;
}

static void reserved_bytes_of_data_are_checked(void **state) {
    (void)state;
    static const unsigned values[] = {1, 0x100, 0xffff, 0};
    struct fixture f;
    uint8_t buf[64];
    meet(&f, 60);
    for (unsigned i = 0; i < 4; i++) {
        const size_t len = seal(&f, values[i], buf);
        pair_inject(f.p, 1, &f.p->addr[0], buf, len);
        pair_run(f.p, 300 * MS, -1, -1);
        assert_int_equal(pair_count(f.p, 0, EP_PONG), values[i] == 0);
    }
    assert_int_equal(endpoint_session_count(f.p->ep[1]), 1);
    pair_free(f.p);
}

/* ---- where answers leave ---- */

static unsigned from_five;

static bool leaves_from_five(struct pair *p, int from, const struct train *t) {
    (void)p;
    if (from == 1) {
        assert_int_equal(t->to.udp.local, 5);
        from_five++;
    }
    return true;
}

/* From the address that was asked, whatever it is: the answer to the INITIATION, and all that
 * follows. */
static void a_session_stays_at_the_address_that_was_asked(void **state) {
    (void)state;
    struct pair *p = pair_new(61);
    struct session_ref s[2];
    uint64_t id;
    size_t taken;
    pair_start(p, 0);
    pair_know(p, 0, NULL, false);
    pair_know(p, 1, NULL, false);
    p->local[1] = 5;
    p->route = leaves_from_five;
    from_five = 0;
    pair_connect(p, s);
    assert_int_equal(session_ping(p->ep[1], p->now_us, s[1], 1), 0);
    assert_int_equal(stream_open(p->ep[1], s[1], &id), 0);
    assert_int_equal(stream_write(p->ep[1], s[1], id, "hello", 5, &taken), 0);
    pair_run(p, S, -1, -1);
    assert_true(from_five >= 3);
    assert_int_equal(pair_count(p, 1, EP_PONG), 1);
    pair_free(p);
}

/* ---- at the door ---- */

static const struct psk ticket = {{1, 2, 3}};

/* One that side 1 has a ticket of. */
static void knock_bytes(struct pair *p, struct noise *n, uint8_t msg[static INITIATION_BYTES]) {
    const struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                        .suites = (uint8_t)p->ep[0]->suites,
                                        .timestamp_us = p->now_us + 1,
                                        .session_id = 7,
                                        .psk_id = psk_id(&ticket),
                                        .cert = p->ep[0]->cert};
    assert_true(
        forge_initiation(n, &p->ep[0]->self, &p->rng, &p->id[1].transport_public, &f, 9, msg));
}

static struct pair *door(uint64_t seed) {
    struct pair *p = pair_new(seed);
    pair_start(p, 0);
    assert_int_equal(endpoint_ticket_open(p->ep[1], &ticket, UINT64_MAX), 0);
    return p;
}

/* What side 1 sends to it: the type of the last packet, 0: nothing. */
static int knock(struct pair *p, const struct addr *from, const uint8_t *msg, uint8_t *answer) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    uint8_t copy[INITIATION_BYTES];
    struct train t = {.buf = buf};
    int type = 0;
    memcpy(copy, msg, sizeof copy);
    endpoint_input(p->ep[1], p->now_us, AT_SOCKET(from, 3), ECN_NOT_ECT, copy, sizeof copy);
    while (endpoint_output(p->ep[1], p->now_us, &t)) {
        type = t.buf[0];
        assert_true(hop_is_to(&t.to, from));
        assert_int_equal(t.to.udp.local, 3); /* where it came to */
        if (answer && t.len <= RESPONSE_BYTES)
            memcpy(answer, t.buf, t.len);
    }
    return type;
}

static void reserved_bytes_of_an_initiation_are_checked(void **state) {
    (void)state;
    struct pair *p = door(70);
    struct noise n;
    uint8_t msg[INITIATION_BYTES];
    knock_bytes(p, &n, msg);
    for (unsigned at = 1; at <= 4; at++) {
        uint8_t bad[INITIATION_BYTES];
        memcpy(bad, msg, sizeof bad);
        if (at < 4) /* the last one is as it should be */
            bad[at] = 1;
        cookie_mac1(&p->id[1].transport_public, bad, INITIATION_BYTES - 2 * MAC_BYTES,
                    bad + INITIATION_BYTES - 2 * MAC_BYTES);
        assert_int_equal(knock(p, &elsewhere, bad, NULL), at < 4 ? 0 : PACKET_RESPONSE);
    }
    noise_clear(&n);
    pair_free(p);
}

/* A cookie is good for the address that got it, and for no other. */
static void a_cookie_proves_one_address(void **state) {
    (void)state;
    struct pair *p = door(71);
    struct noise n;
    uint8_t msg[INITIATION_BYTES], retry[RESPONSE_BYTES], cookie[COOKIE_BYTES], challenge[16];
    knock_bytes(p, &n, msg);
    p->now_us += 2 * S - p->now_us % S; /* a second begins */
    for (unsigned i = 0; i < HANDSHAKE_LOAD_PER_S; i++)
        (void)knock(p, &elsewhere, msg, NULL);
    assert_int_equal(knock(p, &elsewhere, msg, retry), PACKET_RETRY);
    assert_true(cookie_unseal(&p->id[1].transport_public, retry + 8,
                              msg + INITIATION_BYTES - 2 * MAC_BYTES,
                              retry + 8 + COOKIE_NONCE_BYTES, cookie, challenge));
    handshake_set_mac2(msg, sizeof msg, cookie);
    assert_int_equal(knock(p, &nearby, msg, NULL), PACKET_RETRY);
    assert_int_equal(knock(p, &elsewhere, msg, NULL), PACKET_RESPONSE);
    noise_clear(&n);
    pair_free(p);
}

/* Whoever has the transport key that was dialled, but a certificate of another identity, is not who
 * was dialled. */
static void a_certificate_of_somebody_else_is_not_the_peers(void **state) {
    (void)state;
    struct pair *p = pair_new(72);
    struct identity other;
    struct peer_ref ref;
    pair_start(p, 0);
    pair_know(p, 1, NULL, false);
    identity_generate(&other, &p->rng);
    struct peer_setup s = {.id = other.id,
                           .transport = p->id[1].transport_public,
                           .addrs = {p->addr[1]},
                           .addr_count = 1};
    assert_int_equal(endpoint_peer_add(p->ep[0], &s, &ref), 0);
    assert_int_equal(endpoint_connect(p->ep[0], p->now_us, ref), 0);
    pair_run(p, 9 * S, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_SESSION_UP), 0);
    const struct ep_event *e = pair_event(p, 0, EP_CONNECT_FAILED);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_AUTH);
    pair_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_is_broken_ends_the_session),
        cmocka_unit_test(a_close_says_why_and_a_number_of_tomorrow_counts_as_failed),
        cmocka_unit_test(reserved_bytes_of_data_are_checked),
        cmocka_unit_test(a_session_stays_at_the_address_that_was_asked),
        cmocka_unit_test(reserved_bytes_of_an_initiation_are_checked),
        cmocka_unit_test(a_cookie_proves_one_address),
        cmocka_unit_test(a_certificate_of_somebody_else_is_not_the_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
