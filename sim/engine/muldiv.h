/* muldiv.h: a * b / c with a product of 128 bits, which not every compiler has a type for: rates
 * reach 10^11, times 10^12. Quotients that do not fit are UINT64_MAX. c is not 0.
 */
#ifndef MESHD_SIM_ENGINE_MULDIV_H
#define MESHD_SIM_ENGINE_MULDIV_H

#include <stdint.h>

uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c);
uint64_t muldiv_up(uint64_t a, uint64_t b, uint64_t c); /* rounded up */
/* The upper half of a * b: a of 2^64 parts of b. */
uint64_t mul_high(uint64_t a, uint64_t b);
/* What muldiv is where the compiler has no such type; the same result. */
uint64_t muldiv_by_halves(uint64_t a, uint64_t b, uint64_t c, uint64_t *rest);

#endif
