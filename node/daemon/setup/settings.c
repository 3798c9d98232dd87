#include "node/daemon/setup/settings.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/dir.h"

PRINTF_LIKE(3, 4) static int complain(char *wrong, int err, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(wrong, SETTINGS_WRONG_MAX, fmt, ap);
    va_end(ap);
    return err;
}

/* ---- the file ---- */

static int unreadable(char *wrong, const char *path, int err) {
    return complain(wrong, ERR_USAGE, "cannot read the settings in %s: %s; %s", path, strerror(err),
                    err == ENOENT   ? "make the file, or leave --config out"
                    : err == EACCES ? "give the user that runs meshd access to it"
                                    : "give another file with --config");
}

static int parse_file(struct settings *s, const char *path, struct os_file f, char *wrong) {
    struct config_error e;
    struct os_info info;
    size_t len, cap = CONFIG_TEXT_MAX + 1; /* so that too large is noticed */
    char *text = malloc(cap);
    if (!text)
        return complain(wrong, ERR_NOMEM, "out of memory");
    int err = os_file_read(f, text, cap, &len);
    int r = err ? unreadable(wrong, path, err) : config_parse(&s->config, text, len, &e);
    if (r != 0 && !err && e.line > 0)
        complain(wrong, r, "%s:%u: %s", path, e.line, e.text);
    else if (r != 0 && !err)
        complain(wrong, r, "%s: %s", path, e.text);
    s->secret_exposed =
        s->config.network[0] && os_file_info(f, &info) == 0 && (info.mode & 044) != 0;
    sodium_memzero(text, cap);
    free(text);
    return r;
}

/* Nothing waits for whoever may write into one: at SIGHUP that is the whole node. */
static bool is_pipe(struct os_file f) {
    struct os_info info;
    return os_file_info(f, &info) == 0 && info.kind == OS_PIPE;
}

static int read_file(struct settings *s, const struct args *a, char *wrong) {
    char path[PATH_TEXT_MAX];
    if (a->config) {
        if (strlen(a->config) >= sizeof path)
            return complain(wrong, ERR_USAGE, "--config: the path is too long");
        strcpy(path, a->config);
    } else if (paths_config(path, sizeof path, getenv("XDG_CONFIG_HOME"), getenv("HOME")) != 0) {
        return 0;
    }
    struct os_file f;
    const int err = os_file_open(&f, path, OS_READ | OS_NOWAIT);
    if (err == ENOENT && !a->config)
        return 0;
    if (err)
        return unreadable(wrong, path, err);
    int r = is_pipe(f) ? complain(wrong, ERR_USAGE,
                                  "cannot read the settings in %s: it is a pipe, and they are read "
                                  "again at SIGHUP; put them into a file",
                                  path)
                       : parse_file(s, path, f, wrong);
    (void)os_file_close(&f);
    if (r == 0)
        strcpy(s->config_path, path);
    return r;
}

/* ---- the command line ---- */

/* The first --relay takes the place of all others. */
static int take_relays(struct config *c, const struct args *a, char *wrong) {
    char why[CONFIG_RELAY_WRONG_MAX];
    if (a->serve_relay)
        c->relay.serve = true;
    if (a->relay_count > 0)
        c->relay.use_count = 0;
    for (unsigned i = 0; i < a->relay_count; i++)
        if (config_relay_add(&c->relay, a->relay[i], why) != 0)
            return complain(wrong, ERR_USAGE, "--relay: %s", why);
    return 0;
}

static int take_args(struct config *c, const struct args *a, char *wrong) {
    if (a->listen_count > 0)
        c->listen_default = true; /* the first --listen takes the place of all others */
    for (unsigned i = 0; i < a->listen_count; i++) {
        int r = config_listen(c, a->listen[i]);
        if (r != 0)
            return complain(wrong, ERR_USAGE, "--listen: '%s' is %s", a->listen[i],
                            r == ERR_EXISTS
                                ? "given twice"
                                : "not an address and port (192.0.2.1:7557, [::]:7557)");
    }
    if (a->log && config_log_level(&c->log, a->log) != 0)
        return complain(wrong, ERR_USAGE, "--log: '%s' may be: error, warn, info, debug", a->log);
    if (a->udp && strcmp(a->udp, "auto") != 0 && strcmp(a->udp, "portable") != 0)
        return complain(wrong, ERR_USAGE, "--udp: '%s' may be: auto, portable", a->udp);
    if (a->udp)
        c->udp_portable = strcmp(a->udp, "portable") == 0;
    return take_relays(c, a, wrong);
}

/* ---- paths ---- */

/* `text` made absolute, into out[0..cap). */
static int absolute(char *out, size_t cap, const char *what, const char *text, char *wrong) {
    char base[PATH_TEXT_MAX], full[PATH_TEXT_MAX];
    if (!text[0])
        return complain(wrong, ERR_USAGE, "%s: the path is empty", what);
    if (os_dir_real_path(".", base, sizeof base) != 0)
        strcpy(base, "/");
    int r = paths_absolute(full, sizeof full, text, getenv("HOME"), base);
    if (r == ERR_NOT_FOUND)
        return complain(wrong, ERR_USAGE, "%s: '%s' needs $HOME", what, text);
    if (r != 0 || strlen(full) >= cap)
        return complain(wrong, ERR_USAGE, "%s: the path is too long (at most %zu bytes)", what,
                        cap - 1);
    strcpy(out, full);
    return 0;
}

static int place_state(struct settings *s, const struct args *a, char *wrong) {
    if (a->state)
        return absolute(s->state_dir, sizeof s->state_dir, "--state", a->state, wrong);
    if (paths_state(s->state_dir, sizeof s->state_dir, getenv("XDG_STATE_HOME"), getenv("HOME")) !=
        0)
        return complain(wrong, ERR_USAGE, "no place for the state: set $HOME or give --state");
    return 0;
}

static int place_socket(struct settings *s, const struct args *a, char *wrong) {
    char path[PATH_TEXT_MAX];
    int r;
    if (a->socket || s->config.socket[0])
        r = absolute(path, sizeof path, "socket", a->socket ? a->socket : s->config.socket, wrong);
    else if (a->state)
        r = paths_state_socket(path, sizeof path, s->state_dir);
    else
        r = paths_socket(path, sizeof path, getenv("XDG_RUNTIME_DIR"), getenv("XDG_STATE_HOME"),
                         getenv("HOME"));
    if (r == ERR_NOT_FOUND || r == ERR_FULL)
        return complain(wrong, ERR_USAGE,
                        "no place for the control socket: set $HOME, or give a "
                        "shorter path with --socket");
    if (r != 0)
        return r; /* said */
    if (strlen(path) > SOCKET_PATH_MAX)
        return complain(wrong, ERR_USAGE,
                        "the control socket's path is too long: %zu bytes, the system takes %d; "
                        "give a shorter one with --socket: %s",
                        strlen(path), SOCKET_PATH_MAX, path);
    strcpy(s->config.socket, path);
    return 0;
}

static int place_downloads(struct settings *s, char *wrong) {
    char path[PATH_TEXT_MAX];
    if (s->config.download_dir[0])
        strcpy(path, s->config.download_dir);
    else if (paths_download(path, sizeof path, getenv("HOME"), s->state_dir) != 0)
        return complain(wrong, ERR_USAGE, "the download directory's path is too long");
    return absolute(s->config.download_dir, sizeof s->config.download_dir, "download_dir", path,
                    wrong);
}

/* What this build and this machine have. */
static int check_aead(const struct config *c, char *wrong) {
    struct aead *probe = aead_new(c->aead);
    if (!probe)
        return complain(wrong, ERR_USAGE,
                        "aead = %s: not in this build, or not for this CPU; use auto",
                        aead_provider_label(c->aead));
    aead_free(probe);
    return 0;
}

int settings_load(struct settings *s, const struct args *a, char wrong[static SETTINGS_WRONG_MAX]) {
    *s = (struct settings){0};
    wrong[0] = '\0';
    config_init(&s->config);
    int r = read_file(s, a, wrong);
    if (r == 0)
        r = take_args(&s->config, a, wrong);
    if (r == 0)
        r = place_state(s, a, wrong);
    if (r == 0)
        r = place_socket(s, a, wrong);
    if (r == 0)
        r = place_downloads(s, wrong);
    if (r == 0)
        r = check_aead(&s->config, wrong);
    return r;
}

void settings_clear(struct settings *s) {
    sodium_memzero(s, sizeof *s);
}
