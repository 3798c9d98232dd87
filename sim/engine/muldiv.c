#include "sim/engine/muldiv.h"

#include <assert.h>

/* The product as hi * 2^64 + lo. */
static uint64_t product(uint64_t a, uint64_t b, uint64_t *hi) {
    const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    const uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32),
                   other = a0 * b1 + (uint32_t)middle;
    *hi = a1 * b1 + (middle >> 32) + (other >> 32);
    return other << 32 | (uint32_t)low;
}

uint64_t muldiv_by_halves(uint64_t a, uint64_t b, uint64_t c, uint64_t *rest) {
    uint64_t hi, lo = product(a, b, &hi), quotient = 0;
    assert(c != 0);
    if (hi >= c) {
        *rest = 0;
        return UINT64_MAX;
    }
    for (unsigned i = 0; i < 64; i++) { /* a bit of the quotient at a time; hi is the remainder */
        const uint64_t top = hi >> 63;
        hi = hi << 1 | lo >> 63;
        lo <<= 1;
        quotient <<= 1;
        if (top || hi >= c) {
            hi -= c;
            quotient |= 1;
        }
    }
    *rest = hi;
    return quotient;
}

static uint64_t divide(uint64_t a, uint64_t b, uint64_t c, uint64_t *rest) {
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 u128;
    const u128 all = (u128)a * b, quotient = all / c;
    *rest = (uint64_t)(all % c);
    return quotient > UINT64_MAX ? UINT64_MAX : (uint64_t)quotient;
#else
    return muldiv_by_halves(a, b, c, rest);
#endif
}

uint64_t mul_high(uint64_t a, uint64_t b) {
    uint64_t hi;
    (void)product(a, b, &hi);
    return hi;
}

uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t rest;
    return divide(a, b, c, &rest);
}

uint64_t muldiv_up(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t rest;
    const uint64_t quotient = divide(a, b, c, &rest);
    return quotient < UINT64_MAX && rest > 0 ? quotient + 1 : quotient;
}
