/* hostile.h: what a hostile host does beside running the honest core: it stands between its node and the network. A
 * protocol that comes later adds its lies as further kinds here.
 */
#ifndef MESHD_SIM_WORLD_HOSTILE_H
#define MESHD_SIM_WORLD_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "sim/engine/draw.h"

struct host;
struct event;

/* Garbage; initiations without sense; a stranger's, right in all but that nobody has let it in. */
enum flood_kind { FLOOD_RANDOM, FLOOD_INITIATION, FLOOD_STRANGER };

struct hostile_plan {    /* all zeroes does nothing */
    uint32_t drop_ppb;   /* of what its node sends */
    uint32_t drop_types; /* bit n: only datagrams of first byte n; 0: all */
    uint32_t replay_ppb; /* chance, per datagram sent or received, that an old one goes out again */
    bool floods, amplifies, lies;
    bool forges; /* shows another transport key, with a certificate that its id has not signed */
    enum flood_kind flood_kind;
    uint32_t flood_target; /* garbage goes to this host */
    uint64_t flood_interval_ns;
    uint32_t victim, reflector; /* initiations go to the reflector in the victim's name */
    uint64_t amplify_interval_ns;
    bool icmps; /* tells the first host that what it sends to the second is too big */
    uint32_t icmp_host, icmp_peer; /* it knows their addresses, but has not seen a packet */
    uint64_t icmp_interval_ns;
    uint32_t lie_host;  /* says that this host's addresses are its own */
    uint64_t future_us; /* its wall clock, and so its initiations' sequence, is ahead by this */
};

enum { HOSTILE_KEEP = 32, HOSTILE_KEEP_BYTES = 1500 };

struct hostile_kept { /* a datagram seen, to be sent again */
    struct addr to;
    uint32_t len;
    uint8_t data[HOSTILE_KEEP_BYTES];
};

struct hostile {
    struct hostile_plan plan;
    uint64_t draws;
    struct identity forged;    /* if it forges */
    struct hostile_kept *kept; /* a ring */
    uint32_t kept_count, kept_next;
};

/* NULL, or what is wrong with a word like "drop(10%)"; names of hosts are found by `find` (UINT32_MAX: unknown). */
const char *hostile_read(struct hostile_plan *p, const char *word,
                         uint32_t (*find)(const void *ctx, const char *name), const void *ctx);

/* From now on, also while it runs; a plan of zeroes makes it honest again. */
void hostile_begin(struct host *h, const struct hostile_plan *plan);
void hostile_clear(struct host *h);
/* True: this datagram of its node does not leave. */
bool hostile_sends(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len);
void hostile_receives(struct host *h, const struct addr *from, const uint8_t *data, uint32_t len);
void hostile_run(struct host *h, const struct event *e);

#endif
