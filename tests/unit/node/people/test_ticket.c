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
        {"version 2", 0, 2, 67},
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
        cmocka_unit_test(any_changed_character_is_noticed),
        cmocka_unit_test(what_is_not_a_ticket_is_refused),
        cmocka_unit_test(the_psk_depends_on_secret_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
