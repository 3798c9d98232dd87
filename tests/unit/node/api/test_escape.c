/* A peer's words can be shown: node/api/utf8 and node/api/escape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/api/escape.h"
#include "node/api/utf8.h"

#define LIT(s) s, sizeof s - 1

static void what_is_not_plain_is_escaped(void **state) {
    (void)state;
    static const struct {
        const char *in;
        size_t len;
        const char *out;
    } cases[] = {
        {LIT(""), ""},
        {LIT("plain text, ~!"), "plain text, ~!"},
        {LIT("Gr\xc3\xbc\xc3\x9f"
             "e \xe4\xbd\xa0 \xf0\x9f\x98\x80"),
         "Gr\xc3\xbc\xc3\x9f"
         "e \xe4\xbd\xa0 \xf0\x9f\x98\x80"},
        {LIT("a\nb\tc\rd"), "a\\x0ab\\x09c\\x0dd"},
        {LIT("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m"},
        {LIT("nul\0byte"), "nul\\x00byte"},
        {LIT("del\x7f"), "del\\x7f"},
        {LIT("back\\slash \\x1b"), "back\\\\slash \\\\x1b"},
        {LIT("c1 \xc2\x9b"
             "31m"),
         "c1 \\u{9b}31m"},
        {LIT("rtl \xe2\x80\xae"
             "gpj.exe"),
         "rtl \\u{202e}gpj.exe"},
        {LIT("iso \xe2\x81\xa6x\xe2\x81\xa9"), "iso \\u{2066}x\\u{2069}"},
        {LIT("zero\xe2\x80\x8bwidth\xef\xbb\xbf"), "zero\\u{200b}width\\u{feff}"},
        {LIT("line\xe2\x80\xa8sep"), "line\\u{2028}sep"},
        {LIT("tag\xf3\xa0\x81\x81"), "tag\\u{e0041}"},
        {LIT("a\xef\xb8\x8f.txt"), "a\\u{fe0f}.txt"},
        {LIT("1\xef\xb8\x8f.txt"), "1\\u{fe0f}.txt"},
        {LIT("\xef\xb8\x8f\xef\xb8\x8f"), "\\u{fe0f}\\u{fe0f}"},
        {LIT("\xe2\x9d\xa4\xef\xb8\x8f.txt"), "\xe2\x9d\xa4\xef\xb8\x8f.txt"},
        {LIT("\xe2\x9d\xa4\xef\xb8\x8f\xef\xb8\x8f.txt"), "\xe2\x9d\xa4\xef\xb8\x8f\\u{fe0f}.txt"},
        {LIT("1\xef\xb8\x8f\xe2\x83\xa3"), "1\xef\xb8\x8f\xe2\x83\xa3"},
        {LIT("note\xf0\x9d\x85\x99.txt"), "note\\u{1d159}.txt"},
        {LIT("\xf0\x93\x90\xb0\xf0\x96\xbf\xa4"), "\\u{13430}\\u{16fe4}"},
        {LIT("\xff\xfe"), "\\xff\\xfe"},
        {LIT("cut \xe2\x82"), "cut \\xe2\\x82"},
        {LIT("overlong \xc0\xaf"), "overlong \\xc0\\xaf"},
        {LIT("surrogate \xed\xa0\x80"), "surrogate \\xed\\xa0\\x80"},
        {LIT("too big \xf4\x90\x80\x80"), "too big \\xf4\\x90\\x80\\x80"},
        {LIT("non \xef\xbf\xbf"), "non \\u{ffff}"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        size_t n = escape_text(out, sizeof out, cases[i].in, cases[i].len);
        assert_string_equal(out, cases[i].out);
        assert_int_equal(n, strlen(cases[i].out));
    }
}

static void every_pair_of_bytes_gives_one_safe_line_within_the_growth(void **state) {
    (void)state;
    for (unsigned i = 0; i < 65536; i++) {
        char in[2] = {(char)(i >> 8), (char)i}, out[2 * ESCAPE_GROWTH + 1];
        size_t n = escape_text(out, sizeof out, in, 2);
        assert_true(n < sizeof out && n == strlen(out));
        assert_true(utf8_all_plain(out, n));
    }
}

static void what_does_not_fit_is_cut_at_a_whole_character(void **state) {
    (void)state;
    const char *in = "ab\x1b\xc3\xbc";
    for (size_t cap = 1; cap < 12; cap++) {
        char out[16];
        memset(out, '#', sizeof out);
        assert_int_equal(escape_text(out, cap, in, 5), 8);
        assert_true(strlen(out) < cap);
        assert_true(strncmp("ab\\x1b\xc3\xbc", out, strlen(out)) == 0);
        assert_true(utf8_valid(out, strlen(out)));
        assert_int_equal(out[cap], '#');
    }
    assert_int_equal(escape_text(NULL, 0, in, 5), 8);
}

static void what_is_not_utf8_is_repaired_within_the_room(void **state) {
    (void)state;
    const char *in = "a\xff\xc3\xbc\x1b";
    for (size_t cap = 1; cap < 12; cap++) {
        char out[16];
        memset(out, '#', sizeof out);
        utf8_repair(out, cap, in, 5);
        assert_true(strlen(out) < cap);
        assert_true(strncmp("a\xef\xbf\xbd\xc3\xbc\x1b", out, strlen(out)) == 0);
        assert_true(utf8_valid(out, strlen(out)));
        assert_int_equal(out[cap], '#');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_plain_is_escaped),
        cmocka_unit_test(every_pair_of_bytes_gives_one_safe_line_within_the_growth),
        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
        cmocka_unit_test(what_is_not_utf8_is_repaired_within_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
