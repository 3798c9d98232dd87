/* policy_watch.h: which addresses a host may send to and be seen at, by the policy of its paths:
 * one with WATCH_RELAY_ONLY speaks UDP with places of relays only, nobody but relays sends it
 * anything, and none of its own addresses stands in clear in what it sends (all that it says is in
 * clear where sealing is a stub); one with WATCH_DIRECT_ONLY hands nothing to a relay. Relays are
 * told; the places at which they were stay theirs. Who had another policy before may have told its
 * peers where it is: what comes to it from there is not judged.
 */
#ifndef MESHD_SIM_INVARIANTS_POLICY_WATCH_H
#define MESHD_SIM_INVARIANTS_POLICY_WATCH_H

#include "net/base/addr.h"
#include "sim/invariants/watch_set.h"

enum watch_policy { WATCH_ANY_PATH, WATCH_RELAY_ONLY, WATCH_DIRECT_ONLY };
enum { POLICY_WATCH_ADDRS = 12 };

struct policy_host {
    enum watch_policy policy;
    bool relay;
    bool known,
        changed; /* it was said before; and was another then: peers may know its addresses */
    struct addr own[POLICY_WATCH_ADDRS];
    unsigned own_count;
};

struct policy_watch { /* all zeroes is empty */
    struct policy_host *hosts;
    uint32_t host_count, host_cap;
    struct watch_map places; /* of relays */
};

struct policy_packet {
    uint32_t from, at; /* who has really sent it, where it is */
    const struct addr *dst;
    const uint8_t *data;
    uint32_t len;
};

void policy_watch_clear(struct policy_watch *w);
void policy_watch_host(struct policy_watch *w, uint32_t host, enum watch_policy policy, bool relay);
/* Its addresses from now on, and those under which others see it. */
void policy_watch_addresses(struct policy_watch *w, uint32_t host, const struct addr *addrs,
                            unsigned count);
enum watch_policy policy_watch_of(const struct policy_watch *w, uint32_t host);
/* What is wrong with a packet that leaves its node, or has come to one; NULL: nothing. `judged`:
 * there was something to judge. */
const char *policy_watch_sent(struct policy_watch *w, const struct policy_packet *p, bool *judged);
const char *policy_watch_received(const struct policy_watch *w, const struct policy_packet *p,
                                  bool *judged);

#endif
