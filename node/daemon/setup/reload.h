/* reload.h: the settings read again while the daemon runs (SIGHUP): what can change does, what
 * needs a restart is named, and with an error in the file everything stays as it was.
 */
#ifndef MESHD_NODE_DAEMON_SETUP_RELOAD_H
#define MESHD_NODE_DAEMON_SETUP_RELOAD_H

#include "node/daemon/os/log.h"
#include "node/daemon/setup/settings.h"

/* The settings that a node can take over while it runs. `download_dir` is s->config's. */
struct node_policy reload_policy(const struct settings *s);

/* `s` is what is in force, and is afterwards: what needs a restart keeps its value. `log` gets its
 * new level, and says what happened. */
void reload_settings(struct settings *s, const struct args *a, struct node *n, struct log *log);

#endif
