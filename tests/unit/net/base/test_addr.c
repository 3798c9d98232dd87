/* Text, bytes and classes of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/base/addr.h"
#include "support_rand.h"

static struct addr parsed(const char *text) {
    struct addr a;
    memset(&a, 0xee, sizeof a);
    if (addr_parse(&a, text) != 0)
        fail_msg("%s is not taken", text);
    return a;
}

static void one_address_has_one_text(void **state) {
    (void)state;
    static const struct {
        const char *in, *out; /* out NULL: the same */
    } table[] = {
        {"127.0.0.1:4000", NULL},
        {"0.0.0.0:0", NULL},
        {"255.255.255.255:65535", NULL},
        {"[::]:0", NULL},
        {"[::1]:4000", NULL},
        {"[fe80::1%2]:4000", NULL},
        {"[fe80::1%4294967295]:1", NULL},
        {"[1::]:9", NULL},
        {"[2001:db8:1:2:3:4:5:6]:443", NULL},
        {"[2001:db8:a:b:c:d:e:f]:443", NULL},
        /* RFC 5952 §4.1: no leading zeros. §4.3: lower case. */
        {"[2001:0db8::0001]:80", "[2001:db8::1]:80"},
        {"[2001:DB8::ABCD]:80", "[2001:db8::abcd]:80"},
        /* §4.2.1: as short as possible. §4.2.2: not for a single group. §4.2.3: the longest, then
         * the first. */
        {"[2001:db8:0:0:0:0:2:1]:80", "[2001:db8::2:1]:80"},
        {"[2001:db8::1:1:1:1:1]:80", "[2001:db8:0:1:1:1:1:1]:80"},
        {"[2001:0:0:1:0:0:0:1]:80", "[2001:0:0:1::1]:80"},
        {"[2001:db8:0:0:1:0:0:1]:80", "[2001:db8::1:0:0:1]:80"},
        {"[0:0:0:0:0:0:0:0]:80", "[::]:80"},
        {"[1:2:3:4:5:6:7::]:80", "[1:2:3:4:5:6:7:0]:80"},
        {"[::2:3:4:5:6:7:8]:80", "[0:2:3:4:5:6:7:8]:80"},
        /* IPv4 in IPv6: mapped ones are IPv4. */
        {"[::ffff:1.2.3.4]:5", "1.2.3.4:5"},
        {"[::ffff:102:304]:5", "1.2.3.4:5"},
        {"[64:ff9b::1.2.3.4]:5", "[64:ff9b::102:304]:5"},
        {"[1:2:3:4:5:6:7.8.9.10]:5", "[1:2:3:4:5:6:708:90a]:5"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct addr a = parsed(table[i].in);
        char text[ADDR_TEXT_MAX];
        addr_text(&a, text);
        assert_string_equal(text, table[i].out ? table[i].out : table[i].in);
        struct addr again = parsed(text);
        assert_true(addr_equal(&a, &again));
    }
}

static void what_is_not_an_address_is_refused(void **state) {
    (void)state;
    static const char *const table[] = {
        "",
        ":",
        "1.2.3.4",
        "1.2.3.4:",
        "1.2.3:4",
        "1.2.3.4.5:6",
        "1.2.3.256:1",
        "01.2.3.4:1", /* octal to some, decimal to others */
        "1.2.3.4:65536",
        "1.2.3.4:99999999999999999999",
        "1.2.3.4:080",
        "1.2.3.4:+80",
        "1.2.3.4:-1",
        "1.2.3.4: 80",
        " 1.2.3.4:80",
        "1.2.3.4:80 ",
        "1.2.3.4%1:80",
        "1..3.4:80",
        "0x1.2.3.4:80",
        "localhost:80",
        "::1:80",
        "[1.2.3.4]:80",
        "[]:80",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "[:::]:80",
        "[:1::]:80",
        "[1:]:80",
        "[1::2::3]:80",
        "[1:2:3:4:5:6:7]:80",
        "[1:2:3:4:5:6:7:8:9]:80",
        "[1:2:3:4:5:6:7:8::]:80",
        "[::1:2:3:4:5:6:7:8]:80",
        "[1:2:3:4:5:6:7:8:]:80",
        "[12345::]:80",
        "[g::]:80",
        "[::1.2.3]:80",
        "[::1.2.3.4:5]:80",
        "[::1.2.3.256]:80",
        "[1:2:3:4:5:6:7:1.2.3.4]:80",
        "[fe80::1%]:80",
        "[fe80::1%0]:80",
        "[fe80::1%eth0]:80",
        "[fe80::1%4294967296]:80",
        "[2001:db8::1%2]:80",
        "none",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct addr a = {.port = 77};
        if (addr_parse(&a, table[i]) != ERR_FORMAT)
            fail_msg("%s is taken", table[i]);
        assert_int_equal(a.port, 77); /* untouched */
    }
}

static void every_address_survives_text_and_bytes(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("addr", 4);
    for (int i = 0; i < 20000; i++) {
        struct addr a = {.kind = rand_below(&rnd, 3) ? ADDR_IPV6 : ADDR_IPV4,
                         .port = (uint16_t)rand_u64(&rnd)};
        size_t n = a.kind == ADDR_IPV4 ? 4 : 16;
        for (size_t k = 0; k < n; k++) /* many zeros, so that they run together */
            a.ip[k] = rand_below(&rnd, 4) ? 0 : (uint8_t)rand_u64(&rnd);
        if (a.kind == ADDR_IPV6)
            a.ip[0] = 0x20;
        char text[ADDR_TEXT_MAX];
        addr_text(&a, text);
        struct addr b = parsed(text);
        assert_memory_equal(&a.ip, &b.ip, 16);
        assert_true(addr_equal(&a, &b));

        uint8_t wire[ADDR_WIRE_MAX];
        size_t len = addr_write(&a, wire);
        assert_int_equal(len, n + 3);
        assert_int_equal(addr_read(&b, wire, sizeof wire), len);
        assert_true(addr_equal(&a, &b));
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(addr_read(&b, wire, cut), 0);
    }
}

static void the_bytes_are_as_documented(void **state) {
    (void)state;
    uint8_t out[ADDR_WIRE_MAX];
    struct addr a = parsed("10.20.30.40:258");
    assert_int_equal(addr_write(&a, out), 7);
    assert_memory_equal(out, "\4\12\24\36\50\2\1", 7);
    a = parsed("[fe80::1%9]:258");
    assert_int_equal(addr_write(&a, out), 19);
    assert_memory_equal(out, "\6\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\1", 19);
    struct addr back;
    assert_int_equal(addr_read(&back, out, 19), 19);
    assert_int_equal(back.scope, 0); /* the index means something on one machine only */
    struct addr none = {0};
    assert_int_equal(addr_write(&none, out), 0);
}

static void malformed_bytes_are_refused(void **state) {
    (void)state;
    static const uint8_t unknown[19] = {5, 1, 2, 3, 4}, zero[19] = {0};
    static const uint8_t mapped[19] = {6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4};
    struct addr a;
    assert_int_equal(addr_read(&a, unknown, sizeof unknown), 0);
    assert_int_equal(addr_read(&a, zero, sizeof zero), 0);
    assert_int_equal(addr_read(&a, mapped, sizeof mapped), 0);
}

static void classes_are_those_of_the_rfcs(void **state) {
    (void)state;
    enum { LOOP = 1, UNSPEC = 2, LINK = 4, PRIV = 8 };
    static const struct {
        const char *text;
        int classes;
    } table[] = {
        {"127.0.0.1:1", LOOP | PRIV},
        {"127.255.255.255:1", LOOP | PRIV},
        {"128.0.0.1:1", 0},
        {"0.0.0.0:1", UNSPEC},
        {"[::]:1", UNSPEC},
        {"[::1]:1", LOOP | PRIV},
        {"[::2]:1", 0},
        {"169.254.0.1:1", LINK | PRIV},
        {"169.253.0.1:1", 0},
        {"[fe80::1]:1", LINK | PRIV},
        {"[febf::1]:1", LINK | PRIV},
        {"[fec0::1]:1", 0},
        {"9.255.255.255:1", 0},
        {"10.0.0.0:1", PRIV},
        {"10.255.255.255:1", PRIV},
        {"11.0.0.0:1", 0},
        {"172.15.255.255:1", 0},
        {"172.16.0.0:1", PRIV},
        {"172.31.255.255:1", PRIV},
        {"172.32.0.0:1", 0},
        {"192.168.3.4:1", PRIV},
        {"192.169.3.4:1", 0},
        {"100.63.255.255:1", 0},
        {"100.64.0.0:1", PRIV},
        {"100.127.255.255:1", PRIV},
        {"100.128.0.0:1", 0},
        {"[fbff::1]:1", 0},
        {"[fc00::1]:1", PRIV},
        {"[fdff::1]:1", PRIV},
        {"[fe00::1]:1", 0},
        {"[2001:db8::1]:1", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct addr a = parsed(table[i].text);
        int got = (addr_is_loopback(&a) ? LOOP : 0) | (addr_is_unspecified(&a) ? UNSPEC : 0) |
                  (addr_is_link_local(&a) ? LINK : 0) | (addr_is_private(&a) ? PRIV : 0);
        if (got != table[i].classes)
            fail_msg("%s: classes %d, not %d", table[i].text, got, table[i].classes);
    }
    struct addr none = {0};
    assert_false(addr_is_unspecified(&none));
    assert_false(addr_is_private(&none));
}

static void equality_is_of_host_port_and_scope(void **state) {
    (void)state;
    struct addr a = parsed("[fe80::1%2]:5"), b = a, v4 = parsed("1.2.3.4:5"), none = {0};
    assert_true(addr_equal(&a, &b));
    b.port = 6;
    assert_false(addr_equal(&a, &b));
    assert_true(addr_same_host(&a, &b));
    b = a;
    b.scope = 3;
    assert_false(addr_equal(&a, &b));
    assert_true(addr_same_host(&a, &b));
    b.ip[15] = 2;
    assert_false(addr_same_host(&a, &b));
    assert_false(addr_same_host(&a, &v4));
    assert_false(addr_equal(&v4, &none));
    assert_true(addr_equal(&none, &(struct addr){0}));
    char text[ADDR_TEXT_MAX];
    addr_text(&none, text);
    assert_string_equal(text, "none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_has_one_text),
        cmocka_unit_test(what_is_not_an_address_is_refused),
        cmocka_unit_test(every_address_survives_text_and_bytes),
        cmocka_unit_test(the_bytes_are_as_documented),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(classes_are_those_of_the_rfcs),
        cmocka_unit_test(equality_is_of_host_port_and_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
