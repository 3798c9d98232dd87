/* args.h: meshd's command line. */
#ifndef MESHD_NODE_DAEMON_SETUP_ARGS_H
#define MESHD_NODE_DAEMON_SETUP_ARGS_H

#include <stdbool.h>

#include "node/config/config.h"

struct args { /* strings are argv's; NULL: not given */
    const char *state, *socket, *config, *log, *udp;
    const char *listen[CONFIG_LISTEN_MAX];
    unsigned listen_count;
    const char *relay[RELAYS_USE_MAX];
    unsigned relay_count;
    bool serve_relay;
    bool check; /* -n */
    bool show_config;
};

enum { EXIT_RUN_FAILED = 1, EXIT_USAGE = 2 };

/* -1: go on; otherwise the process is to exit with this status (0 after --help and --version). */
int args_parse(struct args *a, int argc, char **argv);

#endif
