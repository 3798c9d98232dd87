/* quantity.h: numbers with units as scenarios write them: "12.5ms", "100M", "64MiB", "0.1%",
 * "100x". Exact decimal arithmetic into integers; rounded down; nine decimal places at most.
 */
#ifndef MESHD_SIM_TEXT_QUANTITY_H
#define MESHD_SIM_TEXT_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum quantity {
    QUANTITY_DURATION, /* us ms s m h -> ns; "0" needs none */
    QUANTITY_RATE,     /* bit/s: none k M G */
    QUANTITY_BYTES,    /* none B KiB MiB GiB */
    QUANTITY_CHANCE,   /* % or a fraction, 0..1 -> parts per billion */
    QUANTITY_COUNT,    /* digits, optionally with an x */
};

/* NULL, or what is wrong (static text). */
const char *quantity_parse(const char *text, enum quantity q, uint64_t *out);
/* A number with any of these units in its base unit: seconds, bit/s, bytes, fraction. */
const char *quantity_number(const char *text, double *out);

#endif
