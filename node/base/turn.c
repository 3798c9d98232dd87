#include "node/base/turn.h"

#include <stdarg.h>
#include <stdio.h>

uint64_t turn_wall_us(const struct turn *turn) {
    return turn->wall_us + (turn->now_us > turn->wall_at_us ? turn->now_us - turn->wall_at_us : 0);
}

void turn_log(const struct turn *turn, enum log_level level, const char *format, ...) {
    if (!turn->env.log)
        return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    turn->env.log(turn->env.log_ctx, level, line);
}

int turn_met(struct turn *turn, enum limit limit, uint64_t max) {
    turn->met = (struct cause){.limit = limit, .max = max};
    return limit_err(limit);
}

struct cause turn_why(struct turn *turn, int err) {
    struct cause c = cause_here(err);
    if (turn->met.limit != LIMIT_NONE && limit_err(turn->met.limit) == err) {
        c.limit = turn->met.limit;
        c.max = turn->met.max;
    }
    turn->met = (struct cause){0};
    return c;
}

struct node_event *turn_tell(struct turn *turn, enum node_event_kind kind, const char *contact) {
    return news_add(&turn->news, kind, turn->now_us, contact);
}
