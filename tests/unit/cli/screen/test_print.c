/* What meshctl shows: nothing that came from a peer reaches a terminal as it is, and JSON is
 * JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/kit/app.h"
#include "cli/kit/hint.h"
#include "cli/screen/json.h"
#include "cli/screen/table.h"
#include "cli/screen/width.h"
#include "node/api/quote.h"

static const char evil[] = "a\x1b]0;x\x07\n\xc2\x9b"
                           "2J\xe2\x80\xae\xff\\b";
static const char tame[] = "a\\x1b]0;x\\x07\\x0a\\u{9b}2J\\u{202e}\\xff\\\\b";

static char said[2][16384]; /* standard output, standard error */

static void capture(void (*put)(void)) {
    FILE *f[2];
    int old[2];
    fflush(stdout);
    for (int i = 0; i < 2; i++) {
        f[i] = tmpfile();
        assert_non_null(f[i]);
        old[i] = dup(i + 1);
        dup2(fileno(f[i]), i + 1);
    }
    put();
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        dup2(old[i], i + 1);
        close(old[i]);
        ssize_t n = pread(fileno(f[i]), said[i], sizeof said[i] - 1, 0);
        said[i][n > 0 ? n : 0] = '\0';
        fclose(f[i]);
    }
}

/* A map {key: evil, "num": num}, as a daemon would send it. */
static msgpack_object map_of(struct proto_writer *w, msgpack_zone *zone, const char *key,
                             uint64_t num) {
    msgpack_object o;
    size_t off = 0;
    proto_writer_init(w, 4096);
    proto_map(w, NULL);
    proto_str(w, key, evil);
    proto_str(w, "detail", evil);
    proto_uint(w, "num", num);
    proto_end(w);
    assert_int_equal(msgpack_unpack((const char *)w->buf, w->len, &off, zone, &o),
                     MSGPACK_UNPACK_SUCCESS);
    return o;
}

static void put_text(void) {
    print_text(stdout, evil, strlen(evil));
}

static void texts_are_escaped(void **state) {
    (void)state;
    capture(put_text);
    assert_string_equal(said[0], tame);
    char *s = print_escaped(evil, strlen(evil));
    assert_string_equal(s, tame);
    free(s);
}

static void put_table(void) {
    struct proto_writer w;
    msgpack_zone zone;
    struct table t;
    msgpack_zone_init(&zone, 1024);
    msgpack_object o = map_of(&w, &zone, "name", 1);
    table_init(&t, "NAME|>N");
    table_str(&t, &o, "name");
    table_uint(&t, 7);
    table_text(&t, evil, strlen(evil));
    table_uint(&t, 70);
    table_print(&t, stdout, 0);
    table_clear(&t);
    msgpack_zone_destroy(&zone);
    proto_writer_clear(&w);
}

static void cells_of_tables_are_escaped(void **state) {
    (void)state;
    char want[512];
    size_t width = strlen(tame);
    snprintf(want, sizeof want, "%-*s   N\n%s   7\n%s  70\n", (int)width, "NAME", tame, tame);
    capture(put_table);
    assert_string_equal(said[0], want);
}

static unsigned table_columns;

static void put_wide_table(void) {
    struct table t;
    table_init(&t, ">N|~NAME|STATE|?>SIZE|?~ERROR");
    table_uint(&t, 7);
    table_cell(&t, "\xe6\xbc\xa2\xe5\xad\x97-e\xcc\x81t\xc3\xa9-of-last-year.tar.gz");
    table_cell(&t, "offered");
    table_cell(&t, "1.20 MB");
    table_cell(&t, "");
    table_uint(&t, 12);
    table_cell(&t, "b");
    table_cell(&t, "failed");
    table_cell(&t, "3 B");
    table_cell(&t, "what arrived is not what was sent");
    table_print(&t, stdout, table_columns);
    table_clear(&t);
}

static void put_marks(void) {
    struct table t;
    table_init(&t, "N|~NAME");
    table_cell(&t, "1");
    table_text(&t, "\xcc\x81\xcc\x82", 4);
    table_print(&t, stdout, table_columns);
    table_clear(&t);
}

/* A peer may call a file what takes no column. */
static void a_name_of_nothing_but_marks_is_there(void **state) {
    (void)state;
    for (table_columns = 0; table_columns < 40; table_columns++) {
        capture(put_marks);
        assert_non_null(strstr(said[0], "\xcc\x81\xcc\x82"));
    }
}

static size_t widest_line(const char *s) {
    size_t most = 0;
    for (size_t n; *s; s += n + (s[n] == '\n')) {
        n = strcspn(s, "\n");
        if (width_of(s, n) > most)
            most = width_of(s, n);
    }
    return most;
}

/* Columns are aligned as a terminal shows them, whatever the names are made of. */
static void a_table_is_aligned_under_wide_and_combining_characters(void **state) {
    (void)state;
    table_columns = 0;
    capture(put_wide_table);
    assert_string_equal(
        said[0],
        " N  NAME                          STATE       SIZE  ERROR\n"
        " 7  \xe6\xbc\xa2\xe5\xad\x97-e\xcc\x81t\xc3\xa9-of-last-year.tar.gz  offered  1.20 MB\n"
        "12  b                             failed       3 B  what arrived is not what was sent\n");
}

static void a_table_fits_the_terminal(void **state) {
    (void)state;
    for (table_columns = 20; table_columns <= 200; table_columns++) {
        capture(put_wide_table);
        assert_true(widest_line(said[0]) <= table_columns);
        assert_non_null(strstr(said[0], "offered"));
        if (table_columns >= 24) /* and still tells which file it is */
            assert_non_null(strstr(said[0], ".gz  "));
        if (table_columns >= 50)
            assert_non_null(strstr(said[0], "1.20 MB"));
        if (table_columns >= 90)
            assert_non_null(strstr(said[0], "what arrived is not what was sent"));
    }
}

static void put_failed_table(void) {
    struct table t;
    table_init(&t, ">N|WAY|~CONTACT|STATE|?>SIZE|?>DONE|~FILES|?~.ERROR");
    static const char *const cells[] = {
        "10",      "in",   "laptop",   "failed",
        "3.22 GB", "17 %", "film.mkv", "the name is already taken at the peer"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_cell(&t, cells[i]);
    table_print(&t, stdout, table_columns);
    table_clear(&t);
}

/* "the ...eer" tells nothing: then rather nothing of it. */
static void a_sentence_in_a_table_can_be_read_or_is_left_out(void **state) {
    (void)state;
    for (table_columns = 40; table_columns <= 120; table_columns++) {
        capture(put_failed_table);
        assert_true(widest_line(said[0]) <= table_columns);
        const bool there = strstr(said[0], "ERROR") != NULL;
        assert_int_equal(there, strstr(said[0], "the name is") != NULL);
        assert_int_equal(there, table_columns >= 75);
        assert_non_null(strstr(said[0], "film.mkv"));
    }
}

static void put_notes_table(void) {
    struct table t;
    table_init(&t, "~<RELAY|STATE|?>RTT|?>LOAD|!WHY");
    static const char *const cells[] = {
        "203.0.113.7:7557#mesh1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgp",
        "silent",
        "12.2 ms",
        "0 %",
        "it does not answer: it is off, or its port is closed",
        "r:1#mesh1q",
        "reserved",
        "3.10 ms",
        "1 %",
        ""};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_cell(&t, cells[i]);
    table_print(&t, stdout, table_columns);
    table_clear(&t);
}

/* Where a relay is, and why something is as it is, is what people look for. */
static void a_note_is_there_whole_on_every_terminal_and_an_address_begins_as_it_does(void **state) {
    (void)state;
    for (table_columns = 40; table_columns <= 200; table_columns++) {
        capture(put_notes_table);
        assert_true(widest_line(said[0]) <= table_columns);
        assert_non_null(strstr(said[0], "203.0.113.7:7557#mesh1"));
        const bool beside = strstr(said[0], "WHY") != NULL;
        assert_int_equal(beside, table_columns >= 157);
        assert_int_equal(strstr(said[0], "\n    it does not answer: it is off,") != NULL, !beside);
        assert_non_null(strstr(said[0], "closed\n"));
    }
    table_columns = 0; /* a pipe gets one line for each */
    capture(put_notes_table);
    assert_non_null(strstr(said[0], "0 %  it does not answer: it is off, or its port is closed\n"));
}

static void put_errors(void) {
    struct app a = {.client = {.connection = OS_CONNECTION_NONE}};
    struct proto_writer w;
    msgpack_zone zone;
    msgpack_zone_init(&zone, 1024);
    msgpack_object o = map_of(&w, &zone, "text", 8);
    assert_int_equal(app_fail_map(&a, "transfer.send", &o), 8);
    app_say("about %s", evil);
    assert_int_equal(app_fail(&a, ERR_USAGE, "with %s", evil), 2);
    msgpack_zone_destroy(&zone);
    proto_writer_clear(&w);
}

static void errors_are_escaped_and_one_line_each(void **state) {
    (void)state;
    char want[1024];
    capture(put_errors);
    snprintf(want, sizeof want, "meshctl: %s; send it again\nmeshctl: about %s\nmeshctl: with %s\n",
             tame, tame, tame);
    assert_string_equal(said[1], want);
    assert_string_equal(said[0], "");
}

static void put_short_names(void) {
    struct app a = {.client = {.connection = OS_CONNECTION_NONE}};
    static const char *const details[] = {"c", "no contact", "ttl_s"};
    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        struct proto_writer w;
        msgpack_zone zone;
        msgpack_zone_init(&zone, 1024);
        msgpack_object o;
        proto_writer_init(&w, 1024);
        proto_map(&w, NULL);
        proto_uint(&w, "num", 2);
        proto_str(&w, "text", i == 2 ? "\"ttl_s\" is wrong" : "there is no contact of that name");
        proto_str(&w, "detail", details[i]);
        proto_end(&w);
        size_t at = 0;
        assert_int_equal(msgpack_unpack((const char *)w.buf, w.len, &at, &zone, &o),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(app_fail_map(&a, "message.send", &o), 2);
        msgpack_zone_destroy(&zone);
        proto_writer_clear(&w);
    }
}

/* A contact may be called "c", which the sentence has in it anyway. */
static void an_error_names_what_it_is_about_once(void **state) {
    (void)state;
    capture(put_short_names);
    assert_string_equal(said[1], "meshctl: there is no contact of that name: \"c\"\n"
                                 "meshctl: there is no contact of that name: \"no contact\"\n"
                                 "meshctl: \"ttl_s\" is wrong\n");
}

static void put_json_error(void) {
    struct app a = {.client = {.connection = OS_CONNECTION_NONE}, .o = {.json = true}};
    struct proto_writer w;
    msgpack_zone zone;
    msgpack_zone_init(&zone, 1024);
    msgpack_object o = map_of(&w, &zone, "text", 8);
    assert_int_equal(app_fail_map(&a, "transfer.send", &o), 8);
    msgpack_zone_destroy(&zone);
    proto_writer_clear(&w);
}

static void json_is_ascii_on_one_line_and_gives_the_text_back(void **state) {
    (void)state;
    json_error_t e;
    capture(put_json_error);
    size_t len = strlen(said[0]);
    assert_true(len > 1 && said[0][len - 1] == '\n');
    for (size_t i = 0; i + 1 < len; i++)
        assert_in_range((unsigned char)said[0][i], 0x20, 0x7e);
    json_t *o = json_loads(said[0], 0, &e);
    assert_non_null(o);
    json_t *error = json_object_get(o, "error");
    assert_int_equal(json_integer_value(json_object_get(o, "schema")), PRINT_SCHEMA);
    assert_string_equal(json_string_value(json_object_get(error, "code")), "integrity");
    assert_int_equal(json_integer_value(json_object_get(error, "exit")), 8);
    /* What is not UTF-8 has become U+FFFD, everything else is as it was. */
    assert_string_equal(json_string_value(json_object_get(error, "detail")),
                        "a\x1b]0;x\x07\n\xc2\x9b"
                        "2J\xe2\x80\xae\xef\xbf\xbd\\b");
    json_decref(o);
}

static double real;

static void put_real(void) {
    json_t *o = json_object();
    json_object_set_new(o, "r", json_real(real));
    print_json(o);
}

/* Microseconds as seconds, and the like: the digits that were meant, all of them, and no others. */
static void numbers_with_a_fraction_are_as_they_were_meant(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {461 / 1e6, "0.000461"},
        {1 / 1e6, "1e-6"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0, "0.0"},
        {2, "2.0"},
        {123456789.123456, "123456789.123456"},
        {86400.000001, "86400.000001"},
        {999999999.999999, "999999999.999999"},
        {-0.25, "-0.25"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[64];
        real = cases[i].value;
        snprintf(want, sizeof want, "{\"r\":%s,\"schema\":1}\n", cases[i].text);
        capture(put_real);
        assert_string_equal(said[0], want);
    }
}

static void commands_in_a_sentence_can_be_copied(void **state) {
    (void)state;
    static const struct {
        const char *text, *name, *want;
    } cases[] = {
        {"gone; see: meshctl wait --for peer=NAME", "bob",
         "gone; see: meshctl wait --for peer=bob"},
        {"meshctl wait --for peer=NAME first", "bob b", "meshctl wait --for peer='bob b' first"},
        {"meshctl wait --for peer=NAME", "it's $HOME",
         "meshctl wait --for peer='it'\"'\"'s $HOME'"},
        {"meshctl wait --for peer=NAME", "x'$(id)'\\", "meshctl peers"}, /* it would be doubled */
        {"meshctl wait --for peer=NAME", "", "meshctl wait --for peer=''"},
        {"gone; see: meshctl wait --for peer=NAME", NULL, "gone; see: meshctl peers"},
        {"give peer=NAME or contact=NAME", "bob", "give peer=NAME or contact=NAME"},
        {"nothing", NULL, "nothing"},
    };
    char out[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hint_name(out, sizeof out, cases[i].text, cases[i].name);
        assert_string_equal(out, cases[i].want);
        for (size_t cap = 1; cap < 40; cap++) {
            hint_name(out, cap, cases[i].text, cases[i].name);
            assert_true(strlen(out) < cap);
        }
    }
}

static void commands_in_a_sentence_go_to_the_same_daemon(void **state) {
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"see: meshctl transfers ls; stop it with: meshctl cancel 3",
         "see: meshctl --state 'a b' transfers ls; stop it with: meshctl --state 'a b' cancel 3"},
        {"full: meshctl transfers ls, then meshctl cancel N",
         "full: meshctl --state 'a b' transfers ls, then meshctl --state 'a b' cancel N"},
        {"its state (meshctl status shows where)",
         "its state (meshctl --state 'a b' status shows where)"},
        /* theirs, or no command at all */
        {"used; ask them for a new one (meshctl ticket)",
         "used; ask them for a new one (meshctl ticket)"},
        {"no; ask them to run: meshctl recv; see: meshctl msgs",
         "no; ask them to run: meshctl recv; see: meshctl --state 'a b' msgs"},
        {"too few; usage: meshctl send NAME", "too few; usage: meshctl send NAME"},
        {"no such option; see: meshctl --help", "no such option; see: meshctl --help"},
        {"run meshctl as the user that runs meshd", "run meshctl as the user that runs meshd"},
        {"meshctl ", "meshctl "},
        {"", ""},
    };
    char out[256], option[64] = "--state ";
    (void)quote_word(option + strlen(option), sizeof option - strlen(option), "a b");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hint_daemon(out, sizeof out, cases[i].text, option);
        assert_string_equal(out, cases[i].want);
        for (size_t cap = 1; cap < 100; cap++) {
            memset(out, 'x', sizeof out);
            hint_daemon(out, cap, cases[i].text, option);
            assert_true(strlen(out) < cap);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(cells_of_tables_are_escaped),
        cmocka_unit_test(a_table_is_aligned_under_wide_and_combining_characters),
        cmocka_unit_test(a_name_of_nothing_but_marks_is_there),
        cmocka_unit_test(a_table_fits_the_terminal),
        cmocka_unit_test(a_sentence_in_a_table_can_be_read_or_is_left_out),
        cmocka_unit_test(a_note_is_there_whole_on_every_terminal_and_an_address_begins_as_it_does),
        cmocka_unit_test(errors_are_escaped_and_one_line_each),
        cmocka_unit_test(an_error_names_what_it_is_about_once),
        cmocka_unit_test(numbers_with_a_fraction_are_as_they_were_meant),
        cmocka_unit_test(commands_in_a_sentence_can_be_copied),
        cmocka_unit_test(commands_in_a_sentence_go_to_the_same_daemon),
        cmocka_unit_test(json_is_ascii_on_one_line_and_gives_the_text_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
