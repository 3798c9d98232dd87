/* hostile_plan.h: what a hostile host is to do, and how a scenario says it. A protocol that comes
 * later adds its lies as further kinds here.
 */
#ifndef MESHD_SIM_WORLD_HOSTILE_PLAN_H
#define MESHD_SIM_WORLD_HOSTILE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* Garbage; initiations without sense; a stranger's, right in all but that nobody has let it in. */
/* Forward: to a relay, by flows that are guessed or were seen, garbage or old packets within. */
enum flood_kind { FLOOD_RANDOM, FLOOD_INITIATION, FLOOD_STRANGER, FLOOD_FORWARD, FLOOD_KEY_ASK };

struct hostile_plan {    /* all zeroes does nothing */
    uint32_t drop_ppb;   /* of what its node sends */
    uint32_t drop_types; /* bit n: only datagrams of first byte n; 0: all */
    uint32_t replay_ppb; /* chance, per datagram sent or received, that an old one goes out again */
    /* Of what it forwards for others: some comes late, some twice, some to another flow's end. */
    uint32_t delay_ppb, twice_ppb, swap_ppb, spoil_ppb;
    uint64_t delay_ns;
    bool copies; /* it stands on the path of a host, and sends copies of what that sends itself */
    uint32_t copy_host, copy_ppb;
    bool opens; /* asks a relay for flows: to a host, or, UINT32_MAX, to ids that nobody has */
    uint32_t open_relay, open_to;
    uint64_t open_interval_ns;
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

/* NULL, or what is wrong with a word like "drop(10%)"; names of hosts are found by `find`
 * (UINT32_MAX: unknown). */
const char *hostile_read(struct hostile_plan *p, const char *word,
                         uint32_t (*find)(const void *ctx, const char *name), const void *ctx);

#endif
