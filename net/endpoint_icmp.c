/* endpoint_icmp.c: datagrams that the interface or a router on the way has refused, since they were too big. */
#include "net/endpoint_int.h"

void endpoint_too_big(struct endpoint *e, uint64_t now_us, const struct addr *to, size_t bytes) {
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));) {
        if (s->tp && hop_is_to(session_hop(s), to)) {
            transport_too_big(s->tp, now_us, bytes);
            endpoint_make_ready(e, s);
        }
    }
}

/* RFC 8899 §4.6.1: only what quotes a packet that has left is believed. Off the path nobody knows index and counter. */
static bool has_sent(const struct session *s, const struct icmp_quote *q) {
    if (!s->tp || !hop_is_to(session_hop(s), &q->to) || q->len < DATA_HEADER_BYTES ||
        q->head[0] != PACKET_DATA || load_le32(q->head + 4) != s->remote_index)
        return false;
    const uint64_t counter = load_le64(q->head + 8);
    return counter < s->send_counter && s->send_counter - counter <= ICMP_QUOTE_RECENT_PKTS;
}

void endpoint_icmp_too_big(struct endpoint *e, uint64_t now_us, const struct icmp_quote *q,
                           size_t fits_bytes) {
    bool believed = false;
    struct session *s;
    for (uint32_t at = 0; q->bytes > fits_bytes && (s = session_table_each(&e->sessions, &at));) {
        if (!has_sent(s, q))
            continue;
        /* Whoever is on the path may say what he likes, but never less than every path must carry: a
         * path that carries less yet is found by its losses. */
        const size_t fits = fits_bytes < MTU_BASE_BYTES ? MTU_BASE_BYTES : fits_bytes;
        transport_too_big(s->tp, now_us, fits + 1);
        endpoint_make_ready(e, s);
        believed = true;
    }
    if (believed)
        e->counters.icmp_believed++;
    else
        e->counters.icmp_refused++;
}
