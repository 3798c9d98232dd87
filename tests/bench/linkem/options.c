/* Reading linkem's command line: numbers with units, and what goes together. */
#include "tests/bench/linkem/options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_usage[] =
    "linkem --ns A B --addr ADDR/BITS ADDR/BITS --rate BITS[kMG] --delay N{us|ms|s}\n"
    "       [--buffer N{bdp|us|ms|s|} ] [--loss N%] [--seed N] [--mtu BYTES] [--dev NAME]\n"
    "       [--stats FILE]\n"
    "Joins two network namespaces by a link: rate and loss hold for each direction, delay is "
    "one-way,\n"
    "the drop-tail buffer is 1bdp unless given, in bytes without a unit. Says \"ready\", then runs "
    "until\n"
    "SIGINT or SIGTERM.\n";

struct unit {
    const char *name;
    double factor;
};

/* A number above or equal to 0 with one of the units, which end with {NULL}. */
static bool number(const char *text, const struct unit *units, double *out,
                   const struct unit **unit) {
    char *end;
    double v = strtod(text, &end);
    if (end == text || !(v >= 0) || v > 1e18)
        return false;
    for (const struct unit *u = units; u->name; u++)
        if (strcmp(end, u->name) == 0) {
            *out = v * u->factor;
            if (unit)
                *unit = u;
            return true;
        }
    return false;
}

static const struct unit RATE[] = {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {NULL, 0}};
static const struct unit TIME[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};
static const struct unit LOSS[] = {{"%", 0.01}, {NULL, 0}};
static const struct unit COUNT[] = {{"", 1}, {NULL, 0}};
/* The bandwidth-delay product is rate x round trip. */
static const struct unit BUFFER[] = {{"", 1},     {"bdp", 1}, {"us", 1e3},
                                     {"ms", 1e6}, {"s", 1e9}, {NULL, 0}};

static bool set_buffer(struct options *o, const char *text) {
    const struct unit *unit;
    double v, bytes_per_ns = (double)o->wire.rate_bps / 8e9;
    if (!number(text, BUFFER, &v, &unit))
        return false;
    if (strcmp(unit->name, "bdp") == 0)
        v *= 2 * (double)o->wire.delay_ns * bytes_per_ns;
    else if (unit->name[0])
        v *= bytes_per_ns;
    if (v > 1e9)
        return false;
    o->wire.buffer_bytes = (uint64_t)v;
    return true;
}

static bool set_addr(struct tun_config *c, char *text) {
    struct in_addr in;
    char *slash = strchr(text, '/');
    long bits = slash ? strtol(slash + 1, NULL, 10) : 0;
    if (bits < 1 || bits > 32)
        return false;
    *slash = 0;
    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    c->addr = in.s_addr;
    c->mask = htonl(~0u << (32 - bits));
    return true;
}

/* One option and its value or values. */
static bool take(struct options *o, const char *name, char *const *value, double *v,
                 const char **buffer) {
    if (strcmp(name, "--ns") == 0) {
        o->side[0].ns = value[0];
        o->side[1].ns = value[1];
        return true;
    }
    if (strcmp(name, "--addr") == 0)
        return set_addr(&o->side[0], value[0]) && set_addr(&o->side[1], value[1]);
    if (strcmp(name, "--stats") == 0) {
        o->stats = value[0];
        return true;
    }
    if (strcmp(name, "--dev") == 0) {
        o->side[0].name = o->side[1].name = value[0];
        return true;
    }
    if (strcmp(name, "--buffer") == 0) {
        *buffer = value[0];
        return true;
    }
    if (strcmp(name, "--rate") == 0 && number(value[0], RATE, v, NULL))
        o->wire.rate_bps = (uint64_t)*v;
    else if (strcmp(name, "--delay") == 0 && number(value[0], TIME, v, NULL))
        o->wire.delay_ns = (uint64_t)*v;
    else if (strcmp(name, "--loss") == 0 && number(value[0], LOSS, v, NULL) && *v <= 1)
        o->wire.loss = (uint64_t)(*v * 4294967296.0);
    else if (strcmp(name, "--seed") == 0 && number(value[0], COUNT, v, NULL))
        o->wire.seed = (uint64_t)*v;
    else if (strcmp(name, "--mtu") == 0 && number(value[0], COUNT, v, NULL) && *v >= 68 &&
             *v <= 65535)
        o->side[0].mtu = o->side[1].mtu = (int)*v;
    else
        return false;
    return true;
}

bool options_parse(struct options *o, int argc, char **argv) {
    struct tun_config side = {.name = "link0", .mtu = 1500};
    *o = (struct options){.side = {side, side}, .wire = {.seed = 1, .delay_ns = UINT64_MAX}};
    const char *buffer = "1bdp";
    for (int i = 1; i < argc;) {
        double v = 0;
        int values = strcmp(argv[i], "--ns") == 0 || strcmp(argv[i], "--addr") == 0 ? 2 : 1;
        if (i + values >= argc || !take(o, argv[i], argv + i + 1, &v, &buffer)) {
            fprintf(stderr, "linkem: cannot take %s\n%s", argv[i], options_usage);
            return false;
        }
        i += 1 + values;
    }
    o->wire.packet_max = (size_t)o->side[0].mtu;
    if (!o->side[0].ns || !o->side[0].addr || !o->wire.rate_bps || o->wire.delay_ns == UINT64_MAX) {
        fprintf(stderr, "linkem: --ns, --addr, --rate and --delay are needed\n%s", options_usage);
        return false;
    }
    if (!set_buffer(o, buffer)) {
        fprintf(stderr, "linkem: cannot take --buffer %s\n", buffer);
        return false;
    }
    return true;
}
