/* events.c: events */
#include <stdio.h>
#include <time.h>

#include "cli/kit/app.h"
#include "cli/screen/json.h"

/* "2026-11-21T14:05:09.123Z": when it was printed; "at_us" is the daemon's own clock. */
static json_t *time_now(void) {
    struct timespec ts;
    struct tm tm;
    char text[40], all[64];
    clock_gettime(CLOCK_REALTIME, &ts);
    if (!gmtime_r(&ts.tv_sec, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
        return json_null();
    snprintf(all, sizeof all, "%s.%03uZ", text, (unsigned)(ts.tv_nsec / 1000000));
    return json_string(all);
}

int run_events(struct app *a) {
    struct proto_msg m;
    app_ask(a, "events.subscribe");
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    proto_msg_clear(&m);
    for (;;) {
        int err = client_note(&a->client, UINT64_MAX, &m);
        if (err)
            return app_broken(a, err);
        json_t *o = json_from(&m.params);
        json_object_set_new(o, "time", time_now());
        print_json(o);
        proto_msg_clear(&m);
        if (ferror(stdout))
            return 1;
    }
}
