/* The progress line fits every terminal, counts from the acceptance, and says nothing that is not
 * so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/screen/progress.h"
#include "cli/screen/width.h"

#define S UINT64_C(1000000)
#define MB UINT64_C(1000000)

/* 1000 MB, of which 100 MB went in each of the last four seconds. */
static struct progress running(void) {
    struct progress p;
    progress_begin(&p, 1000 * S, 0, 1000 * MB);
    for (uint64_t i = 1; i <= 20; i++)
        progress_update(&p, 1000 * S + i * S / 5, i * 20 * MB);
    return p;
}

static void line(const struct progress *p, const char *name, uint64_t index, uint64_t count,
                 unsigned columns, char out[static PROGRESS_LINE_MAX]) {
    struct progress_label label = {name, strlen(name), index, count};
    progress_line(p, &label, p->last_us, columns, out);
}

static void it_never_reaches_the_last_column(void **state) {
    (void)state;
    static const char *const names[] = {
        "",
        "a",
        "holiday.mkv",
        "a very long name of a file that somebody made of a whole sentence, and of another (final) "
        "(2).docx",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x95\xe3\x82\xa1\xe3\x82\xa4\xe3"
        "\x83\xab\xe5\x90\x8d.txt",
        "\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f"
        "\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89",
        "\x1b]0;x\x07\r\n\xff\xfe\xe2\x80\xae",
        "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
    };
    static const struct {
        uint64_t bytes, total, after_us;
    } states[] = {
        {0, 0, 0},
        {0, 1, 0},
        {1, UINT64_MAX, 1},
        {UINT64_C(999999999999), UINT64_C(999999999999999), S},
        {500 * MB, 1000 * MB, S},
        {1000 * MB, 1000 * MB, 2 * S},
        {1, 2, 30 * S},
    };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t s = 0; s < sizeof states / sizeof *states; s++)
            for (unsigned columns = 0; columns <= 220; columns++)
                for (uint64_t count = 1; count <= 1000000; count *= 1000) {
                    struct progress p;
                    char out[PROGRESS_LINE_MAX];
                    progress_begin(&p, S, 0, states[s].total);
                    progress_update(&p, S + states[s].after_us, states[s].bytes);
                    line(&p, names[n], count, count, columns, out);
                    size_t took = width_of_text(out);
                    if (took > 0 && took >= columns)
                        fail_msg("%u columns: \"%s\" takes %zu", columns, out, took);
                    assert_null(strpbrk(out, "\r\n\x1b"));
                    if (columns >= 6)
                        assert_non_null(strchr(out, '%'));
                }
}

static void what_there_is_room_for(void **state) {
    (void)state;
    static const struct {
        unsigned columns;
        const char *want;
    } cases[] = {
        {100, "holiday.mkv  [===============>                       ]   40%   400 MB/1.00 GB   100 "
              "MB/s  "
              "ETA 00:06"},
        {80, "holiday.mkv  [=======>           ]   40%   400 MB/1.00 GB   100 MB/s  ETA 00:06"},
        {60, "holiday.mkv   40%   400 MB/1.00 GB   100 MB/s  ETA 00:06"},
        /* Rather its name than all numbers. */
        {56, "holiday.mkv  [====>       ]   40%   100 MB/s  ETA 00:06"},
        {40, "holiday.mkv   40%   100 MB/s  ETA 00:06"},
        {39, " 40%   100 MB/s  ETA 00:06"},
        {20, " 40% 00:06"},
        {6, " 40%"},
        {4, ""},
    };
    struct progress p = running();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PROGRESS_LINE_MAX];
        line(&p, "holiday.mkv", 1, 1, cases[i].columns, out);
        assert_string_equal(out, cases[i].want);
    }
}

static void one_of_several_has_its_number(void **state) {
    (void)state;
    struct progress p = running();
    char out[PROGRESS_LINE_MAX];
    line(&p, "img_0815.jpg", 3, 200, 60, out);
    assert_string_equal(out, "3/200 img...pg   40%   400 MB/1.00 GB   100 MB/s  ETA 00:06");
    line(&p, "img_0815.jpg", 3, 200, 90, out);
    assert_non_null(strstr(out, "3/200 img_0815.jpg  "));
    assert_int_equal(width_of_text(out), 89);
    /* Nothing jumps when the next one has a shorter name. */
    const size_t at = strcspn(out, "%");
    line(&p, "a", 4, 200, 90, out);
    assert_int_equal(strcspn(out, "%"), at);
    line(&p, "img_0815.jpg", 3, 200, 120, out);
    const size_t bar = strcspn(out, "[");
    line(&p, "a", 4, 200, 120, out);
    assert_int_equal(strcspn(out, "["), bar);
}

static void nothing_grows_without_end_on_a_wide_terminal(void **state) {
    (void)state;
    struct progress p = running();
    char out[PROGRESS_LINE_MAX], name[256];
    line(&p, "f", 1, 1, 400, out);
    assert_int_equal(strcspn(out, "]") - strcspn(out, "["), 49);
    memset(name, 0x1b, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    line(&p, name, 1, 1, 65535, out);
    assert_in_range(width_of_text(out), 400, PROGRESS_COLUMNS_MAX - 1);
    assert_non_null(strstr(out, "ETA 00:06"));
}

static void a_wait_before_the_acceptance_counts_for_nothing(void **state) {
    (void)state;
    struct progress p;
    char out[PROGRESS_LINE_MAX];
    /* Offered at 0, accepted at 1000 s, which is where it begins; a second later it is halfway. */
    progress_begin(&p, 1000 * S, 0, 200 * MB);
    progress_update(&p, 1001 * S, 100 * MB);
    line(&p, "f", 1, 1, 60, out);
    assert_non_null(strstr(out, "100 MB/s  ETA 00:01"));
}

static void the_speed_follows_the_last_seconds(void **state) {
    (void)state;
    struct progress p = running(); /* 100 MB/s */
    uint64_t at_us = p.last_us, bytes = p.bytes;
    assert_true(p.rate > 99e6 && p.rate < 101e6);
    for (int i = 1; i <= 150; i++) /* then 10 MB/s for half a minute */
        progress_update(&p, at_us + (uint64_t)i * S / 5, bytes + (uint64_t)i * 2 * MB);
    assert_true(p.rate > 9.9e6 && p.rate < 11e6);
    /* How often it is looked at makes no difference. */
    struct progress q = running();
    for (int i = 1; i <= 3000; i++)
        progress_update(&q, at_us + (uint64_t)i * S / 100, bytes + (uint64_t)i * MB / 10);
    assert_true(q.rate > 9.9e6 && q.rate < 11e6);
}

static void what_stands_still_is_called_stalled(void **state) {
    (void)state;
    struct progress p = running();
    struct progress_label label = {"f", 1, 1, 1};
    char out[PROGRESS_LINE_MAX];
    uint64_t at_us = p.last_us;
    for (uint64_t i = 1; i <= 4; i++)
        progress_update(&p, at_us + i * S, p.bytes);
    progress_line(&p, &label, p.last_us, 80, out);
    assert_null(strstr(out, "stalled"));
    progress_update(&p, at_us + 5 * S, p.bytes);
    progress_line(&p, &label, p.last_us, 80, out);
    assert_non_null(strstr(out, "stalled"));
    progress_update(&p, at_us + 6 * S, p.bytes + 1); /* it goes on */
    progress_line(&p, &label, p.last_us, 80, out);
    assert_null(strstr(out, "stalled"));
}

static void hundred_percent_is_not_said_too_early(void **state) {
    (void)state;
    struct progress p;
    char out[PROGRESS_LINE_MAX];
    progress_begin(&p, S, 0, UINT64_C(1000000000000));
    progress_update(&p, 2 * S, UINT64_C(999999999999));
    line(&p, "f", 1, 1, 80, out);
    assert_non_null(strstr(out, " 99%"));
    progress_update(&p, 3 * S, UINT64_C(1000000000000));
    line(&p, "f", 1, 1, 80, out);
    assert_non_null(strstr(out, "100%"));
    assert_non_null(strstr(out, "verifying"));
    progress_begin(&p, S, 0, UINT64_MAX); /* beyond what a double can tell apart */
    progress_update(&p, 2 * S, UINT64_MAX - 1);
    line(&p, "f", 1, 1, 80, out);
    assert_non_null(strstr(out, " 99%"));
}

static void times_left(void **state) {
    (void)state;
    static const struct {
        uint64_t left;
        double rate;
        const char *want;
    } cases[] = {
        {0, 0, "00:00"},        {0, 1e6, "00:00"},         {1, 1e6, "00:01"},
        {23, 1, "00:23"},       {3599, 1, "59:59"},        {3600, 1, "1:00:00"},
        {36061, 1, "10:01:01"}, {359999, 1, "99:59:59"},   {360000, 1, "> 99 h"},
        {1, 0, "--:--"},        {UINT64_MAX, 1, "> 99 h"}, {100, 0.5, "--:--"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[PROGRESS_ETA_MAX];
        progress_eta(out, cases[i].left, cases[i].rate);
        assert_string_equal(out, cases[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_never_reaches_the_last_column),
        cmocka_unit_test(what_there_is_room_for),
        cmocka_unit_test(one_of_several_has_its_number),
        cmocka_unit_test(nothing_grows_without_end_on_a_wide_terminal),
        cmocka_unit_test(a_wait_before_the_acceptance_counts_for_nothing),
        cmocka_unit_test(the_speed_follows_the_last_seconds),
        cmocka_unit_test(what_stands_still_is_called_stalled),
        cmocka_unit_test(hundred_percent_is_not_said_too_early),
        cmocka_unit_test(times_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
