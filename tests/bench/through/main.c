/* bench_through: asks a relay for all it has, from network namespaces on both sides of it.
 *
 *   bench_through KIND NS_A/ADDR NS_B/ADDR RELAY PID PAIRS PHASE
 *
 * KIND: direct (from a to b without a relay; RELAY and PID are -), turn (RELAY is ADDR:PORT), mesh
 * (ADDR:PORT#ID).
 * PID: the relay's process, whose CPU time is counted. PAIRS: how many talk at once. PHASE:
 *
 *   most SECONDS WINDOW RUN   as much as goes, so many packets of each pair under way, in runs
 *   rate SECONDS PER_S        how long each packet takes at a moderate rate
 *   race PACKETS WINDOW RUN   when has each pair got so many packets through?
 *   flows EACH                mesh only: each a opens flows to so many b; the relay's memory
 *
 * A relay lets so many guests in from one address: each END_SHARE pairs have the next address after
 * those given. Packets have 1,200 bytes without what a relay puts before them. Prints JSON.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/through/load.h"
#include "tests/bench/through/mesh.h"
#include "tests/bench/through/turn.h"

enum { PACKET_BYTES = 1200, RUN_MAX = 54, END_SHARE = 32 };

static struct pair pairs[PAIRS_MAX];

_Noreturn static void usage(void) {
    (void)fputs("usage: bench_through direct|turn|mesh NS_A/ADDR NS_B/ADDR RELAY PID PAIRS "
                "(most SECONDS WINDOW RUN | rate SECONDS PER_S | race PACKETS WINDOW RUN | "
                "flows EACH)\n",
                stderr);
    exit(2);
}

/* NAME/ADDR, cut in two in place. */
static char *address_of(char *place) {
    char *slash = strchr(place, '/');
    if (!slash)
        usage();
    *slash = 0;
    return slash + 1;
}

static struct in_addr address_after(const char *text, unsigned n) {
    struct in_addr a;
    if (inet_pton(AF_INET, text, &a) != 1)
        usage();
    a.s_addr = htonl(ntohl(a.s_addr) + n);
    return a;
}

/* *id: what stands behind a #, or "". */
static struct sockaddr_in socket_address(char *text, const char **id) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    char *colon = strchr(text, ':'), *hash = strchr(text, '#');
    if (!colon)
        usage();
    *id = hash ? hash + 1 : "";
    *colon = 0;
    at.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, text, &at.sin_addr) != 1)
        usage();
    return at;
}

static void join(struct load *l, const char *kind, char *relay) {
    const unsigned count = l->count;
    const char *id;
    if (strcmp(kind, "direct") == 0) {
        for (unsigned i = 0; i < count; i++)
            pairs[i].to = pairs[i].b.at;
    } else if (strcmp(kind, "turn") == 0) {
        const struct sockaddr_in server = socket_address(relay, &id);
        for (unsigned i = 0; i < count; i++)
            turn_join(&pairs[i], &server, PACKET_BYTES);
    } else if (strcmp(kind, "mesh") == 0) {
        const struct sockaddr_in server = socket_address(relay, &id);
        mesh_join(pairs, count, &server, id);
        l->tend = mesh_tend;
    } else {
        usage();
    }
}

static unsigned number(const char *text, unsigned max) {
    const unsigned long v = strtoul(text, NULL, 10);
    if (v == 0 || v > max)
        usage();
    return (unsigned)v;
}

static struct load_result phase(struct load *l, int argc, char **argv) {
    if (argc == 4 && strcmp(argv[0], "most") == 0)
        return load_most(l, atof(argv[1]), number(argv[2], UINT32_MAX), number(argv[3], RUN_MAX));
    if (argc == 3 && strcmp(argv[0], "rate") == 0)
        return load_rate(l, atof(argv[1]), number(argv[2], UINT32_MAX));
    if (argc == 4 && strcmp(argv[0], "race") == 0)
        return load_race(l, number(argv[1], UINT32_MAX), number(argv[2], UINT32_MAX),
                         number(argv[3], RUN_MAX));
    usage();
}

static void show(const struct load_result *r) {
    (void)printf("{\"seconds\":%.4f,\"cpu_s\":%.3f,\"sent\":%llu,\"received\":%llu,"
                 "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"first_s\":%.4f,"
                 "\"last_s\":%.4f}\n",
                 r->seconds, r->cpu_s, (unsigned long long)r->sent, (unsigned long long)r->received,
                 (double)r->p50_ns / 1e3, (double)r->p99_ns / 1e3, (double)r->max_ns / 1e3,
                 r->first_s, r->last_s);
}

static unsigned long rss_kib(pid_t pid) {
    char path[64], line[128];
    unsigned long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        die(path);
    while (fgets(line, sizeof line, f))
        (void)sscanf(line, "VmRSS: %lu", &kib);
    (void)fclose(f);
    return kib;
}

static void flows(const struct load *l, char *relay, unsigned each) {
    const char *id;
    const struct sockaddr_in server = socket_address(relay, &id);
    const unsigned long before = rss_kib(l->relay);
    const unsigned count = mesh_flows(pairs, l->count, &server, id, each);
    (void)printf("{\"clients\":%u,\"flows\":%u,\"rss_kib\":[%lu,%lu]}\n", 2 * l->count, count,
                 before, rss_kib(l->relay));
}

int main(int argc, char **argv) {
    if (argc < 9)
        usage();
    char *addr_a = address_of(argv[2]), *addr_b = address_of(argv[3]);
    struct load l = {.pairs = pairs,
                     .count = number(argv[6], PAIRS_MAX),
                     .bytes = PACKET_BYTES,
                     .relay = (pid_t)atoi(argv[5])};
    for (unsigned i = 0; i < l.count; i++) {
        const struct in_addr a = address_after(addr_a, i / END_SHARE),
                             b = address_after(addr_b, i / END_SHARE);
        pair_open(&pairs[i], argv[2], &a, argv[3], &b);
    }
    if (argc == 9 && strcmp(argv[1], "mesh") == 0 && strcmp(argv[7], "flows") == 0) {
        flows(&l, argv[4], number(argv[8], PAIRS_MAX));
    } else {
        join(&l, argv[1], argv[4]);
        const struct load_result r = phase(&l, argc - 7, argv + 7);
        show(&r);
    }
    mesh_leave();
    for (unsigned i = 0; i < l.count; i++)
        pair_close(&pairs[i]);
    return 0;
}
