/* status.c: id, status, wait */
#include <stdio.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/kit/meter.h"
#include "cli/screen/json.h"
#include "cli/screen/line.h"
#include "net/os/interrupt.h"

static void put_line(const char *label, const char *s, size_t len) {
    printf("%-12s", label);
    print_text(stdout, s, len);
    putchar('\n');
}

static void put_str(const msgpack_object *o, const char *label, const char *key) {
    size_t len;
    const char *s = proto_get_str(o, key, &len);
    put_line(label, s, len);
}

int run_id(struct app *a) {
    struct proto_msg m;
    app_ask(a, "id");
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json) {
        print_json(json_from(&m.result));
    } else {
        size_t len;
        const char *id = proto_get_str(&m.result, "id", &len);
        print_text(stdout, id, len);
        putchar('\n');
    }
    proto_msg_clear(&m);
    return 0;
}

/* "from contacts, up to 5.00 MB", and where to. */
static void put_accept(const msgpack_object *r) {
    char most[PRINT_NUMBER_MAX] = "any size";
    size_t len;
    const char *rule = proto_get_str(r, "accept", &len);
    uint64_t max = proto_get_uint(r, "accept_max_bytes", 0);
    bool ask = len == 3 && memcmp(rule, "ask", 3) == 0;
    if (max)
        print_size(most, max);
    printf("%-12s%s, %s%s\n", "accept", ask ? "when asked" : "from contacts", max ? "up to " : "",
           most);
    put_str(r, "downloads", "download_dir");
}

static void put_messages(const msgpack_object *r) {
    char in[PRINT_NUMBER_MAX], all[PRINT_NUMBER_MAX];
    print_size(in, proto_get_uint(r, "message_bytes", 0));
    print_size(all, proto_get_uint(r, "message_quota_bytes", 0));
    printf("%-12s%llu queued; received ones take %s of %s\n", "messages",
           (unsigned long long)proto_get_uint(r, "messages_queued", 0), in, all);
}

static void put_traffic(const msgpack_object *r) {
    const msgpack_object *k = proto_get(r, "counters");
    char in[PRINT_NUMBER_MAX], out[PRINT_NUMBER_MAX];
    print_size(in, proto_get_uint(k, "bytes_in", 0));
    print_size(out, proto_get_uint(k, "bytes_out", 0));
    printf("%-12s%s in, %s out, %llu packets lost\n", "traffic", in, out,
           (unsigned long long)proto_get_uint(k, "pkts_lost", 0));
}

/* By how many this node is reached, and whether it is one. */
static void put_relays(const msgpack_object *r) {
    const msgpack_object *k = proto_get(r, "counters");
    const uint64_t known = proto_get_uint(k, "relay_known", 0);
    printf("%-12s", "relays");
    if (known)
        printf("reached through %llu of %llu known\n",
               (unsigned long long)proto_get_uint(k, "relay_homes", 0), (unsigned long long)known);
    else
        puts("none known");
    if (proto_get_bool(r, "serves_relay"))
        printf("%-12sserves others: %llu use it now\n", "relay",
               (unsigned long long)proto_get_uint(k, "relay_serving_clients", 0));
}

static void status_table(const msgpack_object *r) {
    char uptime[PRINT_NUMBER_MAX];
    const msgpack_object *listen = proto_get(r, "listen"), *at;
    size_t len;
    put_str(r, "id", "id");
    put_str(r, "version", "version");
    print_duration(uptime, proto_get_uint(r, "uptime_us", 0));
    printf("%-12s%s\n", "running", uptime);
    for (uint32_t i = 0; (at = proto_at(listen, i)) != NULL; i++)
        if (at->type == MSGPACK_OBJECT_STR)
            put_line(i == 0 ? "listen" : "", at->via.str.ptr, at->via.str.size);
    printf("%-12sGSO %s, GRO %s\n", "udp", proto_get_bool(r, "udp_gso") ? "yes" : "no",
           proto_get_bool(r, "udp_gro") ? "yes" : "no");
    printf("%-12s%s\n", "network", proto_get_bool(r, "private") ? "private" : "public");
    printf("%-12s%llu, %llu online\n", "contacts",
           (unsigned long long)proto_get_uint(r, "contacts", 0),
           (unsigned long long)proto_get_uint(r, "online", 0));
    put_relays(r);
    printf("%-12s%llu under way\n", "transfers",
           (unsigned long long)proto_get_uint(r, "transfers", 0));
    put_accept(r);
    put_messages(r);
    put_traffic(r);
    put_str(r, "state", "state_dir");
    put_str(r, "socket", "socket");
    proto_get_str(r, "config", &len);
    if (len > 0)
        put_str(r, "config", "config");
    else
        puts("config      none was read");
}

int run_status(struct app *a) {
    struct proto_msg m;
    app_ask(a, "status");
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json)
        print_json(json_from(&m.result));
    else
        status_table(&m.result);
    proto_msg_clear(&m);
    return 0;
}

/* "ready", "peer=NAME" or "contact=NAME": what, and the name or NULL. */
static bool parse_condition(const char *text, const char **what, const char **name) {
    static const char *const named[] = {"peer", "contact"};
    *name = NULL;
    *what = "ready";
    if (strcmp(text, "ready") == 0)
        return true;
    for (int i = 0; i < 2; i++) {
        size_t len = strlen(named[i]);
        if (strncmp(text, named[i], len) == 0 && text[len] == '=' && text[len + 1]) {
            *what = named[i];
            *name = text + len + 1;
            return true;
        }
    }
    return false;
}

/* A daemon that has just been started needs a moment until it listens. */
static int wait_for_daemon(struct app *a, uint64_t deadline_us) {
    for (;;) {
        int err = client_open(&a->client, a->socket);
        if (err != ERR_NO_DAEMON)
            return err;
        if (clock_now_us() >= deadline_us)
            return ERR_NO_DAEMON;
        if (!interrupt_sleep(20000))
            return ERR_CANCELLED;
    }
}

int run_wait(struct app *a) {
    struct proto_msg m;
    const char *what, *name;
    uint64_t timeout_us;
    int code = 0;
    if (!a->o.condition || !parse_condition(a->o.condition, &what, &name))
        return app_fail(a, ERR_USAGE, "wait for what? give --for ready, peer=NAME or contact=NAME");
    if (!app_timeout(a, 30000000, &timeout_us, &code))
        return code;
    uint64_t deadline_us = timeout_us ? clock_now_us() + timeout_us : UINT64_MAX;
    if (name)
        meter_say(what[0] == 'p' ? "waiting for %s to be online"
                                 : "waiting for a contact called %s",
                  name);
    else
        meter_say("waiting for meshd");
    if (!name) {
        int err = wait_for_daemon(a, deadline_us);
        if (err)
            return app_broken(a, err);
    }
    struct proto_writer *w = app_ask(a, "wait");
    proto_str(w, "for", what);
    if (name)
        proto_str(w, "name", name);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    /* The daemon ends it; the margin is for a daemon that does not. */
    code = app_answer(a, timeout_us ? timeout_us + CLIENT_ANSWER_US : UINT64_MAX, &m);
    line_clear();
    if (code)
        return code;
    if (a->o.json)
        print_json(json_from(&m.result));
    proto_msg_clear(&m);
    return 0;
}
