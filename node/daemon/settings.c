#include "node/daemon/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

PRINTF_LIKE(2, 3) static int complain(int err, const char *fmt, ...) {
    va_list ap;
    fputs("meshd: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return err;
}

/* ---- the file ---- */

static int parse_file(struct settings *s, const char *path, int fd) {
    int r = ERR_FORMAT;
    struct config_error e;
    struct stat st;
    size_t len = 0, cap = CONFIG_TEXT_MAX + 1; /* one more, so that too large is noticed */
    char *text = malloc(cap);
    if (!text)
        return complain(ERR_NOMEM, "out of memory");
    while (len < cap) {
        ssize_t n = read(fd, text + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            complain(r, "%s: %s", path, strerror(errno));
            goto out;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    r = config_parse(&s->config, text, len, &e);
    if (r != 0 && e.line > 0)
        complain(r, "%s:%u: %s", path, e.line, e.text);
    else if (r != 0)
        complain(r, "%s: %s", path, e.text);
    s->secret_exposed =
        s->config.network[0] && fstat(fd, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) != 0;
out:
    sodium_memzero(text, cap);
    free(text);
    return r;
}

static int read_file(struct settings *s, const struct args *a) {
    char path[PATH_TEXT_MAX];
    if (a->config) {
        if (strlen(a->config) >= sizeof path)
            return complain(ERR_USAGE, "--config: the path is too long");
        strcpy(path, a->config);
    } else if (paths_config(path, sizeof path, getenv("XDG_CONFIG_HOME"), getenv("HOME")) != 0) {
        return 0;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !a->config)
        return 0;
    if (fd < 0)
        return complain(ERR_USAGE, "%s: %s", path, strerror(errno));
    int r = parse_file(s, path, fd);
    close(fd);
    if (r == 0)
        strcpy(s->config_path, path);
    return r;
}

/* ---- the command line ---- */

static int take_args(struct config *c, const struct args *a) {
    if (a->listen_count > 0)
        c->listen_default = true; /* the first --listen takes the place of all others */
    for (unsigned i = 0; i < a->listen_count; i++)
        if (config_listen(c, a->listen[i]) != 0)
            return complain(ERR_USAGE,
                            "--listen: '%s' is not an address and port (192.0.2.1:7557, [::]:7557)",
                            a->listen[i]);
    if (a->log && config_log_level(&c->log, a->log) != 0)
        return complain(ERR_USAGE, "--log: '%s' may be: error, warn, info, debug", a->log);
    if (a->udp && strcmp(a->udp, "auto") != 0 && strcmp(a->udp, "portable") != 0)
        return complain(ERR_USAGE, "--udp: '%s' may be: auto, portable", a->udp);
    if (a->udp)
        c->udp_portable = strcmp(a->udp, "portable") == 0;
    return 0;
}

/* ---- paths ---- */

/* `text` made absolute, into out[0..cap). */
static int absolute(char *out, size_t cap, const char *what, const char *text) {
    char base[PATH_TEXT_MAX], full[PATH_TEXT_MAX];
    if (!text[0])
        return complain(ERR_USAGE, "%s: the path is empty", what);
    if (!getcwd(base, sizeof base))
        strcpy(base, "/");
    int r = paths_absolute(full, sizeof full, text, getenv("HOME"), base);
    if (r == ERR_NOT_FOUND)
        return complain(ERR_USAGE, "%s: '%s' needs $HOME", what, text);
    if (r != 0 || strlen(full) >= cap)
        return complain(ERR_USAGE, "%s: the path is too long (at most %zu bytes)", what, cap - 1);
    strcpy(out, full);
    return 0;
}

static int place_state(struct settings *s, const struct args *a) {
    if (a->state)
        return absolute(s->state_dir, sizeof s->state_dir, "--state", a->state);
    if (paths_state(s->state_dir, sizeof s->state_dir, getenv("XDG_STATE_HOME"), getenv("HOME")) !=
        0)
        return complain(ERR_USAGE, "no place for the state: set $HOME or give --state");
    return 0;
}

static int place_socket(struct settings *s, const struct args *a) {
    char path[PATH_TEXT_MAX];
    int r;
    if (a->socket || s->config.socket[0])
        r = absolute(path, sizeof path, "socket", a->socket ? a->socket : s->config.socket);
    else if (a->state)
        r = paths_state_socket(path, sizeof path, s->state_dir);
    else
        r = paths_socket(path, sizeof path, getenv("XDG_RUNTIME_DIR"), getenv("XDG_STATE_HOME"),
                         getenv("HOME"));
    if (r != 0)
        return ERR_USAGE;
    if (strlen(path) > SOCKET_PATH_MAX)
        return complain(ERR_USAGE,
                        "the control socket's path is too long: %zu bytes, the system takes %d; "
                        "give a shorter one with --socket: %s",
                        strlen(path), SOCKET_PATH_MAX, path);
    strcpy(s->config.socket, path);
    return 0;
}

static int place_downloads(struct settings *s) {
    char path[PATH_TEXT_MAX];
    if (s->config.download_dir[0])
        strcpy(path, s->config.download_dir);
    else if (paths_download(path, sizeof path, getenv("HOME"), s->state_dir) != 0)
        return complain(ERR_USAGE, "the download directory's path is too long");
    return absolute(s->config.download_dir, sizeof s->config.download_dir, "download_dir", path);
}

int settings_load(struct settings *s, const struct args *a) {
    *s = (struct settings){0};
    config_init(&s->config);
    int r = read_file(s, a);
    if (r == 0)
        r = take_args(&s->config, a);
    if (r == 0)
        r = place_state(s, a);
    if (r == 0)
        r = place_socket(s, a);
    if (r == 0)
        r = place_downloads(s);
    return r;
}

void settings_clear(struct settings *s) {
    sodium_memzero(s, sizeof *s);
}
