/* Relay addresses: what is one, what is said of what is none, and their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/base/relay_addr.h"

/* The ids of 32 bytes 01 and of 32 bytes 02. */
#define ONE "mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqswqwm2a"
#define TWO "mesh1qgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqrkful4"

static struct relay_addr parsed(const char *text) {
    struct relay_addr a = {.port = 0};
    const char *wrong = "not asked";
    if (relay_addr_parse(&a, text, &wrong) != 0)
        fail_msg("%s: %s", text, wrong);
    assert_null(wrong);
    return a;
}

static void an_address_has_one_text(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"relay.example.org:7557#" ONE, "relay.example.org:7557#" ONE},
        {"Relay.EXAMPLE.org:1#" ONE, "relay.example.org:1#" ONE},
        {"localhost:65535#" TWO, "localhost:65535#" TWO},
        {"xn--bcher-kva.example:443#" ONE, "xn--bcher-kva.example:443#" ONE},
        {"1a.4b-c.a1:443#" ONE, "1a.4b-c.a1:443#" ONE},
        {"192.0.2.1:7557#" ONE, "192.0.2.1:7557#" ONE},
        {"127.0.0.1:7557#" ONE, "127.0.0.1:7557#" ONE},
        {"[2001:DB8:0::1]:7557#" ONE, "[2001:db8::1]:7557#" ONE},
        {"[::ffff:192.0.2.1]:7557#" ONE, "192.0.2.1:7557#" ONE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct relay_addr a = parsed(cases[i].in);
        char text[RELAY_ADDR_TEXT_MAX + 1];
        relay_addr_text(&a, text);
        assert_string_equal(text, cases[i].out);
        const struct relay_addr b = parsed(text);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(relay_addr_equal(&a, &b));
        assert_int_equal(a.at.kind == ADDR_NONE, a.host[0] != '\0');
    }
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "key is missing"},
        {"relay.example.org:7557", "key is missing"},
        {"relay.example.org:7557#", "key is missing"},
        {"relay.example.org:7557#mesh1", "no node id"},
        {"relay.example.org:7557#" ONE "q", "no node id"},
        {"relay.example.org:7557#" ONE "#" ONE, "no node id"},
        {"relay.example.org:7557#meshticket1", "no node id"},
        {"#" ONE, "host is missing"},
        {":7557#" ONE, "host is missing"},
        {"relay.example.org#" ONE, "port is missing"},
        {"relay.example.org:#" ONE, "port is missing"},
        {"[2001:db8::1]#" ONE, "port is missing"},
        {"[2001:db8::1]:#" ONE, "port is missing"},
        {"relay.example.org:0#" ONE, "from 1 to 65535"},
        {"relay.example.org:65536#" ONE, "from 1 to 65535"},
        {"relay.example.org:100000#" ONE, "from 1 to 65535"},
        {"relay.example.org:07557#" ONE, "from 1 to 65535"},
        {"relay.example.org:75 57#" ONE, "from 1 to 65535"},
        {"relay.example.org:-1#" ONE, "from 1 to 65535"},
        {"2001:db8::1:7557#" ONE, "in brackets"},
        {"::1#" ONE, "in brackets"},
        {"a:b:1#" ONE, "in brackets"},
        {"[2001:db8::1:7557#" ONE, "no IPv6 address"},
        {"[2001:db8::1]x:7557#" ONE, "no IPv6 address"},
        {"[192.0.2.1]:7557#" ONE, "no IPv6 address"},
        {"[relay.example.org]:7557#" ONE, "no IPv6 address"},
        {"192.0.2:7557#" ONE, "no IPv4 address"},
        {"192.0.2.256:7557#" ONE, "no IPv4 address"},
        {"192.0.2.01:7557#" ONE, "no IPv4 address"},
        {"relay.7:7557#" ONE, "no IPv4 address"},
        {"0x7f000001:7557#" ONE, "no IPv4 address"},
        {"relay.0X7F:7557#" ONE, "no IPv4 address"},
        {"0.0.0.0:7557#" ONE, "no other machine"},
        {"[::]:7557#" ONE, "no other machine"},
        {"224.0.0.1:7557#" ONE, "no other machine"},
        {"255.255.255.255:7557#" ONE, "no other machine"},
        {"[ff02::1]:7557#" ONE, "no other machine"},
        {"[fe80::1%2]:7557#" ONE, "link-local"},
        {"[fe80::1]:7557#" ONE, "link-local"},
        {"169.254.1.1:7557#" ONE, "link-local"},
        {"relay..org:7557#" ONE, "part of the host's name"},
        {".org:7557#" ONE, "part of the host's name"},
        {"relay.example.org.:7557#" ONE, "part of the host's name"},
        {"-relay.org:7557#" ONE, "part of the host's name"},
        {"relay-.org:7557#" ONE, "part of the host's name"},
        {"re_lay.org:7557#" ONE, "letters, digits"},
        {"b\xc3\xbc"
         "cher.example:7557#" ONE,
         "letters, digits"},
        {" relay.org:7557#" ONE, "letters, digits"},
        {"https://relay.org:7557#" ONE, "in brackets"},
        {"relay.org/x:7557#" ONE, "letters, digits"},
        {"anna@relay.org:7557#" ONE, "letters, digits"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct relay_addr a = {.port = 77};
        const char *wrong = NULL;
        if (relay_addr_parse(&a, cases[i].text, &wrong) != ERR_FORMAT)
            fail_msg("taken: %s", cases[i].text);
        assert_int_equal(a.port, 77);
        if (!strstr(wrong, cases[i].says))
            fail_msg("%s: %s", cases[i].text, wrong);
    }
}

static void names_have_the_lengths_of_the_rfc(void **state) {
    (void)state;
    char text[512], label[65];
    struct relay_addr a;
    const char *wrong;
    memset(label, 'x', sizeof label);
    snprintf(text, sizeof text, "%.63s:1#" ONE, label);
    assert_int_equal(strlen(parsed(text).host), 63);
    snprintf(text, sizeof text, "%.64s:1#" ONE, label);
    assert_int_equal(relay_addr_parse(&a, text, &wrong), ERR_FORMAT);
    snprintf(text, sizeof text, "%.63s.%.63s.%.63s.%.61s:65535#" ONE, label, label, label, label);
    const struct relay_addr longest = parsed(text);
    char out[RELAY_ADDR_TEXT_MAX + 1];
    relay_addr_text(&longest, out);
    assert_string_equal(out, text);
    assert_int_equal(strlen(out), RELAY_ADDR_TEXT_MAX);
    assert_int_equal(relay_addr_size(&longest), RELAY_ADDR_WIRE_MAX);
    snprintf(text, sizeof text, "%.63s.%.63s.%.63s.%.62s:1#" ONE, label, label, label, label);
    assert_int_equal(relay_addr_parse(&a, text, &wrong), ERR_FORMAT);
    assert_non_null(strstr(wrong, "253"));
}

static void the_bytes_are_those_of_the_protocol(void **state) {
    (void)state;
    static const uint8_t name[] = {1, 4, 'r', '.', 'd', 'e', 0x85, 0x1d};
    static const uint8_t v4[] = {4, 192, 0, 2, 1, 0x85, 0x1d};
    static const uint8_t v6[] = {6, 0x20, 1, 0xd, 0xb8, 0, 0, 0,    0,   0,
                                 0, 0,    0, 0,   0,    0, 1, 0x85, 0x1d};
    static const struct {
        const char *text;
        const uint8_t *bytes;
        size_t len;
    } cases[] = {{"r.de:7557#" ONE, name, sizeof name},
                 {"192.0.2.1:7557#" ONE, v4, sizeof v4},
                 {"[2001:db8::1]:7557#" ONE, v6, sizeof v6}};
    for (unsigned i = 0; i < 3; i++) {
        const struct relay_addr a = parsed(cases[i].text);
        struct relay_addr b;
        const char *wrong;
        uint8_t raw[RELAY_ADDR_WIRE_MAX + 1] = {0};
        const size_t len = relay_addr_write(&a, raw);
        assert_int_equal(len, cases[i].len + 32);
        assert_int_equal(len, relay_addr_size(&a));
        assert_memory_equal(raw, cases[i].bytes, cases[i].len);
        for (unsigned k = 0; k < 32; k++)
            assert_int_equal(raw[cases[i].len + k], 1);
        assert_int_equal(relay_addr_read(&b, raw, sizeof raw, &wrong), len);
        assert_memory_equal(&a, &b, sizeof a);
        for (size_t cut = 0; cut < len; cut++) {
            assert_int_equal(relay_addr_read(&b, raw, cut, &wrong), 0);
            assert_non_null(wrong);
        }
    }
    const struct relay_addr none = {.port = 1};
    uint8_t raw[RELAY_ADDR_WIRE_MAX];
    assert_int_equal(relay_addr_write(&none, raw), 0);
}

static void bytes_that_no_text_gives_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *why, *says;
        uint8_t bytes[24];
    } cases[] = {
        {"no kind", "neither", {0}},
        {"another kind", "neither", {5, 1, 2, 3, 4, 5, 6}},
        {"no name", "part of the host's name", {1, 0, 1, 0}},
        {"upper case", "letters, digits", {1, 2, 'D', 'e', 1, 0}},
        {"a NUL", "letters, digits", {1, 3, 'd', 0, 'e', 1, 0}},
        {"an escape", "letters, digits", {1, 2, 27, 'c', 1, 0}},
        {"a number", "no IPv4", {1, 3, '1', '.', '2', 1, 0}},
        {"an address as a name", "no IPv4", {1, 7, '1', '.', '2', '.', '3', '.', '4', 1, 0}},
        {"port 0", "from 1", {1, 2, 'd', 'e', 0, 0}},
        {"port 0 of an address", "from 1", {4, 192, 0, 2, 1, 0, 0}},
        {"unspecified", "no other machine", {4, 0, 0, 0, 0, 1, 0}},
        {"a group", "no other machine", {4, 239, 0, 0, 1, 1, 0}},
        {"link-local", "link-local", {6, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}},
        {"mapped", "neither", {6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1, 1, 0}},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[RELAY_ADDR_WIRE_MAX] = {0};
        struct relay_addr a;
        const char *wrong = NULL;
        memcpy(raw, cases[i].bytes, sizeof cases[i].bytes);
        if (relay_addr_read(&a, raw, sizeof raw, &wrong) != 0)
            fail_msg("taken: %s", cases[i].why);
        if (!wrong || !strstr(wrong, cases[i].says))
            fail_msg("%s: %s", cases[i].why, wrong ? wrong : "nothing");
    }
    const uint8_t too_long[RELAY_ADDR_WIRE_MAX + 8] = {1, 254};
    struct relay_addr a;
    const char *wrong;
    assert_int_equal(relay_addr_read(&a, too_long, sizeof too_long, &wrong), 0);
    assert_non_null(strstr(wrong, "253"));
}

static void addresses_differ_by_host_port_and_id(void **state) {
    (void)state;
    static const char *const texts[] = {"r.de:1#" ONE,      "r.de:2#" ONE,      "r.de:1#" TWO,
                                        "r.fr:1#" ONE,      "192.0.2.1:1#" ONE, "192.0.2.2:1#" ONE,
                                        "192.0.2.1:2#" ONE, "192.0.2.1:1#" TWO};
    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 8; k++) {
            const struct relay_addr a = parsed(texts[i]), b = parsed(texts[k]);
            assert_int_equal(relay_addr_equal(&a, &b), i == k);
        }
}

static void a_set_holds_each_once_and_four(void **state) {
    (void)state;
    struct relay_set s = {.count = 0};
    struct relay_addr a[6];
    for (unsigned i = 0; i < 6; i++) {
        char text[128];
        snprintf(text, sizeof text, "r.de:%u#" ONE, i + 1);
        a[i] = parsed(text);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_true(relay_set_add(&s, &a[i]));
        assert_false(relay_set_add(&s, &a[i]));
    }
    assert_false(relay_set_add(&s, &a[4]));
    relay_set_first(&s, &s.list[2]);
    static const unsigned moved[] = {2, 0, 1, 3}, put[] = {5, 2, 0, 1};
    for (unsigned i = 0; i < 4; i++)
        assert_true(relay_addr_equal(&s.list[i], &a[moved[i]]));
    relay_set_first(&s, &a[5]);
    assert_int_equal(s.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_true(relay_addr_equal(&s.list[i], &a[put[i]]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_one_text),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(names_have_the_lengths_of_the_rfc),
        cmocka_unit_test(the_bytes_are_those_of_the_protocol),
        cmocka_unit_test(bytes_that_no_text_gives_are_refused),
        cmocka_unit_test(addresses_differ_by_host_port_and_id),
        cmocka_unit_test(a_set_holds_each_once_and_four),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
