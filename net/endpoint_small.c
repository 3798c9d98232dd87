/* endpoint_small.c: packets that are made whole at once: handshakes, and session frames in a packet
 * of their own. */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint_int.h"
#include "net/wire/frame.h"

void endpoint_queue_small(struct endpoint *e, const struct hop *to, const uint8_t *data,
                          size_t len) {
    const struct small_packet p = {.to = *to};
    if (!small_push(&e->small, &p, data, len))
        e->counters.queue_dropped++;
}

/* What a peer has asked for, as often as it likes, leaves room for what we have to say. */
static unsigned bound_for(uint8_t frame) {
    const bool asked =
        frame == FRAME_ECHOED || frame == FRAME_CONFIRMED || frame == FRAME_PATH_RESPONSE;
    return asked ? SMALL_PER_SESSION_MAX / 2 : SMALL_PER_SESSION_MAX;
}

void endpoint_send_frames_to(struct endpoint *e, struct session *s, uint64_t now_us,
                             const struct hop *to, const uint8_t *frames, size_t len) {
    uint8_t buf[DATA_OVERHEAD_BYTES + 64];
    if (s->state == SESSION_ENDED || len > 64 || !keys_may_send(&s->keys, now_us, s->send_counter))
        return;
    if (s->small_waiting >= bound_for(frames[0])) {
        e->counters.queue_dropped++;
        return;
    }
    memcpy(buf + DATA_HEADER_BYTES, frames, len);
    size_t n = session_seal(s, e->aead, s->send_counter++, buf, len);
    s->pkts_sent++;
    s->bytes_sent += n;
    const struct small_packet p = {.to = *to, .slot = session_slot(s), .serial = s->serial};
    if (small_push(&e->small, &p, buf, n))
        s->small_waiting++;
    else
        e->counters.queue_dropped++;
}

void endpoint_send_frames(struct endpoint *e, struct session *s, uint64_t now_us,
                          const uint8_t *frames, size_t len) {
    if (paths_spend(&s->paths, session_hop(s), DATA_OVERHEAD_BYTES + len))
        endpoint_send_frames_to(e, s, now_us, session_hop(s), frames, len);
    else
        e->counters.queue_dropped++;
}

bool endpoint_take_small(struct endpoint *e, struct train *t) {
    struct small_packet *p = small_pop(&e->small, t);
    if (!p)
        return false;
    struct session *s =
        session_table_by_ref(&e->sessions, (struct session_ref){p->slot, p->serial});
    if (s)
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
