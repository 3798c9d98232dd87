#include "node/base/date.h"

#include <stdio.h>

enum {
    DAY_S = 86400,
    ERA_DAYS = 146097 /* 400 years */,
    DAYS_TO_1970 = 719468 /* from 0000-03-01 */
};

#define YEAR_10000_S UINT64_C(253402300800)

/* Years that begin in March have their leap day at the end: H. Hinnant, "chrono-compatible
 * low-level date algorithms", civil_from_days. */
void date_text(uint64_t unix_s, char out[static DATE_TEXT_MAX]) {
    if (unix_s >= YEAR_10000_S) {
        snprintf(out, DATE_TEXT_MAX, "after the year 9999");
        return;
    }
    const unsigned days = (unsigned)(unix_s / DAY_S) + DAYS_TO_1970,
                   second = (unsigned)(unix_s % DAY_S);
    const unsigned era = days / ERA_DAYS, day_of_era = days % ERA_DAYS;
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned march_month = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * march_month + 2) / 5 + 1;
    const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    const unsigned year = era * 400 + year_of_era + (month <= 2);
    snprintf(out, DATE_TEXT_MAX, "%04u-%02u-%02u %02u:%02u:%02u UTC", year, month, day,
             second / 3600, second / 60 % 60, second % 60);
}
