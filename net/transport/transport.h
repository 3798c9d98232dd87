/* transport.h: the reliable transport of one session (docs/TRANSPORT.md): it turns packets into
 * frames and frames into packets, and only holds together the modules that know how: sent, loss,
 * rtt, cc, pacer, pmtud, ack, stream. QUIC's rules (RFC 9000, RFC 9002), this project's packets.
 *
 * Attached to a session only while streams, datagrams or unacknowledged packets exist; what must
 * outlive it (stream numbering, credit, what the path was like) is in struct transport_memo inside
 * the session.
 */
#ifndef MESHD_NET_TRANSPORT_TRANSPORT_H
#define MESHD_NET_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/bytes.h"
#include "crypto/base/rng.h"
#include "net/base/counters.h"
#include "net/base/events.h"
#include "net/base/list.h"
#include "net/base/share.h"
#include "net/path/path_memory.h"
#include "net/path/recoveries.h"
#include "net/recovery/ack.h"
#include "net/recovery/ecn.h"
#include "net/recovery/sent.h"
#include "net/transport/dgram_queue.h"
#include "net/transport/hoard.h"
#include "net/transport/stream.h"
#include "net/wire/frame.h"

enum {
    TRANSPORT_LINGER_US = 2 * 1000000, /* detached after so long without anything to do */
    STREAM_PRIORITIES = 8,
    STREAM_PRIORITY_DEFAULT = 3,
};

/* Credit for the whole session, both directions (RFC 9000 §4). */
struct credit {
    uint64_t send_limit, send_used;
    struct allowance given;
    uint64_t received, consumed; /* of what was given */
};

struct transport_memo { /* outlives the transport; all zeroes, then transport_memo_init */
    struct credit credit;
    uint64_t local_opened, local_max; /* streams we opened, and may */
    uint64_t peer_opened, peer_max, peer_closed;
    struct rtt rtt; /* of the current path */
    uint64_t pkts_lost;
    uint64_t datagrams_unsent; /* of ours: late, pushed out by newer ones, or too large */
    struct ecn ecn;
    struct told told;   /* its events that nobody has heard yet */
    uint16_t mtu_bytes; /* of the current path; 0 = unknown */
    bool has_rtt;
};
void transport_memo_init(struct transport_memo *m);
/* The session moves: nothing is known of the path that is the current one now. */
void transport_memo_new_path(struct transport_memo *m);

struct stream {
    uint64_t id;
    uint64_t owner; /* the user's word, for the events */
    struct sstream out;
    struct rstream in;
    uint8_t priority;
    bool want_stop, stop_sent;
    int stop_err;
    bool readable_told;   /* an event is waiting in the queue */
    bool writable_wanted; /* the user was told ERR_AGAIN */
    bool finished_told;
    struct list_link active; /* in its priority's list of those with something to send */
    struct list_link ctl;    /* with control frames to send */
    struct list_link open;   /* whose newest limit is not acknowledged */
    struct stream *hash_next;
};

struct transport_shares { /* what all transports of an endpoint divide among them */
    struct share streams; /* opened by peers */
    struct share sent;    /* records of sent packets */
    struct list starved;  /* those whose writers found no block */
};

struct transport { /* private to transport*.c */
    struct transport_memo *memo;
    struct block_account *account;
    struct transport_shares *shares;
    struct events *events;
    struct endpoint_counters *counters;
    struct rng rng;
    struct session_ref self;
    struct peer_ref peer;
    bool initiator; /* of the session: opens the even streams */
    struct recoveries paths;
    struct recovery *rec; /* one of them: of the path in use */
    struct sent sent;
    struct ack ack;
    uint64_t next_pn;      /* as the session told */
    uint64_t skip_at;      /* the next number to leave out: optimistic acknowledgements hit it */
    struct ranges skipped; /* those left out at or above sent.base, at most SKIPPED_PNS_MAX */
    uint32_t bare_acks;    /* sent since the last eliciting packet */
    uint64_t touched_us;
    uint64_t acked_bytes;
    bool flows;          /* bytes of streams have come since the peer was last asked for more */
    bool left_dead;      /* what is out by paths that were left is lost once more is acknowledged */
    bool copies;         /* what leaves goes by another path as well */
    uint8_t acked;       /* TRANSPORT_ACKED_*, of the path in use, since transport_take_acked */
    uint64_t sampled_us; /* the round trip measured meanwhile; 0: none */
    struct hoard hoard_received, hoard_sent;
    bool want_max_streams;

    struct stream **hash;
    uint32_t hash_cap, stream_count, peer_streams; /* those the peer has opened */
    struct list active[STREAM_PRIORITIES];
    struct list ctl;
    struct list open; /* those told longest ago first */
    struct dgram_queue datagrams;
    struct list_link starved;
    uint64_t memory_us; /* when they try again though nothing has been given back; 0: not so */
};

struct transport_setup {
    struct transport_memo *memo;
    struct block_pool *pool;
    struct transport_shares *shares;
    struct events *events;
    struct endpoint_counters *counters;
    struct rng rng;
    struct session_ref self;
    struct peer_ref peer;
    bool initiator;
    enum cc_kind cc;
    uint16_t mtu_max;
    uint16_t path; /* its number; every other one must have another */
};

struct transport *transport_new(const struct transport_setup *s, uint64_t now_us, uint64_t next_pn);
void transport_free(struct transport *t);

/* Its writers have found no block, and are told when there are some again (endpoint_feed_starved);
 * and that is over. */
void transport_starve(struct transport *t);
void transport_unstarve(struct transport *t);

/* ---- packets in (transport_in.c) ---- */
/* One frame, type byte read. *eliciting is set if it asks for an acknowledgement. ERR_PROTO: the
 * peer broke the rules, the session must end. ERR_NOMEM, ERR_FULL: no room now; the packet must
 * count as lost. */
int transport_frame(struct transport *t, uint64_t now_us, uint8_t type, struct rd *r,
                    bool *eliciting) MUST_USE;
/* After the last frame of an accepted packet; ecn: the field it came with. */
int transport_received(struct transport *t, uint64_t now_us, uint64_t pn, bool eliciting,
                       uint8_t ecn) MUST_USE;
/* ---- what becomes of packets (transport_recovery.c) ---- */
/* ERR_PROTO: it acknowledges what was never sent. */
int transport_acked(struct transport *t, uint64_t now_us, const struct frame_ack *a) MUST_USE;
void transport_detect_losses(struct transport *t, uint64_t now_us);
/* Queues what a packet carried again. */
void transport_requeue(struct transport *t, const struct sent_pkt *p);
void transport_timeout(struct transport *t, uint64_t now_us);
/* The peer was silent and has just shown that it lives: what it has not acknowledged is not kept
 * back until the next probe is due. */
void transport_peer_lives(struct transport *t);

/* ---- packets out (transport_out.c) ---- */
struct transport_packet {
    bool probe;      /* a PLPMTU probe: leaves alone */
    bool skip_after; /* leave one packet number out after this one */
    uint8_t ecn;     /* the same for all of a train */
};
/* Writes the plaintext of packet `pn` into buf. `overhead` = bytes that sealing and header add.
 * First in a train: up to the path MTU (a probe may be larger, cap permitting); else `cap` is the
 * train's segment. 0: nothing may or need leave. */
size_t transport_build(struct transport *t, uint64_t now_us, uint64_t pn, uint8_t *buf, size_t cap,
                       size_t overhead, bool first, struct transport_packet *info);
/* Which number is left out next, after `pn`: nobody can tell, RFC 9000 §21.4. */
void transport_next_skip(struct transport *t, uint64_t pn);
/* Something ack-eliciting waits to leave; some stream has bytes or a FIN to send. */
bool transport_has_work(const struct transport *t);
bool transport_has_streams(const struct transport *t);
/* Some stream has not come to its end: the peer has more to send. */
bool transport_awaits(const struct transport *t);
/* Largest datagram on this path now. */
uint16_t transport_mtu(const struct transport *t);
uint64_t transport_deadline_us(const struct transport *t);
/* For HOARD_US less could be read than is held of what the peer has sent (hoard.h). */
bool transport_hoards_received(const struct transport *t, uint64_t now_us);
/* Packets are out, and for HOARD_US less was acknowledged than a HOARD_SENT_PART of what is held
 * for repetition. */
bool transport_hoards_sent(const struct transport *t, uint64_t now_us);
/* Nothing to do and nothing expected: the session may drop it. */
bool transport_idle(const struct transport *t, uint64_t now_us);
/* Something is out on the path in use, and nothing comes back: PATH_SILENT_PTOS. */
bool transport_is_silent(const struct transport *t);
/* What the path in use is like, for path_memory.h. */
void transport_path_state(const struct transport *t, struct path_state *out);
/* From now on packets leave by another path; `known` is what it was like, or NULL. ERR_NOMEM: they
 * do not. */
int transport_path_switched(struct transport *t, uint64_t now_us, uint16_t path,
                            const struct path_state *known) MUST_USE;
/* What was acknowledged since the last call: packets that left by the path in use alone, or by
 * another one as well, or by one that was left. *sample_us: the round trip of the first, 0: none.
 */
enum { TRANSPORT_ACKED_ALONE = 1, TRANSPORT_ACKED_COPIED = 2, TRANSPORT_ACKED_LEFT = 4 };
unsigned transport_take_acked(struct transport *t, uint64_t *sample_us);
/* The path in use is silent, and from now on what leaves goes by another one as well: two packets
 * do so now. */
void transport_copies(struct transport *t, uint64_t now_us);
/* The paths that were left are dead: what is out on them goes again now. */
void transport_left_are_dead(struct transport *t, uint64_t now_us);
/* The peer says that packets come through, none of them larger than so many bytes. If full ones are
 * lost, too (PATH_BLACK_HOLE_LOSSES), they are smaller from now on: true. */
bool transport_black_hole(struct transport *t, uint64_t now_us, uint64_t largest);
/* The path carries less than MTU_BASE_BYTES: that was tried. */
bool transport_is_narrow(const struct transport *t);
void transport_too_big(struct transport *t, uint64_t now_us, size_t bytes);

/* ---- streams (transport_streams.c) ---- */
struct stream *transport_stream(const struct transport *t, uint64_t id);
int transport_stream_open(struct transport *t, uint64_t *id) MUST_USE;
/* Frees it once both halves are done. */
void transport_reap(struct transport *t, struct stream *s);
struct stream *transport_stream_new(struct transport *t, uint64_t id); /* NULL: no memory */
bool transport_peer_may_open(const struct transport *t);               /* one more stream */
void transport_tell(struct transport *t, enum ep_event_kind kind, uint64_t stream, int err);
void transport_tell_readable(struct transport *t, struct stream *s);

/* ---- who has something to send (stream_lists.c) ---- */
/* Puts the stream where output finds it, if it has something to send. */
void transport_activate(struct transport *t, struct stream *s);
void transport_deactivate(struct transport *t, struct stream *s);
void transport_want_ctl(struct transport *t, struct stream *s);
void transport_drop_ctl(struct transport *t, struct stream *s);

/* Leaves until `deadline_us`, or not at all (memo->datagrams_unsent). When DATAGRAM_QUEUE_MAX wait
 * the oldest gives way. ERR_USAGE: too long. ERR_NOMEM. */
int transport_datagram(struct transport *t, const void *data, size_t len,
                       uint64_t deadline_us) MUST_USE;

/* ---- receive credit (transport_credit.c) ---- */
void transport_credit_consumed(struct transport *t, uint64_t now_us, uint64_t n);
/* Bytes have arrived: more credit where a gap is what holds the reader back. */
void transport_stream_arrived(struct transport *t, struct stream *s);
void transport_stream_credit(struct transport *t, uint64_t now_us, struct stream *s);
/* The newest limit leaves now, of the session (s NULL) or of a stream. */
void transport_credit_told(struct transport *t, uint64_t now_us, struct stream *s);
/* A packet with this limit was acknowledged; or one with a limit was lost: it becomes due again if
 * the peer needs it. */
void transport_credit_acked(struct transport *t, struct stream *s, uint64_t limit);
void transport_credit_lost(struct transport *t, struct stream *s);
/* A packet is about to leave anyway: what was told a PTO ago and is not acknowledged becomes due
 * again; in a probe at once. */
void transport_credit_remind(struct transport *t, uint64_t now_us);
/* The peer has used up what it is known to have, and may wait for what was told since. */
bool transport_credit_starves(const struct transport *t);
void transport_credit_forget(struct transport *t, struct stream *s); /* before a stream is freed */

#endif
