/* endpoint_out.c: trains out: whose turn it is and what a train holds; and word from the way that
 * one was too big. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/handshake_int.h"

/* The same bytes by another path: who gets both takes what comes first. Without memory, and where
 * one waits already, it goes by one. */
static void copy_train(struct endpoint *e, struct session *s, const struct train *t,
                       const struct hop *to) {
    struct train_copy *c = e->copy ? NULL : mem_calloc(1, sizeof *c + t->len);
    if (!c)
        return;
    c->to = *to;
    c->len = t->len;
    c->segment_bytes = t->segment_bytes;
    memcpy(c->buf, t->buf, t->len);
    e->copy = c;
    s->paths.known->copied_to = *to;
    s->bytes_sent += t->len;
    e->counters.trains_copied++;
}

/* What was copied leaves next, or not at all: its socket is full. */
static bool take_copy(struct endpoint *e, struct train *t) {
    struct train_copy *c = e->copy;
    if (!c)
        return false;
    e->copy = NULL;
    const bool wanted = !train_is_unwanted(t, &c->to);
    if (wanted) {
        memcpy(t->buf, c->buf, c->len);
        t->len = c->len;
        t->segment_bytes = c->segment_bytes;
        t->ecn = ECN_NOT_ECT;
        t->to = c->to;
        e->counters.bytes_out += c->len;
        e->counters.pkts_out += (c->len + c->segment_bytes - 1) / c->segment_bytes;
    } else {
        e->counters.queue_dropped++;
    }
    mem_free(c);
    return wanted;
}

/* Packets of one size, sealed one after another into the train. */
static bool fill_train(struct endpoint *e, struct session *s, uint64_t now_us, size_t room,
                       struct train *t) {
    struct transport *tp = s->tp;
    struct transport_packet info = {0};
    size_t fits;
    const struct hop *copies_to = endpoint_standby_copies(s, &fits);
    if (copies_to && fits < room)
        room = fits;
    bool was_quiet = tp->sent.outstanding == 0;
    t->len = 0;
    t->segment_bytes = 0;
    for (unsigned n = 0; n < TRAIN_MAX_SEGMENTS; n++) {
        size_t cap = room - t->len;
        if (n > 0 && cap > t->segment_bytes)
            cap = t->segment_bytes;
        if (cap <= DATA_OVERHEAD_BYTES || (n > 0 && cap < t->segment_bytes))
            break;
        uint8_t *at = t->buf + t->len;
        tp->next_pn = s->send_counter;
        size_t len = transport_build(tp, now_us, s->send_counter, at + DATA_HEADER_BYTES,
                                     cap - DATA_OVERHEAD_BYTES, DATA_OVERHEAD_BYTES, n == 0, &info);
        if (len == 0)
            break;
        size_t size = session_seal(s, e->aead, s->send_counter++, at, len);
        if (info.skip_after)
            s->send_counter++;
        s->pkts_sent++;
        s->bytes_sent += size;
        e->counters.pkts_out++;
        t->len += size;
        if (n == 0) {
            t->segment_bytes = (uint16_t)size;
            t->ecn = info.ecn;
        }
        if (size < t->segment_bytes || info.probe)
            break;
    }
    tp->next_pn = s->send_counter;
    if (t->len == 0)
        return false;
    if (was_quiet && tp->sent.outstanding > 0)
        s->busy_since_us = now_us;
    s->last_use_us = now_us;
    t->to = *session_hop(s);
    e->counters.bytes_out += t->len;
    endpoint_standby_sent(s, now_us, tp->rec->loss.last_sent_us == now_us);
    if (copies_to)
        copy_train(e, s, t, copies_to);
    if (!paths_spend(&s->paths, &t->to, t->len))
        e->counters.queue_dropped++; /* cannot be: there was room for it */
    return true;
}

static bool session_output(struct endpoint *e, struct session *s, uint64_t now_us,
                           struct train *t) {
    if (s->state != SESSION_UP || !s->tp)
        return false;
    if (transport_has_work(s->tp) || ack_wanted(&s->tp->ack, now_us))
        endpoint_maybe_rekey(e, s, now_us);
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        return false;
    const size_t room = paths_room(&s->paths);
    return room >= MTU_MIN_BYTES &&
           fill_train(e, s, now_us, room < TRAIN_MAX_BYTES ? room : TRAIN_MAX_BYTES, t);
}

static void settle(struct endpoint *e, struct session *s, uint64_t now_us) {
    if (s->tp && transport_idle(s->tp, now_us)) {
        if (s->tp->rec->loss.has_acked)
            paths_carries(&s->paths);
        session_detach(s);
    }
    session_table_unready(&e->sessions, s);
    endpoint_short_of_memory(s, now_us);
    if (session_table_due(&e->sessions, s, session_deadline_us(s, now_us)))
        endpoint_session_end(e, s, ERR_NOMEM); /* without a timer it would hang for ever */
}

/* First what is small and urgent; then records and the trains of transports, by turns. */
static bool next_train(struct endpoint *e, uint64_t now_us, struct train *t) {
    struct session *s;
    if (take_copy(e, t) || endpoint_take_small(e, t))
        return true;
    if (!e->trains_turn && endpoint_take_record(e, t)) {
        e->trains_turn = true;
        return true;
    }
    e->trains_turn = false;
    while ((s = session_table_next_ready(&e->sessions, t))) {
        if (session_output(e, s, now_us, t)) {
            session_table_turn(&e->sessions, s); /* the others' turn */
            return true;
        }
        settle(e, s, now_us);
        if (endpoint_take_small(e, t)) /* a rekey may have begun */
            return true;
    }
    return endpoint_take_record(e, t);
}

bool endpoint_output(struct endpoint *e, uint64_t now_us, struct train *t) {
    const bool some = next_train(e, now_us, t);
    endpoint_reap(e);
    return some;
}

/* ---- refused by the interface, or by a router on the way ---- */

void endpoint_too_big(struct endpoint *e, uint64_t now_us, const struct addr *to, size_t bytes) {
    struct session *s;
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));) {
        if (s->tp && hop_is_to(session_hop(s), to)) {
            transport_too_big(s->tp, now_us, bytes);
            endpoint_make_ready(e, s);
        }
    }
}

/* RFC 8899 §4.6.1: only what quotes a packet that has left is believed. Off the path nobody knows
 * index and counter. */
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
        /* Whoever is on the path may say what he likes, but never less than every path must carry:
         * a path that carries less yet is found by its losses. */
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
