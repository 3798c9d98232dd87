/* endpoint_small.c: packets that are made whole at once: handshakes, session frames and records in
 * a packet of their own. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint_int.h"
#include "net/wire/frame.h"

enum { FRAMES_MAX_BYTES = 64 };

static bool push(struct endpoint *e, const struct small_packet *p, const uint8_t *data,
                 size_t len) {
    struct endpoint_counters *c = &e->counters;
    if (small_push(&e->waiting, p, data, len))
        return true;
    c->queue_dropped++;
    (*(p->class == SMALL_SESSION  ? &c->frames_unsent
       : p->class == SMALL_RECORD ? &c->records_unsent
                                  : &c->handshakes_unsent))++;
    return false;
}

void endpoint_queue_small(struct endpoint *e, const struct hop *to, const uint8_t *data,
                          size_t len) {
    const struct small_packet p = {.to = *to, .class = small_class_of(data)};
    (void)push(e, &p, data, len);
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
    return push(e, &p, buf, n);
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

/* The packet as a train of one. */
static bool give(struct endpoint *e, struct small_packet *p, struct train *t) {
    if (!p)
        return false;
    struct session *s =
        session_table_by_ref(&e->sessions, (struct session_ref){p->slot, p->serial});
    if (s && p->class == SMALL_RECORD)
        s->records_waiting--;
    else if (s)
        s->small_waiting--;
    memcpy(t->buf, p->data, p->len);
    t->len = p->len;
    t->segment_bytes = (uint16_t)p->len;
    t->ecn = ECN_NOT_ECT;
    t->to = p->to;
    e->counters.pkts_out++;
    e->counters.bytes_out += p->len;
    mem_free(p);
    return true;
}

bool endpoint_take_small(struct endpoint *e, struct train *t) {
    return give(e, small_pop(&e->waiting, t), t);
}

bool endpoint_take_record(struct endpoint *e, struct train *t) {
    return give(e, small_pop_record(&e->waiting, t), t);
}
