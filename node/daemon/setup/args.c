#include "node/daemon/setup/args.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] = "usage: meshd [options]\n"
                            "\n"
                            "Runs a node of the mesh in the foreground. meshctl drives\n"
                            "it.\n"
                            "\n"
                            "  --state DIR          identity, contacts and messages\n"
                            "                       (default: $XDG_STATE_HOME/meshd or\n"
                            "                       ~/.local/state/meshd)\n"
                            "  --socket PATH        control socket (default:\n"
                            "                       $XDG_RUNTIME_DIR/meshd/control.sock,\n"
                            "                       or DIR/control.sock if --state is\n"
                            "                       given)\n"
                            "  --listen ADDR:PORT   UDP address to listen on; may be\n"
                            "                       repeated (default: 0.0.0.0:7557\n"
                            "                       and [::]:7557)\n"
                            "  --relay HOST:PORT#mesh1...\n"
                            "                       a relay to be reached by; may be\n"
                            "                       repeated, and takes the place of\n"
                            "                       those of the settings\n"
                            "  --serve-relay        forward for others, who use this\n"
                            "                       node as a relay\n"
                            "  --config FILE        settings (default:\n"
                            "                       $XDG_CONFIG_HOME/meshd/meshd.conf or\n"
                            "                       ~/.config/meshd/meshd.conf, which\n"
                            "                       may be missing)\n"
                            "  --log LEVEL          error, warn, info or debug\n"
                            "  --udp auto|portable  portable: without the Linux batching\n"
                            "  -n                   check the settings and exit: 0 if\n"
                            "                       they are good, 2 if not\n"
                            "  --show-config        print the settings in force and exit\n"
                            "  --version, -h, --help\n";

enum {
    OPT_STATE = 256,
    OPT_SOCKET,
    OPT_LISTEN,
    OPT_RELAY,
    OPT_SERVE_RELAY,
    OPT_CONFIG,
    OPT_LOG,
    OPT_UDP,
    OPT_SHOW,
    OPT_VERSION
};

static const struct option options[] = {
    {"state", required_argument, NULL, OPT_STATE},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"relay", required_argument, NULL, OPT_RELAY},
    {"serve-relay", no_argument, NULL, OPT_SERVE_RELAY},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"log", required_argument, NULL, OPT_LOG},
    {"udp", required_argument, NULL, OPT_UDP},
    {"show-config", no_argument, NULL, OPT_SHOW},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* False, and said: it is one too many. */
static bool add(const char **list, unsigned *count, unsigned max, const char *what) {
    if (*count == max) {
        fprintf(stderr, "meshd: more than %u %s\n", max, what);
        return false;
    }
    list[(*count)++] = optarg;
    return true;
}

int args_parse(struct args *a, int argc, char **argv) {
    *a = (struct args){0};
    for (int c; (c = getopt_long(argc, argv, "nh", options, NULL)) != -1;) {
        switch (c) {
        case OPT_STATE:
            a->state = optarg;
            break;
        case OPT_SOCKET:
            a->socket = optarg;
            break;
        case OPT_LISTEN:
            if (!add(a->listen, &a->listen_count, CONFIG_LISTEN_MAX, "addresses to listen on"))
                return EXIT_USAGE;
            break;
        case OPT_RELAY:
            if (!add(a->relay, &a->relay_count, RELAYS_USE_MAX, "relays to use"))
                return EXIT_USAGE;
            break;
        case OPT_SERVE_RELAY:
            a->serve_relay = true;
            break;
        case OPT_CONFIG:
            a->config = optarg;
            break;
        case OPT_LOG:
            a->log = optarg;
            break;
        case OPT_UDP:
            a->udp = optarg;
            break;
        case OPT_SHOW:
            a->show_config = true;
            break;
        case OPT_VERSION:
            puts("meshd " MESHD_VERSION);
            return 0;
        case 'n':
            a->check = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs("try 'meshd --help'\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "meshd: unexpected argument '%s'\ntry 'meshd --help'\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}
