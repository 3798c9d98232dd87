/* cmd.h: the commands of meshsim and what their options are; main.c dispatches. A command gives its
 * exit code. */
#ifndef MESHD_SIM_CMD_CMD_H
#define MESHD_SIM_CMD_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"

enum { EXIT_OK = 0, EXIT_BROKEN = 1, EXIT_USAGE = 2, CMD_FILES_MAX = 65536 };

struct options {
    char **files; /* what is not an option */
    int file_count;
    bool json, twice, has_seed, has_seeds, has_crypto, print, need_marks, progress;
    int verbose;
    uint64_t seed, first, last;
    double needed;
    unsigned jobs, limit_s, budget;
    bool medium, relays; /* the scale */
    enum crypto_mode crypto;
    const char *out; /* shrink -o FILE, swarm --out DIR */
    const char *html, *pcap, *json_file, *baseline;
    uint64_t pcap_from_ns, pcap_to_ns;
    struct scenario_let lets[LEXER_LETS_MAX];
    size_t let_count;
};

int cmd_run(struct options *o);
int cmd_sweep(struct options *o, const struct scenario *sc, const char *text); /* run --seeds */
int cmd_check(struct options *o);
int cmd_metrics(void);
int cmd_swarm(struct options *o);
int cmd_shrink(struct options *o);
int cmd_merge(struct options *o);
int cmd_probe(struct options *o);

/* The whole file ("-": stdin), NUL-terminated, to be freed; NULL with a message if it cannot be
 * read. */
char *cmd_read_file(const char *file);
/* False, with a message, if there are options that only one run has. */
bool cmd_of_many(const struct options *o);
/* Says where and what; gives EXIT_USAGE. */
int cmd_complain(const char *file, const struct problem *p);

#endif
