/* A text takes the columns that a terminal gives it, and is made to fit the line that changes in
 * place without being cut inside a character. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/screen/name.h"
#include "cli/screen/width.h"
#include "node/api/utf8.h"

static void widths_are_those_of_a_terminal(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"holiday.mkv", 11},
        {"\xc3\xa9t\xc3\xa9", 3},            /* precomposed */
        {"e\xcc\x81", 1},                    /* e and a combining acute accent */
        {"\xe6\x97\xa5\xe6\x9c\xac.txt", 8}, /* two ideographs */
        {"\xed\x95\x9c", 2},                 /* Hangul */
        {"\xef\xbc\xa1", 2},                 /* fullwidth A */
        {"\xef\xbd\xb1", 1},                 /* halfwidth katakana */
        {"\xf0\x9f\x8e\x89", 2},             /* emoji */
        {"\xe2\x9c\x93", 1},                 /* a check mark is no emoji */
        {"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 6},
        {"\xe4\xb7\x80\xe4\xb7\xbf\xe3\x89\x88", 6}, /* hexagrams, a circled number */
        {"\xff\xfe", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(width_of_text(cases[i].text), cases[i].columns);
}

static void a_long_name_loses_its_middle(void **state) {
    (void)state;
    static const struct {
        const char *raw;
        size_t columns;
        const char *want;
    } cases[] = {
        {"holiday.mkv", 20, "holiday.mkv"},
        {"holiday.mkv", 11, "holiday.mkv"},
        {"holiday-2026.mkv", 11, "holi....mkv"},
        {"holiday-2026.mkv", 12, "holid....mkv"},
        {"holiday-2026.mkv", 5, "holid"},
        {"holiday-2026.mkv", 0, ""},
        /* Ideographs are two columns each: one that does not fit whole is left out. */
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x95.txt", 11,
         "\xe6\x97\xa5\xe6\x9c\xac....txt"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x95.txt", 3, "\xe6\x97\xa5"},
        /* What is escaped is not cut apart. */
        {"a\x1b[31mred-and-more.txt", 14, "a\\x1b[...e.txt"},
        {"abcd\x1b\x1b\x1b\x1b", 9, "abc..."},
        /* What makes an emoji of a sign stays with it, and nowhere else. */
        {"\xe2\x9d\xa4\xef\xb8\x8f.txt", 20, "\xe2\x9d\xa4\xef\xb8\x8f.txt"},
        {"1\xef\xb8\x8f\xe2\x83\xa3.txt", 20, "1\xef\xb8\x8f\xe2\x83\xa3.txt"},
        {"a\xef\xb8\x8f.txt", 20, "a\\u{fe0f}.txt"},
        /* The tail does not begin with a mark that belongs to what was left out. */
        {"abcdefghije\xcc\x81xyz", 9, "abc...xyz"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[256];
        size_t n =
            name_plain(out, sizeof out, cases[i].raw, strlen(cases[i].raw), cases[i].columns);
        assert_string_equal(out, cases[i].want);
        assert_int_equal(n, width_of_text(out));
    }
}

/* Whatever bytes a peer gives, at every width and every size of the buffer. */
static void it_always_fits(void **state) {
    (void)state;
    uint32_t x = 1;
    for (int round = 0; round < 2000; round++) {
        char raw[64], out[160];
        size_t len = (size_t)round % sizeof raw;
        for (size_t i = 0; i < len; i++) {
            x = x * 1664525 + 1013904223;
            static const char common[] = "\xe6\x97\xa5\xcc\x81\xf0\x9f\x8e\x89 a\x1b\\";
            raw[i] = x >> 31 ? common[(x >> 8) % (sizeof common - 1)] : (char)(x >> 16);
        }
        for (size_t columns = 0; columns < 40; columns++) {
            size_t cap = (x >> 3) % sizeof out + 1;
            size_t n = name_plain(out, cap, raw, len, columns);
            assert_true(n <= columns);
            assert_true(strlen(out) < cap);
            assert_true(utf8_valid(out, strlen(out)));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(a_long_name_loses_its_middle),
        cmocka_unit_test(it_always_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
