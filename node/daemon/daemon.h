/* daemon.h: the loop around the node core: brings it datagrams, time, finished file operations and
 * clients' requests, and carries away what it has to say. One thread; an idle daemon does not wake
 * up.
 *
 * A turn: one reading of the clock, the input, then everything the core has: events, file
 * operations, trains (a bounded number, so that receiving is not starved while sending), answers to
 * clients, and one timer for the next deadline.
 */
#ifndef MESHD_NODE_DAEMON_DAEMON_H
#define MESHD_NODE_DAEMON_DAEMON_H

#include "node/daemon/disk/statedir.h"
#include "node/daemon/disk/store_sqlite.h"
#include "node/daemon/os/log.h"
#include "node/daemon/setup/settings.h"

struct daemon;

struct daemon_setup {          /* all but `identity` must outlive the daemon */
    struct settings *settings; /* what is in force: changed by SIGHUP */
    const struct args *args;   /* for that */
    const struct statedir *state;
    const struct identity *identity;
    const struct store *store;
    struct store_sqlite *db; /* behind it */
    struct rng rng;
    unsigned umask; /* the user's */
    struct log *log;
};

/* Opens sockets, core and control socket. Says why not in the log. */
int daemon_open(struct daemon **out, const struct daemon_setup *setup) MUST_USE;
/* Until SIGTERM, SIGINT or a client's "shutdown"; takes less than a second after that. */
void daemon_run(struct daemon *d);
/* False if a worker is still busy with a file or the store (an fsync can take long): the process is
 * to leave without waiting for it, and the daemon's memory stays. The temporary it may leave is
 * removed by the next start. NULL is fine. */
bool daemon_close(struct daemon *d);

#endif
