/* endpoint_handshake.h: what endpoint_initiate.c, endpoint_answer.c and endpoint_handshake.c share; private to them. Messages have
 * their full size, an INITIATION has a right mac1.
 */
#ifndef MESHD_NET_ENDPOINT_HANDSHAKE_H
#define MESHD_NET_ENDPOINT_HANDSHAKE_H

#include "net/endpoint_int.h"

void handshake_input_initiation(struct endpoint *e, uint64_t now_us, const struct hop *from,
                                const uint8_t *msg);
void handshake_input_response(struct endpoint *e, uint64_t now_us, const struct hop *from,
                              const uint8_t *msg);
void handshake_input_retry(struct endpoint *e, uint64_t now_us, const struct hop *from,
                           const uint8_t *msg);

/* A ticket has made a session, out of which both sides derive a secret of their own: told to the
 * user, who gives it to this peer once it is stored safely. The ticket's stays the peer's. */
void handshake_paired(struct endpoint *e, struct peer *p, const struct psk *pairing,
                      const struct psk *ticket);
/* A handshake with this secret has succeeded: if it is the pairing secret, the ticket's is forgotten
 * and the user told. */
void handshake_proved(struct endpoint *e, struct peer *p, const struct psk *psk);
/* The peer asks as if it had no CONFIRM of ours. */
void handshake_confirm_again(struct endpoint *e, struct session *s, uint64_t now_us);
/* EP_PEER_KEY, where no EP_PAIRED tells the same. */
void handshake_tell_key(struct endpoint *e, const struct peer *p);
/* sent_us 0: not known. */
void handshake_sample_rtt(struct session *s, uint64_t now_us, uint64_t sent_us);

#endif
