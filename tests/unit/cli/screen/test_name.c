/* Names are as wide as a terminal shows them, and shortened so that nothing is torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/name.h"
#include "cli/screen/width.h"

#define DOTS "\xe2\x80\xa6"
#define E_ACUTE "e\xcc\x81"                           /* e and a mark that combines */
#define HAN "\xe6\xbc\xa2"                            /* U+6F22 */
#define CAT "\xf0\x9f\x90\xb1"                        /* U+1F431 */
#define HANGUL "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" /* one syllable of three parts */

static void widths_are_those_of_a_terminal(void **state) {
    (void)state;
    static const struct {
        const char *s;
        size_t columns;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"gr\xc3\xbc\xc3\x9f", 4},
        {E_ACUTE, 1},
        {HAN HAN, 4},
        {CAT, 2},
        {HANGUL, 2},
        {"\xef\xbc\xa1", 2},
        {"\xff\xfe", 2},
        {DOTS, 1},
        {"\xf0\xa0\x80\x80", 2},
        {"\xe2\x82\xac", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(width_of(cases[i].s, strlen(cases[i].s)), cases[i].columns);
}

static void a_long_name_keeps_its_beginning_and_its_ending(void **state) {
    (void)state;
    static const struct {
        const char *in;
        size_t columns;
        const char *out;
    } cases[] = {
        {"report-of-the-year-2026.pdf", 0, "report-of-the-year-2026.pdf"},
        {"report-of-the-year-2026.pdf", 27, "report-of-the-year-2026.pdf"},
        {"report-of-the-year-2026.pdf", 13, "report" DOTS "26.pdf"},
        {"report-of-the-year-2026.pdf", 12, "report" DOTS "6.pdf"},
        {"report", 1, DOTS},
        {HAN HAN HAN HAN ".txt", 9, HAN HAN DOTS ".txt"},
        {HAN HAN HAN HAN HAN, 8, HAN HAN DOTS HAN},
        {E_ACUTE E_ACUTE E_ACUTE E_ACUTE E_ACUTE, 3, E_ACUTE DOTS E_ACUTE},
        {"ab\x1b[31mcd", 8, "ab" DOTS "mcd"}, /* there is no room for the escape */
        {"\x1b\x1b\x1b\x1b", 10, "\\x1b" DOTS "\\x1b"},
        {"\x1b\x1b\x1b\x1b", 7, DOTS},
        {"\xe2\x80\xaez\xe2\x80\xae", 12, DOTS},
        {"a\\b\\c\\d", 8, "a\\\\b" DOTS "\\\\d"},
        {"a\\b\\c\\d", 7, "a\\\\" DOTS "\\\\d"},
        {"\\\\\\\\", 4,
         "\\\\" DOTS}, /* half of an escape would be read together with what follows */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *s = name_short(cases[i].in, strlen(cases[i].in), cases[i].columns);
        assert_string_equal(s, cases[i].out);
        free(s);
    }
}

/* Whatever it is: never wider than asked for, and what is left of it are whole escapes. */
static void no_name_is_wider_than_its_room(void **state) {
    (void)state;
    static const char all[] = "a\x1b" HAN "\xff" E_ACUTE "\xe2\x80\xae" CAT "\\\n" HANGUL "z.txt";
    for (size_t len = 0; len < sizeof all; len++)
        for (size_t columns = 1; columns < 60; columns++) {
            char *s = name_short(all, len, columns);
            assert_true(width_of(s, strlen(s)) <= columns);
            free(s);
        }
}

static char *of_files(unsigned files, const char *name, size_t columns) {
    struct proto_writer w;
    msgpack_zone zone;
    msgpack_object o;
    size_t off = 0;
    proto_writer_init(&w, 4096);
    msgpack_zone_init(&zone, 1024);
    proto_map(&w, NULL);
    proto_uint(&w, "files", files);
    proto_array(&w, "first");
    for (unsigned i = 0; name && i < 2 && i < files; i++) {
        proto_map(&w, NULL);
        proto_str(&w, "name", name);
        proto_end(&w);
    }
    proto_end(&w);
    proto_end(&w);
    assert_int_equal(msgpack_unpack((const char *)w.buf, w.len, &off, &zone, &o),
                     MSGPACK_UNPACK_SUCCESS);
    char *s = name_of_files(&o, columns);
    msgpack_zone_destroy(&zone);
    proto_writer_clear(&w);
    return s;
}

static void a_transfer_is_called_by_its_first_file(void **state) {
    (void)state;
    static const struct {
        unsigned files;
        const char *name;
        size_t columns;
        const char *out;
    } cases[] = {
        {1, "plan.txt", 0, "plan.txt"},
        {2, "plan.txt", 0, "plan.txt and 1 more"},
        {65536, "a\x1b", 0, "a\\x1b and 65535 more"},
        {12, "a-long-name.txt", 22, "a-lon" DOTS ".txt and 11 more"},
        {12, "a-long-name.txt", 18, "12 files"},
        {1, NULL, 0, "1 file"},
        {7, NULL, 0, "7 files"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *s = of_files(cases[i].files, cases[i].name, cases[i].columns);
        assert_string_equal(s, cases[i].out);
        assert_true(cases[i].columns == 0 || width_of(s, strlen(s)) <= cases[i].columns);
        free(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(a_long_name_keeps_its_beginning_and_its_ending),
        cmocka_unit_test(no_name_is_wider_than_its_room),
        cmocka_unit_test(a_transfer_is_called_by_its_first_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
