/* What is copied into a shell is the word it was: node/api/quote, read again by the rules of a
 * shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "node/api/quote.h"

/* POSIX 2.2, of one word; false: a shell sees something in it. */
static bool shell_reads(const char *s, char *out) {
    static const char special[] = "$`\\ ;&|<>()*?[~#!{}=:%\t\n";
    char quote = 0;
    for (; *s; s++) {
        if (quote == 0 && (*s == '\'' || *s == '"'))
            quote = *s;
        else if (quote && *s == quote)
            quote = 0;
        else if ((quote == 0 && strchr(special, *s)) || (quote == '"' && strchr("$`\\!", *s)))
            return false;
        else
            *out++ = *s;
    }
    *out = '\0';
    return quote == 0;
}

static void a_shell_reads_the_word_again(void **state) {
    (void)state;
    static const char *const words[] = {
        "bob",          "",     "'",  "x'$(id)'y",     "a\\b", "'''",
        "`id` \"$HOME", "a\nb", "!x", "/home/o'brien", "\"",   "~"};
    char out[80], read[80];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (unsigned way = 0; way < 2; way++)
            for (size_t cap = 0; cap <= sizeof out; cap++) {
                memset(out, 'x', sizeof out);
                bool fits = way ? quote_text(out, cap, words[i]) : quote_word(out, cap, words[i]);
                assert_true(fits || cap < QUOTE_GROWTH * strlen(words[i]) + 3);
                for (size_t at = cap; at < sizeof out; at++)
                    assert_int_equal(out[at], 'x');
                if (!fits) {
                    assert_true(cap == 0 || out[0] == '\0');
                    continue;
                }
                assert_true(memchr(out, '\0', cap) != NULL);
                assert_true(shell_reads(out, read));
                assert_string_equal(read, words[i]);
                assert_true(strchr(words[i], '\\') || !strchr(out, '\\'));
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_shell_reads_the_word_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
