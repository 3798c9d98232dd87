/* turn.h: a pair through a TURN server (RFC 8656): `a` has an allocation with a channel bound to
 * `b`, which is an ordinary host. So the server takes a packet with 4 bytes of head and sends it
 * without: the shortest way there is through one. */
#ifndef MESHD_BENCH_THROUGH_TURN_H
#define MESHD_BENCH_THROUGH_TURN_H

#include "tests/bench/through/ends.h"

/* `packet_bytes` of what will be sent. The server asks for no password. Ends the program if the
 * server does not do as asked within some seconds. */
void turn_join(struct pair *p, const struct sockaddr_in *server, size_t packet_bytes);

#endif
