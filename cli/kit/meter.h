/* meter.h: what is shown of one transfer while it is waited for: first a sentence, then, from its
 * acceptance on, its progress; made of the daemon's events, on the line of line.h.
 */
#ifndef MESHD_CLI_KIT_METER_H
#define MESHD_CLI_KIT_METER_H

#include "cli/kit/app.h"
#include "cli/screen/progress.h"

/* Without news for so long, the line is drawn again: speed and width may have changed. */
#define METER_TICK_US UINT64_C(1000000)

struct meter {
    uint64_t id; /* the transfer's number; 0: not known yet */
    bool begun;
    struct progress progress;
    char name[256]; /* the file that is under way, as the peer or the user called it */
    uint64_t index, count;
    char waiting[512]; /* what is waited for until it has begun */
};

void meter_init(struct meter *m, uint64_t id, const char *waiting);
/* A transfer.started or transfer.progress event of this transfer. */
void meter_event(struct meter *m, const msgpack_object *event);
/* Draws it, or what is waited for. */
void meter_show(struct meter *m);
/* The time until which to wait for news: `deadline_us`, or when the line is drawn again, if that
 * is earlier. */
uint64_t meter_deadline_us(uint64_t deadline_us);
/* The line says this, shortened to the terminal's width. */
void meter_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
