/* support_places.h: the places where a peer of the tests of paths may be, and their randomness. */
#ifndef MESHD_TESTS_SUPPORT_PLACES_H
#define MESHD_TESTS_SUPPORT_PLACES_H

#include "net/base/hop.h"
#include "support_rand.h"

/* For a struct rng whose ctx is a struct rand_state. */
static inline void places_fill(void *ctx, void *buf, size_t len) {
    struct rand_state *r = ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)rand_u64(r);
}

/* Each number is another address. */
static inline struct hop place(uint8_t last) {
    return (struct hop){
        .kind = HOP_UDP,
        .udp = {.local = 1, .remote = {.kind = ADDR_IPV4, .port = 7, .ip = {10, 0, 0, last}}}};
}

#endif
