/* peers.h: the peers that an endpoint knows, by reference and by id, and what is believed about
 * their keys. A reference is an index and a generation: freed places stay for that. Ids are public
 * keys: their bytes are as good as a hash, but chosen by strangers. Only ids that the user or a
 * ticket let in are ever stored, so that nobody can grow a chain at will.
 */
#ifndef MESHD_NET_SESSION_PEERS_H
#define MESHD_NET_SESSION_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/noise/cookie.h"
#include "net/base/hop.h"
#include "net/session/peer_setup.h"
#include "net/wire/relay_msg.h"

struct session;

/* Control records of relays that wait for new keys; further ones are lost, and said again. */
enum { UNSAID_MAX = 4 };

struct unsaid {
    unsigned count;
    struct {
        uint8_t len, data[RELAY_MSG_MAX_BYTES];
    } list[UNSAID_MAX];
};

struct peer {
    bool used;
    bool stranger; /* known only by a ticket's secret, or by nothing but its id: unconfirmed */
    bool guest;    /* let in without a secret, since we serve as relay; goes with its session */
    uint32_t index, generation;
    struct peer_setup setup; /* with the newest transport key that a handshake has proved */
    bool cert_seen;          /* the certificate of setup.transport, checked here: */
    uint8_t cert_signature[SIGN_BYTES];
    struct session *session; /* UP, or NULL */
    struct session *dial;    /* INITIATING, or NULL */
    struct session
        *answered;         /* RESPONDED, or NULL: beside a dial of ours, since it may be a replay */
    uint64_t guest_source; /* of a guest that is counted: hop_source of where it came from */
    struct hop *places;    /* PEER_PLACES_MAX, NULL until there is one: beside its addresses */
    unsigned place_count;
    struct unsaid *unsaid; /* in its session, which is up; NULL: nothing */
    uint64_t keepalive_us; /* endpoint_keepalive; 0: no */
    bool asked;            /* endpoint_connect was called and its outcome not told yet */
    uint64_t heard_us;     /* in sessions that have ended */
    struct hop last_path;  /* where it was heard last */
    /* Freshness of its initiations: the greatest timestamp of all that were confirmed, and how many
     * those were. */
    uint64_t last_timestamp_us, accepted;
    uint64_t opened_full_us; /* the sessions it has opened or renewed: PEER_OPEN_BURST are used up
                              * until then */
    /* What it told us in a RETRY. */
    bool has_cookie;
    uint64_t cookie_us;
    uint8_t cookie[COOKIE_BYTES];
    uint32_t next_in_bucket; /* index + 1; of one that is not used: the next such */
};

struct peers {          /* all zeroes is empty; places at addresses that do not change */
    struct peer **list; /* by index */
    uint32_t count, cap, used;
    uint32_t free;     /* the place that became free last, + 1; 0: none is */
    uint32_t *buckets; /* hash by id -> index + 1 */
    uint32_t bucket_cap;
};

void peers_clear(struct peers *t); /* wipes */
struct peer *peers_by_ref(const struct peers *t, struct peer_ref r);
struct peer *peers_by_id(const struct peers *t, const struct node_id *id);
struct peer *peers_add(struct peers *t, const struct node_id *id); /* NULL: full or no memory */
void peers_remove(struct peers *t, struct peer *p);
/* Places beside its addresses. ERR_FULL, ERR_NOMEM; a place that is known, twice is fine. */
int peer_place_add(struct peer *p, const struct hop *at) MUST_USE;
/* False: it is none of them. */
bool peer_place_remove(struct peer *p, const struct hop *at);
/* The policy, for all that leaves and all that comes: whether packets may go between us and the
 * peer by this hop. */
static inline bool path_policy_takes(enum path_policy policy, const struct hop *at) {
    switch (policy) {
    case PATH_RELAY_ONLY:
        return at->kind == HOP_RELAY;
    case PATH_DIRECT_ONLY:
        return at->kind != HOP_RELAY;
    case PATH_AUTO:
        break;
    }
    return true;
}
static inline bool peer_takes(const struct peer *p, const struct hop *at) {
    return path_policy_takes(p->setup.path, at);
}
enum { PEER_HOPS_MAX = PEER_PLACES_MAX + 1 + PEER_ADDRS_MAX };
/* Where it is called, each place once and none that its policy forbids: through relays, which
 * always works, then `first` (if that is a place), then its addresses. */
unsigned peer_hops(const struct peer *p, const struct hop *first,
                   struct hop out[static PEER_HOPS_MAX]);
/* The certificate names `id` and is signed for this key. p: what is known of the id, or NULL. */
bool peers_cert_ok(const struct peer *p, const struct node_id *id, const struct key_cert *c,
                   const struct dh_public *key) MUST_USE;
/* This key may take the place of the one known: it is the same, or its certificate is newer. */
bool peers_key_counts(const struct peer *p, const struct key_cert *c,
                      const struct dh_public *key) MUST_USE;
/* Checked and confirmed: from now on it is the peer's. True if that is news worth storing. */
bool peers_keep_key(struct peer *p, const struct key_cert *c, const struct dh_public *key);
static inline struct peer_ref peer_ref_of(const struct peer *p) {
    return (struct peer_ref){p->index, p->generation};
}

#endif
