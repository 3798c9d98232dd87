/* endpoint_out.c: trains out: whose turn it is and what a train holds; and word from the way that
 * one was too big. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/handshake_int.h"

/* The same bytes by another path: who gets both takes what comes first. `lead`: what stands before
 * each packet on this one. Without memory, and where one waits already, it goes by one. */
static void copy_train(struct endpoint *e, struct session *s, const struct train *t, size_t lead,
                       const struct hop *to) {
    struct train_copy *c = e->copy ? NULL : mem_calloc(1, sizeof *c + t->len);
    if (!c)
        return;
    c->session = session_ref_of(s);
    c->to = *to;
    c->segment_bytes = (uint16_t)(t->segment_bytes - lead);
    for (size_t at = 0; at < t->len; at += t->segment_bytes) {
        const size_t left = t->len - at, n = left < t->segment_bytes ? left : t->segment_bytes;
        memcpy(c->buf + c->len, t->buf + at + lead, n - lead);
        c->len += n - lead;
    }
    e->copy = c;
    s->paths.known->copied_to = *to;
    s->bytes_sent += c->len;
    e->counters.trains_copied++;
}

static bool give_copy(struct endpoint *e, uint64_t now_us, const struct train_copy *c,
                      struct train *t) {
    const struct session *s = endpoint_find(e, c->session);
    struct carrier by;
    if (!s || !peer_takes(s->peer, &c->to) || !endpoint_carrier(e, &c->to, &by) ||
        train_is_unwanted(t, &by.to))
        return false;
    const size_t lead = carrier_bytes(&by);
    const size_t packets = (c->len + c->segment_bytes - 1) / c->segment_bytes;
    const size_t bytes = c->len + packets * lead;
    if (bytes > TRAIN_MAX_BYTES || !carrier_spend(e, now_us, &by, bytes))
        return false;
    t->len = 0;
    for (size_t at = 0; at < c->len; at += c->segment_bytes) {
        const size_t left = c->len - at, n = left < c->segment_bytes ? left : c->segment_bytes;
        carrier_write(&by, t->buf + t->len);
        memcpy(t->buf + t->len + lead, c->buf + at, n);
        t->len += lead + n;
    }
    t->segment_bytes = (uint16_t)(c->len < c->segment_bytes ? t->len : c->segment_bytes + lead);
    t->ecn = ECN_NOT_ECT;
    t->to = by.to;
    e->counters.bytes_out += t->len;
    e->counters.pkts_out += packets;
    return true;
}

/* What was copied leaves next, or not at all. */
static bool take_copy(struct endpoint *e, uint64_t now_us, struct train *t) {
    struct train_copy *c = e->copy;
    if (!c)
        return false;
    e->copy = NULL;
    const bool goes = give_copy(e, now_us, c, t);
    e->counters.queue_dropped += !goes;
    mem_free(c);
    return goes;
}

/* Packets of one size, each with the headers that the relays on the way want, sealed one after
 * another into the train. */
static bool fill_train(struct endpoint *e, struct session *s, uint64_t now_us, size_t room,
                       const struct carrier *c, struct train *t) {
    struct transport *tp = s->tp;
    const size_t lead = carrier_bytes(c), overhead = lead + DATA_OVERHEAD_BYTES;
    struct transport_packet info = {0};
    size_t fits;
    const struct hop *copies_to = endpoint_standby_copies(e, s, &fits);
    if (copies_to && fits + lead < room)
        room = fits + lead;
    bool was_quiet = tp->sent.outstanding == 0;
    t->len = 0;
    t->segment_bytes = 0;
    for (unsigned n = 0; n < TRAIN_MAX_SEGMENTS; n++) {
        size_t cap = room - t->len;
        if (n > 0 && cap > t->segment_bytes)
            cap = t->segment_bytes;
        if (cap <= overhead || (n > 0 && cap < t->segment_bytes))
            break;
        uint8_t *at = t->buf + t->len + lead;
        tp->next_pn = s->send_counter;
        size_t len = transport_build(tp, now_us, s->send_counter, at + DATA_HEADER_BYTES,
                                     cap - overhead, overhead, n == 0, &info);
        if (len == 0)
            break;
        carrier_write(c, at - lead);
        size_t size = lead + session_seal(s, e->aead, s->send_counter++, at, len);
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
    s->last_use_us = s->sent_us = now_us;
    t->to = c->to;
    e->counters.bytes_out += t->len;
    endpoint_standby_sent(s, now_us, tp->rec->loss.last_sent_us == now_us);
    if (copies_to)
        copy_train(e, s, t, lead, copies_to);
    if (!paths_spend(&s->paths, session_hop(s), t->len))
        e->counters.queue_dropped++; /* cannot be: there was room for it */
    return true;
}

/* There is a way for it, and it may go there; else it counts as sent, and is lost. */
static bool may_leave(struct endpoint *e, const struct session *s, uint64_t now_us,
                      const struct carrier *c, bool has_way, const struct train *t) {
    if (!peer_takes(s->peer, session_hop(s)))
        e->counters.policy_dropped++;
    else if (!has_way || !carrier_spend(e, now_us, c, t->len))
        e->counters.relay_no_way++;
    else
        return true;
    return false;
}

enum session_turn { TURN_NOTHING, TURN_TRAIN, TURN_LOST, TURN_WAITS };

/* One of its trains. TURN_WAITS: the socket it would leave by is full. */
static enum session_turn session_output(struct endpoint *e, struct session *s, uint64_t now_us,
                                        struct train *t) {
    if (s->state != SESSION_UP || !s->tp)
        return TURN_NOTHING;
    struct carrier c;
    const bool has_way = endpoint_carrier(e, session_hop(s), &c);
    if (has_way && c.relays > 0 && train_is_unwanted(t, &c.to)) {
        session_table_park(&e->sessions, s, hop_socket(&c.to));
        return TURN_WAITS;
    }
    if (transport_has_work(s->tp) || ack_wanted(&s->tp->ack, now_us))
        endpoint_maybe_rekey(e, s, now_us);
    if (!keys_may_send(&s->keys, now_us, s->send_counter))
        return TURN_NOTHING;
    const size_t room = paths_room(&s->paths);
    if (room < MTU_MIN_BYTES ||
        !fill_train(e, s, now_us, room < TRAIN_MAX_BYTES ? room : TRAIN_MAX_BYTES, &c, t))
        return TURN_NOTHING;
    return may_leave(e, s, now_us, &c, has_way, t) ? TURN_TRAIN : TURN_LOST;
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

static bool take_session(struct endpoint *e, uint64_t now_us, struct train *t) {
    struct session *s;
    while ((s = session_table_next_ready(&e->sessions, t))) {
        const enum session_turn turn = session_output(e, s, now_us, t);
        if (turn == TURN_WAITS)
            continue;
        if (turn != TURN_NOTHING) {
            session_table_turn(&e->sessions, s); /* the others' turn */
            if (turn == TURN_TRAIN)
                return true;
            continue;
        }
        settle(e, s, now_us);
        if (endpoint_take_small(e, now_us, t)) /* a rekey may have begun */
            return true;
    }
    return false;
}

/* First what is small and urgent; then records, what we forward for others, and the trains of our
 * own sessions, by turns. */
static bool next_train(struct endpoint *e, uint64_t now_us, struct train *t) {
    static bool (*const takes[])(struct endpoint *, uint64_t, struct train *) = {
        endpoint_take_record, endpoint_take_relayed, take_session};
    enum { TURNS = sizeof takes / sizeof takes[0] };
    if (take_copy(e, now_us, t) || endpoint_take_small(e, now_us, t))
        return true;
    endpoint_relay_say(e, now_us);
    for (unsigned i = 0; i < TURNS; i++) {
        const unsigned turn = e->turn;
        e->turn = (turn + 1) % TURNS;
        if (takes[turn](e, now_us, t))
            return true;
    }
    return endpoint_take_small(e, now_us, t);
}

/* False, as most often when it is asked: nothing at all waits. */
static bool may_have_output(const struct endpoint *e) {
    return e->waiting.held > 0 || session_table_any_ready(&e->sessions) || e->copy ||
           e->relay_server || e->relay_client;
}

bool endpoint_output(struct endpoint *e, uint64_t now_us, struct train *t) {
    e->told_us = now_us;
    const bool some = may_have_output(e) && next_train(e, now_us, t);
    endpoint_reap(e);
    return some;
}

/* ---- refused by the interface, or by a router on the way ---- */

/* What leaves through relays rides on the path to the first of them, its headers included. */
static bool rides_to(const struct endpoint *e, const struct session *s, const struct addr *to,
                     struct carrier *c) {
    return s->tp && endpoint_carrier(e, session_hop(s), c) && hop_is_to(&c->to, to);
}

void endpoint_too_big(struct endpoint *e, uint64_t now_us, const struct addr *to, size_t bytes) {
    struct session *s;
    struct carrier c;
    for (uint32_t at = 0; (s = session_table_each(&e->sessions, &at));) {
        if (rides_to(e, s, to, &c)) {
            transport_too_big(s->tp, now_us, bytes);
            endpoint_make_ready(e, s);
        }
    }
}

/* RFC 8899 §4.6.1: only what quotes a packet that has left is believed. Off the path nobody knows
 * index, counter and flow. */
static bool has_sent(const struct endpoint *e, const struct session *s,
                     const struct icmp_quote *q) {
    struct carrier c;
    uint8_t lead[RELAYS_IN_A_ROW_MAX * FORWARD_HEADER_BYTES];
    if (!rides_to(e, s, &q->to, &c) || q->len < carrier_bytes(&c) + DATA_HEADER_BYTES)
        return false;
    carrier_write(&c, lead);
    const uint8_t *head = q->head + carrier_bytes(&c);
    if (memcmp(q->head, lead, carrier_bytes(&c)) != 0 || head[0] != PACKET_DATA ||
        load_le32(head + 4) != s->remote_index)
        return false;
    const uint64_t counter = load_le64(head + 8);
    return counter < s->send_counter && s->send_counter - counter <= ICMP_QUOTE_RECENT_PKTS;
}

void endpoint_icmp_too_big(struct endpoint *e, uint64_t now_us, const struct icmp_quote *q,
                           size_t fits_bytes) {
    bool believed = false;
    struct session *s;
    for (uint32_t at = 0; q->bytes > fits_bytes && (s = session_table_each(&e->sessions, &at));) {
        if (!has_sent(e, s, q))
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
