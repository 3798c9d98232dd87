/* event.h: what the endpoint tells its user. Polled (net/endpoint.h): nothing calls back. What the
 * user has written on a peer (struct peer_setup) and on a stream (stream_set_owner) comes back in
 * it, so that nobody has to look for whom it is.
 */
#ifndef MESHD_NET_BASE_EVENT_H
#define MESHD_NET_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/types.h"
#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "net/base/hop.h"
#include "net/base/ref.h"

enum ep_event_kind {
    EP_SESSION_UP,   /* both sides hold the keys: peer, session */
    EP_SESSION_DOWN, /* peer, session, err; its streams are gone. ERR_TICKET, ERR_UNKNOWN: the peer
                        * has said that it does not let us in (any more) */
    EP_CONNECT_FAILED, /* peer, err, by_ticket: ERR_TIMEOUT (nobody answered); or, proved by a
                        * handshake: ERR_UNKNOWN, ERR_SECRET, ERR_STALE (the peer refuses us, and
                        * why), ERR_AUTH (who has the peer's key is another identity, or the key is
                        * old) */
    EP_PAIRED,         /* peer, node, transport, cert_seq, and secret = the pairing secret to keep;
                         * ticket = secret that was used up: it stays this peer's only one until the
                         * pairing secret is stored safely and given to endpoint_peer_add in front
                         * of it. Before the EP_SESSION_UP */
    EP_TICKET_DONE, /* peer: a handshake with the pairing secret has succeeded, so that both sides
                         * hold it: the ticket's has been forgotten here, and is not given any
                         * more */
    EP_PEER_KEY,    /* peer, node, transport, cert_seq: a handshake has proved a newer certificate
                         * of the peer's than the one known. Both are to be kept and given back in
                         * struct peer_setup, or a replaced key counts again after a restart. Not
                         * for a pairing: there EP_PAIRED carries them. Before the EP_SESSION_UP */
    EP_SESSION_SILENT,  /* session: what it has to answer is not answered, and nothing is heard
                        * (PEER_SILENT_US). It goes on; once until the next one */
    EP_SESSION_HEARD,   /* session: something is heard again */
    EP_ROAMED,          /* session: it goes to another address now, which has answered; addr */
    EP_STREAM_OPENED,   /* session, stream: by the peer */
    EP_STREAM_READABLE, /* session, stream: new bytes, or the end */
    EP_STREAM_WRITABLE, /* session, stream: room again after ERR_AGAIN */
    EP_STREAM_FINISHED, /* session, stream: all we wrote, and our FIN, is acknowledged */
    EP_STREAM_RESET,    /* session, stream, err: the peer will send no more */
    EP_STREAM_STOPPED,  /* session, stream, err: the peer reads no more */
    EP_DATAGRAM,        /* session, data/len valid until the next endpoint call */
    EP_RECORD,          /* session, data/len as EP_DATAGRAM: a record of the peer's */
    EP_PONG,            /* session, id, hop, addr */
    /* Of relays (net/endpoint_relay.h). peer: the relay; relay: what it has said. */
    EP_RELAY_RESERVED,   /* request, lifetime_s, load, flows_max, rate_kib_s, quota_left_mib */
    EP_RELAY_REFUSED,    /* request, reason, err; node: to whom a flow was wanted, or zeroes */
    EP_RELAY_OPENED,     /* request, node, hop, lifetime_s */
    EP_RELAY_INCOMING,   /* node wants a flow to us; hop, lifetime_s: relay_answer */
    EP_RELAY_ENDED,      /* node, hop, reason, err: the flow has gone, and the place with it */
    EP_RELAY_LOAD,       /* load, rate_kib_s, quota_left_mib */
    EP_RELAY_RESTARTING, /* in_ms, for_ms */
    EP_KEY_TOLD,         /* id: the nonce; err; node, transport, cert_seq, hop */
};

struct ep_relay_said { /* what the event's kind names; the rest is 0 */
    uint8_t reason;    /* enum relay_reason (net/wire/relay_msg.h) */
    uint8_t load;      /* 0 .. 255 */
    uint16_t lifetime_s, flows_max;
    uint32_t request;
    uint32_t rate_kib_s, quota_left_mib;
    uint32_t in_ms, for_ms;
};

struct ep_event {
    enum ep_event_kind kind;
    struct peer_ref peer;
    struct session_ref session;
    int err;
    bool by_ticket; /* what was tried, or tried last, was a ticket's secret */
    bool guest;     /* EP_SESSION_UP, _DOWN: nobody has named the peer (endpoint_relay_serve) */
    uint64_t peer_owner; /* the peer's; 0: nobody's */
    uint64_t owner;      /* EP_STREAM_*: the stream's as it is now, or was last; 0: nobody's */
    union {
        uint64_t stream; /* EP_STREAM_* */
        uint64_t id;     /* EP_PONG, EP_KEY_TOLD */
    };
    const uint8_t *data;
    size_t len;
    struct node_id node;
    struct dh_public transport;
    uint64_t cert_seq;
    union {
        struct {
            union {
                struct addr addr;
                struct ep_relay_said relay; /* EP_RELAY_* */
            };
            struct hop hop;
        };
        struct {
            struct psk secret, ticket; /* EP_PAIRED; wipe after use */
        };
    };
};

#endif
