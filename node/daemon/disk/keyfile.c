#include "node/daemon/disk/keyfile.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/api/xdg.h"
#include "node/daemon/os/trouble.h"

static const char file_name[] = "identity", temp_name[] = "identity.new";

/* It may not be there. */
static void remove_temporary(struct os_dir dir) {
    const int err = os_dir_remove(dir, temp_name);
    (void)err;
}

/* The temporary's rename makes it whole or absent after a crash. The state directory's lock is
 * held. 0, or an errno. */
static int create(struct identity *out, struct os_dir dir, const struct rng *rng) {
    char text[IDENTITY_FILE_MAX];
    identity_generate(out, rng);
    int err = identity_encode(out, text, sizeof text) == 0 ? 0 : EOVERFLOW;
    if (err)
        goto out;
    struct os_file f;
    remove_temporary(dir); /* of a run that was killed */
    err = os_dir_file(dir, temp_name, OS_WRITE | OS_NEW | OS_NOFOLLOW, &f);
    if (err)
        goto out;
    err = os_file_write(f, text, strlen(text));
    if (!err)
        err = os_file_sync(f);
    const int late = os_file_close(&f);
    err = err ? err : late;
    if (!err)
        err = os_dir_rename(dir, temp_name, file_name);
    if (!err)
        err = os_dir_sync(dir);
    if (err)
        remove_temporary(dir);
out:
    sodium_memzero(text, sizeof text);
    if (err)
        identity_clear(out);
    return err;
}

/* ---- reading ---- */

static const char way_out[] =
    "put a copy of it back; without one this node is lost to its contacts, and to begin anew as "
    "another node, whom they do not know, move it and meshd.db* away";

static int read_file(struct identity *out, struct os_file f, const char *path,
                     const struct log *log) {
    char text[IDENTITY_FILE_MAX + 1];
    size_t len;
    int err = os_file_read(f, text, sizeof text, &len), r = 0;
    if (err)
        r = trouble_put(log, "read", path, err, NULL);
    else if (len == 0)
        log_put(log, LOG_ERROR, "%s is empty; %s", path, way_out);
    else if (len > IDENTITY_FILE_MAX)
        log_put(log, LOG_ERROR, "%s is too large for an identity (%d bytes at most); %s", path,
                IDENTITY_FILE_MAX, way_out);
    else if (identity_decode(out, text, len) == 0)
        goto out;
    else
        log_put(log, LOG_ERROR, "%s is damaged, or of a newer meshd; %s", path, way_out);
    r = r ? r : ERR_FORMAT;
out:
    sodium_memzero(text, sizeof text);
    return r;
}

/* ---- the first start ---- */

/* A database without the identity it belongs to: a new one would be a stranger to all its
 * contacts. */
static int check_first(const struct statedir *s, const char *state_dir, const char *path,
                       const struct log *log) {
    struct os_info info;
    if (os_dir_look(s->dir, "meshd.db", &info) != 0 || info.size == 0)
        return 0;
    char full[PATH_TEXT_MAX], dir[TROUBLE_WORD_MAX], old[TROUBLE_WORD_MAX];
    trouble_word(dir, state_dir);
    snprintf(full, sizeof full, "%s/old", state_dir);
    trouble_word(old, full);
    log_put(log, LOG_ERROR,
            "%s is missing, and meshd.db beside it has the contacts and messages of that identity; "
            "put a copy of it back, or begin anew as another node, whom they do not know, with: "
            "mkdir %s && mv %s/meshd.db* %s",
            path, old, dir, old);
    return ERR_NOT_FOUND;
}

static int make_first(struct identity *out, const struct statedir *s, const char *path,
                      const struct rng *rng, const struct log *log) {
    int err = create(out, s->dir, rng);
    if (err)
        return trouble_put(log, "make the identity", path, err, "--state");
    log_put(log, LOG_INFO, "made a new identity: %s; keep a copy of it, it is this node", path);
    return 0;
}

int keyfile_load(struct identity *out, const struct statedir *s, const char *state_dir,
                 const struct rng *rng, const struct log *log) {
    char path[PATH_TEXT_MAX];
    struct os_info info;
    struct os_file f;
    if (paths_join(path, sizeof path, state_dir, file_name) != 0)
        return trouble_put(log, "use", state_dir, ENAMETOOLONG, "--state");
    /* A link is told from a file before it is opened: the kernel's word for it is a puzzle. */
    int err = os_dir_look(s->dir, file_name, &info);
    if (err == ENOENT) {
        int r = check_first(s, state_dir, path, log);
        return r ? r : make_first(out, s, path, rng, log);
    }
    int r = !err ? statedir_check_secret(&info, state_dir, file_name, log)
                 : trouble_put(log, "look at", path, err, NULL);
    if (r != 0)
        return r;
    err = os_dir_file(s->dir, file_name, OS_READ | OS_NOFOLLOW | OS_NOWAIT, &f);
    if (err)
        return trouble_put(log, "read", path, err, NULL);
    /* Of what was opened, in case it is another one now. */
    err = os_file_info(f, &info);
    r = !err ? statedir_check_secret(&info, state_dir, file_name, log)
             : trouble_put(log, "look at", path, err, NULL);
    if (r == 0)
        r = read_file(out, f, path, log);
    (void)os_file_close(&f);
    return r;
}
