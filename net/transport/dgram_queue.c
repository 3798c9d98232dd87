/* dgram_queue.c: datagrams that wait for a packet; never sent again (RFC 9221). */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/transport/transport.h"

int transport_datagram(struct transport *t, const void *data, size_t len, uint64_t deadline_us) {
    if (len > DATAGRAM_MAX_BYTES)
        return ERR_USAGE;
    struct datagram_out *d = mem_alloc(sizeof *d + len);
    if (!d)
        return ERR_NOMEM;
    d->next = NULL;
    d->deadline_us = deadline_us;
    d->len = len;
    if (len > 0)
        memcpy(d->data, data, len);
    if (t->dgram_count == DATAGRAM_QUEUE_MAX) { /* the oldest is worth least */
        struct datagram_out *old = t->dgram_head;
        t->dgram_head = old->next;
        if (!t->dgram_head)
            t->dgram_tail = NULL;
        mem_free(old);
        t->dgram_count--;
        t->counters->datagrams_expired++;
    }
    if (t->dgram_tail)
        t->dgram_tail->next = d;
    else
        t->dgram_head = d;
    t->dgram_tail = d;
    t->dgram_count++;
    return 0;
}
