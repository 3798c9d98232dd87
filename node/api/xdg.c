#include "node/api/xdg.h"

#include <stdio.h>
#include <string.h>

static bool usable(const char *dir) {
    return dir && dir[0] == '/';
}

/* a, b and c one after the other. */
static int put(char *out, size_t cap, const char *a, const char *b, const char *c) {
    int n = snprintf(out, cap, "%s%s%s", a, b, c);
    if (n >= 0 && (size_t)n < cap)
        return 0;
    if (cap > 0)
        out[0] = '\0';
    return ERR_FULL;
}

/* XDG/tail, or HOME/fallback/tail. */
static int xdg(char *out, size_t cap, const char *dir, const char *home, const char *fallback,
               const char *tail) {
    if (usable(dir))
        return put(out, cap, dir, "/", tail);
    if (usable(home))
        return put(out, cap, home, fallback, tail);
    if (cap > 0)
        out[0] = '\0';
    return ERR_NOT_FOUND;
}

int paths_state(char *out, size_t cap, const char *state_home, const char *home) {
    return xdg(out, cap, state_home, home, "/.local/state/", "meshd");
}

int paths_socket(char *out, size_t cap, const char *runtime_dir, const char *state_home,
                 const char *home) {
    if (usable(runtime_dir))
        return put(out, cap, runtime_dir, "/", "meshd/control.sock");
    return xdg(out, cap, state_home, home, "/.local/state/", "meshd/control.sock");
}

int paths_state_socket(char *out, size_t cap, const char *state_dir) {
    return paths_join(out, cap, state_dir, "control.sock");
}

int paths_config(char *out, size_t cap, const char *config_home, const char *home) {
    return xdg(out, cap, config_home, home, "/.config/", "meshd/meshd.conf");
}

int paths_download(char *out, size_t cap, const char *home, const char *state_dir) {
    return usable(home) ? paths_join(out, cap, home, "Downloads")
                        : paths_join(out, cap, state_dir, "downloads");
}

int paths_absolute(char *out, size_t cap, const char *path, const char *home, const char *base) {
    if (path[0] == '/')
        return put(out, cap, path, "", "");
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0')) {
        if (usable(home))
            return put(out, cap, home, path + 1, "");
        out[0] = '\0';
        return ERR_NOT_FOUND;
    }
    return paths_join(out, cap, base, path);
}

int paths_join(char *out, size_t cap, const char *dir, const char *name) {
    size_t n = strlen(dir);
    return put(out, cap, dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
}

bool paths_socket_dir_safe(uint64_t owner, unsigned mode, uint64_t uid) {
    bool others_write = mode & 0022, sticky = mode & 01000;
    return (owner == uid || owner == 0) && (!others_write || sticky);
}

int paths_parent(char *out, size_t cap, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return put(out, cap, ".", "", "");
    if (slash == path)
        return put(out, cap, "/", "", "");
    int n = snprintf(out, cap, "%.*s", (int)(slash - path), path);
    return n >= 0 && (size_t)n < cap ? 0 : ERR_FULL;
}
