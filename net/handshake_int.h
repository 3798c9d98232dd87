/* handshake_int.h: what the endpoint's files share about handshakes and rekeys; private to them. In
 * the order of who calls whom, none calls one that stands below it:
 *
 *   rekey.c               new keys for a session that is up: when, how often; and dead peers
 *   handshake_proof.c     what a handshake has proved, to the user and to the other side
 *   handshake_initiate.c  the side that began: initiations, their repetition, and what comes back
 *   handshake_answer.c    the side that is asked: who may come in, the answer, and its confirmation
 */
#ifndef MESHD_NET_HANDSHAKE_INT_H
#define MESHD_NET_HANDSHAKE_INT_H

#include "net/endpoint_int.h"

/* ---- rekey.c ---- */
/* The keys are old enough, and no handshake is under way. */
bool rekey_due(const struct session *s, uint64_t rekey_us, uint64_t now_us);
void rekey_began(struct session *s, uint64_t now_us);
/* The attempt under way has come to nothing; denied: the peer's reason, 0: no answer. Only the
 * attempt is dropped; the session ends if the peer is dead. */
void rekey_failed(struct endpoint *e, struct session *s, uint64_t now_us, int denied);
void rekey_done(struct session *s);
/* Since when it has been owing an answer, and nothing was heard of it; TIME_NEVER: it owes none. */
uint64_t rekey_owes_since_us(const struct session *s);
/* Something waits for the peer, and nothing has been heard of it for SESSION_DEAD_US; or for so
 * long that it is asked by a handshake; which has been done often enough, without a word in the
 * session: handshakes that pass where nothing else does must not go on without end. */
bool rekey_is_dead(const struct session *s, uint64_t now_us);
bool rekey_asks(const struct session *s, uint64_t now_us);
bool rekey_asked_enough(struct session *s); /* counts the calls */
uint64_t rekey_deadline_us(const struct session *s, uint64_t now_us);

/* ---- handshake_proof.c ---- */
/* A ticket has made a session, out of which both sides derive a secret of their own: told to the
 * user, who gives it to this peer once it is stored safely. The ticket's stays the peer's. */
void handshake_paired(struct endpoint *e, struct peer *p, const struct psk *pairing,
                      const struct psk *ticket);
/* A handshake with this secret has succeeded: if it is the pairing secret, the ticket's is
 * forgotten and the user told. */
void handshake_proved(struct endpoint *e, struct peer *p, const struct psk *psk);
/* EP_PEER_KEY, where no EP_PAIRED tells the same. */
void handshake_tell_key(struct endpoint *e, const struct peer *p);
/* A packet under the keys that our own handshake has made has come, or one under the old ones. */
void handshake_shown(struct session *s, uint64_t now_us);
void handshake_not_shown(struct endpoint *e, struct session *s, uint64_t now_us);
/* Sends a CONFIRM, and says when the next one is due; of CONFIRM_TRIES the first. */
void handshake_confirm(struct endpoint *e, struct session *s, uint64_t now_us);
void handshake_confirm_anew(struct endpoint *e, struct session *s, uint64_t now_us);
/* The peer asks as if it had no CONFIRM of ours. */
void handshake_confirm_again(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- handshake_initiate.c ---- */
enum handshake_use {
    HANDSHAKE_DIAL,  /* somebody waits for the session */
    HANDSHAKE_CALM,  /* nobody does */
    HANDSHAKE_REKEY, /* inside a session that is up */
};
int handshake_start(struct endpoint *e, struct session *s, uint64_t now_us,
                    enum handshake_use use) MUST_USE;
/* Somebody waits for it now: if it was calm, the attempt begins anew, with the same message. */
void handshake_hurry(struct endpoint *e, struct session *s, uint64_t now_us);
/* A place of the peer's has become known while it is called: there, too. */
void handshake_also_to(struct endpoint *e, struct session *s, const struct hop *to);
int handshake_rekey(struct endpoint *e, struct session *s, uint64_t now_us) MUST_USE;
/* Something is to be sent: begins a rekey if one is due. */
void endpoint_maybe_rekey(struct endpoint *e, struct session *s, uint64_t now_us);
/* Only if the old ones must not be used any more. */
void endpoint_renew_if_must(struct endpoint *e, struct session *s, uint64_t now_us);
/* As it is done for small things: for a session that is kept only if it must be. */
void endpoint_renew(struct endpoint *e, struct session *s, uint64_t now_us);
/* Messages that have their full size. */
void handshake_input_response(struct endpoint *e, uint64_t now_us, const struct hop *from,
                              const uint8_t *msg);
void handshake_input_retry(struct endpoint *e, uint64_t now_us, const struct hop *from,
                           const uint8_t *msg);
/* Repetitions, and the end of the attempt: then the session may end. */
void handshake_initiation_timeout(struct endpoint *e, struct session *s, uint64_t now_us);

/* ---- handshake_answer.c ---- */
/* One with its full size and a right mac1. */
void handshake_input_initiation(struct endpoint *e, uint64_t now_us, const struct hop *from,
                                const uint8_t *msg);
/* The first packet under a new generation has come: it counts now. May replace the peer's session.
 * If the ticket it came with has been used up by another since, or the key has been replaced, the
 * session ends. */
void handshake_confirmed(struct endpoint *e, struct session *s, uint64_t now_us);
/* Nobody has confirmed it: one that was not up yet ends. */
void handshake_answer_timeout(struct endpoint *e, struct session *s, uint64_t now_us);

#endif
