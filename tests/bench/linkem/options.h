/* options.h: linkem's command line. */
#ifndef MESHD_BENCH_OPTIONS_H
#define MESHD_BENCH_OPTIONS_H

#include <stdbool.h>

#include "tests/bench/linkem/tun.h"
#include "tests/bench/linkem/wire.h"

struct options {
    struct tun_config side[2];
    struct wire_config wire;
    const char *stats; /* file, or NULL */
};

extern const char options_usage[];

/* False: it has been said on standard error what is wrong. */
bool options_parse(struct options *o, int argc, char **argv);

#endif
