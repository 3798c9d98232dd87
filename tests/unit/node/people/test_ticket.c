/* Tickets: what goes in comes out, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "crypto/identity/bech32m.h"
#include "node/people/ticket.h"
#include "support_relay_addr.h"

static struct ticket sample(unsigned addrs, bool secret, uint32_t expires_s) {
    struct ticket t = {.has_secret = secret, .expires_s = expires_s, .addr_count = addrs};
    for (unsigned i = 0; i < 32; i++) {
        t.id.bytes[i] = (uint8_t)(i + 1);
        t.transport.bytes[i] = (uint8_t)(200 - i);
    }
    for (unsigned i = 0; secret && i < TICKET_SECRET_BYTES; i++)
        t.secret[i] = (uint8_t)(i * 7);
    for (unsigned i = 0; i < addrs; i++) {
        char text[64];
        snprintf(text, sizeof text, i % 2 ? "[2001:db8::%u]:4%03u" : "192.0.2.%u:4%03u", i + 1, i);
        assert_int_equal(addr_parse(&t.addrs[i], text), 0);
    }
    return t;
}

static void a_ticket_survives_its_text(void **state) {
    (void)state;
    for (unsigned addrs = 0; addrs <= TICKET_ADDRS_MAX; addrs++)
        for (unsigned kind = 0; kind < 4; kind++) {
            struct ticket a = sample(addrs, kind & 1, kind & 2 ? 1800000000u : 0), b;
            char text[TICKET_TEXT_MAX + 1], upper[TICKET_TEXT_MAX + 8];
            assert_int_equal(ticket_encode(&a, text), 0);
            assert_int_equal(strncmp(text, "meshticket1", 11), 0);
            assert_int_equal(ticket_decode(&b, text), 0);
            assert_memory_equal(&a, &b, sizeof a);
            snprintf(upper, sizeof upper, " \n%s\r\n ", text);
            for (char *p = upper; *p; p++)
                *p = (char)toupper((unsigned char)*p);
            assert_int_equal(ticket_decode(&b, upper), 0);
            assert_memory_equal(&a, &b, sizeof a);
        }
}

/* Made by another program from docs/PROTOCOL.md; the first is what every meshd has written. */
static void tickets_are_those_of_the_protocol(void **state) {
    (void)state;
    static const char without[] =
        "meshticket1qypszqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7gxgclrvt3xrctqup"
        "0a7hk7thw4ehzmmddd5kwetrv9046k6e2a24yqqwrs4rs3j5vfc8ary64zmvf5sp5jfdvqsfsqqqgq6q"
        "rcaperac";
    static const char with_two[] =
        "meshticket1qgpszqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7gxgclrvt3xrctqup"
        "0a7hk7thw4ehzmmddd5kwetrv9046k6e2a24yqqwrs4rs3j5vfc8ary64zmvf5sp5jfdvqsfsqqqgq6q"
        "rczqyghyetvv9ujuetcv9khqmr99ehhyeu9r5qszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqsz"
        "qgpqyqszpxqqqpq0wcpqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqsdey2d";
    static const char nothing_else[] =
        "meshticket1qgqszqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7gxgclrvt3xrctqup"
        "0a7hk7thw4ehzmmddd5kwetrv9046k6e2a24yqqwrs4rs3j5vfc8ary64zmvf5sqqgxyqqsmwqqqqqqq"
        "qqqqqqqqqqqq7z36qcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrqvpsxqcrmrmc0t";
    const struct relay_addr name = relay("relay.example.org:7557", 1),
                            v4 = relay("192.0.2.7:443", 2), v6 = relay("[2001:db8::7]:7557", 3);
    struct ticket t = sample(1, true, 1800000000u), back;
    char text[TICKET_TEXT_MAX + 1];
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_string_equal(text, without);
    assert_true(ticket_relay_add(&t, &name));
    assert_true(ticket_relay_add(&t, &v4));
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_string_equal(text, with_two);
    assert_int_equal(ticket_decode(&back, with_two), 0);
    assert_memory_equal(&t, &back, sizeof t);
    t = sample(0, true, 0);
    assert_true(ticket_relay_add(&t, &v6));
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_string_equal(text, nothing_else);
    assert_int_equal(ticket_decode(&back, nothing_else), 0);
    assert_memory_equal(&t, &back, sizeof t);
}

/* Whatever a ticket holds, four relays without names find room, and one with the longest. */
static void relays_find_room_in_the_text(void **state) {
    (void)state;
    static const char *const places[] = {"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1",
                                         "[2001:db8::4]:1"};
    struct ticket t = sample(TICKET_ADDRS_MAX, true, 1), back;
    char text[TICKET_TEXT_MAX + 1], name[RELAY_HOST_MAX + 8], label[64];
    for (unsigned i = 0; i < RELAY_SET_MAX; i++) {
        const struct relay_addr a = relay(places[i], 9);
        assert_true(ticket_relay_add(&t, &a));
    }
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_int_equal(ticket_decode(&back, text), 0);
    assert_memory_equal(&t, &back, sizeof t);
    struct relay_addr fifth = relay("192.0.2.1:1", 9);
    assert_false(ticket_relay_add(&t, &fifth));

    memset(label, 'x', sizeof label);
    snprintf(name, sizeof name, "%.63s.%.63s.%.63s.%.61s:1", label, label, label, label);
    t = sample(TICKET_ADDRS_MAX, true, 1);
    const struct relay_addr one = relay(name, 1), other = relay(name, 2),
                            small = relay("r.de:1", 3);
    assert_true(ticket_relay_add(&t, &one));
    assert_false(ticket_relay_add(&t, &other)); /* no room, */
    assert_true(ticket_relay_add(&t, &small));  /* but for a shorter one */
    assert_int_equal(t.relays.count, 2);
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_int_equal(ticket_decode(&back, text), 0);
    assert_memory_equal(&t, &back, sizeof t);
    t.relays.list[2] = other;
    t.relays.count = 3;
    assert_int_equal(ticket_encode(&t, text), ERR_FULL);
}

static void what_is_wrong_with_a_ticket_is_said(void **state) {
    (void)state;
    static const struct {
        const char *says;
        int err;
        uint8_t version, addr_count;
        uint8_t tail[16];
        unsigned tail_len;
    } cases[] = {
        {"of a kind that this version of meshd does not know", ERR_UNSUPPORTED, 3, 0, {0}, 0},
        {"does not say what a ticket says", ERR_FORMAT, 0, 0, {0}, 0},
        {"does not say what a ticket says", ERR_FORMAT, 2, 0, {0}, 0}, /* no count of relays */
        {"does not say what a ticket says", ERR_FORMAT, 2, 0, {0}, 1}, /* none of them */
        {"does not say what a ticket says", ERR_FORMAT, 2, 0, {5}, 1}, /* too many */
        {"names a relay that cannot be used: it is neither", ERR_FORMAT, 2, 0, {1}, 1},
        {"names a relay that cannot be used: the port is no", ERR_FORMAT, 2, 0, {1, 1, 1, 'x'}, 16},
        {"cannot be used: no other machine", ERR_FORMAT, 2, 0, {1, 4, 0, 0, 0, 0, 1}, 16},
        {"cannot be used: the host's name may", ERR_FORMAT, 2, 0, {1, 1, 2, 'X', '!', 1}, 16},
    };
    char wrong[TICKET_WRONG_MAX], text[TICKET_TEXT_MAX + 1];
    struct ticket t;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[160] = {cases[i].version};
        raw[66] = cases[i].addr_count;
        memcpy(raw + 67, cases[i].tail, sizeof cases[i].tail);
        const size_t len = 67 + cases[i].tail_len + (cases[i].tail_len == 16 ? 40 : 0);
        assert_int_equal(bech32m_encode(text, sizeof text, TICKET_HRP, raw, len), 0);
        assert_int_equal(ticket_decode(&t, text), cases[i].err);
        ticket_wrong(text, wrong);
        if (!strstr(wrong, cases[i].says))
            fail_msg("case %u: %s", i, wrong);
    }
    t = sample(1, true, 0);
    const struct relay_addr a = relay("r.de:1", 1);
    assert_true(ticket_relay_add(&t, &a));
    assert_int_equal(ticket_encode(&t, text), 0);
    ticket_wrong(text, wrong);
    assert_string_equal(wrong, "");
    text[30] = text[30] == 'q' ? 'p' : 'q';
    ticket_wrong(text, wrong);
    assert_non_null(strstr(wrong, "the ticket is damaged: a part of it is missing"));
    ticket_wrong("mesh1qqq", wrong);
    assert_non_null(strstr(wrong, "the ticket is damaged or not a ticket: one begins with"));
}

static void any_changed_character_is_noticed(void **state) {
    (void)state;
    struct ticket a = sample(1, true, 1800000000u), b;
    char text[TICKET_TEXT_MAX + 1];
    assert_int_equal(ticket_encode(&a, text), 0);
    for (size_t i = 0; text[i]; i++) {
        char was = text[i];
        text[i] = was == 'q' ? 'p' : 'q';
        assert_int_equal(ticket_decode(&b, text), ERR_FORMAT);
        text[i] = was;
    }
    text[strlen(text) - 1] = '\0';
    assert_int_equal(ticket_decode(&b, text), ERR_FORMAT);
}

static void what_is_not_a_ticket_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *why;
        unsigned at, value, len;
    } cases[] = {
        {"version 2 without relays", 0, 2, 67},
        {"unknown flag", 1, 4, 67},
        {"cut id", 0, 1, 20},
        {"no address count", 0, 1, 66},
        {"nine addresses", 66, 9, 67},
        {"address missing", 66, 1, 67},
        {"something follows", 66, 0, 68},
        {"secret missing", 1, 1, 67},
        {"expiry 0", 1, 2, 71},
        {"empty", 0, 0, 0},
    };
    struct ticket t;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t raw[128] = {1};
        char text[TICKET_TEXT_MAX + 1];
        raw[cases[i].at] = (uint8_t)cases[i].value;
        assert_int_equal(bech32m_encode(text, sizeof text, TICKET_HRP, raw, cases[i].len), 0);
        if (ticket_decode(&t, text) != ERR_FORMAT)
            fail_msg("taken: %s", cases[i].why);
    }
    uint8_t raw[67] = {1};
    char text[TICKET_TEXT_MAX + 1], huge[2 * TICKET_TEXT_MAX];
    assert_int_equal(bech32m_encode(text, sizeof text, TICKET_HRP, raw, sizeof raw), 0);
    assert_int_equal(ticket_decode(&t, text), 0);
    assert_int_equal(bech32m_encode(text, sizeof text, "mesh", raw, sizeof raw), 0);
    assert_int_equal(ticket_decode(&t, text), ERR_FORMAT);
    memset(huge, 'q', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(ticket_decode(&t, huge), ERR_FORMAT);
    assert_int_equal(ticket_decode(&t, "   "), ERR_FORMAT);
}

static void the_psk_depends_on_secret_and_id(void **state) {
    (void)state;
    struct ticket a = sample(0, true, 0), b = a, c = a;
    struct psk pa, pb, pc;
    b.secret[15] ^= 1;
    c.id.bytes[0] ^= 1;
    ticket_psk(&a, &pa);
    ticket_psk(&b, &pb);
    ticket_psk(&c, &pc);
    assert_memory_not_equal(&pa, &pb, sizeof pa);
    assert_memory_not_equal(&pa, &pc, sizeof pa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_survives_its_text),
        cmocka_unit_test(tickets_are_those_of_the_protocol),
        cmocka_unit_test(relays_find_room_in_the_text),
        cmocka_unit_test(what_is_wrong_with_a_ticket_is_said),
        cmocka_unit_test(any_changed_character_is_noticed),
        cmocka_unit_test(what_is_not_a_ticket_is_refused),
        cmocka_unit_test(the_psk_depends_on_secret_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
