/* null_tls.h: a handshake for ngtcp2 without TLS and without secrecy: each side sends its transport
 * parameters in CRYPTO frames where a TLS message would stand, keys are constants, sealing copies
 * and appends the nonce as a tag. Only libngtcp2 itself is needed, and packets have the sizes they
 * would have with AES-GCM.
 */
#ifndef MESHD_TESTS_ORACLE_NULL_TLS_H
#define MESHD_TESTS_ORACLE_NULL_TLS_H

#include <ngtcp2/ngtcp2.h>

/* Fills in the callbacks that have to do with keys and handshakes. */
void null_tls_callbacks(ngtcp2_callbacks *c);

#endif
