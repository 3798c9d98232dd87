/* sim.h: a virtual world around real node cores: hosts with links, disks and stores on one virtual
 * clock, driven by one seed. The library behind meshsim, usable from C tests.
 *
 *     struct sim *s = sim_new(&(struct sim_config){.seed = 42});
 *     sim_host_add(s, &(struct sim_host_options){.name = "a"}, &a); ... "b"
 *     sim_pair(s, a, b);          real tickets over a perfect network, before time 0
 *     sim_link_set(s, a, SIM_UP, &config);
 *     sim_begin(s);               all nodes start afresh from their stores; it is time 0
 *     sim_transfer(s, a, b, 64 << 20, NULL);
 *     sim_run_until(s, 60 * SIM_S);
 *     sim_metrics(s, &m);         sim/run/metrics.h
 *
 * Time 0 is the moment of sim_begin; all times here are nanoseconds of virtual time since then. Out
 * of memory aborts.
 */
#ifndef MESHD_SIM_WORLD_SIM_H
#define MESHD_SIM_WORLD_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"
#include "sim/disk/disk.h"
#include "sim/disk/store_mem.h"
#include "sim/engine/trace.h"
#include "sim/invariants/invariants.h"
#include "sim/link/link.h"
#include "sim/measure/demand.h"
#include "sim/nat/gateway.h"
#include "sim/world/hostile.h"
#include "sim/world/icmp.h"

#define SIM_US UINT64_C(1000)
#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)

enum { SIM_NAME_MAX = 32, SIM_HOSTS_MAX = 100000 };
#define SIM_NO_HOST UINT32_MAX

struct sim;

struct sim_datagram { /* what became of one datagram */
    uint64_t time_ns;
    uint32_t source, target; /* target SIM_NO_HOST: nobody has the address */
    struct addr from, to;
    enum fate fate;
    const uint8_t *data;
    uint32_t len;
    uint8_t ecn;  /* of the IP header (net/recovery/ecn.h) */
    uint32_t seq; /* the source's how-manieth datagram, from 0 */
    /* If a link ended it: whose, which way, and its number there (as `lose` counts). */
    uint32_t link_host; /* SIM_NO_HOST: no host's link did */
    bool link_down;
    uint64_t link_packet;
};

/* Watchers, for logs, captures and reports; each may be NULL. They must not call into the world. */
struct sim_tap {
    void *ctx;
    void (*begin)(void *ctx, const struct sim *s); /* time 0 */
    void (*datagram)(void *ctx, const struct sim_datagram *d);
    void (*node_event)(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e);
    void (*log)(void *ctx, uint64_t time_ns, const char *host, enum log_level level,
                const char *line);
    void (*icmp)(void *ctx, uint64_t time_ns, const struct icmp_note *note); /* a host hears it */
    void (*record)(void *ctx, const struct trace_record *r); /* all that goes into the trace */
};

struct sim_config {
    uint64_t seed;
    bool watched; /* with sim/invariants/invariants.h */
    struct sim_tap tap;
};

struct sim *sim_new(const struct sim_config *cfg);
void sim_free(struct sim *s);
uint64_t sim_seed(const struct sim *s);
uint64_t sim_now_ns(const struct sim *s);
/* The internal clock's value at time 0, for what counts from its beginning (sim/invariants/invariants.h). */
uint64_t sim_start_ns(void);
/* NULL, or why the world cannot go on (a node that never stops working, a node that cannot start).
 */
const char *sim_failure(const struct sim *s);
const struct trace *sim_trace(const struct sim *s);

/* ---- hosts ---- */
struct sim_host_options {
    const char *name;  /* [A-Za-z0-9_-], also the contact name that others give it */
    const char *group; /* a label for reports; NULL: none */
    enum cc_kind cc;
    unsigned suites; /* offered AEAD suites; 0: all */
    bool ipv4, ipv6; /* neither: IPv4 */
    bool no_udp;     /* its network lets no UDP out or in */
    bool lazy;       /* dials no contact by itself */
    uint32_t site;   /* SITE_NONE: on the internet */
    uint32_t region; /* SITE_NONE: none, no delay of its own. That of its site, if it is in one */
};
/* ERR_USAGE (name), ERR_EXISTS, ERR_FULL. */
int sim_host_add(struct sim *s, const struct sim_host_options *o, uint32_t *host) MUST_USE;
/* What reports call hosts like this one: the kind of its NAT (or its site), else its group, else "public". */
const char *sim_host_label(const struct sim *s, uint32_t host);
uint32_t sim_host_count(const struct sim *s);
uint32_t sim_host_find(const struct sim *s, const char *name); /* SIM_NO_HOST */
const char *sim_host_name(const struct sim *s, uint32_t host);

enum sim_direction { SIM_UP, SIM_DOWN };
void sim_link_get(const struct sim *s, uint32_t host, enum sim_direction d,
                  struct link_config *out);
void sim_link_set(struct sim *s, uint32_t host, enum sim_direction d, const struct link_config *c);
/* These packets (numbers from 0, ascending, copied) of the link are lost, too; count 0: none any more. */
void sim_link_lose(struct sim *s, uint32_t host, enum sim_direction d, const uint64_t *packets,
                   uint64_t count);
/* Its contacts: hosts it has been paired with. Valid until the next pairing. */
const uint32_t *sim_contacts(const struct sim *s, uint32_t host, uint32_t *count);
/* A draw for whoever sets the scene: by host and number. */
uint64_t sim_choice(const struct sim *s, uint32_t host, uint64_t number);
struct disk *sim_disk(struct sim *s, uint32_t host);
struct store_mem *sim_store(struct sim *s, uint32_t host);
/* The running node, or NULL. After calls that change it: sim_touch. */
struct node *sim_node(struct sim *s, uint32_t host);
void sim_touch(struct sim *s, uint32_t host);
uint64_t sim_node_now_us(const struct sim *s, uint32_t host); /* the `now_us` for node calls */

/* ---- before time 0 ---- */
/* Makes two hosts each other's contacts. ERR_TIMEOUT if that takes more than a minute; node errors.
 */
int sim_pair(struct sim *s, uint32_t a, uint32_t b) MUST_USE;
void sim_begin(struct sim *s);
/* All nodes are killed and everything in flight is dropped: afterwards only reading is left. */
void sim_end(struct sim *s);
/* NULL: the world was made without. */
const struct watch *sim_watch(const struct sim *s);

/* ---- time ---- */
bool sim_step(struct sim *s); /* one event; false: there is none, or the world has failed */
void sim_run_until(struct sim *s, uint64_t time_ns);
/* Runs until `done` says so, at most until time_ns: true if it did. Asked after every event. */
bool sim_run_while_not(struct sim *s, uint64_t time_ns, bool (*done)(void *ctx), void *ctx);

/* ---- what hosts do; ERR_OFFLINE if the host's node is not running, else the node's errors ---- */
int sim_connect(struct sim *s, uint32_t from, uint32_t to) MUST_USE;
int sim_ping(struct sim *s, uint32_t from, uint32_t to) MUST_USE;
/* A fresh file of `size` generated bytes is sent; accepted by rule. `index` (may be NULL): see
 * ledger.h. */
int sim_transfer(struct sim *s, uint32_t from, uint32_t to, uint64_t size,
                 uint64_t *index) MUST_USE;
/* `count` messages of `size` bytes, at least as long as their serial number. */
int sim_message(struct sim *s, uint32_t from, uint32_t to, uint64_t count, uint64_t size) MUST_USE;
/* A ticket of `to` is used by `from`, over the network as it is. */
int sim_use_ticket(struct sim *s, uint32_t from, uint32_t to) MUST_USE;

/* Who asks from now on, for sim_demands. */
void sim_asks(struct sim *s, const struct demand_asker *by);
/* Whether its node runs, neither asleep nor busy. */
bool sim_runs(const struct sim *s, uint32_t host);
/* The run is over: what was asked for and is still undone is judged. Before sim_end. */
void sim_settle(struct sim *s);
/* What came of everything that was asked of nodes since time 0. */
const struct demands *sim_demands(const struct sim *s);

/* `thief` tries the ticket that `user` has got from `giver` last, and used. ERR_NOT_FOUND: it has not. */
int sim_steal_ticket(struct sim *s, uint32_t thief, uint32_t user, uint32_t giver) MUST_USE;

/* One datagram of a call-like flow, of `size` bytes (16 at least): ledger.h has what came of it. */
int sim_flow(struct sim *s, uint32_t from, uint32_t to, uint64_t size) MUST_USE;
/* Asks the port-mapping gateway of the host's site for a port, and tells the node the address it
 * got. ERR_OFFLINE: no gateway, or no answer. ERR_REFUSED. */
int sim_map(struct sim *s, uint32_t host, uint64_t lifetime_s) MUST_USE;

/* ---- what happens to hosts ---- */
void sim_roam(struct sim *s, uint32_t host); /* a new address in its site, and the node is told */
/* Moves to another site (SITE_NONE: the internet), and the node is told. */
void sim_move(struct sim *s, uint32_t host, uint32_t site);
void sim_rebind(struct sim *s, uint32_t host); /* a new port, as behind a NAT: nobody is told */
void sim_kill(struct sim *s, uint32_t host);   /* crash: no goodbye; disk and store are kept */
/* Crash of the machine: of what its store has committed since the last barrier a drawn number of
 * transactions survives. */
void sim_power_cut(struct sim *s, uint32_t host);
/* Its process dies at the write number `writes` of its store from now (0: the next): that one is lost, and nothing that it
 * would have said afterwards leaves. `power`: the machine's power goes with it. */
void sim_die(struct sim *s, uint32_t host, uint64_t writes, bool power);
struct sim_store_fault { /* all zeroes: none any more, and no death that sim_die had in store */
    uint64_t after;      /* so many writes still succeed */
    int write_err, sync_err;
};
void sim_store_fails(struct sim *s, uint32_t host, const struct sim_store_fault *f);
void sim_stop(struct sim *s, uint32_t host);          /* with goodbye */
int sim_start(struct sim *s, uint32_t host) MUST_USE; /* ERR_OFFLINE: it is suspended or stalled */
void sim_wipe(struct sim *s, uint32_t host);          /* killed, and its disk and store are lost */
void sim_suspend(struct sim *s, uint32_t host, uint64_t for_ns); /* 0: until sim_resume */
void sim_stall(struct sim *s, uint32_t host, uint64_t for_ns);
void sim_resume(struct sim *s, uint32_t host);
/* The wall clock jumps; from now on the clocks drift (NULL: as before). */
void sim_clock(struct sim *s, uint32_t host, int64_t jump_us, const int64_t *drift_ppb);
void sim_hostile(struct sim *s, uint32_t host, const struct hostile_plan *plan);
/* A site's NAT loses its mappings; `move`: and gets new external addresses. */
void sim_site_reboot(struct sim *s, uint32_t site, bool move);
/* Others take `count` places of its NAT's table (all: UINT32_MAX); for_ns 0: until sim_heal. */
void sim_site_crowd(struct sim *s, uint32_t site, uint32_t count, uint64_t for_ns);
uint32_t sim_host_site(const struct sim *s, uint32_t host); /* the innermost; SITE_NONE */
/* Its port-mapping gateway behaves like this from now on. */
void sim_site_gateway(struct sim *s, uint32_t site, const struct gateway_config *c);
/* Between two sets of hosts; for_ns 0: until sim_heal. */
struct sim_between {
    const uint32_t *from, *to;
    uint32_t from_count, to_count;
    bool oneway;
    uint64_t for_ns;
};
void sim_cut(struct sim *s, const struct sim_between *b);
void sim_clog(struct sim *s, const struct sim_between *b); /* for_ns above 0: everything waits */
void sim_heal(struct sim *s);                              /* no cuts, no crowds any more */

#endif
