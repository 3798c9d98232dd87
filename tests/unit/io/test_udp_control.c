/* What the kernel says beside a message, read: the lengths in a run, the ECN field, our address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "net/base/ecn_field.h"
#include "net/io/udp_control.h"

struct told {
    struct udp_control_buf buf;
    struct msghdr m;
};

static void tell(struct told *t, int level, int type, const void *value, size_t len) {
    struct cmsghdr c = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    uint8_t *at = t->buf.bytes + t->m.msg_controllen;
    memcpy(at, &c, sizeof c);
    memcpy(at + CMSG_LEN(0), value, len);
    t->m.msg_control = t->buf.bytes;
    t->m.msg_controllen += CMSG_SPACE(len);
}

static void nothing_said_is_one_datagram(void **state) {
    (void)state;
    struct msghdr m = {0};
    const struct udp_control_in in = udp_control_read(&m, 1200);
    assert_int_equal(in.segment, 0);
    assert_false(in.nonsense);
    assert_int_equal(in.ecn, ECN_NOT_ECT);
    assert_int_equal(in.to.kind, ADDR_NONE);
}

static void marks_are_read_in_both_families(void **state) {
    (void)state;
    const uint8_t tos = 0xb8 | 3;
    const int class = 0xb8 | 2;
    struct told v4 = {.m = {0}}, v6 = {.m = {0}};
    tell(&v4, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    tell(&v6, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
    assert_int_equal(udp_control_read(&v4.m, 1200).ecn, 3);
    assert_int_equal(udp_control_read(&v6.m, 1200).ecn, 2);
}

static void a_multicast_address_is_not_ours(void **state) {
    (void)state;
    struct in6_pktinfo v6 = {.ipi6_ifindex = 7};
    struct told one = {.m = {0}}, all = {.m = {0}};
    v6.ipi6_addr.s6_addr[0] = 0xfe;
    v6.ipi6_addr.s6_addr[1] = 0x80;
    tell(&one, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof v6);
    assert_int_equal(udp_control_read(&one.m, 1200).to.kind, ADDR_IPV6);
    assert_int_equal(udp_control_read(&one.m, 1200).to.scope, 7);
    v6.ipi6_addr.s6_addr[0] = 0xff;
    tell(&all, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof v6);
    assert_int_equal(udp_control_read(&all.m, 1200).to.kind, ADDR_NONE);
}

#ifdef MESHD_LINUX
static void a_run_that_cannot_be_is_refused(void **state) {
    (void)state;
    static const struct {
        int value;
        size_t len, segment;
        bool nonsense;
    } cases[] = {
        {1200, 12000, 1200, false}, {1200, 1300, 1200, false}, {1200, 1200, 1200, false},
        {1, 2, 1, false},           {0, 12000, 0, true},       {-1, 12000, 0, true},
        {12001, 12000, 0, true},    {INT32_MAX, 100, 0, true}, {INT32_MIN, 100, 0, true},
        {65536, 65535, 0, true},    {1, 0, 0, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct told t = {.m = {0}};
        tell(&t, SOL_UDP, UDP_GRO, &cases[i].value, sizeof cases[i].value);
        const struct udp_control_in in = udp_control_read(&t.m, cases[i].len);
        assert_int_equal(in.nonsense, cases[i].nonsense);
        assert_int_equal(in.segment, cases[i].segment);
    }
    struct told cut = {.m = {0}};
    const uint16_t half = 1200;
    tell(&cut, SOL_UDP, UDP_GRO, &half, sizeof half);
    assert_true(udp_control_read(&cut.m, 12000).nonsense);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_one_datagram),
        cmocka_unit_test(marks_are_read_in_both_families),
        cmocka_unit_test(a_multicast_address_is_not_ours),
#ifdef MESHD_LINUX
        cmocka_unit_test(a_run_that_cannot_be_is_refused),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
