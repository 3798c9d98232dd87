/* endpoint_small.c: packets that are made whole at once: handshakes, session frames and records in
 * a packet of their own. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint_int.h"
#include "net/wire/frame.h"

enum { FRAMES_MAX_BYTES = 64 };

/* All that is small and for a peer comes through here. */
static bool push(struct endpoint *e, const struct peer *for_whom, const struct small_packet *head,
                 const uint8_t *data, size_t len) {
    struct endpoint_counters *c = &e->counters;
    struct small_packet p = *head;
    if (for_whom && !peer_takes(for_whom, &p.to)) {
        c->policy_dropped++;
        return false;
    }
    p.of_peer = for_whom != NULL;
    if (for_whom)
        p.peer = peer_ref_of(for_whom);
    if (small_push(&e->waiting, &p, data, len))
        return true;
    c->queue_dropped++;
    (*(p.class == SMALL_SESSION  ? &c->frames_unsent
       : p.class == SMALL_RECORD ? &c->records_unsent
                                 : &c->handshakes_unsent))++;
    return false;
}

void endpoint_queue_small(struct endpoint *e, const struct peer *for_whom, const struct hop *to,
                          const uint8_t *data, size_t len) {
    const struct small_packet p = {.to = *to, .class = small_class_of(data)};
    (void)push(e, for_whom, &p, data, len);
}

/* Seals buf[DATA_HEADER_BYTES .. + len) and queues it; false: there is no room. */
static bool push_sealed(struct endpoint *e, struct session *s, const struct small_packet *head,
                        uint8_t *buf, size_t len) {
    struct small_packet p = *head;
    p.slot = session_slot(s);
    p.serial = s->serial;
    const size_t n = session_seal(s, e->aead, s->send_counter++, buf, len);
    s->pkts_sent++;
    s->bytes_sent += n;
    s->sent_us = e->told_us;
    return push(e, s->peer, &p, buf, n);
}

/* What a peer has asked for, as often as it likes, leaves room for what we have to say. */
static unsigned bound_for(uint8_t frame) {
    const bool asked =
        frame == FRAME_ECHOED || frame == FRAME_CONFIRMED || frame == FRAME_PATH_RESPONSE;
    return asked ? SMALL_PER_SESSION_MAX / 2 : SMALL_PER_SESSION_MAX;
}

static void drop_frames(struct endpoint *e) {
    e->counters.queue_dropped++;
    e->counters.frames_unsent++;
}

void endpoint_send_frames_to(struct endpoint *e, struct session *s, uint64_t now_us,
                             const struct hop *to, const uint8_t *frames, size_t len) {
    uint8_t buf[DATA_OVERHEAD_BYTES + FRAMES_MAX_BYTES];
    if (s->state == SESSION_ENDED || len > FRAMES_MAX_BYTES ||
        !keys_may_send(&s->keys, now_us, s->send_counter))
        return;
    if (s->small_waiting >= bound_for(frames[0])) {
        drop_frames(e);
        return;
    }
    memcpy(buf + DATA_HEADER_BYTES, frames, len);
    const struct small_packet p = {.to = *to, .class = SMALL_SESSION};
    if (push_sealed(e, s, &p, buf, len))
        s->small_waiting++;
}

void endpoint_send_frames(struct endpoint *e, struct session *s, uint64_t now_us,
                          const uint8_t *frames, size_t len) {
    if (paths_spend(&s->paths, session_hop(s), DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, session_hop(s), frames, len);
    else
        drop_frames(e);
}

int endpoint_send_record(struct endpoint *e, struct session *s, const void *data, size_t len) {
    uint8_t buf[MTU_BASE_BYTES];
    struct wr w = wr_init(buf + DATA_HEADER_BYTES, sizeof buf - DATA_OVERHEAD_BYTES);
    frame_write_record(&w, data, len);
    const size_t bytes = wr_len(&w);
    if (s->records_waiting >= SMALL_RECORDS_PER_SESSION_MAX ||
        !paths_spend(&s->paths, session_hop(s), DATA_OVERHEAD_BYTES + bytes)) {
        e->counters.queue_dropped++;
        e->counters.records_unsent++;
        return ERR_FULL;
    }
    const struct small_packet p = {.to = *session_hop(s), .class = SMALL_RECORD};
    if (!push_sealed(e, s, &p, buf, bytes))
        return ERR_FULL;
    s->records_waiting++;
    e->counters.records_out++;
    return 0;
}

void endpoint_send_said(struct endpoint *e, struct session *s, const uint8_t *msg, size_t len) {
    const int err = endpoint_send_record(e, s, msg, len);
    (void)err; /* it is said again */
}

void endpoint_say_later(struct endpoint *e, struct peer *p, const uint8_t *msg, size_t len) {
    if (!p->unsaid)
        p->unsaid = mem_calloc(1, sizeof *p->unsaid);
    struct unsaid *u = p->unsaid;
    for (unsigned i = 0; u && i < u->count; i++)
        if (u->list[i].len == len && memcmp(u->list[i].data, msg, len) == 0)
            return; /* once more */
    if (!u || u->count == UNSAID_MAX) {
        e->counters.records_unsent++;
        return;
    }
    u->list[u->count].len = (uint8_t)len;
    memcpy(u->list[u->count++].data, msg, len);
}

void endpoint_send_unsaid(struct endpoint *e, struct session *s) {
    struct unsaid *u = s->peer->unsaid;
    s->peer->unsaid = NULL;
    for (unsigned i = 0; u && i < u->count; i++)
        endpoint_send_said(e, s, u->list[i].data, u->list[i].len);
    mem_free(u);
}

/* Nobody counts it any more. */
static void uncount(struct endpoint *e, const struct small_packet *p) {
    struct session *s =
        session_table_by_ref(&e->sessions, (struct session_ref){p->slot, p->serial});
    if (s && p->class == SMALL_RECORD)
        s->records_waiting--;
    else if (s)
        s->small_waiting--;
}

/* The packet as a train of one. */
static void give(struct endpoint *e, const struct small_packet *p, const struct carrier *c,
                 struct train *t) {
    const size_t lead = carrier_bytes(c);
    carrier_write(c, t->buf);
    memcpy(t->buf + lead, p->data, p->len);
    t->len = lead + p->len;
    t->segment_bytes = (uint16_t)t->len;
    t->ecn = ECN_NOT_ECT;
    t->to = c->to;
    e->counters.pkts_out++;
    e->counters.bytes_out += t->len;
}

/* The policy is another since it was queued. */
static bool is_forbidden(struct endpoint *e, const struct small_packet *p) {
    const struct peer *of = p->of_peer ? peers_by_ref(&e->peers, p->peer) : NULL;
    const bool forbidden = of && !peer_takes(of, &p->to);
    e->counters.policy_dropped += forbidden;
    return forbidden;
}

static bool take(struct endpoint *e, uint64_t now_us, struct train *t, bool record) {
    struct small_queue *q = &e->waiting;
    for (struct small_packet *p; (p = record ? small_pop_record(q, t) : small_pop(q, t));) {
        struct carrier c;
        const bool way = !is_forbidden(e, p) && endpoint_carrier(e, &p->to, &c);
        if (way && train_is_unwanted(t, &c.to) && small_wait(q, p, hop_socket(&c.to)))
            continue;
        const bool goes = way && !train_is_unwanted(t, &c.to) &&
                          carrier_spend(e, now_us, &c, carrier_bytes(&c) + p->len);
        uncount(e, p);
        if (goes)
            give(e, p, &c, t);
        else
            e->counters.relay_no_way++;
        mem_free(p);
        if (goes)
            return true;
    }
    return false;
}

bool endpoint_take_small(struct endpoint *e, uint64_t now_us, struct train *t) {
    return e->waiting.held > 0 && take(e, now_us, t, false);
}

bool endpoint_take_record(struct endpoint *e, uint64_t now_us, struct train *t) {
    return e->waiting.held > 0 && take(e, now_us, t, true);
}
