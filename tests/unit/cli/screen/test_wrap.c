/* A message on a terminal: nothing of it begins a line where one of ours would begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/wrap.h"

static char shown[65536];

static void wrap(const char *text, size_t column, size_t columns) {
    FILE *f = tmpfile();
    assert_non_null(f);
    wrap_print(f, text, column, columns, "    ");
    rewind(f);
    shown[fread(shown, 1, sizeof shown - 1, f)] = '\0';
    fclose(f);
}

static void lines_break_at_blanks_and_stand_behind_the_indent(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t column, columns;
        const char *want;
    } cases[] = {
        {"one two three", 0, 0, "one two three"},
        {"one two three", 0, 20, "one two three"},
        {"one two three", 0, 13, "one two three"},
        {"one two three", 0, 12, "one two\n    three"},
        {"one two three", 8, 16, "one two\n    three"},
        {"one two three", 11, 12, "one\n    two\n    three"},
        {"one\n    two three", 0, 12, "one\n    two\n    three"},
        {"one\n\n    two", 0, 12, "one\n\n    two"},
        {"a\n        code", 0, 20, "a\n        code"},
        {"https://example.org/long", 9, 12, "https://example.org/long"},
        {"a https://example.org/long b", 9, 12, "a\n    https://example.org/long\n    b"},
        {"a\n    https://example.org/long", 0, 12, "a\n    https://example.org/long"},
        {"a          5  2026-11-21", 2, 12, "a\n    5\n    2026-11-21"},
        {"a\n                    5", 0, 12, "a\n\n    5"},
        {"a\xc2\xa0\xc2\xa0\xe3\x80\x80\xe2\xa0\x80"
         "5",
         2, 8, "a\n    5"},
        {"\xe4\xbd\xa0\xe5\xa5\xbd \xe4\xbd\xa0", 0, 6,
         "\xe4\xbd\xa0\xe5\xa5\xbd\n    \xe4\xbd\xa0"},
        {"a\tb", 0, 9, "a\n    b"},
        {"", 5, 10, ""},
        {"a \n b ", 0, 10, "a \n b "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wrap(cases[i].text, cases[i].column, cases[i].columns);
        if (strcmp(shown, cases[i].want) != 0)
            fail_msg("case %zu: '%s'", i, shown);
    }
}

/* However it is padded: on a terminal of any width, no line of the message begins with a number and
 * a date. */
static void no_padding_makes_a_line_of_ours(void **state) {
    (void)state;
    static const char *const fills[] = {
        " ", "\t", "x", "x ", "\xc2\xa0", "\xe3\x80\x80", "\xe2\xa0\x80", "\xf0\x9f\x98\x80"};
    for (size_t columns = 40; columns <= 200; columns += 20)
        for (size_t k = 0; k < sizeof fills / sizeof *fills; k++)
            for (size_t n = 0; n < columns + 8; n++) {
                char text[2048] = "";
                for (size_t i = 0; i < n; i++)
                    strcat(text, fills[k]);
                strcat(text, "5  2026-11-21 14:05:09  from bank: pay");
                wrap(text, 34, columns);
                size_t column = 34;
                for (const char *line = shown; line;
                     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                    /* What the terminal breaks is at most one word, without a blank. */
                    size_t len = strcspn(line, "\n");
                    if (line != shown)
                        assert_memory_equal(line, "    ", 4);
                    const char *head = memmem(line, len, "5  2026", 7);
                    if (head)
                        assert_true(column + wrap_width(line, (size_t)(head - line) + 7) <=
                                    columns);
                    column = 0;
                }
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_at_blanks_and_stand_behind_the_indent),
        cmocka_unit_test(no_padding_makes_a_line_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
