#include "node/daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "net/os/clock.h"
#include "node/api/escape.h"
#include "node/control/control.h"
#include "node/daemon/control_server.h"
#include "node/daemon/disk/fileio.h"
#include "node/daemon/disk/store_sync.h"
#include "node/daemon/event_line.h"
#include "node/daemon/measure.h"
#include "node/daemon/network.h"
#include "node/daemon/os/notify.h"
#include "node/daemon/os/signals.h"
#include "node/daemon/os/ticker.h"
#include "node/daemon/resolver.h"
#include "node/daemon/setup/reload.h"
#include "node/daemon/sockets.h"

enum {
    TRAINS_PER_TURN = 16, /* 1 MiB; then the sockets are read again */
    RETRY_US = 1000,      /* a deadline that cannot be met now (socket full) is looked at again */
    REFRESH_US = 5 * 1000 * 1000, /* wall clock and own addresses may be this old */
    LEAVE_MS = 700,               /* shutdown waits no longer for clients, sockets and files */
};

struct daemon {
    uv_loop_t loop;
    const struct daemon_setup *setup;
    const struct log *log;
    struct node *node;
    struct control *control;
    struct control_server *server;
    struct fileio *fileio;
    struct store_sync *store_sync;
    struct ticker *ticker;
    struct resolver resolver;
    struct sockets sockets;
    struct network network;
    struct signals signals;
    uv_idle_t more;   /* runs while trains are left after a turn */
    uv_timer_t leave; /* ends a shutdown that takes too long */

    uint64_t now_us; /* of this turn */
    uint64_t wall_at_us, tell_at_us;
    bool begun; /* the clock was read for this turn */
    bool in_turn;
    bool busy_time; /* turns are measured in processor time, which a busy machine leaves alone */
    uint64_t began_us, longest_us; /* of turns, by that clock */
    bool stopping;
    struct log_budget said;
    uint8_t tx[TRAIN_MAX_BYTES];
};

/* ---- the turn ---- */

static uint64_t begin(struct daemon *d) {
    if (!d->begun) {
        d->begun = true;
        d->now_us = clock_now_us();
        d->began_us = d->busy_time ? clock_busy_us() : d->now_us;
        if (d->now_us - d->wall_at_us >= REFRESH_US) {
            d->wall_at_us = d->now_us;
            node_set_wall(d->node, d->now_us, clock_wall_us());
        }
    }
    return d->now_us;
}

static void log_event(struct daemon *d, const struct node_event *e) {
    const enum log_level level = event_line_level(e);
    char line[EVENT_LINE_MAX];
    uint64_t unsaid = 0;
    if (level > d->log->level || (level < LOG_DEBUG && !log_may(&d->said, d->now_us, &unsaid)))
        return;
    if (unsaid > 0)
        log_put(d->log, level, "%llu events were too many for the log", (unsigned long long)unsaid);
    event_line(line, e);
    log_put(d->log, level, "%s", line);
}

static bool pull_events(struct daemon *d) {
    struct node_event e;
    bool any = false;
    for (; node_poll(d->node, &e); any = true) {
        log_event(d, &e);
        control_event(d->control, d->now_us, &e);
    }
    return any;
}

static bool pull_file_ops(struct daemon *d) {
    bool any = false;
    for (struct file_op *op; (op = node_next_file_op(d->node)); any = true) {
        if (op->kind == FILE_OP_STORE_SYNC)
            store_sync_submit(d->store_sync, op);
        else
            fileio_submit(d->fileio, op);
    }
    fileio_flush(d->fileio);
    store_sync_turn(d->store_sync);
    return any;
}

static bool pull_names(struct daemon *d) {
    struct resolve name;
    bool any = false;
    for (; node_next_resolve(d->node, &name); any = true)
        resolver_ask(&d->resolver, &name);
    return any;
}

static bool pull_trains(struct daemon *d, unsigned *budget) {
    bool any = false;
    for (; *budget > 0; any = true) {
        struct train t = {.buf = d->tx, .full = d->sockets.full};
        if (!node_output(d->node, d->now_us, &t))
            break;
        --*budget;
        sockets_send(&d->sockets, &t);
    }
    return any;
}

static void on_more(uv_idle_t *i);
static void stop(struct daemon *d);

/* Nothing of ours is left to be sent, written or finished. */
static bool is_quiet(const struct daemon *d) {
    return d->sockets.full == 0 && fileio_pending(d->fileio) == 0 &&
           !store_sync_busy(d->store_sync) && control_server_idle(d->server) &&
           !uv_is_active((const uv_handle_t *)&d->more);
}

static void arm(struct daemon *d, bool more) {
    uint64_t deadline_us = node_deadline_us(d->node);
    uint64_t control_us = control_deadline_us(d->control);
    if (control_us < deadline_us)
        deadline_us = control_us;
    if (more) {
        (void)uv_idle_start(&d->more, on_more);
        return;
    }
    uv_idle_stop(&d->more);
    /* What is due and still there after everything was pulled waits for a socket. */
    uint64_t earliest_us = d->now_us + (d->sockets.full != 0 ? RETRY_US : 1);
    ticker_arm(d->ticker, deadline_us < earliest_us ? earliest_us : deadline_us);
}

/* From the input on: whatever holds the loop for long is seen in "status". */
static void note_length(struct daemon *d) {
    uint64_t took_us = (d->busy_time ? clock_busy_us() : clock_now_us()) - d->began_us;
    if (took_us <= d->longest_us)
        return;
    d->longest_us = took_us;
    control_set_longest_turn(d->control, took_us);
}

static void turn(struct daemon *d) {
    unsigned budget = TRAINS_PER_TURN;
    bool any, asked;
    if (d->in_turn)
        return; /* an operation that failed at once: the running turn sees what follows from it */
    d->in_turn = true;
    begin(d);
    if (node_deadline_us(d->node) <= d->now_us)
        node_timeout(d->node, d->now_us);
    if (control_deadline_us(d->control) <= d->now_us)
        control_timeout(d->control, d->now_us);
    asked = control_run(d->control, d->now_us);
    do {
        any = pull_events(d);
        any |= pull_file_ops(d);
        any |= pull_names(d);
        control_server_flush(d->server, d->now_us);
        any |= pull_trains(d, &budget);
    } while (any && budget > 0);
    arm(d, any || asked);
    note_length(d);
    d->begun = d->in_turn = false;
    if (control_wants_shutdown(d->control))
        stop(d);
    if (d->stopping && is_quiet(d))
        uv_stop(&d->loop);
}

/* ---- what starts a turn ---- */

static void on_train(void *ctx, const struct train_in *r) {
    struct daemon *d = ctx;
    node_input(d->node, begin(d), r);
}
static void on_batch_end(void *ctx) {
    turn(ctx);
}
static void on_writable(void *ctx, uint32_t socket) {
    struct daemon *d = ctx;
    sockets_writable(&d->sockets, socket);
    turn(d);
}
static void on_too_big(void *ctx, const struct addr *to, size_t bytes) {
    struct daemon *d = ctx;
    node_too_big(d->node, begin(d), to, bytes);
}
static void on_deadline(void *ctx) {
    turn(ctx);
}
static void on_more(uv_idle_t *i) {
    turn(i->data);
}
static void on_file_done(void *ctx, struct file_op *op) {
    struct daemon *d = ctx;
    node_file_done(d->node, begin(d), op);
}
static void on_name_found(void *ctx, uint64_t id, const struct addr *addrs, unsigned count) {
    struct daemon *d = ctx;
    node_resolved(d->node, begin(d), id, addrs, count);
}
static void on_names_found(void *ctx) {
    turn(ctx);
}
static void on_files_done(void *ctx) {
    turn(ctx);
}

static void network_is_new(struct daemon *d) {
    node_set_tell(d->node, d->network.own, d->network.own_count);
    node_network_changed(d->node, d->now_us);
}

static void on_network(void *ctx, bool slept) {
    struct daemon *d = ctx;
    begin(d);
    log_put(d->log, LOG_INFO, slept ? "the machine has slept" : "the network has changed");
    if (slept)
        node_set_wall(d->node, d->now_us, clock_wall_us());
    network_is_new(d);
    turn(d);
}

/* A client may ask for a ticket, which tells our addresses: interfaces come and go. */
static uint64_t on_client_begin(void *ctx) {
    struct daemon *d = ctx;
    begin(d);
    if (d->now_us - d->tell_at_us >= REFRESH_US) {
        d->tell_at_us = d->now_us;
        if (network_look(&d->network)) /* sooner than we were told */
            network_is_new(d);
    }
    return d->now_us;
}
static void on_client_end(void *ctx) {
    turn(ctx);
}

/* ---- leaving ---- */

static void on_leave(uv_timer_t *t) {
    uv_stop(t->loop);
}

static void stop(struct daemon *d) {
    if (d->stopping)
        return;
    d->stopping = true;
    notify_state("STOPPING=1");
    log_put(d->log, LOG_INFO, "stopping");
    (void)uv_timer_start(&d->leave, on_leave, LEAVE_MS, 0);
    node_shutdown(d->node, begin(d));
    turn(d);
}

static void on_end(void *ctx) {
    struct daemon *d = ctx;
    if (d->stopping)
        uv_stop(&d->loop); /* the second one: at once */
    else
        stop(d);
}

static void on_reload(void *ctx) {
    struct daemon *d = ctx;
    if (d->stopping)
        return;
    notify_reloading(clock_now_us());
    begin(d);
    reload_settings(d->setup->settings, d->setup->args, d->node, d->setup->log);
    if (!control_set_config_path(d->control, d->setup->settings->config_path))
        log_put(d->log, LOG_WARN, "status may name the settings' file from before");
    turn(d);
    notify_state("READY=1");
}

/* ---- opening ---- */

static void open_handles(struct daemon *d) {
    signals_open(&d->signals, &d->loop, on_end, on_reload, d);
    (void)uv_idle_init(&d->loop, &d->more);
    d->more.data = d;
    (void)uv_timer_init(&d->loop, &d->leave);
    d->resolver = (struct resolver){.loop = &d->loop,
                                    .log = d->log,
                                    .found = on_name_found,
                                    .all_found = on_names_found,
                                    .ctx = d};
    resolver_open(&d->resolver);
}

static enum aead_provider choose_aead(const struct daemon *d) {
    unsigned speed;
    if (d->setup->settings->config.aead != AEAD_AUTO)
        return d->setup->settings->config.aead;
    enum aead_provider provider = measure_aead(&speed);
    log_put(d->log, LOG_DEBUG, "aead: %s (%u MB/s)", aead_provider_label(provider), speed);
    return provider;
}

static int open_node(struct daemon *d) {
    const struct daemon_setup *setup = d->setup;
    const struct config *c = &setup->settings->config;
    struct env env = {
        .rng = setup->rng, .store = *setup->store, .log = log_sink, .log_ctx = setup->log};
    const struct node_policy policy = reload_policy(setup->settings);
    struct node_config cfg = {.identity = setup->identity,
                              .accept = policy.accept,
                              .download_dir = policy.download_dir,
                              .accept_max_bytes = policy.accept_max_bytes,
                              .message_quota_contact_bytes = policy.message_quota_contact_bytes,
                              .message_quota_bytes = policy.message_quota_bytes,
                              .relay = policy.relay,
                              .path = policy.path,
                              .cc = c->cc,
                              .aead = choose_aead(d),
                              .mtu_max_bytes = sockets_mtu_max(&d->sockets),
                              .wall_us = clock_wall_us()};
    config_network_id(c, cfg.network_id);
    d->network.sockets = &d->sockets;
    (void)network_look(&d->network);
    cfg.tell_count = d->network.own_count;
    memcpy(cfg.tell, d->network.own, sizeof cfg.tell);
    d->now_us = d->wall_at_us = d->tell_at_us = clock_now_us();
    d->node = node_new(&cfg, &env, d->now_us);
    return d->node ? 0 : ERR_NOMEM;
}

static int open_control(struct daemon *d) {
    const struct settings *s = d->setup->settings;
    bool gso = true, gro = true;
    for (unsigned i = 0; i < d->sockets.count; i++) {
        struct udp_caps caps;
        udp_caps(d->sockets.udp[i], &caps);
        gso &= caps.gso;
        gro &= caps.gro;
    }
    struct control_facts facts = {.version = MESHD_VERSION,
                                  .state_dir = s->state_dir,
                                  .socket_path = s->config.socket,
                                  .config_path = s->config_path,
                                  .listen = d->sockets.bound,
                                  .listen_count = d->sockets.count,
                                  .udp_gso = gso,
                                  .udp_gro = gro,
                                  .private_network = s->config.network[0] != '\0'};
    static const struct control_server_callbacks cb = {on_client_begin, on_client_end};
    d->control = control_new(d->node, &facts);
    if (!d->control)
        return ERR_NOMEM;
    int r = control_server_open(&d->server, &d->loop, s->config.socket, d->log);
    if (r == 0)
        r = control_server_start(d->server, d->control, &cb, d);
    return r;
}

static void say_ready(const struct daemon *d) {
    char id[NODE_ID_TEXT_CHARS + 1], list[CONFIG_LISTEN_MAX * (ADDR_TEXT_MAX + 1)] = "";
    for (unsigned i = 0; i < d->sockets.count; i++) {
        char text[ADDR_TEXT_MAX];
        size_t n = strlen(list);
        addr_text(&d->sockets.bound[i], text);
        snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", text);
    }
    node_id_text(node_self(d->node), id);
    log_put(d->log, LOG_INFO,
            "ready: this node is %s, listens on UDP %s, and meshctl reaches it at %s", id, list,
            d->setup->settings->config.socket);
}

static int open_parts(struct daemon *d) {
    static const struct udp_callbacks cb = {on_train, on_batch_end, on_writable, on_too_big};
    struct fileio_setup files = {.state = d->setup->state->dir,
                                 .state_dir = d->setup->settings->state_dir,
                                 .umask = d->setup->umask,
                                 .done = on_file_done,
                                 .all_done = on_files_done,
                                 .ctx = d};
    const struct store_sync_setup barriers = {on_file_done, on_files_done, d};
    int r = sockets_open(&d->sockets, &d->loop, &d->setup->settings->config, &cb, d, d->log);
    if (r == 0)
        r = fileio_open(&d->fileio, &d->loop, &files, d->log);
    if (r == 0)
        r = store_sync_open(&d->store_sync, &d->loop, d->setup->db, &barriers, d->log);
    if (r == 0)
        r = ticker_open(&d->ticker, &d->loop, on_deadline, d);
    if (r == 0)
        r = open_node(d);
    if (r == 0)
        r = open_control(d);
    if (r == 0)
        r = network_open(&d->network, &d->loop, on_network, d);
    return r;
}

int daemon_open(struct daemon **out, const struct daemon_setup *setup) {
    struct daemon *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d || uv_loop_init(&d->loop) != 0) {
        free(d);
        return ERR_NOMEM;
    }
    d->setup = setup;
    d->log = setup->log;
    const char *busy = getenv("MESHD_DEBUG_TURNS");
    d->busy_time = busy && strcmp(busy, "1") == 0;
    open_handles(d);
    int r = open_parts(d);
    if (r != 0) {
        (void)daemon_close(d);
        return r;
    }
    say_ready(d);
    *out = d;
    return 0;
}

void daemon_run(struct daemon *d) {
    turn(d); /* the core may have something to do from the start */
    uv_run(&d->loop, UV_RUN_DEFAULT);
}

bool daemon_close(struct daemon *d) {
    if (!d)
        return true;
    control_server_close(d->server, clock_now_us());
    ticker_close(d->ticker);
    network_close(&d->network);
    sockets_close(&d->sockets);
    signals_close(&d->signals);
    uv_close((uv_handle_t *)&d->more, NULL);
    uv_close((uv_handle_t *)&d->leave, NULL);
    if (!resolver_close(&d->resolver))
        return false;
    if (d->fileio && fileio_pending(d->fileio) > 0)
        return false;
    if (d->store_sync && store_sync_busy(d->store_sync))
        return false;
    uv_run(&d->loop, UV_RUN_DEFAULT); /* the handles' closing */
    if (d->control)
        control_free(d->control);
    fileio_close(d->fileio);
    store_sync_close(d->store_sync);
    if (d->node)
        node_free(d->node);
    uv_loop_close(&d->loop);
    free(d);
    return true;
}
