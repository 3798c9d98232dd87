/* endpoint_int.h: what the endpoint's files share and nobody else sees. In the order of who calls
 * whom, none calls one that stands below it:
 *
 *   endpoint_hop.c        through which relays something leaves
 *   endpoint_small.c      packets that are made whole at once
 *   endpoint_guest.c      who is let in since we serve as relay
 *   endpoint_session.c    how a session begins, comes up and ends, and what is told of it
 *   endpoint_keepalive.c  sessions that are kept though nobody uses them
 *   endpoint_path.c       where its packets go, and what is asked before that changes
 *   endpoint_standby.c    several paths: the ones kept ready, and when one of them is taken
 *   (handshake_int.h)     handshakes and rekeys
 *   endpoint_renew.c      when what is sent asks for new keys
 *   endpoint_silent.c     whether the peer answers
 *   endpoint_memory.c     writers that wait for memory, and taking it back
 *   endpoint_place.c      places of peers beside their addresses
 *   endpoint_key_ask.c    whose key has a relay
 *   endpoint_relay.c      relays: being one, using one
 *   endpoint_time.c       all timers: deadlines and timeouts
 *   endpoint_out.c        trains out, and word that one was too big
 *   endpoint_in.c         datagrams in
 *   endpoint_streams.c    the stream and datagram calls
 *   endpoint.c            life, peers and tickets, calling one, events
 */
#ifndef MESHD_NET_ENDPOINT_INT_H
#define MESHD_NET_ENDPOINT_INT_H

#include "net/endpoint.h"
#include "net/relay/relay_client.h"
#include "net/relay/relay_server.h"
#include "net/session/guests.h"
#include "net/session/handshake_budget.h"
#include "net/session/open_tickets.h"
#include "net/session/peers.h"
#include "net/session/session_table.h"
#include "net/session/small_queue.h"
#include "net/session/strangers.h"
#include "net/wire/frame.h"
#include "net/wire/relay_msg.h"

struct train_copy { /* sealed packets of one size, but for the last, without a relay's headers */
    struct session_ref session;
    struct hop to;
    size_t len;
    uint16_t segment_bytes;
    uint8_t buf[];
};

struct endpoint {
    struct identity identity;
    struct key_cert cert;
    uint8_t prologue[8 + 32];
    struct handshake_self self;
    struct rng rng;
    struct aead *aead;
    unsigned suites;
    uint32_t caps; /* what we state: CAPABILITIES */
    enum cc_kind cc;
    uint16_t mtu_max;
    uint64_t rekey_us;
    int64_t wall_offset_us;
    uint64_t last_timestamp_us; /* of our own initiations */
    struct block_pool *blocks;
    struct transport_shares shares;
    struct cookie_jar jar;
    uint64_t load_second;
    uint32_t load_count;
    struct handshake_budget budget;
    struct events events;
    struct endpoint_counters counters;

    struct peers peers;
    struct open_tickets tickets;
    struct session_table sessions;
    struct strangers strangers;
    enum path_policy strangers_path; /* of whoever is no peer */
    struct guests guests;
    struct small_queue waiting;
    struct train_copy *copy; /* of the train that left last, for another path; NULL: none */
    unsigned turn;           /* who comes first now: records, relayed trains, sessions' trains */
    uint64_t told_us;        /* the newest time that any call has brought */
    struct relay_server *relay_server; /* NULL: we do not serve */
    struct relay_client *relay_client; /* NULL until a relay is used */
    struct peer_ref *relays;           /* that are used, RELAYS_MAX at most; the last heard first */
    uint32_t relay_count, relay_cap;
    struct key_asks *key_asks; /* NULL until there is one */
    struct handshake_budget key_budget;
    uint64_t reclaim_us; /* not looked for memory to take back before */
};

/* ---- endpoint_hop.c ---- */
/* By what something leaves: through no relay, or through the sessions with one or two, each of
 * which puts a header before it. */
struct carrier {
    struct hop to; /* where the datagrams go: to no relay's flow */
    unsigned relays;
    uint32_t flows[RELAYS_IN_A_ROW_MAX];     /* the innermost first */
    struct session *by[RELAYS_IN_A_ROW_MAX]; /* likewise; good until the next call that ends one */
};
/* False: there is no session with a relay on the way, no such flow, or one relay too many. */
bool endpoint_carrier(const struct endpoint *e, const struct hop *h, struct carrier *out);
/* What stands before each datagram that leaves by it. */
static inline size_t carrier_bytes(const struct carrier *c) {
    return (size_t)c->relays * FORWARD_HEADER_BYTES;
}
/* The same for a hop, with a way or without. */
size_t endpoint_hop_overhead(const struct endpoint *e, const struct hop *h);
/* Nothing where there is no way: that will not leave. */
void carrier_write(const struct carrier *c, uint8_t *out);
/* So many bytes are to leave by it now. False: a flow is not open (any more), or the path of a
 * relay's session is in doubt and may get no more. */
bool carrier_spend(struct endpoint *e, uint64_t now_us, const struct carrier *c, size_t bytes);
/* The session is somewhere else: what is forwarded to its peer goes there. */
void endpoint_hop_moved(struct endpoint *e, const struct session *s);
/* The session has ended: what its peer had here, or we had there, has, too. */
void endpoint_hop_down(struct endpoint *e, const struct session *s);

/* What has come by this hop is taken as the peer's; false: its policy forbids it, and counted. */
bool endpoint_may_come(struct endpoint *e, const struct peer *p, const struct hop *from);

/* ---- endpoint_small.c ---- */
/* Queues a datagram of a handshake; dropped and counted when the queue for its kind is full, or the
 * policy of for_whom (NULL: nobody that is known) forbids it. */
void endpoint_queue_small(struct endpoint *e, const struct peer *for_whom, const struct hop *to,
                          const uint8_t *data, size_t len);
/* Seals a few session frames into a packet of their own and queues it; dropped and counted when the
 * session has SMALL_PER_SESSION_MAX waiting, or half as many if it is an answer, or when the path
 * is in doubt and has had enough. */
void endpoint_send_frames(struct endpoint *e, struct session *s, uint64_t now_us,
                          const uint8_t *frames, size_t len);
/* The same to an address that may have it. */
void endpoint_send_frames_to(struct endpoint *e, struct session *s, uint64_t now_us,
                             const struct hop *to, const uint8_t *frames, size_t len);
/* Seals a record, which the session may send, into a packet of its own and queues it. ERR_FULL,
 * and counted: it has SMALL_RECORDS_PER_SESSION_MAX waiting, or all together as many as may be, or
 * the path is in doubt and has had enough. */
int endpoint_send_record(struct endpoint *e, struct session *s, const void *data,
                         size_t len) MUST_USE;
/* What a relay or a client of it says: lost like any other if there is no room, and said again. */
void endpoint_send_said(struct endpoint *e, struct session *s, const uint8_t *msg, size_t len);
/* The same where the keys are too old to send, and new ones on their way: as soon as those are
 * there (endpoint_send_unsaid). Once more: once. More than UNSAID_MAX are lost. */
void endpoint_say_later(struct endpoint *e, struct peer *p, const uint8_t *msg, size_t len);
void endpoint_send_unsaid(struct endpoint *e, struct session *s);
/* The next small packet that is no record, or record, as a train of one; false: there is none. */
bool endpoint_take_small(struct endpoint *e, uint64_t now_us, struct train *t);
bool endpoint_take_record(struct endpoint *e, uint64_t now_us, struct train *t);

/* ---- endpoint_guest.c ---- */
/* May one more of this source come in as a guest? Only while we serve. */
bool endpoint_guest_room(const struct endpoint *e, const struct hop *from);
/* Its handshake is confirmed. False: the places have been taken since. */
bool endpoint_guest_comes(struct endpoint *e, struct peer *p, const struct hop *from) MUST_USE;
/* When it is looked at whether it has anything here. */
uint64_t endpoint_guest_us(const struct session *s);
/* The user, or a ticket, has named it: it is a peer like others. Legal for whoever is none. */
void endpoint_guest_named(struct endpoint *e, struct peer *p);

/* ---- endpoint_session.c ---- */
struct session *endpoint_find(const struct endpoint *e, struct session_ref r); /* only if UP */
struct session *endpoint_session_new(struct endpoint *e, struct peer *p, enum session_state state,
                                     uint64_t now_us);
void endpoint_session_up(struct endpoint *e, struct session *s, uint64_t now_us);
/* The one way in which a session ends, and nobody loses it under his hands: an UP one tells
 * EP_SESSION_DOWN, nothing finds it any more, and it is SESSION_ENDED for whoever holds it; twice
 * is fine. It is freed by endpoint_reap, which every call of the user's that may end one makes
 * last: between two calls there is none left. */
void endpoint_session_end(struct endpoint *e, struct session *s, int err);
void endpoint_reap_ended(struct endpoint *e);
static inline void endpoint_reap(struct endpoint *e) {
    if (session_table_any_ended(&e->sessions))
        endpoint_reap_ended(e);
}
/* The same with a CLOSE to the peer. */
void endpoint_hang_up(struct endpoint *e, struct session *s, uint64_t now_us, int err);
/* By the peer: what it said before that and nobody has heard yet is heard first, then it ends
 * (endpoint_poll). session_over at once. */
void endpoint_session_closed(struct endpoint *e, struct session *s, int err);
/* It may have output: asked for it, and its deadline set, before endpoint_output gives false. */
void endpoint_make_ready(struct endpoint *e, struct session *s);
/* Something authentic of the peer's has come. */
void endpoint_session_heard(struct endpoint *e, struct session *s, uint64_t now_us);
void endpoint_tell(struct endpoint *e, enum ep_event_kind kind, const struct peer *p,
                   const struct session *s, int err);
/* The transport, attached if need be; NULL: no memory. */
struct transport *endpoint_attach(struct endpoint *e, struct session *s, uint64_t now_us);
/* Echoes, and records of relays, that waited for new keys. */
void endpoint_send_echoes(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- endpoint_keepalive.c ---- */
#define KEEPALIVE_ECHO UINT64_MAX /* the id of our own echoes: EP_PONG tells of none */
/* When the session has to be kept, or to answer, next; TIME_NEVER: nobody wants it kept. */
uint64_t endpoint_keep_us(const struct session *s);
/* That time has come: something is sent, or it ends. New keys must have been asked for, if that is
 * what it takes. */
void endpoint_keep(struct endpoint *e, struct session *s, uint64_t now_us);
/* What goes through it is not answered: is it alive? Only if it is to be kept. */
void endpoint_keep_asks(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- endpoint_path.c ---- */
/* Our RESPONSE goes there as well: which of the places the peer is at is not known by what it says.
 */
void endpoint_path_doubt(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to);
/* Session frames to where others have come from, if that may get so much. */
void endpoint_path_reply(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *to, const uint8_t *frames, size_t len);
/* An authentic packet or an answer to a handshake of ours came from there; `moves`: it is the
 * newest, and more than a probe. */
void endpoint_path_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                         const struct hop *from, size_t bytes, bool moves);
/* It moves, if it does. */
void endpoint_path_take(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct paths_move *m);
void endpoint_path_answered(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *from,
                            const uint8_t data[static PATH_CHALLENGE_BYTES]);
/* Answers a challenge to where it came from, if that may get so much. */
void endpoint_path_respond(struct endpoint *e, struct session *s, uint64_t now_us,
                           const struct hop *to, const uint8_t data[static PATH_CHALLENGE_BYTES]);
/* The challenges that are due. */
void endpoint_send_challenges(struct endpoint *e, struct session *s, uint64_t now_us);
/* After a timeout: if nothing that was sent is acknowledged, the path left last is asked whether it
 * still lives. */
void endpoint_path_silent(struct endpoint *e, struct session *s, uint64_t now_us);
/* The peer may be there, by a place that somebody knows of: it is asked, and if it answers it is a
 * standby of the session, in use only if its score is better. Offered again it is asked again.
 * ERR_AGAIN: the session is not up, or its path is in doubt. ERR_USAGE: the peer's policy forbids
 * it. ERR_FULL, ERR_NOMEM. */
int endpoint_path_offer(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct hop *at) MUST_USE;
/* The peer may be reached there, too. */
void endpoint_path_candidate(struct endpoint *e, struct session *s, uint64_t now_us,
                             const struct hop *at);
/* Its first path is sure: what else is known of the peer are candidates. Flows in any case, since
 * the path must have a standby when it dies; addresses where packets go through a relay. */
void endpoint_path_others(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- endpoint_standby.c ---- */
/* That place is gone: forgotten; if it is in use the best standby takes over at once. */
void endpoint_path_withdraw(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *at);
/* Nothing goes there any more: if the session did, all other places known are asked. */
void endpoint_path_gone(struct endpoint *e, struct session *s, uint64_t now_us,
                        const struct hop *at);
/* A train of the transport's has left; `eliciting`: something in it asks to be acknowledged. */
void endpoint_standby_sent(struct session *s, uint64_t now_us, bool eliciting);
/* While the path in use is SUSPECT: where its trains go as well, and the largest packet, without
 * headers of relays, that fits there; NULL: nowhere. */
const struct hop *endpoint_standby_copies(const struct endpoint *e, const struct session *s,
                                          size_t *bytes);
/* An authentic packet of so many bytes has come from there, and its frames were read. */
void endpoint_standby_heard(struct endpoint *e, struct session *s, uint64_t now_us,
                            const struct hop *from, size_t bytes);
/* When the path in use becomes SUSPECT; TIME_NEVER. */
uint64_t endpoint_standby_due_us(const struct session *s);
void endpoint_standby_timeout(struct endpoint *e, struct session *s, uint64_t now_us);
/* The peer's word on what has come to it by the path this came by. */
void endpoint_standby_reported(struct endpoint *e, struct session *s, uint64_t now_us,
                               const struct hop *from, const struct path_report *report);

/* ---- endpoint_silent.c ---- */
/* When the peer is asked whether more comes, or it is told that it does not answer; TIME_NEVER. */
uint64_t endpoint_silent_us(const struct session *s);
/* That time may have come. */
void endpoint_silent_timeout(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- endpoint_memory.c ---- */
/* Tells the streams whose writers found no block that there are some again. */
void endpoint_feed_starved(struct endpoint *e);
/* Writers found no memory though they may have some: the system had none. Nobody gives it back
 * here, so that they try again after a while: the one sees to that, the other does it when it is
 * time. */
void endpoint_short_of_memory(struct session *s, uint64_t now_us);
void endpoint_try_memory(struct session *s, uint64_t now_us);
/* It acknowledges next to nothing (transport_hoards_sent), and what is kept for repetition is more
 * than the session might have as things are: it has to end, or it might hold that for ever. */
bool endpoint_holds_back(const struct session *s, uint64_t now_us);
/* A packet of `asking` found no memory. If another session holds much of what its peer sent ahead
 * of a gap, and hardly anything could be read (transport_hoards_received), that session ends
 * (ERR_FULL).
 */
void endpoint_reclaim(struct endpoint *e, const struct session *asking, uint64_t now_us);

/* ---- endpoint_place.c ---- */
void endpoint_place_gone(struct endpoint *e, struct peer *p, uint64_t now_us, const struct hop *at);

/* ---- endpoint_key_ask.c ---- */
void endpoint_key_asked(struct endpoint *e, uint64_t now_us, const struct hop *from,
                        const uint8_t *data, size_t len);
void endpoint_key_told(struct endpoint *e, const struct hop *from, const uint8_t *data, size_t len);
uint64_t endpoint_key_ask_us(const struct endpoint *e);
void endpoint_key_ask_timeout(struct endpoint *e, uint64_t now_us);

/* ---- endpoint_relay.c ---- */
/* A record of the kind RECORD_KIND_RELAY. */
void endpoint_relay_record(struct endpoint *e, struct session *s, uint64_t now_us,
                           const uint8_t *data, size_t len);
/* A run of FORWARDs. */
void endpoint_relay_forward(struct endpoint *e, uint64_t now_us, const struct train_in *run);
/* FORWARDED has come with this flow's number: by which hop is what is in it? False: no such flow of
 * the relay that is there. */
bool endpoint_relay_from(struct endpoint *e, uint64_t now_us, const struct hop *from, uint32_t flow,
                         struct hop *as);
/* What is to be said to relays and clients becomes records, as long as few of these wait. */
void endpoint_relay_say(struct endpoint *e, uint64_t now_us);
/* The next train that is forwarded. */
bool endpoint_take_relayed(struct endpoint *e, uint64_t now_us, struct train *t);
/* What relays have said becomes events, and places go. */
void endpoint_relay_tell(struct endpoint *e, uint64_t now_us);
uint64_t endpoint_relay_us(const struct endpoint *e);
void endpoint_relay_timeout(struct endpoint *e, uint64_t now_us);
void endpoint_relay_clear(struct endpoint *e);

/* ---- endpoint_time.c ---- */
/* The earliest of its timers. */
uint64_t session_deadline_us(const struct session *s, uint64_t now_us);

#endif
