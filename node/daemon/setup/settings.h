/* settings.h: what is in force: defaults, then meshd.conf, then the command line, with every path
 * absolute. */
#ifndef MESHD_NODE_DAEMON_SETUP_SETTINGS_H
#define MESHD_NODE_DAEMON_SETUP_SETTINGS_H

#include <stdbool.h>

#include "node/api/xdg.h"
#include "node/config/config.h"
#include "node/daemon/setup/args.h"

struct settings {
    struct config config; /* socket and download_dir are absolute and never empty */
    char state_dir[PATH_TEXT_MAX];
    char config_path[PATH_TEXT_MAX]; /* empty: none was read */
    bool secret_exposed;             /* the file has a network secret and others can read it */
};

enum { SETTINGS_WRONG_MAX = PATH_TEXT_MAX + 512 };

/* Reads the environment and the file. ERR_USAGE, ERR_FORMAT or ERR_NOMEM with one sentence in
 * `wrong`: where it is, what is wrong and what is expected. */
int settings_load(struct settings *s, const struct args *a,
                  char wrong[static SETTINGS_WRONG_MAX]) MUST_USE;
void settings_clear(struct settings *s);

#endif
