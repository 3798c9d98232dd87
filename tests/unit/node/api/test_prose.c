/* A peer's message as its reader sees it (node/api/prose). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/escape.h"
#include "node/api/prose.h"
#include "node/api/utf8.h"

#define LIT(s) s, sizeof(s) - 1

static const char indent[] = "    ";

static void what_was_written_stays_and_what_fools_is_escaped(void **state) {
    (void)state;
    static const struct {
        const char *name, *in;
        size_t len;
        const char *out;
    } cases[] = {
        {"plain", LIT("what? ~!"), "what? ~!"},
        {"German",
         LIT("Gr\xc3\xbc\xc3\x9f"
             "e, sch\xc3\xb6ne"),
         "Gr\xc3\xbc\xc3\x9f"
         "e, sch\xc3\xb6ne"},
        {"Chinese", LIT("\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c"),
         "\xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe4\xb8\x96\xe7\x95\x8c"},
        {"tab", LIT("a\tb"), "a\tb"},
        {"a blank that is none", LIT("x\xf0\x9d\x85\x99y"), "x\\u{1d159}y"},
        {"a sign's style behind nothing", LIT("\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x98\x80"),
         "\\u{fe0f}\\u{200d}\xf0\x9f\x98\x80"},
        {"a Mongolian variant of a Latin letter", LIT("a\xe1\xa0\x8b"), "a\\u{180b}"},
        {"smile", LIT("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80"},
        {"family",
         LIT("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2\x80\x8d"
             "\xf0\x9f\x91\xa6"),
         "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2\x80\x8d\xf0"
         "\x9f\x91\xa6"},
        {"skin tone", LIT("\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"), "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd"},
        {"profession with skin tone",
         LIT("\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb"),
         "\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb"},
        {"heart on fire", LIT("\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x94\xa5"),
         "\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x94\xa5"},
        {"rainbow flag", LIT("\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88"),
         "\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88"},
        {"pirate flag", LIT("\xf0\x9f\x8f\xb4\xe2\x80\x8d\xe2\x98\xa0\xef\xb8\x8f"),
         "\xf0\x9f\x8f\xb4\xe2\x80\x8d\xe2\x98\xa0\xef\xb8\x8f"},
        {"man shrugging",
         LIT("\xf0\x9f\xa4\xb7\xf0\x9f\x8f\xbb\xe2\x80\x8d\xe2\x99\x82\xef\xb8\x8f"),
         "\xf0\x9f\xa4\xb7\xf0\x9f\x8f\xbb\xe2\x80\x8d\xe2\x99\x82\xef\xb8\x8f"},
        {"flag of Germany", LIT("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"),
         "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"},
        {"flag of Scotland",
         LIT("\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb3\xf3\xa0\x81\xa3\xf3"
             "\xa0\x81\xb4\xf3\xa0\x81\xbf"),
         "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb3\xf3\xa0\x81\xa3\xf3\xa0"
         "\x81\xb4\xf3\xa0\x81\xbf"},
        {"flag of Wales within text",
         LIT("x\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb7\xf3\xa0\x81\xac\xf3"
             "\xa0\x81\xb3\xf3\xa0\x81\xbfx"),
         "x\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb7\xf3\xa0\x81\xac\xf3\xa0"
         "\x81\xb3\xf3\xa0\x81\xbfx"},
        {"keycap", LIT("1\xef\xb8\x8f\xe2\x83\xa3 #\xef\xb8\x8f\xe2\x83\xa3"),
         "1\xef\xb8\x8f\xe2\x83\xa3 #\xef\xb8\x8f\xe2\x83\xa3"},
        {"text style", LIT("\xe2\x98\xba\xef\xb8\x8e"), "\xe2\x98\xba\xef\xb8\x8e"},
        {"Persian",
         LIT("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85 "
             "\xda\xa9\xd8\xaa\xd8\xa7\xd8\xa8\xe2\x80\x8c\xd9\x87\xd8\xa7"),
         "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85 "
         "\xda\xa9\xd8\xaa\xd8\xa7\xd8\xa8\xe2\x80\x8c\xd9\x87\xd8\xa7"},
        {"Hindi with a joiner", LIT("\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"),
         "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"},
        {"Hindi with a non-joiner", LIT("\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8c\xe0\xa4\xb7"),
         "\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8c\xe0\xa4\xb7"},
        {"Sinhala",
         LIT("\xe0\xb7\x81\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb\xe0\xb7\x93 "
             "\xe0\xb6\xbd\xe0\xb6\x82\xe0\xb6\x9a\xe0\xb7\x8f"),
         "\xe0\xb7\x81\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb\xe0\xb7\x93 "
         "\xe0\xb6\xbd\xe0\xb6\x82\xe0\xb6\x9a\xe0\xb7\x8f"},
        {"Malayalam chillu", LIT("\xe0\xb4\x85\xe0\xb4\xb5\xe0\xb4\xa8\xe0\xb5\x8d\xe2\x80\x8d"),
         "\xe0\xb4\x85\xe0\xb4\xb5\xe0\xb4\xa8\xe0\xb5\x8d\xe2\x80\x8d"},
        {"Thai with break",
         LIT("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5\xe2\x80\x8b"
             "\xe0\xb8\x84\xe0\xb8\xa3\xe0\xb8\xb1\xe0\xb8\x9a"),
         "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5\xe2\x80\x8b\xe0"
         "\xb8\x84\xe0\xb8\xa3\xe0\xb8\xb1\xe0\xb8\x9a"},
        {"Khmer",
         LIT("\xe1\x9e\x97\xe1\x9e\xb6\xe1\x9e\x9f\xe1\x9e\xb6\xe2\x80\x8b\xe1\x9e\x81\xe1\x9f\x92"
             "\xe1\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a"),
         "\xe1\x9e\x97\xe1\x9e\xb6\xe1\x9e\x9f\xe1\x9e\xb6\xe2\x80\x8b\xe1\x9e\x81\xe1\x9f\x92\xe1"
         "\x9e\x98\xe1\x9f\x82\xe1\x9e\x9a"},
        {"ideographic variation", LIT("\xe8\x91\x9b\xf3\xa0\x84\x80"),
         "\xe8\x91\x9b\xf3\xa0\x84\x80"},
        {"CJK variation", LIT("\xef\xa8\x91\xef\xb8\x80"), "\xef\xa8\x91\xef\xb8\x80"},
        {"Mongolian", LIT("\xe1\xa0\xa0\xe1\xa0\x8b \xe1\xa0\xa8\xe1\xa0\x8e\xe1\xa0\xa0"),
         "\xe1\xa0\xa0\xe1\xa0\x8b \xe1\xa0\xa8\xe1\xa0\x8e\xe1\xa0\xa0"},
        {"Hebrew", LIT("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d, world"),
         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d, world"},
        {"Hebrew with a mark", LIT("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d!\xe2\x80\x8f (a)\xe2\x80\x8e"),
         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d!\xe2\x80\x8f (a)\xe2\x80\x8e"},
        {"Arabic letter mark", LIT("\xd8\xb3\xd8\xb9\xd8\xb1\xd8\x9c 5"),
         "\xd8\xb3\xd8\xb9\xd8\xb1\xd8\x9c 5"},
        {"isolate closed",
         LIT("\xd7\x90\xd7\x91 \xe2\x81\xa6"
             "abc\xe2\x81\xa9 \xd7\x92"),
         "\xd7\x90\xd7\x91 \xe2\x81\xa6"
         "abc\xe2\x81\xa9 \xd7\x92"},
        {"nested",
         LIT("\xd7\x90 \xe2\x81\xa7"
             "a \xe2\x81\xa6"
             "b\xe2\x81\xa9 c\xe2\x81\xa9"),
         "\xd7\x90 \xe2\x81\xa7"
         "a \xe2\x81\xa6"
         "b\xe2\x81\xa9 c\xe2\x81\xa9"},
        {"embedding closed", LIT("\xd7\x90 \xe2\x80\xabx\xe2\x80\xac"),
         "\xd7\x90 \xe2\x80\xabx\xe2\x80\xac"},
        {"Windows path", LIT("C:\\Temp\\new"), "C:\\Temp\\new"},
        {"backslash at the end", LIT("a\\"), "a\\"},
        {"combining", LIT("e\xcc\x81 n\xcc\x83"), "e\xcc\x81 n\xcc\x83"},
        {"ESC", LIT("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m"},
        {"OSC", LIT("\x1b]0;x\x07"), "\\x1b]0;x\\x07"},
        {"C1",
         LIT("a\xc2\x9b"
             "2J"),
         "a\\u{9b}2J"},
        {"NUL and DEL",
         LIT("a\x00"
             "b\x7f"),
         "a\\x00b\\x7f"},
        {"backspace",
         LIT("a\x08"
             "b"),
         "a\\x08b"},
        {"vertical tab",
         LIT("a\x0b"
             "b\x0c"
             "c"),
         "a\\x0bb\\x0cc"},
        {"lone CR", LIT("safe\revil"), "safe\\x0devil"},
        {"line separator",
         LIT("a\xe2\x80\xa8"
             "b\xe2\x80\xa9"
             "c\xc2\x85"),
         "a\\u{2028}b\\u{2029}c\\u{85}"},
        {"not UTF-8", LIT("\xff a\xe2\x82"), "\\xff a\\xe2\\x82"},
        {"surrogate", LIT("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
        {"override", LIT("rtl \xe2\x80\xaegpj.exe"), "rtl \\u{202e}gpj.exe"},
        {"closed override in Hebrew",
         LIT("\xd7\x90 \xe2\x80\xae"
             "b\xe2\x80\xac"),
         "\xd7\x90 \\u{202e}b\\u{202c}"},
        {"isolate without a reason",
         LIT("a \xe2\x81\xa6"
             "b\xe2\x81\xa9"),
         "a \\u{2066}b\\u{2069}"},
        {"isolate left open",
         LIT("\xd7\x90 \xe2\x81\xa7"
             "b"),
         "\xd7\x90 \\u{2067}b"},
        {"isolate over a line end",
         LIT("\xd7\x90 \xe2\x81\xa7"
             "b\n\xd7\x90\xe2\x81\xa9"),
         "\xd7\x90 \\u{2067}b\n    \xd7\x90\\u{2069}"},
        {"closed by the other",
         LIT("\xd7\x90 \xe2\x81\xa7"
             "b\xe2\x80\xac"),
         "\xd7\x90 \\u{2067}b\\u{202c}"},
        {"crossed",
         LIT("\xd7\x90 \xe2\x81\xa7\xe2\x80\xab"
             "b\xe2\x81\xa9\xe2\x80\xac"),
         "\xd7\x90 \\u{2067}\\u{202b}b\\u{2069}\\u{202c}"},
        {"too deep",
         LIT("\xd7\x90\xe2\x81\xa6\xe2\x81\xa6\xe2\x81\xa6\xe2\x81\xa6\xe2\x81\xa6\xe2\x81\xa6\xe2"
             "\x81\xa6\xe2\x81\xa6\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xa9\xe2\x81\xa9\xe2\x81\xa9\xe2"
             "\x81\xa9\xe2\x81\xa9\xe2\x81\xa9\xe2\x81\xa9\xe2\x81\xa9"),
         "\xd7\x90\\u{2066}\\u{2066}\\u{2066}\\u{2066}\\u{2066}\\u{2066}\\u{2066}\\u{2066}\\u{2066}"
         "\\u{2069}\\u{2069}\\u{2069}\\u{2069}\\u{2069}\\u{2069}\\u{2069}\\u{2069}\\u{2069}"},
        {"mark without a reason",
         LIT("ab\xe2\x80\x8f"
             "c\xe2\x80\x8e"),
         "ab\\u{200f}c\\u{200e}"},
        {"joiner between letters", LIT("pay\xe2\x80\x8dpal"), "pay\\u{200d}pal"},
        {"non-joiner between letters", LIT("pay\xe2\x80\x8cpal"), "pay\\u{200c}pal"},
        {"zero-width space", LIT("pay\xe2\x80\x8bpal"), "pay\\u{200b}pal"},
        {"word joiner, BOM",
         LIT("a\xe2\x81\xa0"
             "b\xef\xbb\xbf"),
         "a\\u{2060}b\\u{feff}"},
        {"two joiners", LIT("\xf0\x9f\x91\xa8\xe2\x80\x8d\xe2\x80\x8d\xf0\x9f\x91\xa9"),
         "\xf0\x9f\x91\xa8\\u{200d}\\u{200d}\xf0\x9f\x91\xa9"},
        {"joiner at the end", LIT("\xf0\x9f\x91\xa8\xe2\x80\x8d"), "\xf0\x9f\x91\xa8\\u{200d}"},
        {"joiner before a letter", LIT("\xf0\x9f\x91\xa8\xe2\x80\x8dx"),
         "\xf0\x9f\x91\xa8\\u{200d}x"},
        {"two non-joiners", LIT("\xd9\x85\xdb\x8c\xe2\x80\x8c\xe2\x80\x8c\xd8\xae"),
         "\xd9\x85\xdb\x8c\xe2\x80\x8c\\u{200c}\xd8\xae"},
        {"joiner at the start", LIT("\xe2\x80\x8c\xd8\xae"), "\\u{200c}\xd8\xae"},
        {"selector behind a letter",
         LIT("a\xef\xb8\x8f"
             "b\xef\xb8\x80"),
         "a\\u{fe0f}b\\u{fe00}"},
        {"two selectors", LIT("\xe2\x98\xba\xef\xb8\x8f\xef\xb8\x8f"),
         "\xe2\x98\xba\xef\xb8\x8f\\u{fe0f}"},
        {"hidden selectors", LIT("a\xf3\xa0\x84\x81\xf3\xa0\x84\x81"), "a\\u{e0101}\\u{e0101}"},
        {"tags", LIT("hi\xf3\xa0\x81\x81\xf3\xa0\x81\xbf"), "hi\\u{e0041}\\u{e007f}"},
        {"tags behind a flag",
         LIT("\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa8\xf3\xa0\x81\xa9\xf3\xa0\x81\xbf"),
         "\xf0\x9f\x8f\xb4\\u{e0068}\\u{e0069}\\u{e007f}"},
        {"flag without its end",
         LIT("\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xb3\xf3\xa0\x81\xa3\xf3"
             "\xa0\x81\xb4"),
         "\xf0\x9f\x8f\xb4\\u{e0067}\\u{e0062}\\u{e0073}\\u{e0063}\\u{e0074}"},
        {"soft hyphen",
         LIT("a\xc2\xad"
             "b"),
         "a\\u{ad}b"},
        {"Hangul filler", LIT("\xe3\x85\xa4\xe1\x85\x9f\xef\xbe\xa0"),
         "\\u{3164}\\u{115f}\\u{ffa0}"},
        {"private use", LIT("\xee\x80\x80"), "\\u{e000}"},
        {"annotation",
         LIT("\xef\xbf\xb9"
             "a\xef\xbf\xbb"),
         "\\u{fff9}a\\u{fffb}"},
        {"grapheme joiner",
         LIT("a\xcd\x8f"
             "b"),
         "a\\u{34f}b"},
        {"invisible times",
         LIT("a\xe2\x81\xa2"
             "b"),
         "a\\u{2062}b"},
        {"what reads as an escape", LIT("\\x1b \\u{202e}"), "\\\\x1b \\\\u{202e}"},
        {"two backslashes", LIT("a\\\\b"), "a\\\\\\b"},
        {"backslash before ESC", LIT("\\\x1b"), "\\\\\\x1b"},
        {"lines", LIT("one\ntwo\r\nthree"), "one\n    two\n    three"},
        {"an empty line", LIT("one\n\ntwo\n"), "one\n    \n    two\n    "},
        {"a line like ours", LIT("hi\n5  2026-11-21 14:05:09  from bank: pay"),
         "hi\n    5  2026-11-21 14:05:09  from bank: pay"},
        {"the direction is the line's",
         LIT("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\na\xe2\x80\x8f"
             "b"),
         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\n    a\\u{200f}b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[1024];
        size_t n = prose_show(out, sizeof out, cases[i].in, cases[i].len, indent);
        if (strcmp(out, cases[i].out) != 0)
            fail_msg("%s: '%s' instead of '%s'", cases[i].name, out, cases[i].out);
        assert_int_equal(n, strlen(out));
    }
}

/* A name has none of what a message may have. */
static void names_stay_strict(void **state) {
    (void)state;
    static const char *const names[] = {"\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae", "a\nb", "a\tb",
                                        "\xd7\x90\xe2\x80\x8f",
                                        "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char out[128];
        assert_false(utf8_all_plain(names[i], strlen(names[i])));
        escape_text(out, sizeof out, names[i], strlen(names[i]));
        assert_true(utf8_all_plain(out, strlen(out)));
        assert_non_null(strchr(out, '\\'));
    }
}

/* What a reader of the output takes for the message: escapes read, indents and carriage returns
 * before line ends gone. */
static size_t read_back(char *to, const char *s) {
    size_t n = 0;
    while (*s) {
        unsigned v;
        int used = 0;
        if (s[0] == '\\' && s[1] == '\\') {
            to[n++] = '\\';
            s += 2;
        } else if (sscanf(s, "\\x%2x%n", &v, &used) == 1 && used == 4) {
            to[n++] = (char)v;
            s += used;
        } else if (sscanf(s, "\\u{%x}%n", &v, &used) == 1 && used > 0) {
            if (v < 0x800) {
                to[n++] = (char)(0xc0 | v >> 6);
            } else if (v < 0x10000) {
                to[n++] = (char)(0xe0 | v >> 12);
                to[n++] = (char)(0x80 | (v >> 6 & 0x3f));
            } else {
                to[n++] = (char)(0xf0 | v >> 18);
                to[n++] = (char)(0x80 | (v >> 12 & 0x3f));
                to[n++] = (char)(0x80 | (v >> 6 & 0x3f));
            }
            to[n++] = (char)(0x80 | (v & 0x3f));
            s += used;
        } else {
            to[n++] = *s;
            s += *s == '\n' ? 1 + strlen(indent) : 1;
        }
    }
    return n;
}

static size_t without_returns(char *s, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (s[i] != '\r' || i + 1 == len || s[i + 1] != '\n')
            s[n++] = s[i];
    return n;
}

/* Of pieces that mean something beside each other, in every order: the output is UTF-8 without a
 * control character or an override, and the message can be read from it. So two messages do not
 * look the same. */
static void no_order_of_pieces_gets_through(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "a",
        "x",
        "u{1b}",
        "1b",
        "\\",
        "\n",
        "\r",
        "\t",
        "\x1b",
        "\xc2\x9b",
        "\xff",
        "\xe2",
        "\xe2\x80\x8d",
        "\xe2\x80\x8c",
        "\xe2\x80\x8b",
        "\xe2\x80\x8f",
        "\xe2\x80\xae",
        "\xe2\x80\xac",
        "\xe2\x81\xa7",
        "\xe2\x81\xa9",
        "\xef\xb8\x8f",
        "\xf0\x9f\x91\xa8",
        "\xf0\x9f\x8f\xb4",
        "\xf3\xa0\x81\xa7",
        "\xf3\xa0\x81\xbf",
        "\xd7\x90",
        "\xd8\xae",
        "\xe0\xa4\x95",
        "1",
        "\xe2\x80\xa8",
    };
    enum { PIECES = sizeof pieces / sizeof *pieces };
    uint32_t seed = 7;
    for (unsigned i = 0; i < 200000; i++) {
        char in[64] = "", out[1024], back[1024];
        for (unsigned k = 0; k < 2 + i % 7; k++) {
            seed = seed * 1664525 + 1013904223;
            strcat(in, pieces[(seed >> 16) % PIECES]);
        }
        size_t len = strlen(in), n = prose_show(out, sizeof out, in, len, indent);
        assert_true(n < sizeof out && n == strlen(out) && utf8_valid(out, n));
        for (const char *p = out; *p; p++)
            assert_true((uint8_t)*p >= 0x20 ? *p != 0x7f : *p == '\n' || *p == '\t');
        assert_null(strstr(out, "\xe2\x80\xae"));
        assert_null(strstr(out, "\xe2\x80\xa8"));
        size_t again = read_back(back, out), want = without_returns(in, len);
        if (again != want || memcmp(back, in, want) != 0)
            fail_msg("'%s'", out);
    }
}

static void what_does_not_fit_is_cut_at_a_whole_piece(void **state) {
    (void)state;
    static const char in[] = "ab\n\x1b\xc3\xbc";
    for (size_t cap = 1; cap < 16; cap++) {
        char out[24];
        memset(out, '#', sizeof out);
        assert_int_equal(prose_show(out, cap, in, 6, indent), 13);
        assert_true(strlen(out) < cap);
        assert_true(strncmp("ab\n    \\x1b\xc3\xbc", out, strlen(out)) == 0);
        assert_true(utf8_valid(out, strlen(out)));
        assert_int_equal(out[cap], '#');
    }
    assert_int_equal(prose_show(NULL, 0, in, 6, indent), 13);
    char out[8];
    assert_int_equal(prose_show(out, sizeof out, "", 0, indent), 0);
    assert_string_equal(out, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_stays_and_what_fools_is_escaped),
        cmocka_unit_test(names_stay_strict),
        cmocka_unit_test(no_order_of_pieces_gets_through),
        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
