/* xdg.h: where a node keeps its things, after the XDG base directory specification. One rule for
 * meshd and meshctl: both hand in the environment variables (NULL: not set) and get the same text.
 * Pure: no file is looked at, no environment read.
 *
 *   state   $XDG_STATE_HOME/meshd                 or ~/.local/state/meshd
 *   socket  $XDG_RUNTIME_DIR/meshd/control.sock   or STATE/control.sock
 *   config  $XDG_CONFIG_HOME/meshd/meshd.conf     or ~/.config/meshd/meshd.conf
 *
 * A variable that is empty or not an absolute path counts as not set (the specification's rule). A
 * daemon given another state directory, but no socket, has STATE/control.sock, so that several
 * nodes of one user do not collide.
 *
 * Every function writes a NUL-terminated text to out[0..cap) and returns 0; ERR_NOT_FOUND if the
 * variables leave no place; ERR_FULL if it does not fit (out is then an empty string).
 */
#ifndef MESHD_NODE_API_XDG_H
#define MESHD_NODE_API_XDG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum {
    PATH_TEXT_MAX = 4096, /* with the NUL */
    SOCKET_PATH_MAX =
        103, /* without the NUL: the smallest sun_path among the platforms (BSD: 104) */
};

int paths_state(char *out, size_t cap, const char *state_home, const char *home) MUST_USE;
int paths_socket(char *out, size_t cap, const char *runtime_dir, const char *state_home,
                 const char *home) MUST_USE;
/* The socket of a daemon that was told its state directory. */
int paths_state_socket(char *out, size_t cap, const char *state_dir) MUST_USE;
int paths_config(char *out, size_t cap, const char *config_home, const char *home) MUST_USE;
/* Where accepted files go by default: ~/Downloads, or STATE/downloads without a home. */
int paths_download(char *out, size_t cap, const char *home, const char *state_dir) MUST_USE;

/* "~" and "~/..." become `home`; a relative path is put under `base`, an absolute one is copied. */
int paths_absolute(char *out, size_t cap, const char *path, const char *home,
                   const char *base) MUST_USE;
/* DIR/NAME */
int paths_join(char *out, size_t cap, const char *dir, const char *name) MUST_USE;
/* Whether nobody but us (user id `uid`) and root can put another socket in the place of one in a
 * directory that belongs to `owner` and has these permission bits: it is ours or root's, and others
 * cannot write to it, or it is sticky, as /tmp is. */
bool paths_socket_dir_safe(uint64_t owner, unsigned mode, uint64_t uid);
/* Everything before the last '/': "/" for "/x", "." for "x". */
int paths_parent(char *out, size_t cap, const char *path) MUST_USE;

#endif
