#include "sim/pipe/segment.h"

#include <string.h>

#include "crypto/base/bytes.h"

uint32_t segment_write(const struct segment *s, uint8_t *out) {
    store_le32(out, (uint32_t)s->seq);
    store_le32(out + 4, (uint32_t)s->ack);
    store_le32(out + 8, s->window << 8 | s->flags);
    if (s->len > 0)
        memcpy(out + SEGMENT_HEAD_BYTES, s->data, s->len);
    return SEGMENT_HEAD_BYTES + s->len;
}

/* The number with these low bits that is nearest. */
static uint64_t extend(uint32_t low, uint64_t about) {
    const int64_t apart = (int32_t)(low - (uint32_t)about);
    return apart < 0 && (uint64_t)-apart > about ? low : about + (uint64_t)apart;
}

bool segment_read(const uint8_t *in, uint32_t len, uint64_t near_seq, uint64_t near_ack,
                  struct segment *out) {
    if (len < SEGMENT_HEAD_BYTES)
        return false;
    const uint32_t last = load_le32(in + 8);
    *out = (struct segment){
        .seq = extend(load_le32(in), near_seq),
        .ack = extend(load_le32(in + 4), near_ack),
        .window = last >> 8,
        .flags = (uint8_t)last,
        .data = in + SEGMENT_HEAD_BYTES,
        .len = len - SEGMENT_HEAD_BYTES,
    };
    return true;
}

uint32_t segment_span(const struct segment *s) {
    return s->len + ((s->flags & SEGMENT_SYN) != 0) + ((s->flags & SEGMENT_FIN) != 0);
}

uint32_t segment_refuse(const uint8_t *in, uint32_t len, uint8_t out[static SEGMENT_HEAD_BYTES]) {
    struct segment s;
    if (!segment_read(in, len, 0, 0, &s) || (s.flags & SEGMENT_RST))
        return 0;
    const struct segment answer = {.seq = s.flags & SEGMENT_ACK ? s.ack : 0,
                                   .ack = s.seq + segment_span(&s),
                                   .flags = SEGMENT_RST | SEGMENT_ACK};
    return segment_write(&answer, out);
}
