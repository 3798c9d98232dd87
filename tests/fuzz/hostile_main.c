/* hostile_main.c: fuzz_hostile without libFuzzer: worlds from consecutive seeds, until each side
 * has had so many authentic packets from the forger. fuzz_hostile [PACKETS [STEPS]]; MESH_SEED is
 * the first seed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hostile.h"

void hostile_play(uint64_t seed, unsigned steps);

int main(int argc, char **argv) {
    const char *env = getenv("MESH_SEED");
    const uint64_t first = env ? strtoull(env, NULL, 0) : 1;
    const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
    const unsigned steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 3000;
    const struct hostile_counts *c = &hostile_counts;
    uint64_t seed = first;
    /* Seed by seed on stderr if wanted: the last one named is the one that failed. */
    const bool talk = getenv("MESH_TALK") != NULL;
    while (c->authentic[0] < packets || c->authentic[1] < packets) {
        if (talk)
            fprintf(stderr, "seed %" PRIu64 "\n", seed);
        hostile_play(seed++, steps);
    }
    printf("seeds %" PRIu64 "..%" PRIu64 ", %u steps each\n", first, seed - 1, steps);
    for (int i = 0; i < 2; i++)
        printf("towards side %d: %" PRIu64 " authentic packets (%" PRIu64 " forged DATA, %" PRIu64
               " INITIATION, %" PRIu64 " RESPONSE, %" PRIu64 " RETRY, %" PRIu64
               " of these proved refusals), %" PRIu64 " keys made, %" PRIu64
               " sessions ended for a broken rule\n",
               i, c->authentic[i], c->data[i], c->initiations[i], c->responses[i], c->retries[i],
               c->refusals[i], c->accepted[i], c->errors[i]);
    return 0;
}
