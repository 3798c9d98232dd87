/* settings.h: what is in force: defaults, then meshd.conf, then the command line, with every path
 * absolute. */
#ifndef MESHD_NODE_DAEMON_SETTINGS_H
#define MESHD_NODE_DAEMON_SETTINGS_H

#include <stdbool.h>

#include "node/config.h"
#include "node/daemon/args.h"
#include "node/paths.h"

struct settings {
    struct config config; /* socket and download_dir are absolute and never empty */
    char state_dir[PATH_TEXT_MAX];
    char config_path[PATH_TEXT_MAX]; /* empty: none was read */
    bool secret_exposed;             /* the file has a network secret and others can read it */
};

/* Reads the environment and the file. On failure says why on stderr and returns ERR_USAGE or
 * ERR_FORMAT. */
int settings_load(struct settings *s, const struct args *a) MUST_USE;
void settings_clear(struct settings *s);

#endif
