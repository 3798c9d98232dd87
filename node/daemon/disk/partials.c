#include "node/daemon/disk/partials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/api/xdg.h"
#include "node/daemon/os/trouble.h"

static const char prefix[] = ".meshd-", suffix[] = ".part", place_suffix[] = ".place";
enum { TAG_DIGITS = 16, ENTRY_MAX = 24 };

void partials_name(char out[static PARTIALS_NAME_MAX], uint64_t tag) {
    snprintf(out, PARTIALS_NAME_MAX, "%s%016" PRIx64 "%s", prefix, tag, suffix);
}

bool partials_is_name(const char *name) {
    size_t p = sizeof prefix - 1;
    return strncmp(name, prefix, p) == 0 && strspn(name + p, "0123456789abcdef") == TAG_DIGITS &&
           strcmp(name + p + TAG_DIGITS, suffix) == 0;
}

/* Removes the temporary at `path` if it is one; or the place of a final name if it is still empty. */
static void remove_left(const char *path, bool place, const struct log *log) {
    char dir[PATH_TEXT_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || (!place && !partials_is_name(slash + 1)) ||
        paths_parent(dir, sizeof dir, path) != 0)
        return;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid() && (!place || st.st_size == 0) && unlinkat(fd, slash + 1, 0) == 0)
        log_put(log, LOG_INFO, "removed an unfinished file of an earlier run: %s", path);
    close(fd);
}

static bool is_place(const char *entry) {
    const size_t n = strlen(entry), p = sizeof place_suffix - 1;
    return n > p && strcmp(entry + n - p, place_suffix) == 0;
}

static void clean(int dir_fd, const struct log *log) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char target[PATH_TEXT_MAX];
        ssize_t n = readlinkat(dir_fd, e->d_name, target, sizeof target - 1);
        if (n < 0)
            continue; /* ".", "..", and what is not ours */
        target[n] = '\0';
        remove_left(target, is_place(e->d_name), log);
        (void)unlinkat(dir_fd, e->d_name, 0);
    }
    closedir(d);
}

int partials_open(int *dir_fd, int state_fd, const char *state_dir, const struct log *log) {
    static const char name[] = "partials";
    char path[PATH_TEXT_MAX];
    if (paths_join(path, sizeof path, state_dir, name) != 0)
        return trouble_put(log, "use", state_dir, ENAMETOOLONG, "--state");
    if (mkdirat(state_fd, name, 0700) != 0 && errno != EEXIST)
        return trouble_put(log, "make", path, errno, "--state");
    *dir_fd = openat(state_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir_fd < 0)
        return trouble_put(log, "use", path, errno, "--state");
    clean(*dir_fd, log);
    return 0;
}

static void entry_name(char out[static ENTRY_MAX], uint32_t slot, bool place) {
    snprintf(out, ENTRY_MAX, "%" PRIu32 "%s", slot, place ? place_suffix : "");
}

static void note(int dir_fd, uint32_t slot, bool place, const char *path) {
    char entry[ENTRY_MAX];
    entry_name(entry, slot, place);
    (void)unlinkat(dir_fd, entry, 0);
    if (symlinkat(path, dir_fd, entry))
        return;
}

/* Not being able to note it is no reason to refuse a file. */
void partials_add(int dir_fd, uint32_t slot, const char *dir, const char *name) {
    char full[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
    if (realpath(dir, full) && paths_join(path, sizeof path, full, name) == 0)
        note(dir_fd, slot, false, path);
}

void partials_add_place(int dir_fd, uint32_t slot, const char *name) {
    char entry[ENTRY_MAX], temp[PATH_TEXT_MAX], dir[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
    entry_name(entry, slot, false);
    ssize_t n = readlinkat(dir_fd, entry, temp, sizeof temp - 1);
    if (n < 0)
        return;
    temp[n] = '\0';
    if (paths_parent(dir, sizeof dir, temp) == 0 && paths_join(path, sizeof path, dir, name) == 0)
        note(dir_fd, slot, true, path);
}

void partials_remove(int dir_fd, uint32_t slot) {
    for (int place = 0; place < 2; place++) {
        char entry[ENTRY_MAX];
        entry_name(entry, slot, place);
        (void)unlinkat(dir_fd, entry, 0);
    }
}
