/* support_rand.h: the pseudo-random numbers of randomised tests. The seed is printed and can be
 * given: MESH_SEED=<number>.
 */
#ifndef MESHD_TESTS_SUPPORT_RAND_H
#define MESHD_TESTS_SUPPORT_RAND_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct rand_state {
    uint64_t x;
};

static inline struct rand_state rand_seeded(const char *test, uint64_t usual) {
    const char *given = getenv("MESH_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : usual;
    printf("%s: MESH_SEED=%" PRIu64 "\n", test, seed);
    return (struct rand_state){seed};
}

/* splitmix64 */
static inline uint64_t rand_u64(struct rand_state *r) {
    uint64_t z = r->x += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 <= result < n, n > 0 */
static inline uint64_t rand_below(struct rand_state *r, uint64_t n) {
    return rand_u64(r) % n;
}

#endif
