/* endpoint.h: everything a node does with packets: handshakes, sessions, streams, datagrams.
 *
 * A state machine without IO. In: datagrams, time, calls. Out, pulled: trains of datagrams, events,
 * the next deadline. One endpoint serves any number of peers; a peer has at most one session; a
 * session that carries streams has a transport attached, an idle one has not. Times are monotonic
 * us; one value per turn. Nothing calls back into the user.
 *
 * After any call, the user pulls endpoint_poll until it gives false, and endpoint_output until it
 * gives false (or its socket is full), and arms one timer for endpoint_deadline_us.
 */
#ifndef MESHD_NET_ENDPOINT_H
#define MESHD_NET_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/aead/aead.h"
#include "crypto/base/rng.h"
#include "crypto/identity/identity.h"
#include "net/base/addr.h"
#include "net/base/block.h"
#include "net/base/counters.h"
#include "net/base/event.h"
#include "net/base/timer.h"
#include "net/base/train.h"
#include "net/base/train_in.h"
#include "net/cc/cc.h"
#include "net/endpoint_relay.h"
#include "net/path/path_list.h"
#include "net/session/peer_setup.h"

struct endpoint;

struct endpoint_config {
    const struct identity *identity; /* copied */
    uint8_t network_id[32];          /* all zeroes: the public mesh. Bound into the handshake */
    struct rng rng;
    enum aead_provider provider;
    unsigned suites; /* 0 = all this machine has */
    enum cc_kind cc;
    uint16_t mtu_max_bytes; /* 0 = MTU_MAX_BYTES */
    /* Stream memory in units of STREAM_BLOCK_BYTES, and three sixteenths in reserve; 0 =
     * BLOCKS_DEFAULT. */
    uint32_t blocks_max;
    uint64_t wall_us;  /* wall clock now, us since 1970 */
    uint64_t rekey_us; /* 0 = KEYS_REKEY_US; shorter in tests */
};

/* NULL on out of memory. */
struct endpoint *endpoint_new(const struct endpoint_config *cfg, uint64_t now_us);
void endpoint_free(struct endpoint *e); /* wipes every secret */
/* The wall clock may jump; handshakes need it only to be newer than before. */
void endpoint_set_wall(struct endpoint *e, uint64_t now_us, uint64_t wall_us);
struct block_pool *endpoint_blocks(struct endpoint *e);

/* ---- peers ---- */
/* Lets this peer in and out. Adding an id that is known replaces its setup and keeps its session.
 * ERR_FULL, ERR_NOMEM, ERR_USAGE (our own id). */
int endpoint_peer_add(struct endpoint *e, const struct peer_setup *s,
                      struct peer_ref *out) MUST_USE;
/* By which ways somebody who is no peer yet may come, with a ticket or without: what comes by
 * others to begin a session is dropped without an answer. Not a relay's guests. PATH_AUTO at
 * first. */
void endpoint_strangers_path(struct endpoint *e, enum path_policy policy);
/* Its session ends with a CLOSE and an EP_SESSION_DOWN (ERR_CLOSED). */
void endpoint_peer_remove(struct endpoint *e, uint64_t now_us, struct peer_ref p);
/* A place of the peer's beside its addresses, up to PEER_PLACES_MAX: a dial goes there, too, at the
 * same time and first, and a session asks whether it is a path. It is forgotten when its flow ends.
 * Twice is fine. ERR_NOT_FOUND (no such peer), ERR_FULL, ERR_NOMEM, ERR_USAGE: the peer's policy
 * forbids it. */
int endpoint_peer_place_add(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                            const struct hop *at) MUST_USE;
void endpoint_peer_place_remove(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                                const struct hop *at);
/* Whose reference it is; false: nobody's any more. */
bool endpoint_peer_id(const struct endpoint *e, struct peer_ref p, struct node_id *out);
/* Its sessions stay, though nobody uses them, and where the network forgets who was silent: when
 * nothing was sent for interval_us (KEEPALIVE_MIN_US to KEEPALIVE_MAX_US; 0: no more), something
 * is, and every KEEPALIVE_ASK_EVERYth time the peer has to answer. One that owes an answer to three
 * such questions in a row, a second apart, is down (EP_SESSION_DOWN, ERR_TIMEOUT): so it is with
 * what is behind a relay that has died. ERR_NOT_FOUND, ERR_USAGE. */
int endpoint_keepalive(struct endpoint *e, uint64_t now_us, struct peer_ref p,
                       uint64_t interval_us) MUST_USE;
/* A one-time secret: whoever shows it becomes a peer (EP_PAIRED) and the secret is burned.
 * expires_us is monotonic. */
int endpoint_ticket_open(struct endpoint *e, const struct psk *secret,
                         uint64_t expires_us) MUST_USE;
void endpoint_ticket_close(struct endpoint *e, const struct psk *secret);

/* Starts a session if there is none: 0 when one is up or coming, ERR_OFFLINE if no address is
 * known, ERR_NOT_FOUND. The outcome is EP_SESSION_UP or EP_CONNECT_FAILED. */
int endpoint_connect(struct endpoint *e, uint64_t now_us, struct peer_ref p) MUST_USE;
/* The same where nobody waits for it and the peer is away as likely as not: fewer repetitions. An
 * endpoint_connect meanwhile makes an ordinary attempt of it, which begins then. */
int endpoint_call(struct endpoint *e, uint64_t now_us, struct peer_ref p) MUST_USE;
/* When something authentic of the peer's was last heard, monotonic; 0: never. */
uint64_t endpoint_heard_us(const struct endpoint *e, struct peer_ref p);
/* The peer's session, if one is up. Call endpoint_connect first: it ends one that is too old to be
 * used. */
bool endpoint_session(const struct endpoint *e, struct peer_ref p, struct session_ref *out);
/* Whose session it is: false if it has ended. */
bool endpoint_session_peer(const struct endpoint *e, struct session_ref s, struct peer_ref *out);
/* Ends it: a CLOSE goes to the peer. */
void endpoint_disconnect(struct endpoint *e, uint64_t now_us, struct session_ref s, int err);

struct session_info {
    struct node_id peer;
    uint64_t session_id;
    struct hop hop;       /* by what its packets leave */
    struct addr path;     /* the peer's address in use, if that is an address */
    struct node_id relay; /* through whom, if so; else zeroes */
    unsigned suite;       /* enum aead_suite */
    uint32_t caps;        /* capabilities that both sides have (docs/PROTOCOL.md §3) */
    uint64_t age_us, idle_us;
    uint64_t quiet_us; /* nothing has been heard for so long */
    uint8_t key_epoch;
    bool initiator, has_transport;
    uint64_t srtt_us, min_rtt_us, cwnd_bytes; /* 0 without a transport or sample */
    uint16_t mtu_bytes;
    uint64_t bytes_sent, bytes_received, pkts_sent, pkts_received, pkts_lost;
    uint64_t datagrams_unsent; /* ours that did not leave: late, pushed out, or too large */
};
bool endpoint_session_info(const struct endpoint *e, uint64_t now_us, struct session_ref s,
                           struct session_info *out);

/* The user has found by itself that the peer does not answer: EP_SESSION_HEARD follows when
 * something is heard, and no EP_SESSION_SILENT before. */
void session_tell_heard(struct endpoint *e, struct session_ref s);

/* ---- packets ---- */
/* Datagrams in the order in which they came, opened in place: the buffer is scratch afterwards.
 * The hop is handed back in the trains that answer them. */
void endpoint_input_train(struct endpoint *e, uint64_t now_us, const struct train_in *r);
/* A run of one. */
void endpoint_input(struct endpoint *e, uint64_t now_us, const struct hop *from, uint8_t ecn,
                    uint8_t *buf, size_t len);
/* Fills one train; false if nothing may leave now. t->buf and t->full are the caller's: what would
 * leave by a socket that is full waits, and holds up nothing else. Only trains for LOCAL_ANY are
 * given in any case. */
bool endpoint_output(struct endpoint *e, uint64_t now_us, struct train *t);
/* The network refused a datagram of this size (EMSGSIZE). */
void endpoint_too_big(struct endpoint *e, uint64_t now_us, const struct addr *to, size_t bytes);

/* A router's word that a datagram was too big for the next link (RFC 1191, RFC 8201), from an
 * environment that hears ICMP. */
struct icmp_quote {      /* of the datagram that it quotes */
    struct addr to;      /* where it went */
    size_t bytes;        /* its UDP payload */
    const uint8_t *head; /* the first bytes of that */
    size_t len;
};
/* Believed only if it quotes a data packet of a session that goes there, one of the last
 * ICMP_QUOTE_RECENT_PKTS (anybody can send ICMP), and never below MTU_BASE_BYTES. `fits_bytes`: the
 * UDP payload that would have passed. */
void endpoint_icmp_too_big(struct endpoint *e, uint64_t now_us, const struct icmp_quote *q,
                           size_t fits_bytes);
uint64_t endpoint_deadline_us(const struct endpoint *e);
void endpoint_timeout(struct endpoint *e, uint64_t now_us);

/* ---- events ---- */
bool endpoint_poll(struct endpoint *e, struct ep_event *out);

/* ---- streams: ordered bytes both ways, with half-close ---- */
/* ERR_NOT_FOUND (session or stream gone), ERR_FULL (too many streams), ERR_NOMEM. */
int stream_open(struct endpoint *e, struct session_ref s, uint64_t *stream) MUST_USE;
/* Copies up to len bytes; *taken may be less, 0 with ERR_AGAIN when the buffer is full (then
 * EP_STREAM_WRITABLE comes). ERR_CLOSED after finish or reset. */
int stream_write(struct endpoint *e, struct session_ref s, uint64_t stream, const void *data,
                 size_t len, size_t *taken) MUST_USE;
/* A block to be filled and given to stream_write_span, at most as large as asked for, on the
 * session's account: NULL when the session has its share of the memory for sending, or is gone, or
 * carries no streams. */
struct block *stream_block(struct endpoint *e, struct session_ref s, size_t bytes);
/* Without copying: takes its own reference on the block, whose bytes must not change until it is
 * released. All or nothing: ERR_AGAIN if STREAM_SEND_BUFFER_BYTES are already waiting unsent. */
int stream_write_span(struct endpoint *e, struct session_ref s, uint64_t stream,
                      struct span span) MUST_USE;
/* Bytes written but not yet sent for the first time. */
size_t stream_unsent(const struct endpoint *e, struct session_ref s, uint64_t stream);
/* FIN after what was written. Twice is fine. */
int stream_finish(struct endpoint *e, struct session_ref s, uint64_t stream) MUST_USE;
/* Gives up sending; err travels to the peer (EP_STREAM_RESET there). */
int stream_reset(struct endpoint *e, struct session_ref s, uint64_t stream, int err) MUST_USE;
/* Reads no more; the peer hears it (EP_STREAM_STOPPED there). */
int stream_stop(struct endpoint *e, struct session_ref s, uint64_t stream, int err) MUST_USE;
/* Nobody reads this stream any more: its end is taken note of, more bytes are refused. */
void stream_let_go(struct endpoint *e, struct session_ref s, uint64_t stream);
/* Neither half goes on: reset and stopped, the peer hears err of both. */
void stream_abort(struct endpoint *e, struct session_ref s, uint64_t stream, int err);
/* In-order bytes ready from `skip` bytes after the read position on: up to max spans, without
 * references (valid until consumed; take references with block_get to keep them longer). *fin: the
 * stream ends right after them. Returns the number of spans. */
unsigned stream_peek(struct endpoint *e, struct session_ref s, uint64_t stream, size_t skip,
                     struct span *spans, unsigned max, bool *fin);
/* How many bytes the peer may have under way at once: what a reader takes in some round trips. 0:
 * no such stream. */
uint64_t stream_window(const struct endpoint *e, struct session_ref s, uint64_t stream);
/* Moves the read position over n bytes (n must be ready) and gives the peer credit for as many. */
void stream_consume(struct endpoint *e, uint64_t now_us, struct session_ref s, uint64_t stream,
                    size_t n);
/* Whose it is with the user: given back in every event of the stream that is polled from now on,
 * in those that wait already, too. New streams have 0. */
void stream_set_owner(struct endpoint *e, struct session_ref s, uint64_t stream, uint64_t owner);
/* Priority: 0 (first) .. 7 (last); new streams have 3. Within one priority streams take turns. */
void stream_set_priority(struct endpoint *e, struct session_ref s, uint64_t stream, unsigned prio);

/* ---- without streams ---- */
/* Leaves before stream data, is never sent again, and is dropped unsent after deadline_us, or when
 * DATAGRAM_QUEUE_MAX newer ones wait: session_info.datagrams_unsent tells how many were.
 * len <= DATAGRAM_MAX_BYTES else ERR_USAGE. */
int session_datagram(struct endpoint *e, uint64_t now_us, struct session_ref s, const void *data,
                     size_t len, uint64_t deadline_us) MUST_USE;
/* One control datagram inside the session, EP_RECORD there: never sent again, no use of the session
 * as far as its idle time counts, and no transport is attached for it. Records take turns with the
 * trains of streams. ERR_USAGE (len > RECORD_MAX_BYTES, or more than the path's packets take),
 * ERR_UNSUPPORTED (the peer does not know records), ERR_FULL (so many wait), ERR_AGAIN (the keys
 * are too old to send; a handshake is under way), ERR_NOT_FOUND. */
int session_record(struct endpoint *e, uint64_t now_us, struct session_ref s, const void *data,
                   size_t len) MUST_USE;
/* How long its keys may still be used to send; 0: not at all, or no such session. New ones begin
 * when something is sent that needs them. */
uint64_t session_keys_left_us(const struct endpoint *e, uint64_t now_us, struct session_ref s);
/* If they may not be used any more: true if a handshake is under way. Its answer tells as much as
 * an echo's, but for the id (endpoint_heard_us). */
bool session_renew(struct endpoint *e, uint64_t now_us, struct session_ref s);
/* An echo inside the session: EP_PONG with the same id, or nothing. */
int session_ping(struct endpoint *e, uint64_t now_us, struct session_ref s, uint64_t id) MUST_USE;
/* The network may have changed: asks the peer at this address and, if it answers, moves there as to
 * a new path (congestion, RTT and MTU start afresh) and tells EP_ROAMED; until then, and if it does
 * not answer, all stays as it is. Normally the endpoint does it by itself when the peer roams.
 * ERR_NOT_FOUND, ERR_NOMEM, ERR_USAGE (the peer's policy forbids it). */
int session_switch_path(struct endpoint *e, uint64_t now_us, struct session_ref s,
                        const struct hop *to) MUST_USE;

/* ---- several paths ---- */
struct path_info {
    struct hop hop;
    enum path_status status;
    bool in_use;
    uint64_t srtt_us;       /* 0: not measured */
    unsigned loss_permille; /* of what left by it */
    uint16_t mtu_bytes;     /* 0: not known */
    const char *why;        /* a sentence */
    uint64_t heard_us;      /* the last packet from there, monotonic; 0: none */
};
/* The paths of a session, the one in use first. Returns how many, 0: no such session. */
unsigned session_paths(const struct endpoint *e, struct session_ref s,
                       struct path_info out[static PATHS_MAX]);
/* Interfaces or routes are others now: places that did not answer are asked again as soon as their
 * session is used. */
void endpoint_network_changed(struct endpoint *e, uint64_t now_us);

/* ---- counters: what peers and the world did to us ---- */
const struct endpoint_counters *endpoint_counters(const struct endpoint *e);
/* Sessions that are up; and half-open handshakes. */
uint32_t endpoint_session_count(const struct endpoint *e);
uint32_t endpoint_half_open_count(const struct endpoint *e);

#endif
