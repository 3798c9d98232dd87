/* The UDP edge over loopback, both kinds: trains, bursts, marks and addresses arrive as they
 * were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "net/base/ecn_field.h"
#include "net/base/limits.h"
#include "net/io/sockaddr.h"
#include "net/io/udp_impl.h"
#include "support_udp.h"

static void train_of_64_arrives_whole(enum udp_kind kind, bool ipv6) {
    struct world w;
    if (open_world(&w, kind, ipv6) != 0) {
        assert_true(ipv6); /* a machine without IPv6 */
        close_world(&w);
        return;
    }
    struct train t = make_train(&w, 1000, 63 * 1000 + 417);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 64);
    expect_segments(&w.b, 64, 1000, 417);
    struct addr a;
    udp_address(w.a.udp, &a);
    assert_int_equal(w.b.from.kind, a.kind);
    assert_int_equal(w.b.from.port, a.port);
    assert_memory_equal(w.b.from.ip, a.ip, 16);
    assert_int_equal(w.b.local, 8);
    assert_true(w.b.batches >= 1 && w.b.batches <= 64);
    close_world(&w);
}
static void linux_train_ipv4(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_AUTO, false);
}
static void linux_train_ipv6(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_AUTO, true);
}
static void portable_train_ipv4(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_PORTABLE, false);
}
static void portable_train_ipv6(void **s) {
    (void)s;
    train_of_64_arrives_whole(UDP_PORTABLE, true);
}

static void largest_datagram(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 65507, 65507);
    for (unsigned i = 1; i <= 10; i++) {
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        run_until(&w, &w.b.datagrams, i);
        assert_int_equal(w.b.sizes[i - 1], 65507);
    }
    assert_int_equal(w.a.too_bigs, 0);
    close_world(&w);
}
static void linux_largest_datagram(void **s) {
    (void)s;
    largest_datagram(UDP_AUTO);
}
static void portable_largest_datagram(void **s) {
    (void)s;
    largest_datagram(UDP_PORTABLE);
}

/* Many trains before the receiver gets a turn: the buffers asked for hold them, in order. */
static void burst_is_received_in_order(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 1200, 50 * 1200);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 500);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(w.b.first_byte[i], i % 50);
    close_world(&w);
}
static void linux_burst(void **s) {
    (void)s;
    burst_is_received_in_order(UDP_AUTO);
}
static void portable_burst(void **s) {
    (void)s;
    burst_is_received_in_order(UDP_PORTABLE);
}

static void an_unreachable_network_is_not_an_error(enum udp_kind kind) {
    struct world w;
    assert_int_equal(open_world(&w, kind, false), 0);
    struct train t = make_train(&w, 1000, 3000);
    /* From a loopback address nothing else can be reached (EINVAL); port 0 is nobody's (EINVAL);
     * the other family. */
    t.to.udp.remote = (struct addr){.kind = ADDR_IPV4, .port = 9, .ip = {192, 0, 2, 1}};
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    t.to.udp.remote = loopback(false);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    t.to.udp.remote = loopback(true);
    t.to.udp.remote.port = 9;
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    /* A closed port answers with ICMP; the socket goes on. */
    t.to.udp.remote = loopback(false);
    t.to.udp.remote.port = 1;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(udp_send(w.a.udp, &t), 0);
    struct udp_caps before, after;
    udp_caps(w.b.udp, &before);
    udp_caps(w.a.udp, &after);
    assert_int_equal(before.gso, after.gso);
    t = make_train(&w, 1000, 3000);
    assert_int_equal(udp_send(w.a.udp, &t), 0);
    run_until(&w, &w.b.datagrams, 3);
    close_world(&w);
}
static void linux_unreachable(void **s) {
    (void)s;
    an_unreachable_network_is_not_an_error(UDP_AUTO);
}
static void portable_unreachable(void **s) {
    (void)s;
    an_unreachable_network_is_not_an_error(UDP_PORTABLE);
}

/* Trains with and without a mark in turn: each datagram says how it was sent, where the kind of
 * socket can. */
static void marks_arrive(enum udp_kind kind, bool ipv6) {
    struct world w;
    if (open_world(&w, kind, ipv6) != 0) {
        assert_true(ipv6); /* a machine without IPv6 */
        close_world(&w);
        return;
    }
    struct udp_caps c;
    udp_caps(w.a.udp, &c);
    static const uint8_t fields[] = {ECN_ECT0, ECN_ECT0, ECN_NOT_ECT, ECN_CE, ECN_ECT0, ECN_ECT1};
    unsigned want[4] = {0}, sent = 0;
    for (unsigned i = 0; i < sizeof fields; i++) {
        struct train t = make_train(&w, 1000, i % 2 == 0 ? 5000 : 700);
        t.ecn = fields[i];
        assert_int_equal(udp_send(w.a.udp, &t), 0);
        sent += i % 2 == 0 ? 5 : 1;
        want[c.ecn ? fields[i] : ECN_NOT_ECT] += i % 2 == 0 ? 5 : 1;
    }
    run_until(&w, &w.b.datagrams, sent);
    assert_memory_equal(w.b.ecn, want, sizeof want);
    close_world(&w);
}
static void linux_marks_ipv4(void **s) {
    (void)s;
    marks_arrive(UDP_AUTO, false);
}
static void linux_marks_ipv6(void **s) {
    (void)s;
    marks_arrive(UDP_AUTO, true);
}
static void portable_marks(void **s) {
    (void)s;
    marks_arrive(UDP_PORTABLE, false);
}

static void bind_errors_have_names(void **s) {
    (void)s;
    struct world w;
    assert_int_equal(open_world(&w, UDP_AUTO, false), 0);
    for (int kind = UDP_AUTO; kind <= UDP_PORTABLE; kind++) {
        struct udp *u;
        struct addr at;
        udp_address(w.a.udp, &at);
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &end_callbacks, &w.a),
                         ERR_EXISTS);
        at = (struct addr){.kind = ADDR_IPV4, .ip = {192, 0, 2, 1}};
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &end_callbacks, &w.a),
                         ERR_USAGE);
        at.kind = ADDR_NONE;
        assert_int_equal(udp_open(&u, &w.loop, (enum udp_kind)kind, &at, 0, &end_callbacks, &w.a),
                         ERR_USAGE);
        assert_null(u);
    }
    close_world(&w);
}

static void addresses_survive_the_kernels_form(void **s) {
    (void)s;
    static const struct addr cases[] = {
        {.kind = ADDR_IPV4, .port = 65535, .ip = {10, 1, 2, 3}},
        {.kind = ADDR_IPV6, .port = 1, .ip = {0x20, 1, 0xd, 0xb8, [15] = 9}},
        {.kind = ADDR_IPV6, .port = 2, .scope = 3, .ip = {0xfe, 0x80, [15] = 9}},
    };
    struct sockaddr_storage sa;
    struct addr got;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(sockaddr_from(&sa, &cases[i]) > 0);
        assert_true(sockaddr_to(&got, (struct sockaddr *)&sa));
        assert_memory_equal(&got.ip, &cases[i].ip, 16);
        assert_int_equal(got.kind, cases[i].kind);
        assert_int_equal(got.port, cases[i].port);
        assert_int_equal(got.scope, cases[i].scope);
    }
    struct addr mapped = {
        .kind = ADDR_IPV6, .port = 5, .ip = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7}};
    assert_true(sockaddr_from(&sa, &mapped) > 0);
    assert_true(sockaddr_to(&got, (struct sockaddr *)&sa));
    assert_int_equal(got.kind, ADDR_IPV4);
    assert_memory_equal(got.ip, ((uint8_t[16]){192, 0, 2, 7}), 16);
    struct addr none = {0};
    assert_int_equal(sockaddr_from(&sa, &none), 0);
    assert_false(sockaddr_to(&got, (struct sockaddr *)&sa));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_train_ipv4),
        cmocka_unit_test(linux_train_ipv6),
        cmocka_unit_test(portable_train_ipv4),
        cmocka_unit_test(portable_train_ipv6),
        cmocka_unit_test(linux_largest_datagram),
        cmocka_unit_test(portable_largest_datagram),
        cmocka_unit_test(linux_burst),
        cmocka_unit_test(portable_burst),
        cmocka_unit_test(linux_unreachable),
        cmocka_unit_test(portable_unreachable),
        cmocka_unit_test(linux_marks_ipv4),
        cmocka_unit_test(linux_marks_ipv6),
        cmocka_unit_test(portable_marks),
        cmocka_unit_test(bind_errors_have_names),
        cmocka_unit_test(addresses_survive_the_kernels_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
