/* ticket.c: ticket. Whoever reads a ticket may use it, so a file gets it for its owner alone; and one that could not be handed
 * out is taken back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/kit/app.h"
#include "cli/screen/json.h"

/* ---- into a file: under its name only when it is whole ---- */
enum { PROC_PATH_MAX = 32 };
struct ticket_file {
    const char *path;             /* NULL: standard output */
    char temp[PATH_TEXT_MAX + 8]; /* beside it, or "": it has no name yet */
    int fd;
};

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

static void file_drop(struct ticket_file *f) {
    if (f->fd >= 0)
        close(f->fd);
    if (f->temp[0])
        unlink(f->temp);
    f->fd = -1;
    f->temp[0] = '\0';
}

static void proc_path(int fd, char out[static PROC_PATH_MAX]) {
    snprintf(out, PROC_PATH_MAX, "/proc/self/fd/%d", fd);
}

/* Whatever ends this process, nothing of it stays there. False where there is no such thing. */
static bool open_unnamed(struct ticket_file *f, int dir) {
#ifdef O_TMPFILE
    char in[PATH_TEXT_MAX], proc[PROC_PATH_MAX];
    if (snprintf(in, sizeof in, "%.*s", dir, f->path) >= (int)sizeof in)
        return false;
    f->fd = open(in[0] ? in : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return false;
    proc_path(f->fd, proc);
    if (access(proc, F_OK) == 0)
        return true;
    close(f->fd);
    f->fd = -1;
#else
    (void)f;
    (void)dir;
#endif
    return false;
}

/* Before there is a ticket: whether it could go there. 0 or the exit code. */
static int file_begin(struct app *a, struct ticket_file *f) {
    struct stat st;
    const char *slash = strrchr(f->path, '/');
    const int dir = slash ? (int)(slash - f->path) + 1 : 0;
    if (lstat(f->path, &st) == 0)
        return file_failed(a, f, EEXIST);
    if (open_unnamed(f, dir))
        return 0;
    if (snprintf(f->temp, sizeof f->temp, "%.*s.meshctl-XXXXXX", dir, f->path) >=
        (int)sizeof f->temp) {
        f->temp[0] = '\0';
        return file_failed(a, f, ENAMETOOLONG);
    }
    f->fd = mkstemp(f->temp);
    if (f->fd < 0) {
        const int why = errno;
        f->temp[0] = '\0';
        return file_failed(a, f, why);
    }
    fcntl(f->fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

static bool write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        const ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return false;
        text += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return true;
}

/* A name that somebody has taken meanwhile is not taken from him. Where there are no hard links, the
 * name is taken first, and then filled. */
static bool give_name(const struct ticket_file *f) {
    char proc[PROC_PATH_MAX];
    proc_path(f->fd, proc);
    if (!f->temp[0])
        return linkat(AT_FDCWD, proc, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0;
    if (link(f->temp, f->path) == 0)
        return true;
    if (errno == EEXIST || errno == ENOSPC || errno == EDQUOT)
        return false;
    const int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    if (rename(f->temp, f->path) == 0)
        return true;
    const int why = errno;
    unlink(f->path);
    errno = why;
    return false;
}

/* 0 or the exit code; then nothing of it is left. */
static int file_end(struct app *a, struct ticket_file *f, const char *ticket, size_t len) {
    const bool whole = fchmod(f->fd, 0600) == 0 && write_all(f->fd, ticket, len) &&
                       write_all(f->fd, "\n", 1) && fsync(f->fd) == 0 && give_name(f);
    const int why = errno;
    file_drop(f);
    return whole ? 0 : file_failed(a, f, why);
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
    struct stat st;
    if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
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
    struct ticket_file f = {.fd = -1};
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
