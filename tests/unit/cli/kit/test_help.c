/* Help fits the terminal it is read on, and loses no word on a narrow one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/kit/help.h"
#include "cli/screen/width.h"

static const char text[] =
    "usage: meshctl recv [--out DIR] [--from NAME] [--once] [--detach] [--timeout DURATION]\n"
    "\n"
    "accept files until interrupted\n"
    "\n"
    "  -o, --out DIR           where to (default: meshd's download directory)\n"
    "  --once                  accept one transfer, and exit with its outcome when it has ended\n"
    "Interrupting it cancels what is being received. A second interrupt ends meshctl at once.\n";

static void put(unsigned columns, char out[static 4096]) {
    FILE *f = tmpfile();
    assert_non_null(f);
    help_put(f, text, columns);
    rewind(f);
    out[fread(out, 1, 4095, f)] = '\0';
    fclose(f);
}

/* The words, with one blank between them. */
static void words(const char *s, char *out) {
    for (; *s; s += strspn(s, " \n")) {
        size_t n = strcspn(s, " \n");
        memcpy(out, s, n);
        out += n;
        *out++ = ' ';
        s += n;
    }
    *out = '\0';
}

static void no_line_is_wider_than_the_terminal(void **state) {
    (void)state;
    char out[4096], want[4096], got[4096];
    words(text, want);
    for (unsigned columns = 30; columns < 120; columns++) {
        put(columns, out);
        words(out, got);
        assert_string_equal(got, want);
        for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
            if (width_of_text(line) > columns)
                fail_msg("at %u columns: \"%s\"", columns, line);
    }
}

static void the_layout(void **state) {
    (void)state;
    char out[4096];
    put(59, out);
    assert_string_equal(out, "usage: meshctl recv [--out DIR] [--from NAME] [--once]\n"
                             "               [--detach] [--timeout DURATION]\n"
                             "\n"
                             "accept files until interrupted\n"
                             "\n"
                             "  -o, --out DIR           where to (default: meshd's\n"
                             "                          download directory)\n"
                             "  --once                  accept one transfer, and exit\n"
                             "                          with its outcome when it has\n"
                             "                          ended\n"
                             "Interrupting it cancels what is being received. A second\n"
                             "interrupt ends meshctl at once.\n");
    put(39, out);
    assert_non_null(strstr(out, "  -o, --out DIR\n"
                                "      where to (default: meshd's\n"
                                "      download directory)\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(the_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
