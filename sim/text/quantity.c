#include "sim/text/quantity.h"

#include <stddef.h>
#include <string.h>

#include "sim/engine/muldiv.h"

enum {
    DECIMALS = 9,
    LONGEST_H =
        100000, /* eleven years: dozens of them, added up, still fit in 64 bits of nanoseconds */
};
static const uint64_t billion = UINT64_C(1000000000);

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {{"us", 1000},
                                        {"ms", 1000000},
                                        {"s", 1000000000},
                                        {"m", UINT64_C(60000000000)},
                                        {"h", UINT64_C(3600000000000)},
                                        {NULL, 0}};
static const struct unit rates[] = {
    {"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},          {"B", 1},         {"KiB", 1 << 10},
                                    {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
static const struct unit chances[] = {{"%", 10000000}, {"", 1000000000}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {"x", 1}, {NULL, 0}};

/* whole + fraction / 10^9; *rest is what follows the digits. */
static const char *decimal(const char *text, uint64_t *whole, uint64_t *fraction,
                           const char **rest) {
    *whole = *fraction = 0;
    if (*text < '0' || *text > '9')
        return "a number is expected";
    for (; *text >= '0' && *text <= '9'; text++) {
        if (*whole > UINT64_MAX / 10 - 1)
            return "the number is too large";
        *whole = *whole * 10 + (uint64_t)(*text - '0');
    }
    if (*text == '.') {
        uint64_t place = billion;
        const char *first = ++text;
        for (; *text >= '0' && *text <= '9'; text++) {
            place /= 10;
            *fraction += place * (uint64_t)(*text - '0');
        }
        if (text == first || text - first > DECIMALS)
            return "one to nine digits are expected after the point";
    }
    *rest = text;
    return NULL;
}

static const struct unit *find(const struct unit *units, const char *name) {
    for (; units->name; units++)
        if (strcmp(units->name, name) == 0)
            return units;
    return NULL;
}

const char *quantity_parse(const char *text, enum quantity q, uint64_t *out) {
    static const struct {
        const struct unit *units;
        const char *wrong_unit;
    } kinds[] = {
        [QUANTITY_DURATION] = {durations, "a duration needs a unit: us ms s m h"},
        [QUANTITY_RATE] = {rates, "a rate's unit is one of k M G (bit/s)"},
        [QUANTITY_BYTES] = {sizes, "a size's unit is one of B KiB MiB GiB"},
        [QUANTITY_CHANCE] = {chances, "a probability is 0..1 or 0%..100%"},
        [QUANTITY_COUNT] = {counts, "a count is digits, and may end in x"},
    };
    uint64_t whole, fraction;
    const char *rest;
    const char *wrong = decimal(text, &whole, &fraction, &rest);
    if (wrong)
        return wrong;
    const struct unit *u = find(kinds[q].units, rest);
    const bool bare_zero = q == QUANTITY_DURATION && *rest == '\0' && whole == 0 && fraction == 0;
    if (!u && !bare_zero)
        return kinds[q].wrong_unit;
    const uint64_t factor = u ? u->factor : 1;
    if (q == QUANTITY_COUNT && fraction > 0)
        return kinds[q].wrong_unit;
    if (whole > (UINT64_MAX / 2) / factor)
        return "the number is too large";
    *out = whole * factor + muldiv(fraction, factor, billion);
    if (*out == 0 && fraction > 0)
        return "the number is too small";
    if (q == QUANTITY_DURATION && *out > LONGEST_H * durations[4].factor)
        return "a duration is at most 100000h";
    if (q == QUANTITY_CHANCE && *out > billion)
        return kinds[q].wrong_unit;
    return NULL;
}

const char *quantity_number(const char *text, double *out) {
    uint64_t whole, fraction;
    const char *rest;
    const char *wrong = decimal(text, &whole, &fraction, &rest);
    if (wrong)
        return wrong;
    const double v = (double)whole + (double)fraction / (double)billion;
    const struct unit *u;
    if ((u = find(durations, rest)) != NULL)
        *out = v * ((double)u->factor / (double)billion);
    else if ((u = find(rates, rest)) != NULL || (u = find(sizes, rest)) != NULL)
        *out = v * (double)u->factor;
    else if (strcmp(rest, "%") == 0)
        *out = v / 100;
    else if (strcmp(rest, "x") == 0)
        *out = v;
    else
        return "unknown unit";
    return NULL;
}
