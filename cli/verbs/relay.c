/* relay.c: relays */
#include <stdio.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/screen/table.h"

enum { WHY_MAX = 320 };

static void add_duration(struct table *t, const msgpack_object *o, const char *key) {
    char text[PRINT_NUMBER_MAX] = "-";
    const uint64_t us = proto_get_uint(o, key, 0);
    if (us)
        print_duration(text, us);
    table_cell(t, text);
}

static const char *role(const msgpack_object *r) {
    if (proto_get_bool(r, "home"))
        return "home";
    return proto_get_bool(r, "named") ? "named" : "-";
}

/* A wrong key names both: the one that was expected is part of the address. */
static void add_why(struct table *t, const msgpack_object *r) {
    char why[WHY_MAX / 2] = "", wrong[WHY_MAX / 4] = "", text[WHY_MAX];
    proto_copy_str(r, "why", why, sizeof why);
    proto_copy_str(r, "wrong_id", wrong, sizeof wrong);
    snprintf(text, sizeof text, "%s%s%s", why, wrong[0] ? ": its key is " : "", wrong);
    table_text(t, text, strlen(text));
}

static void add_row(struct table *t, const msgpack_object *r) {
    char load[PRINT_NUMBER_MAX];
    table_str(t, r, "relay");
    table_str(t, r, "state");
    table_cell(t, role(r));
    add_duration(t, r, "rtt_us");
    snprintf(load, sizeof load, "%llu %%",
             (unsigned long long)proto_get_uint(r, "load_percent", 0));
    table_cell(t, load);
    snprintf(load, sizeof load, "%llu %%",
             (unsigned long long)proto_get_uint(r, "lost_percent", 0));
    table_cell(t, load);
    table_uint(t, proto_get_uint(r, "ways", 0));
    add_why(t, r);
}

int run_relays(struct app *a) {
    return app_show_list(a, "relay.list", "relays",
                         "~<RELAY|STATE|ROLE|?>RTT|?>LOAD|?>LOSS|?>WAYS|!WHY", add_row);
}
