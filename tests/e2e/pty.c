/* pty COLUMNS [-i TEXT | -r TEXT COLUMNS]... -- COMMAND...: runs it on a terminal of its own, so
 * many columns wide, and copies what it writes to standard output. Each time TEXT has been written
 * by it, -i types Ctrl-C and -r makes the terminal another width. Ends with its exit code, or 128
 * and the number of the signal that ended it. */
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACTIONS_MAX = 8, SEEN_MAX = 1 << 20 };

struct action {
    const char *text;
    unsigned short columns; /* 0: Ctrl-C */
};

static struct action actions[ACTIONS_MAX];
static int count, next_action;
static char seen[SEEN_MAX + 1];
static size_t len, from;

static void act(int fd) {
    while (next_action < count) {
        const struct action *a = &actions[next_action];
        const char *at = strstr(seen + from, a->text);
        if (!at)
            return;
        from = (size_t)(at - seen) + strlen(a->text);
        next_action++;
        struct winsize size = {.ws_row = 24, .ws_col = a->columns};
        if (a->columns ? ioctl(fd, TIOCSWINSZ, &size) != 0 : write(fd, "\003", 1) != 1)
            perror("pty");
    }
}

int main(int argc, char **argv) {
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int at = 2, fd, status = 0;
    if (argc > 1)
        size.ws_col = (unsigned short)atoi(argv[1]);
    for (; at + 1 < argc && strcmp(argv[at], "--") != 0 && count < ACTIONS_MAX; count++) {
        int resize = strcmp(argv[at], "-r") == 0;
        actions[count].text = argv[at + 1];
        actions[count].columns = resize ? (unsigned short)atoi(argv[at + 2]) : 0;
        at += 2 + resize;
    }
    if (at + 1 >= argc || strcmp(argv[at], "--") != 0)
        return 2;
    pid_t child = forkpty(&fd, NULL, NULL, &size);
    if (child < 0)
        return 1;
    if (child == 0) {
        execvp(argv[at + 1], argv + at + 1);
        _exit(127);
    }
    char buf[4096];
    for (ssize_t n; (n = read(fd, buf, sizeof buf)) > 0;) { /* EIO when it has ended */
        fwrite(buf, 1, (size_t)n, stdout);
        fflush(stdout);
        for (ssize_t i = 0; i < n && len < SEEN_MAX; i++)
            seen[len++] = buf[i] ? buf[i] : ' ';
        seen[len] = '\0';
        act(fd);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
