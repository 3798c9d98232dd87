#include "net/transport/allowance.h"

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

void allowance_init(struct allowance *a, uint64_t window) {
    *a = (struct allowance){.limit = window, .known = window, .window = window};
}

void allowance_measure(struct allowance *a, uint64_t now_us, uint64_t srtt_us, uint64_t consumed,
                       uint64_t window_max) {
    const uint64_t elapsed_us = now_us - a->since_us;
    const uint64_t span_us = larger(ALLOWANCE_ROUND_TRIPS * srtt_us, ALLOWANCE_SPAN_MIN_US);
    srtt_us = larger(srtt_us, ALLOWANCE_MEASURE_MIN_US);
    if (a->since_us == 0 || elapsed_us >= 8 * srtt_us) { /* a beginning, or after a pause */
        a->since_us = now_us;
        a->since_bytes = consumed;
        return;
    }
    if (elapsed_us < srtt_us)
        return;
    const uint64_t want = (consumed - a->since_bytes) * span_us / elapsed_us;
    if (want > a->window)
        a->window = smaller(want, window_max);
    a->since_us = now_us;
    a->since_bytes = consumed;
}

bool allowance_top_up(struct allowance *a, uint64_t consumed, uint64_t room) {
    const uint64_t window = smaller(a->window, room);
    /* What was granted stays granted, also where it is more than would be today. */
    if (a->limit - consumed > window / 2)
        return false;
    a->limit = consumed + window;
    a->due = true;
    return true;
}

bool allowance_widen(struct allowance *a, uint64_t consumed, uint64_t window) {
    if (window <= a->window || consumed + window <= a->limit)
        return false;
    a->window = window;
    a->limit = consumed + window;
    a->due = true;
    return true;
}

void allowance_told(struct allowance *a, uint64_t now_us) {
    a->due = false;
    a->told_us = now_us;
}

void allowance_acked(struct allowance *a, uint64_t limit) {
    a->known = larger(a->known, limit);
}
