/* process.c: by POSIX. */
#include "net/os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void process_keep_stdio(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR); /* the lowest number that is free */
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

static void forbid_dumps(void) {
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    process_forbid_tracing();
}

static void allow_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

unsigned long process_files_missing(void) {
    struct rlimit files;
    bool few = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < PROCESS_FILES_MIN;
    return few ? (unsigned long)files.rlim_cur : 0;
}

unsigned process_prepare(void) {
    const char *debug = getenv("MESHD_DEBUG_DUMPABLE");
    if (!debug || strcmp(debug, "1") != 0)
        forbid_dumps();
    allow_files();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGTTOU, SIG_IGN); /* a log on a terminal of others' does not stop us */
    return process_umask(077);
}

unsigned process_umask(unsigned mask) {
    return (unsigned)umask((mode_t)mask);
}

unsigned long process_id(void) {
    return (unsigned long)getpid();
}

uint64_t process_user(void) {
    return geteuid();
}
