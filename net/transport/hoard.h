/* hoard.h: what a peer makes us hold for nothing: more than HOARD_BYTES for HOARD_US, while less
 * went than holding it calls for. Of what it has sent, as much must be read as is held; of what
 * waits for its acknowledgement, a HOARD_SENT_PART must be acknowledged. Whoever holds most so
 * gives it to who needs it, once memory is short (net/endpoint_memory.c).
 *
 * A value: its keeper says what is held and what has gone, and looks whenever either changes.
 */
#ifndef MESHD_NET_TRANSPORT_HOARD_H
#define MESHD_NET_TRANSPORT_HOARD_H

#include <stdbool.h>
#include <stdint.h>

/* Since when much is held, and what had gone until then: moved on while little is held, and when as
 * much has gone since as is held. */
struct hoard {
    uint64_t since_us;
    uint64_t gone_bytes;
};

/* `gone_bytes` counts up for ever: bytes that holding is worth. */
void hoard_init(struct hoard *h, uint64_t now_us, uint64_t gone_bytes);
void hoard_look(struct hoard *h, uint64_t now_us, uint64_t held_bytes, uint64_t gone_bytes);
/* It is so for HOARD_US, and still is. */
bool hoard_lasts(const struct hoard *h, uint64_t now_us, uint64_t held_bytes, uint64_t gone_bytes);

#endif
