#include "node/daemon/disk/partials.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/process.h"
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

/* What cannot be removed is looked at again at the next start. */
static void forget(struct os_dir partials, const char *entry) {
    const int err = os_dir_remove(partials, entry);
    (void)err;
}

/* Removes the temporary at `path` if it is one; or the place of a final name if it is still
 * empty. */
static void remove_left(const char *path, bool place, const struct log *log) {
    char dir[PATH_TEXT_MAX];
    struct os_info info;
    struct os_dir d;
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || (!place && !partials_is_name(slash + 1)) ||
        paths_parent(dir, sizeof dir, path) != 0)
        return;
    if (os_dir_open(&d, dir) != 0)
        return;
    if (os_dir_look(d, slash + 1, &info) == 0 && info.kind == OS_REGULAR &&
        info.owner == process_user() && (!place || info.size == 0) &&
        os_dir_remove(d, slash + 1) == 0)
        log_put(log, LOG_INFO, "removed an unfinished file of an earlier run: %s", path);
    os_dir_close(&d);
}

static bool is_place(const char *entry) {
    const size_t n = strlen(entry), p = sizeof place_suffix - 1;
    return n > p && strcmp(entry + n - p, place_suffix) == 0;
}

struct cleaning {
    struct os_dir partials;
    const struct log *log;
};

static void clean_one(void *ctx, const char *name) {
    const struct cleaning *c = ctx;
    char target[PATH_TEXT_MAX];
    if (os_dir_read_note(c->partials, name, target, sizeof target) != 0)
        return; /* not ours */
    remove_left(target, is_place(name), c->log);
    forget(c->partials, name);
}

int partials_open(struct os_dir *out, struct os_dir state, const char *state_dir,
                  const struct log *log) {
    static const char name[] = "partials";
    char path[PATH_TEXT_MAX];
    if (paths_join(path, sizeof path, state_dir, name) != 0)
        return trouble_put(log, "use", state_dir, ENAMETOOLONG, "--state");
    int err = os_dir_make_in(state, name);
    if (err && err != EEXIST)
        return trouble_put(log, "make", path, err, "--state");
    err = os_dir_open_in(out, state, name);
    if (err)
        return trouble_put(log, "use", path, err, "--state");
    struct cleaning c = {*out, log};
    err = os_dir_each(*out, clean_one, &c);
    (void)err; /* what could not be seen is left for the next start */
    return 0;
}

static void entry_name(char out[static ENTRY_MAX], uint32_t slot, bool place) {
    snprintf(out, ENTRY_MAX, "%" PRIu32 "%s", slot, place ? place_suffix : "");
}

static void note(struct os_dir partials, uint32_t slot, bool place, const char *path) {
    char entry[ENTRY_MAX];
    entry_name(entry, slot, place);
    forget(partials, entry);
    const int err = os_dir_note(partials, entry, path);
    (void)err; /* not being able to note it is no reason to refuse a file */
}

void partials_add(struct os_dir partials, uint32_t slot, const char *dir, const char *name) {
    char full[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
    if (os_dir_real_path(dir, full, sizeof full) == 0 &&
        paths_join(path, sizeof path, full, name) == 0)
        note(partials, slot, false, path);
}

void partials_add_place(struct os_dir partials, uint32_t slot, const char *name) {
    char entry[ENTRY_MAX], temp[PATH_TEXT_MAX], dir[PATH_TEXT_MAX], path[PATH_TEXT_MAX];
    entry_name(entry, slot, false);
    if (os_dir_read_note(partials, entry, temp, sizeof temp) == 0 &&
        paths_parent(dir, sizeof dir, temp) == 0 && paths_join(path, sizeof path, dir, name) == 0)
        note(partials, slot, true, path);
}

void partials_remove(struct os_dir partials, uint32_t slot) {
    for (int place = 0; place < 2; place++) {
        char entry[ENTRY_MAX];
        entry_name(entry, slot, place);
        forget(partials, entry);
    }
}
