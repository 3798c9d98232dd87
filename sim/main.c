/* main.c: the command line of meshsim. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cmd/cmd.h"
#include "sim/text/quantity.h"

enum { SEEDS_MAX = 100000000 };

static const char usage[] =
    "usage: meshsim run FILE [options]      run a scenario (FILE - : from stdin)\n"
    "       meshsim check FILE              only read it\n"
    "       meshsim swarm --seeds A..B      draw a scenario for each seed and run it\n"
    "       meshsim shrink FILE [-o OUT]    make a failing scenario small\n"
    "       meshsim merge FILE... [-o OUT]  add up results (--json) of a scenario\n"
    "       meshsim probe KIND...           what a host behind such a NAT finds out\n"
    "       meshsim metrics                 the names that `expect` knows\n"
    "       meshsim --help | --version\n"
    "run:\n"
    "  --seed N          instead of the scenario's seed\n"
    "  --seeds A..B      once with each seed, then a summary\n"
    "  --pass P          how many of them must pass: 99.9% (default 100%)\n"
    "  --twice           run twice, compare the traces, name the first difference\n"
    "  --set NAME=VALUE  instead of the scenario's `let NAME`\n"
    "  --crypto MODE     real, memo or stub, instead of the scenario's\n"
    "  --json[=FILE]     the report as JSON, on stdout or beside it\n"
    "  --html FILE       the report as a page with drawings\n"
    "  --pcap FILE       all datagrams as pcapng, lost ones too\n"
    "  --pcap-from TIME  only from then on\n"
    "  --pcap-to TIME    only until then\n"
    "  --baseline FILE   instead of the report: what differs from an earlier --json\n"
    "  --progress        how far it is, also when stderr is no terminal\n"
    "  -v                node events on stderr; -vv: logs and drops; -vvv: datagrams\n"
    "run --seeds, swarm:\n"
    "  -j N              so many processes at once\n"
    "  --limit SECONDS   of real time for one run (300); then it counts as hanging\n"
    "swarm:\n"
    "  --out DIR         where failing scenarios go (default swarm-failures)\n"
    "  --scale SIZE      small (default), medium, or relays\n"
    "  --need-marks      fail if the campaign has missed what it should have met\n"
    "  --seed N --print  only show that seed's scenario\n"
    "shrink:\n"
    "  --seed N, --set NAME=VALUE, --limit SECONDS, --budget RUNS (default 2000)\n"
    "exit codes: 0 all expectations met, 1 not, 2 usage or a scenario that cannot\n"
    "            be run\n";

static bool read_seed(const char *text, uint64_t *out) {
    return quantity_parse(text, QUANTITY_COUNT, out) == NULL && *out <= INT64_MAX;
}

static bool read_seeds(const char *text, struct options *o) {
    char first[32];
    const char *dots = strstr(text, "..");
    if (!dots || (size_t)(dots - text) >= sizeof first)
        return false;
    memcpy(first, text, (size_t)(dots - text));
    first[dots - text] = '\0';
    o->has_seeds = true;
    return read_seed(first, &o->first) && read_seed(dots + 2, &o->last) && o->first <= o->last &&
           o->last - o->first < SEEDS_MAX;
}

static bool read_set(char *text, struct options *o) {
    char *eq = strchr(text, '=');
    if (!eq || o->let_count == LEXER_LETS_MAX)
        return false;
    *eq = '\0';
    o->lets[o->let_count++] = (struct scenario_let){.name = text, .value = eq + 1};
    return true;
}

static bool read_unsigned(const char *text, unsigned lo, unsigned hi, unsigned *out) {
    uint64_t n;
    if (quantity_parse(text, QUANTITY_COUNT, &n) || n < lo || n > hi)
        return false;
    *out = (unsigned)n;
    return true;
}

static bool read_scale(const char *text, struct options *o) {
    o->medium = strcmp(text, "medium") == 0;
    o->relays = strcmp(text, "relays") == 0;
    return o->medium || o->relays || strcmp(text, "small") == 0;
}

static bool read_option(int c, struct options *o) {
    switch (c) {
    case 's':
        return o->has_seed = read_seed(optarg, &o->seed);
    case 'S':
        return read_seeds(optarg, o);
    case 'p':
        return quantity_number(optarg, &o->needed) == NULL && o->needed <= 1;
    case 't':
        return o->twice = true;
    case 'D':
        return read_set(optarg, o);
    case 'c':
        return o->has_crypto = crypto_mode_find(optarg, &o->crypto);
    case 'J':
        o->json_file = optarg;
        return o->json = true;
    case 'H':
        o->html = optarg;
        return true;
    case 'w':
        o->pcap = optarg;
        return true;
    case 'F':
        return quantity_parse(optarg, QUANTITY_DURATION, &o->pcap_from_ns) == NULL;
    case 'T':
        return quantity_parse(optarg, QUANTITY_DURATION, &o->pcap_to_ns) == NULL;
    case 'B':
        o->baseline = optarg;
        return true;
    case 'g':
        return o->progress = true;
    case 'j':
        return read_unsigned(optarg, 1, 256, &o->jobs);
    case 'l':
        return read_unsigned(optarg, 1, 86400, &o->limit_s);
    case 'b':
        return read_unsigned(optarg, 1, 1000000, &o->budget);
    case 'o':
        o->out = optarg;
        return true;
    case 'C':
        return read_scale(optarg, o);
    case 'm':
        return o->need_marks = true;
    case 'P':
        return o->print = true;
    case 'v':
        o->verbose++;
        return true;
    default:
        return false;
    }
}

static bool read_options(int argc, char **argv, struct options *o) {
    static const struct option longs[] = {
        {"seed", required_argument, NULL, 's'},    {"seeds", required_argument, NULL, 'S'},
        {"pass", required_argument, NULL, 'p'},    {"twice", no_argument, NULL, 't'},
        {"set", required_argument, NULL, 'D'},     {"crypto", required_argument, NULL, 'c'},
        {"json", optional_argument, NULL, 'J'},    {"html", required_argument, NULL, 'H'},
        {"pcap", required_argument, NULL, 'w'},    {"pcap-from", required_argument, NULL, 'F'},
        {"pcap-to", required_argument, NULL, 'T'}, {"baseline", required_argument, NULL, 'B'},
        {"progress", no_argument, NULL, 'g'},      {"limit", required_argument, NULL, 'l'},
        {"budget", required_argument, NULL, 'b'},  {"out", required_argument, NULL, 'o'},
        {"scale", required_argument, NULL, 'C'},   {"need-marks", no_argument, NULL, 'm'},
        {"print", no_argument, NULL, 'P'},         {NULL, 0, NULL, 0}};
    bool ok = true;
    int c;
    while (ok && (c = getopt_long(argc, argv, "vj:o:", longs, NULL)) != -1)
        ok = read_option(c, o);
    o->files = argv + optind;
    o->file_count = argc - optind;
    return ok && !(o->has_seed && o->has_seeds);
}

static int dispatch(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(struct options *o);
        int files;
    } commands[] = {{"run", cmd_run, 1},       {"check", cmd_check, 1},  {"swarm", cmd_swarm, 0},
                    {"shrink", cmd_shrink, 1}, {"merge", cmd_merge, -1}, {"probe", cmd_probe, -1}};
    struct options o = {.needed = 1, .jobs = 1, .limit_s = 300, .budget = 2000};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("meshsim " MESHD_VERSION);
        return EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "metrics") == 0)
        return cmd_metrics();
    for (size_t i = 0; argc > 2 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0 && read_options(argc - 1, argv + 1, &o) &&
            (commands[i].files < 0 ? o.file_count > 0 : o.file_count == commands[i].files))
            return commands[i].run(&o);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

/* What could not be written has not been said, whatever came of the run. */
int main(int argc, char **argv) {
    const int code = dispatch(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "meshsim: the output cannot be written\n");
    return EXIT_USAGE;
}
