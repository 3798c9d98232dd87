/* counters.h: what peers and the world did to an endpoint, by name. Peers can cause each of these,
 * so that none is a line in a log.
 */
#ifndef MESHD_NET_BASE_COUNTERS_H
#define MESHD_NET_BASE_COUNTERS_H

#include <stdint.h>

/* clang-format off */
#define ENDPOINT_COUNTERS(X) \
    X(pkts_in) X(pkts_out) X(bytes_in) X(bytes_out) X(malformed) \
    X(mac_fail) X(unknown_index) X(auth_fail) X(replay_dropped) X(handshakes_in) \
    X(handshakes_out) X(handshake_refused) X(handshake_stale) X(cookies_sent) \
    X(challenges_sent) X(handshakes_limited) \
    X(sessions_up) X(sessions_down) X(rekeys) X(simultaneous_open) X(roamed) \
    X(pkts_lost) X(spurious_losses) X(ptos) X(persistent_congestion) X(black_holes) \
    X(credit_repeated) X(frames_bad) X(no_room) X(reclaimed) X(queue_dropped) \
    X(datagrams_expired) X(data_accepted) X(rekeys_repeated) \
    X(rekeys_failed) X(strangers_dropped) \
    X(reductions_undone) X(switched_in_slow_start) X(ce_received) X(ecn_validated) X(ecn_failed) \
    X(paths_challenged) X(paths_rescued) X(paths_suspected) X(paths_bettered) X(trains_copied) \
    X(path_reports_in) X(icmp_believed) X(icmp_refused) \
    X(handshakes_unsent) X(frames_unsent) X(records_unsent) \
    X(records_out) X(records_in) X(records_dropped) \
    X(policy_dropped) X(relay_no_way) X(relayed_in) X(relayed_refused) X(forward_refused) \
    X(relay_records_bad) X(guests_up) X(guests_refused) X(guests_ended) X(key_asks_in) \
    X(key_asks_refused) X(keys_told) X(key_told_refused) X(keepalives) \
    X(silences_asked) X(peers_silent)
/* clang-format on */
struct endpoint_counters {
#define X(name) uint64_t name;
    ENDPOINT_COUNTERS(X)
#undef X
};

#endif
