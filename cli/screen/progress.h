/* progress.h: how far a transfer is, as one line of a terminal. Pure: takes numbers, the time and
 * the terminal's width, and gives a text. The line is shorter than the terminal is wide, at every
 * width, so that it never wraps: of name, bar, percent, done/total, speed and time left, what there
 * is no room for is left out (the bar first, then done/total, below 40 columns the name).
 */
#ifndef MESHD_CLI_SCREEN_PROGRESS_H
#define MESHD_CLI_SCREEN_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROGRESS_LINE_MAX = 2048, /* bytes; of 500 columns at most */
    PROGRESS_COLUMNS_MAX = 500,
    PROGRESS_ETA_MAX = 16,
};
/* The speed is that of the last seconds; before, since it began. */
#define PROGRESS_SMOOTH_US UINT64_C(5000000)
/* No byte for so long, and it is called stalled. */
#define PROGRESS_STALL_US UINT64_C(5000000)

struct progress {
    uint64_t last_us, begun_us, moved_us; /* moved: when a byte came last */
    uint64_t bytes, total;
    double rate; /* bytes a second */
};

/* What moves: as it was named, not escaped. `count` > 1: one of several, "3/200 name". */
struct progress_label {
    const char *name;
    size_t len;
    uint64_t index, count; /* index from 1 */
};

/* It was accepted: the wait before counts for nothing. */
void progress_begin(struct progress *p, uint64_t now_us, uint64_t bytes, uint64_t total);
/* So far it is now. Also called when nothing has happened for a while: the speed sinks. */
void progress_update(struct progress *p, uint64_t now_us, uint64_t bytes);
/* "00:23", "59:59", "1:00:00"; "--:--" if it is not known, "> 99 h". */
void progress_eta(char out[static PROGRESS_ETA_MAX], uint64_t bytes_left, double rate);
/* For a terminal of this width; less than `columns` columns, empty below 5. */
void progress_line(const struct progress *p, const struct progress_label *label, uint64_t now_us,
                   unsigned columns, char out[static PROGRESS_LINE_MAX]);

#endif
