/* peer.c: peers, ping */
#include <stdio.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/kit/meter.h"
#include "cli/kit/state.h"
#include "cli/screen/json.h"
#include "cli/screen/line.h"
#include "cli/screen/table.h"
#include "net/os/interrupt.h"

enum { PINGS_MAX = 100000, PATH_SHOWN_MAX = 128, NODE_SHOWN_MAX = 80, WHY_SHOWN_MAX = 192 };

static void add_duration(struct table *t, const msgpack_object *o, const char *key) {
    char text[PRINT_NUMBER_MAX] = "-";
    uint64_t us = proto_get_uint(o, key, 0);
    if (us)
        print_duration(text, us);
    table_cell(t, text);
}

static void add_size(struct table *t, const msgpack_object *o, const char *key) {
    char text[PRINT_NUMBER_MAX];
    print_size(text, proto_get_uint(o, key, 0));
    table_cell(t, text);
}

/* ---- paths ---- */

/* The one that packets take now; NULL: none. */
static const msgpack_object *path_in_use(const msgpack_object *o) {
    const msgpack_object *paths = proto_get(o, "paths");
    if (!paths || paths->type != MSGPACK_OBJECT_ARRAY)
        return NULL;
    for (uint32_t i = 0; i < paths->via.array.size; i++)
        if (proto_get_bool(&paths->via.array.ptr[i], "active"))
            return &paths->via.array.ptr[i];
    return NULL;
}

/* "203.0.113.1:4000", "relay 203.0.113.7:4000". */
static void path_text(char out[static PATH_SHOWN_MAX], const msgpack_object *path) {
    char address[PATH_SHOWN_MAX / 2] = "", kind[16] = "";
    proto_copy_str(path, "address", address, sizeof address);
    proto_copy_str(path, "kind", kind, sizeof kind);
    const bool direct = strcmp(kind, "direct") == 0;
    snprintf(out, PATH_SHOWN_MAX, "%s%s%s", direct ? "" : kind, direct || !address[0] ? "" : " ",
             address);
}

static void loss_text(char out[static PRINT_NUMBER_MAX], const msgpack_object *path) {
    const uint64_t permille = proto_get_uint(path, "loss_permille", 0);
    snprintf(out, PRINT_NUMBER_MAX, "%llu.%llu %%", (unsigned long long)(permille / 10 % 1000),
             (unsigned long long)(permille % 10));
}

static void add_path(struct table *t, const msgpack_object *peer) {
    const msgpack_object *path = path_in_use(peer);
    char text[PATH_SHOWN_MAX] = "-", loss[PRINT_NUMBER_MAX] = "-";
    if (path) {
        path_text(text, path);
        loss_text(loss, path);
    }
    table_text(t, text, strlen(text));
    add_duration(t, path, "srtt_us");
    table_cell(t, loss);
    if (path && proto_get_uint(path, "mtu_bytes", 0))
        table_uint(t, proto_get_uint(path, "mtu_bytes", 0));
    else
        table_cell(t, "-");
}

static void add_row(struct table *t, const msgpack_object *peer) {
    const msgpack_object *s = proto_get(peer, "session");
    table_str(t, peer, "name");
    state_cell(t, peer);
    if (!proto_get_bool(peer, "online")) {
        for (int i = 0; i < 7; i++)
            table_cell(t, "-");
        table_str(t, peer, "why");
        return;
    }
    add_path(t, peer);
    add_duration(t, s, "age_us");
    add_size(t, s, "bytes_sent");
    add_size(t, s, "bytes_received");
    table_str(t, peer, "why");
}

int run_peers(struct app *a) {
    return app_show_list(a, "peer.list", "peers",
                         "~NAME|STATE|?~PATH|?>RTT|?>LOSS|?>MTU|?>AGE|?>SENT|?>RECEIVED|!WHY",
                         add_row);
}

/* ---- ping ---- */

struct pings {
    uint64_t sent, received, min_us, max_us, sum_us;
    int last_code;
    json_t *rtts;
    char path[PATH_SHOWN_MAX], node[NODE_SHOWN_MAX];
    char via[16], why[WHY_SHOWN_MAX], loss[PRINT_NUMBER_MAX];
    uint64_t loss_permille, mtu_bytes;
};

static void take_path(struct pings *p, const msgpack_object *r) {
    const msgpack_object *path = path_in_use(r);
    p->via[0] = p->why[0] = '\0';
    proto_copy_str(r, "via", p->via, sizeof p->via);
    proto_copy_str(r, "why", p->why, sizeof p->why);
    if (path)
        path_text(p->path, path);
    else
        proto_copy_str(r, "path", p->path, sizeof p->path);
    p->loss_permille = path ? proto_get_uint(path, "loss_permille", 0) : 0;
    p->mtu_bytes = path ? proto_get_uint(path, "mtu_bytes", 0) : 0;
    loss_text(p->loss, path);
}

static void take_pong(struct app *a, struct pings *p, const msgpack_object *r) {
    uint64_t rtt_us = proto_get_uint(r, "rtt_us", 0);
    p->received++;
    p->sum_us += rtt_us;
    if (p->received == 1 || rtt_us < p->min_us)
        p->min_us = rtt_us;
    if (rtt_us > p->max_us)
        p->max_us = rtt_us;
    take_path(p, r);
    proto_copy_str(r, "node", p->node, sizeof p->node);
    json_array_append_new(p->rtts, json_integer((json_int_t)rtt_us));
    if (a->o.json)
        return;
    char text[PRINT_NUMBER_MAX];
    print_duration(text, rtt_us);
    print_text(stdout, a->words[0], strlen(a->words[0]));
    printf(": %s via ", text);
    print_text(stdout, p->path, strlen(p->path));
    putchar('\n');
    fflush(stdout);
}

/* One ping. 0, or the exit code of what went wrong: reported, unless it is JSON's turn at the end.
 */
static int ping_once(struct app *a, struct pings *p, uint64_t timeout_us) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "peer.ping");
    proto_str(w, "name", a->words[0]);
    if (a->o.timeout) /* else no longer than until the peer is found not to answer */
        proto_uint(w, "timeout_us", timeout_us);
    p->sent++;
    meter_say("waiting for an answer of %s", a->words[0]);
    int code = app_answer(a, timeout_us + CLIENT_ANSWER_US, &m);
    line_clear();
    if (code)
        return code;
    take_pong(a, p, &m.result);
    proto_msg_clear(&m);
    return 0;
}

static void show_pings(struct app *a, const struct pings *p) {
    uint64_t avg_us = p->received ? p->sum_us / p->received : 0;
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "name", json_text(a->words[0], strlen(a->words[0])));
        json_object_set_new(o, "node", json_text(p->node, strlen(p->node)));
        json_object_set_new(o, "path", json_text(p->path, strlen(p->path)));
        json_object_set_new(o, "via", json_text(p->via, strlen(p->via)));
        json_object_set_new(o, "why", json_text(p->why, strlen(p->why)));
        json_object_set_new(o, "loss_permille", json_integer((json_int_t)p->loss_permille));
        json_object_set_new(o, "mtu_bytes", json_integer((json_int_t)p->mtu_bytes));
        json_object_set_new(o, "sent", json_integer((json_int_t)p->sent));
        json_object_set_new(o, "received", json_integer((json_int_t)p->received));
        json_object_set_new(o, "min_us", json_integer((json_int_t)p->min_us));
        json_object_set_new(o, "avg_us", json_integer((json_int_t)avg_us));
        json_object_set_new(o, "max_us", json_integer((json_int_t)p->max_us));
        json_object_set(o, "rtt_us", p->rtts);
        print_json(o);
        return;
    }
    char min[PRINT_NUMBER_MAX], avg[PRINT_NUMBER_MAX], max[PRINT_NUMBER_MAX];
    print_duration(min, p->min_us);
    print_duration(avg, avg_us);
    print_duration(max, p->max_us);
    printf("%llu of %llu answered, min %s, avg %s, max %s\n", (unsigned long long)p->received,
           (unsigned long long)p->sent, min, avg, max);
    printf("path: %s, loss %s", p->via[0] ? p->via : "unknown", p->loss);
    if (p->mtu_bytes)
        printf(", MTU %llu", (unsigned long long)p->mtu_bytes);
    if (p->why[0]) {
        printf("; not direct: ");
        print_text(stdout, p->why, strlen(p->why));
    }
    putchar('\n');
}

int run_ping(struct app *a) {
    struct pings p = {.path = ""};
    uint64_t count = 3, timeout_us;
    int code = 0;
    if (a->o.count && (!options_number(a->o.count, &count) || count == 0 || count > PINGS_MAX))
        return app_fail(a, ERR_USAGE, "--count needs a number from 1 to %d, not \"%s\"", PINGS_MAX,
                        a->o.count);
    if (!app_timeout(a, 5000000, &timeout_us, &code))
        return code;
    if (timeout_us == 0)
        return app_fail(a, ERR_USAGE, "--timeout must be longer than nothing");
    a->hold = true; /* one object: an error's or ours */
    p.rtts = json_array();
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0 && !interrupt_sleep(1000000))
            break;
        code = ping_once(a, &p, timeout_us);
        if (code == err_exit_code(ERR_NOT_FOUND) || code == err_exit_code(ERR_NO_DAEMON) ||
            code == EXIT_INTERRUPTED)
            break;
    }
    if (interrupt_seen())
        code = EXIT_INTERRUPTED;
    json_t *error = app_take_held(a);
    if (p.received > 0) {
        show_pings(a, &p);
        code = code == EXIT_INTERRUPTED ? code : 0;
    } else if (error) {
        print_json(json_incref(error));
    }
    json_decref(error);
    json_decref(p.rtts);
    return code;
}
