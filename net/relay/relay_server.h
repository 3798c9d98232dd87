/* relay_server.h: a relay without its sessions: who its clients are, what they have reserved, which
 * flows there are, and what is forwarded (docs/PROTOCOL.md §7).
 *
 * Whoever has the sessions (the endpoint) says when one with a client is up, where it is,
 * and when it is gone; hands in the RECORDs of kind RECORD_KIND_RELAY and the runs of FORWARDs that
 * come, and pulls out records and trains of FORWARDEDs until there are none. A client is somebody
 * who has sent a record: a session costs nothing here before that. A FORWARD is found by its flow's
 * number, must come by the hop that its client's session is at, and is copied once, header
 * rewritten; nothing else of it is looked at.
 *
 * What a client can cause is a counter. Owns all its memory; time is an argument; the randomness of
 * flow numbers is handed in.
 */
#ifndef MESHD_NET_RELAY_RELAY_SERVER_H
#define MESHD_NET_RELAY_RELAY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/rng.h"
#include "crypto/identity/identity.h"
#include "net/base/hop.h"
#include "net/base/ref.h"
#include "net/base/train.h"
#include "net/base/train_in.h"
#include "net/relay/relay_limits.h"
#include "net/wire/relay_msg.h"

struct relay_server; /* opaque */

/* clang-format off */
#define RELAY_COUNTERS(X) \
    X(forwarded_pkts) X(forwarded_bytes) /* handed out; bytes with their headers */ \
    X(malformed) X(unknown_flow) X(wrong_source) X(not_open) X(too_big) \
    X(over_rate) X(over_quota) X(queue_full) X(queue_late) \
    X(records_bad) X(records_in) X(signals_lost) \
    X(reservations_refused) X(opens_refused) X(flows_opened) X(flows_ended)
/* clang-format on */
struct relay_counters { /* datagrams that were dropped, by why; and what else happened */
#define X(name) uint64_t name;
    RELAY_COUNTERS(X)
#undef X
};

struct relay_stats { /* now */
    uint32_t clients, reservations, flows;
    uint32_t queued_bytes;
    size_t memory_bytes; /* all that this server has */
    uint8_t load;        /* 0 .. 255 */
    struct relay_counters counters;
};

/* NULL: no memory. `limits` is copied; NULL: the defaults. */
struct relay_server *relay_server_new(const struct relay_limits *limits, const struct rng *rng,
                                      uint64_t now_us);
void relay_server_free(struct relay_server *s); /* NULL is legal */

/* Other limits from now on; what there is goes on. Of what is beyond a new limit nothing ends,
 * there is only no more of it. How many flows there can be in all stays as it was. */
void relay_server_set_limits(struct relay_server *s, const struct relay_limits *limits);
/* The lists, each of at most RELAY_LIST_MAX ids, in any order; copied. If `allow` is not empty,
 * only those in it may reserve (and whoever asks may open flows to them). Who is in `block` may do
 * neither; what it has ends (`denied`), and so does a reservation of who may have none any more.
 * All else goes on. ERR_FULL, ERR_NOMEM: the lists are as before. */
int relay_server_lists(struct relay_server *s, uint64_t now_us, const struct node_id *allow,
                       size_t allow_count, const struct node_id *block,
                       size_t block_count) MUST_USE;

/* ---- sessions ---- */

/* The session with this peer is up, at `hop`. Called again: it is a new one, and what the old one
 * had ends. ERR_FULL, ERR_NOMEM: it is not taken; its records are refused by silence. May be called
 * for every session, or only when its first record comes. */
int relay_server_client_up(struct relay_server *s, uint64_t now_us, struct peer_ref peer,
                           const struct node_id *id, const struct hop *hop) MUST_USE;
/* It has moved. What is not known is passed over, here and below. */
void relay_server_client_moved(struct relay_server *s, uint64_t now_us, struct peer_ref peer,
                               const struct hop *hop);
/* It is gone: its reservation and its flows end, the other ends hear `gone`. */
void relay_server_client_down(struct relay_server *s, uint64_t now_us, struct peer_ref peer);
bool relay_server_has_client(const struct relay_server *s, struct peer_ref peer);
/* It has a reservation or a flow here, or has asked for one. */
bool relay_server_uses(const struct relay_server *s, struct peer_ref peer);

/* ---- control ---- */

/* A record of kind RECORD_KIND_RELAY, whole, from this client. */
void relay_server_input(struct relay_server *s, uint64_t now_us, struct peer_ref from,
                        const uint8_t *data, size_t len);
/* The next record that is to be sent, to whom; false: none now. One that cannot be sent is lost
 * like any other: it is repeated, or asked for again. */
bool relay_server_next(struct relay_server *s, uint64_t now_us, struct peer_ref *to,
                       uint8_t out[static RELAY_MSG_MAX_BYTES], size_t *len) MUST_USE;
/* Tells every client that the relay stops in `in_ms`, for `for_ms`, RELAY_RESTARTING_TRIES times;
 * from now on RESERVE and OPEN are refused. */
void relay_server_restarting(struct relay_server *s, uint64_t now_us, uint32_t in_ms,
                             uint32_t for_ms);

/* ---- forwarding ---- */

/* A run of datagrams whose first bytes are PACKET_FORWARD (others are counted as malformed), of any
 * flows. The buffer is read only. */
void relay_server_forward(struct relay_server *s, uint64_t now_us, const struct train_in *run);
/* Fills the next train of FORWARDEDs, of one flow; t->to is where the receiver's session is now (it
 * may be a hop of kind HOP_RELAY: the caller wraps it once more). Trains to sockets in t->full wait
 * and hold up no others. False: nothing now; deadline_us says when to ask again if the rate is used
 * up. */
bool relay_server_output(struct relay_server *s, uint64_t now_us, struct train *t) MUST_USE;

/* ---- time ---- */

uint64_t relay_server_deadline_us(const struct relay_server *s); /* TIME_NEVER: none */
/* Everything that is due; then pull records and trains. */
void relay_server_timeout(struct relay_server *s, uint64_t now_us);

/* How busy this machine is with it, 0 to 255, as the environment measures it (0 if it does not):
 * part of the load that clients are told. */
void relay_server_busy(struct relay_server *s, uint8_t busy);
void relay_server_stats(const struct relay_server *s, struct relay_stats *out);

#endif
