#include "cli/kit/meter.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/screen/line.h"
#include "cli/screen/name.h"
#include "cli/screen/terminal.h"

enum { SAID_MAX = 512 };

void meter_init(struct meter *m, uint64_t id, const char *waiting) {
    *m = (struct meter){.id = id};
    snprintf(m->waiting, sizeof m->waiting, "%s", waiting);
}

void meter_event(struct meter *m, const msgpack_object *e) {
    const msgpack_object *t = proto_get(e, "transfer");
    uint64_t now_us = clock_now_us();
    if (proto_str_is(proto_get(e, "event"), "transfer.started")) {
        progress_begin(&m->progress, now_us, 0, proto_get_uint(t, "bytes_total", 0));
        m->begun = true;
        m->index = 1;
        m->count = proto_get_uint(t, "files", 1);
        return;
    }
    uint64_t bytes = proto_get_uint(e, "bytes_done", 0);
    if (!m->begun)
        progress_begin(&m->progress, now_us, bytes, proto_get_uint(e, "bytes_total", 0));
    m->begun = true;
    progress_update(&m->progress, now_us, bytes);
    m->count = proto_get_uint(e, "files", 1);
    m->index = proto_get_uint(e, "files_done", 0) + 1;
    if (m->index > m->count)
        m->index = m->count;
    proto_copy_str(e, "file", m->name, sizeof m->name);
}

void meter_show(struct meter *m) {
    char text[PROGRESS_LINE_MAX];
    if (!line_on())
        return;
    if (!m->begun) {
        meter_say("%s", m->waiting);
        return;
    }
    uint64_t now_us = clock_now_us();
    struct progress_label label = {m->name, strlen(m->name), m->index, m->count};
    progress_update(&m->progress, now_us, m->progress.bytes);
    progress_line(&m->progress, &label, now_us, terminal_columns_or(stderr, TERMINAL_COLUMNS),
                  text);
    line_show(text);
}

uint64_t meter_deadline_us(uint64_t deadline_us) {
    uint64_t tick_us = clock_now_us() + METER_TICK_US;
    return line_on() && tick_us < deadline_us ? tick_us : deadline_us;
}

void meter_say(const char *fmt, ...) {
    char text[SAID_MAX], line[2 * SAID_MAX];
    va_list ap;
    if (!line_on())
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    unsigned columns = terminal_columns_or(stderr, TERMINAL_COLUMNS);
    name_plain(line, sizeof line, text, strlen(text), columns > 0 ? columns - 1 : 0);
    line_show(line);
}
