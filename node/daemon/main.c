/* main.c: meshd, one node of the mesh as a process. main reads as the order of starting up; each
 * step says on stderr why it failed. Exit codes: 0 after a shutdown, 1 failed, 2 wrong arguments or
 * settings.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/os/process.h"
#include "node/api/escape.h"
#include "node/api/xdg.h"
#include "node/daemon/daemon.h"
#include "node/daemon/disk/keyfile.h"
#include "node/daemon/disk/statedir.h"
#include "node/daemon/disk/store_sqlite.h"
#include "node/daemon/os/log.h"
#include "node/daemon/os/notify.h"
#include "node/daemon/setup/args.h"
#include "node/daemon/setup/settings.h"

static void fill_random(void *ctx, void *buf, size_t len) {
    (void)ctx;
    randombytes_buf(buf, len);
}

static int show(const struct settings *s) {
    char text[CONFIG_OUT_MAX];
    config_write(&s->config, text);
    fputs(text, stdout);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_RUN_FAILED;
}

/* With the state directory locked: identity, store, node, loop. Says why not. */
static int run(struct settings *s, const struct args *args, const struct statedir *state,
               struct log *log, unsigned user_umask) {
    struct rng rng = {fill_random, NULL};
    struct identity identity;
    struct store_sqlite *db = NULL;
    struct store store;
    struct daemon *d = NULL;
    char path[PATH_TEXT_MAX];
    int r = keyfile_load(&identity, state, s->state_dir, &rng, log);
    if (r != 0)
        return r;
    r = paths_join(path, sizeof path, s->state_dir, "meshd.db");
    if (r == 0)
        r = store_sqlite_open(&db, &store, path, log);
    if (r == 0) {
        struct daemon_setup setup = {s, args, state, &identity, &store, db, rng, user_umask, log};
        r = daemon_open(&d, &setup);
        if (r == 0) {
            notify_state("READY=1");
            daemon_run(d);
            log_put(log, LOG_INFO, "stopped");
        }
        if (!daemon_close(d))
            _exit(EXIT_SUCCESS); /* exit() would wait for the worker, which may use the store */
    }
    store_sqlite_close(db);
    identity_clear(&identity);
    return r;
}

static int start(struct settings *s, const struct args *args, unsigned user_umask) {
    struct log log = {s->config.log};
    struct statedir state;
    const unsigned long few = process_files_missing();
    if (s->secret_exposed)
        log_put(&log, LOG_WARN, "others can read the network secret in %s; chmod 600 it",
                s->config_path);
    if (few > 0)
        log_put(
            &log, LOG_ERROR,
            "only %lu files may be open at once, and meshd needs %d; allow more with: ulimit -n %d",
            few, PROCESS_FILES_MIN, PROCESS_FILES_MIN);
    int r = few > 0 ? ERR_FULL : statedir_open(&state, s->state_dir, &log);
    if (r == 0) {
        r = run(s, args, &state, &log, user_umask);
        statedir_close(&state);
    }
    if (r != 0 && log_errors() == 0) /* nobody nearer to it has said it */
        log_put(&log, LOG_ERROR, "cannot start with %s: %s", s->state_dir, err_text(r));
    return r == 0 ? EXIT_SUCCESS : EXIT_RUN_FAILED;
}

/* What the user has typed may have come from elsewhere. */
static void complain(const char *wrong) {
    char safe[SETTINGS_WRONG_MAX * ESCAPE_GROWTH];
    const size_t len = strlen(wrong);
    if (!escape_none(wrong, len))
        escape_text(safe, sizeof safe, wrong, len);
    log_complain(escape_none(wrong, len) ? wrong : safe);
}

int main(int argc, char **argv) {
    struct args args;
    struct settings settings;
    char wrong[SETTINGS_WRONG_MAX];
    process_keep_stdio();
    int status = args_parse(&args, argc, argv);
    if (status >= 0)
        return status;
    if (sodium_init() < 0) {
        fputs("meshd: libsodium does not start\n", stderr);
        return EXIT_RUN_FAILED;
    }
    log_begin();
    unsigned user_umask = process_prepare();
    if (settings_load(&settings, &args, wrong) != 0) {
        complain(wrong);
        status = EXIT_USAGE;
    } else if (args.check) {
        status = EXIT_SUCCESS;
    } else if (args.show_config) {
        status = show(&settings);
    } else {
        status = start(&settings, &args, user_umask);
    }
    settings_clear(&settings);
    return status;
}
