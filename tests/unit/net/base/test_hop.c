/* Hops of all kinds: which are one place, and what a cookie is bound to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/hop.h"

enum { UNKNOWN_KIND = 77 };

static struct hop udp(const char *text, uint32_t local) {
    struct addr a;
    assert_int_equal(addr_parse(&a, text), 0);
    return hop_udp(&a, local);
}

static struct hop relay(uint32_t index, uint32_t generation, uint32_t flow) {
    return (struct hop){.kind = HOP_RELAY, .relay = {{index, generation}, flow}};
}

static struct hop pipe_of(uint64_t id) {
    return (struct hop){.kind = HOP_PIPE, .pipe = {id}};
}

/* All of them are other places. */
static unsigned places(struct hop out[static 16]) {
    unsigned n = 0;
    out[n++] = udp("10.0.0.1:1", 0);
    out[n++] = udp("10.0.0.1:2", 0);
    out[n++] = udp("10.0.0.2:1", 0);
    out[n++] = udp("[::1]:1", 0);
    out[n++] = udp("[fe80::1%2]:1", 0);
    out[n++] = udp("[fe80::1%3]:1", 0);
    out[n++] = relay(1, 1, 1);
    out[n++] = relay(1, 1, 2);
    out[n++] = relay(1, 2, 1);
    out[n++] = relay(2, 1, 1);
    out[n++] = pipe_of(1);
    out[n++] = pipe_of(UINT64_C(1) << 32 | 1);
    return n;
}

static void other_places_are_not_equal_and_have_other_bytes(void **state) {
    (void)state;
    struct hop v[16];
    const unsigned n = places(v);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < n; k++) {
            uint8_t a[HOP_BYTES_MAX], b[HOP_BYTES_MAX];
            const size_t a_len = hop_write(&v[i], a), b_len = hop_write(&v[k], b);
            const bool same = i == k;
            assert_true(a_len > 0);
            assert_int_equal(a_len == b_len && memcmp(a, b, a_len) == 0, same);
            assert_int_equal(hop_equal(&v[i], &v[k]), same);
            assert_int_equal(hop_same_place(&v[i], &v[k]), same);
            assert_int_equal(hop_covers(&v[i], &v[k]), same);
        }
    }
}

/* What is not known is not taken for something else that is not known, and never for everybody. */
static void no_place_equals_nothing_and_still_has_bytes(void **state) {
    (void)state;
    struct hop none[] = {{0}, {.kind = UNKNOWN_KIND}, {.kind = HOP_UDP}}, v[16];
    const unsigned n = places(v);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t a[HOP_BYTES_MAX], b[HOP_BYTES_MAX];
        const size_t len = hop_write(&none[i], a);
        assert_true(len > 0);
        assert_false(hop_equal(&none[i], &none[i]));
        assert_false(hop_same_place(&none[i], &none[i]));
        assert_false(hop_covers(&none[i], &none[i]));
        assert_false(hop_is_to(&none[i], hop_addr(&none[i])));
        assert_int_equal(hop_addr(&none[i])->kind, ADDR_NONE);
        assert_true(hop_source(&none[i]) != 0);
        for (unsigned k = 0; k < n; k++) {
            assert_false(hop_equal(&none[i], &v[k]) || hop_equal(&v[k], &none[i]));
            assert_false(hop_write(&v[k], b) == len && memcmp(a, b, len) == 0);
        }
    }
}

/* A cookie shows that the peer is reached there; by which socket of ours it came does not matter
 * for that. */
static void the_own_socket_is_of_the_hop_but_not_of_the_place(void **state) {
    (void)state;
    const struct hop a = udp("10.0.0.1:1", 3), b = udp("10.0.0.1:1", 4);
    const struct hop any = hop_by_any_socket(&a), other = udp("10.0.0.2:1", 3);
    uint8_t x[HOP_BYTES_MAX], y[HOP_BYTES_MAX];
    assert_false(hop_equal(&a, &b));
    assert_true(hop_same_place(&a, &b));
    assert_true(hop_write(&a, x) == hop_write(&b, y) && memcmp(x, y, hop_write(&a, x)) == 0);
    assert_true(hop_covers(&any, &a) && hop_covers(&any, &b) && hop_covers(&any, &any));
    assert_false(hop_covers(&a, &b) || hop_covers(&a, &any) || hop_covers(&any, &other));
    assert_int_equal(hop_socket(&a), 3);
    assert_int_equal(hop_socket(&any), -1);
}

/* The low bits are the socket's number, whichever of its addresses it came to. */
static void only_what_is_of_a_socket_has_one(void **state) {
    (void)state;
    struct hop v = udp("10.0.0.1:1", 7 << LOCAL_SOCKET_BITS | 3);
    const struct hop r = relay(1, 1, 1), p = pipe_of(1), any = hop_by_any_socket(&r);
    assert_int_equal(hop_socket(&v), 3);
    assert_int_equal(hop_socket(&r), -1);
    assert_int_equal(hop_socket(&p), -1);
    assert_true(hop_equal(&any, &r));
    assert_true(hop_is_to(&v, hop_addr(&v)));
    assert_false(hop_is_to(&r, hop_addr(&v)));
}

static void a_source_is_a_host_or_a_customer_or_a_relay(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"10.0.0.1:1", "10.0.0.1:2", true},
        {"10.0.0.1:1", "10.0.0.2:1", false},
        {"[2001:db8:0:100::1]:1", "[2001:db8:0:1ff::2]:9", true}, /* one /56 */
        {"[2001:db8:0:100::1]:1", "[2001:db8:0:200::1]:1", false},
        {"[fe80::1%2]:1", "[fe80::2%2]:1", false},
        {"10.0.0.1:1", "[::10.0.0.1]:1", false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct hop a = udp(cases[i].a, 0), b = udp(cases[i].b, 5);
        assert_int_equal(hop_source(&a) == hop_source(&b), cases[i].same);
    }
    const struct hop one = relay(1, 1, 1), flow = relay(1, 1, 2), two = relay(2, 1, 1),
                     p = pipe_of(1), q = pipe_of(2);
    assert_true(hop_source(&one) == hop_source(&flow)); /* whoever is behind one shares its part */
    assert_true(hop_source(&one) != hop_source(&two));
    assert_true(hop_source(&p) != hop_source(&q) && hop_source(&p) != hop_source(&one));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_places_are_not_equal_and_have_other_bytes),
        cmocka_unit_test(no_place_equals_nothing_and_still_has_bytes),
        cmocka_unit_test(the_own_socket_is_of_the_hop_but_not_of_the_place),
        cmocka_unit_test(only_what_is_of_a_socket_has_one),
        cmocka_unit_test(a_source_is_a_host_or_a_customer_or_a_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
