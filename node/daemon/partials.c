#include "node/daemon/partials.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/daemon/oserr.h"
#include "node/paths.h"

static const char prefix[] = ".meshd-", suffix[] = ".part";
enum { TAG_DIGITS = 16 };

void partials_name(char out[static PARTIALS_NAME_MAX], uint64_t tag) {
    snprintf(out, PARTIALS_NAME_MAX, "%s%016" PRIx64 "%s", prefix, tag, suffix);
}

bool partials_is_name(const char *name) {
    size_t p = sizeof prefix - 1;
    return strncmp(name, prefix, p) == 0 && strspn(name + p, "0123456789abcdef") == TAG_DIGITS &&
           strcmp(name + p + TAG_DIGITS, suffix) == 0;
}

/* Removes the temporary at `path` if it is one. */
static void remove_temporary(const char *path, const struct log *log) {
    char dir[PATH_TEXT_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || !partials_is_name(slash + 1) || paths_parent(dir, sizeof dir, path) != 0)
        return;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstatat(fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid() && unlinkat(fd, slash + 1, 0) == 0)
        log_put(log, LOG_INFO, "removed an unfinished file of an earlier run: %s", path);
    close(fd);
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
        remove_temporary(target, log);
        (void)unlinkat(dir_fd, e->d_name, 0);
    }
    closedir(d);
}

int partials_open(int *dir_fd, int state_fd, const struct log *log) {
    if (mkdirat(state_fd, "partials", 0700) != 0 && errno != EEXIST)
        return oserr(errno);
    *dir_fd = openat(state_fd, "partials", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir_fd < 0)
        return oserr(errno);
    clean(*dir_fd, log);
    return 0;
}

static void entry_name(char out[static 16], uint32_t slot) {
    snprintf(out, 16, "%" PRIu32, slot);
}

/* Not being able to note it is no reason to refuse a file. */
void partials_add(int dir_fd, uint32_t slot, const char *dir, const char *name) {
    char entry[16], full[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
    entry_name(entry, slot);
    if (!realpath(dir, full) || paths_join(path, sizeof path, full, name) != 0)
        return;
    (void)unlinkat(dir_fd, entry, 0);
    if (symlinkat(path, dir_fd, entry))
        return;
}

void partials_remove(int dir_fd, uint32_t slot) {
    char entry[16];
    entry_name(entry, slot);
    (void)unlinkat(dir_fd, entry, 0);
}
