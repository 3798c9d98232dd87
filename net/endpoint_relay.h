/* endpoint_relay.h: relays, as far as an endpoint has to do with them (docs/PROTOCOL.md §7): being
 * one, using one, and asking for the key of one. Part of net/endpoint.h.
 *
 * A relay is a peer with a session; a place that is reached through it is a struct hop of the kind
 * HOP_RELAY: the relay and the number of our end of the flow. What leaves by such a hop goes, with
 * 8 bytes before each datagram, to where the relay's session is at that moment. At most
 * RELAYS_IN_A_ROW_MAX in a row.
 */
#ifndef MESHD_NET_ENDPOINT_RELAY_H
#define MESHD_NET_ENDPOINT_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"
#include "net/base/hop.h"
#include "net/base/ref.h"

struct endpoint;
struct relay_limits; /* net/relay/relay_limits.h */
struct relay_stats;  /* net/relay/relay_server.h */

/* ---- being a relay ---- */
/* From now on this node forwards, within these limits (copied), and whoever shows that an id is its
 * own gets a session as guest, without a secret: it may send what a relay's client sends and
 * nothing else. NULL: no more; clients are told (RESTARTING, at once), guests are sent away.
 * Called again: other limits, and nothing ends (relay_server_set_limits). ERR_NOMEM. */
int endpoint_relay_serve(struct endpoint *e, const struct relay_limits *l,
                         uint64_t now_us) MUST_USE;
/* Who may use it, beside what the limits say: if `allowed` has any, only these; never the
 * `blocked`. Copied; both empty: everybody. ERR_FULL: more than RELAY_LIST_MAX in one. ERR_NOMEM.
 * Legal only while serving (ERR_USAGE). */
int endpoint_relay_allow(struct endpoint *e, uint64_t now_us, const struct node_id *allowed,
                         unsigned allowed_count, const struct node_id *blocked,
                         unsigned blocked_count) MUST_USE;
/* Tells all clients, and takes no more reservations and flows. */
void endpoint_relay_restarting(struct endpoint *e, uint64_t now_us, uint32_t in_ms,
                               uint32_t for_ms);
/* How busy this machine is, 0 to 255, as whoever can measure it says: part of the load that clients
 * are told. */
void endpoint_relay_busy(struct endpoint *e, uint8_t busy);
/* False: it does not serve. */
bool endpoint_relay_stats(const struct endpoint *e, struct relay_stats *out);

/* ---- using one ---- */
/* Asks, over the session with it, to be reachable there: EP_RELAY_RESERVED or EP_RELAY_REFUSED.
 * To be asked again before the lifetime is over. ERR_OFFLINE: there is no session. ERR_UNSUPPORTED:
 * its peer does not know records. ERR_FULL, ERR_NOMEM. */
int relay_reserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay) MUST_USE;
/* Gives the reservation back, without an answer. */
void relay_unreserve(struct endpoint *e, uint64_t now_us, struct peer_ref relay);
/* Asks for a flow to a peer that has a reservation there: EP_RELAY_OPENED, whose hop is the place
 * to be given to endpoint_peer_place_add, or EP_RELAY_REFUSED, each with *request. For a peer to
 * which there is a flow it is the same one, renewed. Errors as above. */
int relay_open(struct endpoint *e, uint64_t now_us, struct peer_ref relay,
               const struct node_id *peer, uint32_t *request) MUST_USE;
/* The answer to EP_RELAY_INCOMING; nothing passes before it. After `accept` the event's hop may be
 * given to endpoint_peer_place_add. ERR_NOT_FOUND: there is no such flow any more. */
int relay_answer(struct endpoint *e, uint64_t now_us, struct peer_ref relay, uint32_t flow,
                 bool accept) MUST_USE;
/* The flow is needed no more. No EP_RELAY_ENDED comes here; at the other end it does. */
void relay_close(struct endpoint *e, uint64_t now_us, const struct hop *flow);

/* ---- whose key has a relay ---- */
/* Asks the node at this address, which may only be known by its id, for its transport key:
 * EP_KEY_TOLD with `id` = *nonce (err 0: node, transport, cert_seq, hop; the certificate was
 * checked, but it is for the user to compare the id; err ERR_TIMEOUT: nobody has answered in
 * KEY_ASK_TRIES). Answers of other ids that come within KEY_ASK_LATE_US are told, too, of one nonce
 * KEY_ASK_ANSWERS in all. ERR_FULL: KEY_ASKS_MAX are out. ERR_USAGE: not an address. */
int endpoint_key_ask(struct endpoint *e, uint64_t now_us, const struct hop *at,
                     uint64_t *nonce) MUST_USE;
/* It may be there as well: asked with the second sending of that question, and all after it; the
 * event names who has answered. Beyond KEY_PLACES_MAX, and when it has been answered: not. */
void endpoint_key_also(struct endpoint *e, uint64_t nonce, const struct hop *at);
/* The same where the key is known, and only the round trip is asked for: EP_KEY_TOLD without node
 * and key. Whoever sees the question may answer it. */
int endpoint_key_probe(struct endpoint *e, uint64_t now_us, const struct hop *at,
                       uint64_t *nonce) MUST_USE;

#endif
