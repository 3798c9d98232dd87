/* session.h: one secure channel with a peer: keys, counters, replay window, path, and the transport
 * while one is attached. Made and ended by the endpoint, in its table (session_table.h).
 *
 *   INITIATING  our initiation is out (hs_out)                         -> UP on a valid RESPONSE
 *   RESPONDED   theirs is answered (hs_in); not counted as a session   -> UP on the first DATA
 *                                                                         under the new keys
 *   UP          rekeys run inside it (hs_out or hs_in again set)
 *   ENDED       from each of them: in no table any more, freed when the call that ended it is over
 */
#ifndef MESHD_NET_SESSION_SESSION_H
#define MESHD_NET_SESSION_SESSION_H

#include "crypto/noise/keys.h"
#include "crypto/noise/replay.h"
#include "net/path/paths.h"
#include "net/transport/transport.h"
#include "net/wire/handshake_msg.h"

enum session_state { SESSION_INITIATING, SESSION_RESPONDED, SESSION_UP, SESSION_ENDED };

enum {
    SESSION_ECHOES = 4,
    SESSION_SLOT_BITS = 20, /* of local_index: the place in the table */
};

struct hs_out { /* an initiation of ours that waits for its answer */
    struct noise noise;
    uint8_t msg[INITIATION_BYTES];
    unsigned tries, psk_index, misfits;
    struct psk psk; /* what msg was made with: the peer's secrets may be others by now */
    bool by_ticket; /* it is a ticket's */
    uint8_t epoch;
    bool rekey;      /* inside a session that is up */
    bool calm;       /* nobody waits for it: repeated less often */
    bool everywhere; /* it has gone to every address known */
    bool second;     /* the first secret was refused: the rest of the attempt is the second's */
    int denied; /* why the peer has refused, with proof, the first secret of this attempt; 0: no */
    bool has_challenge, rebuild_due; /* by a RETRY, too: put into the next message that is built */
    uint8_t challenge[CHALLENGE_BYTES];
    unsigned rebuilds, cookies; /* what RETRYs have made us do so far */
    uint64_t started_us, next_us, interval_us;
    uint64_t sent_us; /* 0: sent more than once, so its answer tells no round trip (Karn's rule) */
};

struct hs_in { /* an answer of ours that waits for proof */
    uint8_t response[RESPONSE_BYTES];
    struct psk pairing;
    struct psk ticket; /* the secret it was asked with, a ticket's if by_ticket */
    bool by_ticket;
    bool guest; /* it was asked without one, by somebody not known */
    uint64_t ticket_id;
    /* What its initiation said. The peer's entry learns it when the answer is confirmed: before
     * that it may be a replay. */
    struct dh_public key;
    struct key_cert cert;
    uint64_t timestamp_us;
    bool proved; /* its challenge was right: no replay, whatever the timestamp */
    uint8_t ephemeral[DH_KEY_BYTES];
    uint64_t expires_us;
    bool expired;     /* of a rekey: waited for no longer, but its keys still open */
    uint64_t sent_us; /* as in hs_out */
};

struct session {
    enum session_state state;
    uint32_t local_index, remote_index, serial;
    struct peer *peer;
    uint64_t id; /* same at both ends */
    struct keys keys;
    uint32_t caps, caps_next; /* of both sides; of the handshake that is not confirmed yet */
    struct replay replay;
    uint64_t send_counter;
    struct paths paths;
    struct hs_out *hs_out;
    struct hs_in *hs_in;
    struct transport *tp;
    struct transport_memo memo;
    uint64_t confirm_us; /* when the next one is due */
    uint32_t confirm_interval_us;
    /* Rekeys of ours that came to nothing, one after another: since when, when to try again. */
    unsigned rekeys_failed;
    uint64_t rekey_since_us, rekey_after_us;
    uint64_t echoes[SESSION_ECHOES]; /* asked for while the keys were too old to send */
    uint64_t records_us;             /* until when those that have come are paid for (RECORD_US) */
    uint64_t up_us, last_recv_us, last_use_us, busy_since_us;
    uint64_t sent_us;       /* when the last of its packets left */
    uint64_t forward_us;    /* when something left through its peer, which is a relay */
    uint64_t guest_us;      /* a guest: when it had something here last */
    uint64_t asked_us;      /* the last question that only keeps it */
    uint64_t away_us;       /* what the peer owes counts from then at the earliest: we were away */
    uint64_t flow_asked_us; /* the first question while it owed nothing but bytes; 0: none */
    uint64_t echoed_us;     /* the first ECHO since something was heard; 0: none */
    uint64_t bytes_sent, bytes_received, pkts_sent, pkts_received;
    int close_err;
    uint8_t confirm_left; /* CONFIRMs still to be sent, 0: the peer has shown the keys */
    uint8_t echo_count;
    uint8_t unproved_asks;   /* handshakes of ours since nothing has come but answers to them */
    uint8_t small_waiting;   /* packets in the endpoint's small queue */
    uint8_t records_waiting; /* records in it */
    uint8_t kept, asks;      /* packets sent only to keep it; questions of these not answered yet */
    uint8_t silent_asks;     /* questions whether it is there, since something was heard */
    bool silent;             /* and the user has been told so (EP_SESSION_SILENT) */
    bool closed;             /* the peer has said goodbye: ends once what came before is heard */
    bool initiator;          /* we began it */
    uint8_t parked;          /* ready, but its socket, this one minus 1, is full; 0: not so */
    struct list_link ready;  /* in the table's list of those to ask for output */
    struct list_link leaving; /* in its list of those closed, then of those ended */
};

/* An answer of ours is waited for; a handshake of our own would cross it. */
static inline bool session_answering(const struct session *s) {
    return s->hs_in && !s->hs_in->expired;
}

/* Nothing that comes for it is taken any more. */
static inline bool session_over(const struct session *s) {
    return s->closed || s->state == SESSION_ENDED;
}

/* 0: not measured. */
static inline uint64_t session_srtt_us(const struct session *s) {
    if (s->tp)
        return s->tp->rec->rtt.has_sample ? s->tp->rec->rtt.srtt_us : 0;
    return s->memo.has_rtt ? s->memo.rtt.srtt_us : 0;
}

/* Where its packets go. */
static inline const struct hop *session_hop(const struct session *s) {
    return paths_current(&s->paths);
}

static inline uint32_t session_slot(const struct session *s) {
    return s->local_index & ((1u << SESSION_SLOT_BITS) - 1);
}

static inline struct session_ref session_ref_of(const struct session *s) {
    return (struct session_ref){session_slot(s), s->serial};
}

/* Seals buf[DATA_HEADER_BYTES .. + len) as DATA packet `counter` under the current keys; writes the
 * header and the tag. Returns the datagram's size. */
size_t session_seal(struct session *s, struct aead *a, uint64_t counter, uint8_t *buf, size_t len);

/* Opens a DATA packet in place and marks its counter. *gen gets the generation that opened it.
 * False: replayed or not authentic (*replayed tells which). */
bool session_open(struct session *s, struct aead *a, uint64_t now_us, uint8_t *buf, size_t len,
                  uint64_t *counter, struct keygen **gen, bool *replayed) MUST_USE;

/* The first round trip, so that the transport need not guess. sent_us 0: not known. */
void session_sample_rtt(struct session *s, uint64_t now_us, uint64_t sent_us);

/* It has a transport now: more packets may be under way, so the replay window grows, if there is
 * memory. And it has none any more. */
void session_attached(struct session *s);
void session_detach(struct session *s);

/* Wipes and frees everything but the struct's place in the endpoint's tables. */
void session_free(struct session *s, struct aead *a);
void session_drop_hs_out(struct session *s);
void session_drop_hs_in(struct session *s);

#endif
