/* Dates in sentences, against what the C library says, and the days where calendars go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "node/base/date.h"

static void days_at_the_edges_are_right(void **state) {
    (void)state;
    static const struct {
        uint64_t unix_s;
        const char *text;
    } cases[] = {
        {0, "1970-01-01 00:00:00 UTC"},
        {951782399, "2000-02-28 23:59:59 UTC"},
        {951782400, "2000-02-29 00:00:00 UTC"},
        {1709251199, "2024-02-29 23:59:59 UTC"},
        {4107542400, "2100-03-01 00:00:00 UTC"},
        {UINT32_MAX, "2106-02-07 06:28:15 UTC"},
        {253402300799, "9999-12-31 23:59:59 UTC"},
        {253402300800, "after the year 9999"},
        {UINT64_MAX, "after the year 9999"},
    };
    char text[DATE_TEXT_MAX];
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        date_text(cases[i].unix_s, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void every_day_of_five_centuries_is_the_librarys(void **state) {
    (void)state;
    for (uint64_t day = 0; day < 500 * 366; day++) {
        char text[DATE_TEXT_MAX], want[DATE_TEXT_MAX];
        const time_t t = (time_t)(day * 86400 + day * 7 % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        assert_true(strftime(want, sizeof want, "%Y-%m-%d %H:%M:%S UTC", &tm) > 0);
        date_text((uint64_t)t, text);
        assert_string_equal(text, want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_at_the_edges_are_right),
        cmocka_unit_test(every_day_of_five_centuries_is_the_librarys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
