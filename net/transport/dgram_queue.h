/* dgram_queue.h: datagrams that wait for a packet; never sent again (RFC 9221). One ring of bytes,
 * each datagram behind its head (deadline and length), that doubles while what waits does not fit
 * and is bounded by DATAGRAM_QUEUE_MAX datagrams of DATAGRAM_MAX_BYTES: no allocation a datagram.
 * Value struct; all zeroes is empty.
 */
#ifndef MESHD_NET_TRANSPORT_DGRAM_QUEUE_H
#define MESHD_NET_TRANSPORT_DGRAM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/bytes.h"
#include "crypto/base/err.h"

struct dgram_queue { /* private to dgram_queue.c, but for count */
    uint8_t *ring;
    uint32_t cap, head, used; /* bytes; cap is 0 or a power of two */
    unsigned count;
};

void dgram_queue_clear(struct dgram_queue *q);
/* When DATAGRAM_QUEUE_MAX wait the oldest gives way (*dropped, which is worth least). ERR_USAGE:
 * too long. ERR_NOMEM. */
int dgram_queue_push(struct dgram_queue *q, const void *data, size_t len, uint64_t deadline_us,
                     bool *dropped) MUST_USE;
/* The oldest one's deadline and length. False: there is none. */
bool dgram_queue_first(const struct dgram_queue *q, uint64_t *deadline_us, size_t *len);
/* Writes its bytes, for which there is room, and takes it out; or only takes it out. */
void dgram_queue_write(struct dgram_queue *q, struct wr *w);
void dgram_queue_drop(struct dgram_queue *q);

#endif
