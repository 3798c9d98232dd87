/* Two nodes that reach each other only through a relay: they pair, talk, and hear when it is no
 * good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/relay/relay_limits.h"
#include "support_trio.h"

enum { S = 1000000, MS = 1000 };

static struct psk secret_of(uint8_t b) {
    struct psk s;
    memset(&s, b, sizeof s);
    return s;
}

/* A and B are guests of R and cannot reach each other. */
static struct trio *behind_relay(const char *name, uint64_t number) {
    struct trio *t = trio_new(name, number, 3);
    t->cut[A][B] = t->cut[B][A] = true;
    trio_serve(t, R);
    trio_use_relay(t, A, R);
    trio_use_relay(t, B, R);
    return t;
}

/* And are contacts, with a session through it. */
static struct trio *talking(const char *name, uint64_t number) {
    struct trio *t = behind_relay(name, number);
    trio_know(t, A, B, true, NULL, false, PATH_AUTO);
    trio_know(t, B, A, true, NULL, false, PATH_AUTO);
    trio_flow(t, A, R, B);
    trio_connect(t, A, B);
    return t;
}

static void two_that_cannot_reach_each_other_pair_by_ticket_through_a_relay(void **state) {
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        struct trio *t = behind_relay("pair", n);
        const struct psk secret = secret_of(7);
        assert_int_equal(endpoint_ticket_open(t->ep[B], &secret, t->now_us + 60 * S), 0);
        trio_know(t, A, B, true, &secret, true, PATH_AUTO);
        t->loss_permille = n < 10 ? 0 : 100;
        trio_flow(t, A, R, B);
        trio_connect(t, A, B);
        assert_int_equal(trio_count(t, A, EP_PAIRED), 1);
        assert_int_equal(trio_count(t, B, EP_PAIRED), 1);
        const struct ep_event up = trio_told(t, A, EP_SESSION_UP);
        struct session_info info;
        assert_true(endpoint_session_info(t->ep[A], t->now_us, up.session, &info));
        assert_int_equal(info.hop.kind, HOP_RELAY);
        assert_true(node_id_equal(&info.relay, &t->id[R].id));
        assert_int_equal(info.path.kind, ADDR_NONE);
        trio_free(t);
    }
}

static void a_stream_through_a_relay_is_byte_exact_whatever_is_lost(void **state) {
    (void)state;
    static const unsigned loss[] = {0, 10, 50};
    for (unsigned n = 0; n < 3; n++) {
        struct trio *t = talking("bytes", n);
        t->loss_permille = loss[n];
        trio_transfer(t, A, B, 10 << 20, 120 * S);
        trio_transfer(t, B, A, 100000, 60 * S);
        const struct endpoint_counters *c = endpoint_counters(t->ep[R]);
        assert_int_equal(c->data_accepted < 400, true); /* nothing of it is for the relay */
        assert_int_equal(trio_count(t, A, EP_SESSION_DOWN), 0);
        trio_free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_that_cannot_reach_each_other_pair_by_ticket_through_a_relay),
        cmocka_unit_test(a_stream_through_a_relay_is_byte_exact_whatever_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
