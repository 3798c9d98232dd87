/* ticket.c: ticket. Whoever reads a ticket may use it, so a file gets it for its owner alone; and
 * one that could not be handed out is taken back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/screen/json.h"
#include "net/os/dir.h"

/* ---- into a file: under its name only when it is whole ---- */
struct ticket_file {
    const char *path;  /* NULL: standard output */
    const char *name;  /* its last component */
    struct os_dir dir; /* the rest */
    struct os_file file;
    char temp[32]; /* what it is called there until it is whole, or "": it has no name yet */
};
#define TICKET_FILE_NONE ((struct ticket_file){.dir = OS_DIR_NONE, .file = OS_FILE_NONE})

static int file_failed(struct app *a, const struct ticket_file *f, int why) {
    if (why == EEXIST)
        return app_fail(a, ERR_EXISTS,
                        "%s is there already; choose another name, or remove it first", f->path);
    const int err = why == ENOSPC || why == EDQUOT  ? ERR_DISK
                    : why == EACCES || why == EPERM ? ERR_PERM
                    : why == ENOENT                 ? ERR_NOT_FOUND
                                                    : ERR_IO;
    return app_fail(a, err, "the ticket cannot be written to %s: %s; choose another place", f->path,
                    strerror(why));
}

static void drop_name(const struct ticket_file *f, const char *name) {
    const int err = name[0] ? os_dir_remove(f->dir, name) : 0;
    (void)err; /* nobody else is to be told, and nothing more can be done */
}

static void file_drop(struct ticket_file *f) {
    (void)os_file_close(&f->file);
    drop_name(f, f->temp);
    f->temp[0] = '\0';
    os_dir_close(&f->dir);
}

/* Without a name, whatever ends this process leaves nothing of it there. Where there is no such
 * thing it stands beside its place. */
static int open_beside(struct ticket_file *f, const char *dir) {
    char path[PATH_TEXT_MAX];
    if (os_dir_can_name() && os_dir_unnamed(f->dir, &f->file) == 0)
        return 0;
    if (snprintf(path, sizeof path, "%s.meshctl-XXXXXX", dir) >= (int)sizeof path)
        return ENAMETOOLONG;
    const int err = os_file_temporary(&f->file, path);
    if (err == 0)
        (void)snprintf(f->temp, sizeof f->temp, "%s", path + strlen(dir));
    return err;
}

/* Before there is a ticket: whether it could go there. 0 or the exit code. */
static int file_begin(struct app *a, struct ticket_file *f) {
    char dir[PATH_TEXT_MAX];
    struct os_info info;
    const char *slash = strrchr(f->path, '/');
    f->name = slash ? slash + 1 : f->path;
    const size_t len = (size_t)(f->name - f->path); /* with the slash */
    if (os_path_info(f->path, false, &info) == 0)
        return file_failed(a, f, EEXIST);
    if (len >= sizeof dir)
        return file_failed(a, f, ENAMETOOLONG);
    memcpy(dir, f->path, len);
    dir[len] = '\0';
    int err = os_dir_open(&f->dir, len ? dir : ".");
    if (err == 0)
        err = open_beside(f, dir);
    if (err)
        file_drop(f);
    return err ? file_failed(a, f, err) : 0;
}

/* A name that somebody has taken meanwhile is not taken from him. Where there are no hard links,
 * the name is taken first, and then filled. */
static int give_name(const struct ticket_file *f) {
    struct os_file taken;
    if (!f->temp[0])
        return os_dir_name(f->dir, f->file, f->name);
    int err = os_dir_link(f->dir, f->temp, f->name);
    if (err == 0 || err == EEXIST || err == ENOSPC || err == EDQUOT)
        return err;
    err = os_dir_file(f->dir, f->name, OS_WRITE | OS_NEW, &taken);
    if (err)
        return err;
    (void)os_file_close(&taken);
    err = os_dir_rename(f->dir, f->temp, f->name);
    if (err)
        drop_name(f, f->name);
    return err;
}

/* 0 or the exit code; then nothing of it is left. */
static int file_end(struct app *a, struct ticket_file *f, const char *ticket, size_t len) {
    int err = os_file_set_mode(f->file, 0600);
    if (err == 0)
        err = os_file_write(f->file, ticket, len);
    if (err == 0)
        err = os_file_write(f->file, "\n", 1);
    if (err == 0)
        err = os_file_sync(f->file);
    if (err == 0)
        err = give_name(f);
    file_drop(f);
    return err ? file_failed(a, f, err) : 0;
}

/* ---- the command ---- */

/* Nobody has got it. If meshd is gone, too, it expires, unknown to anybody. */
static void take_back(struct app *a, const char *ticket, size_t len) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "ticket.end");
    proto_strn(w, "ticket", ticket, len);
    if (app_send(a) == 0 &&
        client_answer(&a->client, a->request, clock_now_us() + CLIENT_ANSWER_US, &m) == 0)
        proto_msg_clear(&m);
}

static int to_stdout(struct app *a, const msgpack_object *r, const char *ticket, size_t len) {
    struct os_info info;
    if (os_file_info(OS_FILE_STDOUT, &info) == 0 && info.kind == OS_REGULAR &&
        (info.mode & 077) != 0)
        app_say(
            "others can read the file that the ticket goes to; better: meshctl ticket --out FILE");
    if (a->o.json) {
        print_json(json_from(r));
    } else {
        print_text(stdout, ticket, len);
        putchar('\n');
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : app_stdout_failed(a);
}

static int to_file(struct app *a, struct ticket_file *f, const msgpack_object *r,
                   const char *ticket, size_t len) {
    const int code = file_end(a, f, ticket, len);
    if (code == 0 && a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "out", json_text(f->path, strlen(f->path)));
        json_object_set_new(o, "ttl_s", json_integer((json_int_t)proto_get_uint(r, "ttl_s", 0)));
        print_json(o);
    }
    return code;
}

int run_ticket(struct app *a) {
    struct proto_msg m;
    struct ticket_file f = TICKET_FILE_NONE;
    uint64_t ttl_us = 0;
    size_t len;
    if (a->o.ttl && (!options_duration(a->o.ttl, &ttl_us) || ttl_us < 1000000))
        return app_fail(a, ERR_USAGE, "--ttl needs a duration like 90s, 5m, 2h or 1d, not \"%s\"",
                        a->o.ttl);
    if (a->o.out && strcmp(a->o.out, "-") != 0)
        f.path = a->o.out;
    int code = f.path ? file_begin(a, &f) : 0;
    if (code)
        return code;
    struct proto_writer *w = app_ask(a, "ticket.new");
    if (a->o.name)
        proto_str(w, "name", a->o.name);
    if (a->o.ttl)
        proto_uint(w, "ttl_s", ttl_us / 1000000);
    code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code) {
        file_drop(&f);
        return code;
    }
    const char *ticket = proto_get_str(&m.result, "ticket", &len);
    code = f.path ? to_file(a, &f, &m.result, ticket, len) : to_stdout(a, &m.result, ticket, len);
    if (code)
        take_back(a, ticket, len);
    proto_msg_clear(&m);
    return code;
}
