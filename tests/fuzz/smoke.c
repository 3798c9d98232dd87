/* smoke.c: runs one fuzz target over N random inputs from a printed seed (MESH_SEED), without
 * libFuzzer. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* xorshift64*: good enough to make inputs, and the same everywhere. */
static uint64_t next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

int main(int argc, char **argv) {
    const char *env = getenv("MESH_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1, state = seed | 1;
    unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
    printf("seed %" PRIu64 ", %lu inputs\n", seed, runs);
    for (unsigned long i = 0; i < runs; i++) {
        static uint8_t buf[2048];
        size_t len = (size_t)(next(&state) % (i % 8 == 0 ? sizeof buf : 128));
        uint64_t small =
            next(&state) & 3; /* some inputs of small values: they look like types and lengths */
        for (size_t k = 0; k < len; k++)
            buf[k] = (uint8_t)(small ? next(&state) : next(&state) & 0x1f);
        LLVMFuzzerTestOneInput(buf, len);
    }
    return 0;
}
