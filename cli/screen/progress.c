#include "cli/screen/progress.h"

#include <stdio.h>
#include <string.h>

#include "cli/screen/name.h"
#include "cli/screen/print.h"
#include "cli/screen/width.h"

enum {
    NAME_MIN = 11, /* a name shorter than that says nothing */
    BAR_MIN = 12,  /* with its brackets */
    BAR_MAX = 50,
    NAME_SEVERAL = 32, /* of several files: a place as wide for each, so that nothing jumps */
    STATS_MAX = 128,
};

void progress_begin(struct progress *p, uint64_t now_us, uint64_t bytes, uint64_t total) {
    *p = (struct progress){
        .last_us = now_us, .begun_us = now_us, .moved_us = now_us, .bytes = bytes, .total = total};
}

/* The average since it began in its first seconds, then an exponential one: a stretch of time
 * counts for its share of the window. */
void progress_update(struct progress *p, uint64_t now_us, uint64_t bytes) {
    uint64_t moved = bytes > p->bytes ? bytes - p->bytes : 0;
    if (moved)
        p->moved_us = now_us;
    if (now_us <= p->last_us) /* counted when time has passed */
        return;
    uint64_t took_us = now_us - p->last_us, window_us = now_us - p->begun_us;
    if (window_us > PROGRESS_SMOOTH_US)
        window_us = PROGRESS_SMOOTH_US;
    double share = took_us < window_us ? (double)took_us / (double)window_us : 1;
    p->rate += ((double)moved * 1e6 / (double)took_us - p->rate) * share;
    p->last_us = now_us;
    p->bytes = bytes;
}

void progress_eta(char out[static PROGRESS_ETA_MAX], uint64_t bytes_left, double rate) {
    double left = rate > 0 ? (double)bytes_left / rate : 0;
    if (bytes_left > 0 && rate < 1) {
        snprintf(out, PROGRESS_ETA_MAX, "--:--");
        return;
    }
    if (left >= 100.0 * 3600) {
        snprintf(out, PROGRESS_ETA_MAX, "> 99 h");
        return;
    }
    unsigned s = (unsigned)left + ((double)(unsigned)left < left);
    if (s < 3600)
        snprintf(out, PROGRESS_ETA_MAX, "%02u:%02u", s / 60, s % 60);
    else
        snprintf(out, PROGRESS_ETA_MAX, "%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
}

static unsigned percent(const struct progress *p) {
    if (p->bytes >= p->total)
        return 100;
    unsigned n = (unsigned)((double)p->bytes * 100 / (double)p->total);
    return n < 100 ? n : 99;
}

/* "ETA 00:23", or why there is none. */
static void put_eta(char out[static 24], const struct progress *p, uint64_t now_us, bool brief) {
    char eta[PROGRESS_ETA_MAX];
    if (p->bytes >= p->total)
        snprintf(out, 24, "%s", brief ? "check" : "verifying");
    else if (now_us >= p->moved_us + PROGRESS_STALL_US)
        snprintf(out, 24, "%s", brief ? "stall" : "  stalled");
    else {
        progress_eta(eta, p->total - p->bytes, p->rate);
        snprintf(out, 24, "%s%s", brief ? "" : "ETA ", eta);
    }
}

/* The numbers, with `room` columns for them and at least NAME_MIN for a name if there can be
 * one. */
static void put_stats(char out[static STATS_MAX], const struct progress *p, uint64_t now_us,
                      size_t room) {
    char done[PRINT_NUMBER_MAX], all[PRINT_NUMBER_MAX], speed[PRINT_NUMBER_MAX], eta[24], brief[24];
    print_size(done, p->bytes);
    print_size(all, p->total);
    print_rate(speed, (uint64_t)p->rate, p->rate >= 1 ? 1000000 : 0);
    put_eta(eta, p, now_us, false);
    put_eta(brief, p, now_us, true);
    unsigned n = percent(p);
    size_t full =
        (size_t)snprintf(out, STATS_MAX, "%3u%%  %7s/%s  %9s  %s", n, done, all, speed, eta);
    if (full + 2 + NAME_MIN <= room)
        return;
    if ((size_t)snprintf(out, STATS_MAX, "%3u%%  %9s  %s", n, speed, eta) <= room)
        return;
    if ((size_t)snprintf(out, STATS_MAX, "%3u%% %s", n, brief) <= room)
        return;
    if ((size_t)snprintf(out, STATS_MAX, "%3u%%", n) > room)
        out[0] = '\0';
}

/* "3/200 holi...26.mkv" in at most `room` columns; returns those it takes. */
static size_t put_label(char *out, size_t cap, const struct progress_label *l, size_t room) {
    size_t before = 0;
    out[0] = '\0';
    if (l->count > 1)
        before = (size_t)snprintf(out, cap, "%llu/%llu ", (unsigned long long)l->index,
                                  (unsigned long long)l->count);
    if (before > room) {
        out[0] = '\0';
        return 0;
    }
    return before + name_plain(out + before, cap - before, l->name, l->len, room - before);
}

static size_t put_bar(char *out, size_t width, const struct progress *p) {
    size_t inside = width - 2;
    size_t full =
        p->total ? (size_t)((double)p->bytes / (double)p->total * (double)inside) : inside;
    full = full < inside ? full : inside;
    out[0] = '[';
    memset(out + 1, '=', full);
    memset(out + 1 + full, ' ', inside - full);
    if (full < inside)
        out[1 + full] = '>';
    out[1 + inside] = ']';
    out[width] = '\0';
    return width;
}

void progress_line(const struct progress *p, const struct progress_label *label, uint64_t now_us,
                   unsigned columns, char out[static PROGRESS_LINE_MAX]) {
    char stats[STATS_MAX];
    if (columns > PROGRESS_COLUMNS_MAX)
        columns = PROGRESS_COLUMNS_MAX;
    size_t width = columns > 0 ? columns - 1 : 0; /* a full line wraps on some */
    put_stats(stats, p, now_us, width);
    size_t left = width - strlen(stats);
    if (left < NAME_MIN + 2) {
        snprintf(out, PROGRESS_LINE_MAX, "%s", stats);
        return;
    }
    size_t room = left - 2;
    bool bar = room >= NAME_MIN + 2 + BAR_MIN;
    size_t name_room = bar ? room - 2 - BAR_MIN : room;
    size_t took = put_label(out, PROGRESS_LINE_MAX / 2, label, name_room), used = strlen(out);
    if (label->count > 1)
        for (; took < name_room && took < NAME_SEVERAL; took++)
            out[used++] = ' ';
    if (bar) {
        size_t most = room - 2 - took;
        out[used++] = ' ';
        out[used++] = ' ';
        used += put_bar(out + used, most < BAR_MAX ? most : BAR_MAX, p);
    }
    snprintf(out + used, PROGRESS_LINE_MAX - used, "  %s", stats);
}
