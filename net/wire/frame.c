#include "net/wire/frame.h"

bool frame_read_stream(struct rd *r, uint8_t type, struct frame_stream *out) {
    out->id = rd_varint(r);
    out->offset = (type & STREAM_OFF) ? rd_varint(r) : 0;
    out->fin = (type & STREAM_FIN) != 0;
    uint64_t len = (type & STREAM_LEN) ? rd_varint(r) : rd_left(r);
    if (!r->ok || len > rd_left(r) || out->offset + len > VARINT_MAX) {
        r->ok = false;
        return false;
    }
    out->len = (size_t)len;
    out->data = rd_take(r, out->len);
    return r->ok;
}

/* RFC 9000 §19.3.1: each range counts down from the one before it; a number below zero is
 * malformed. */
bool frame_read_ack(struct rd *r, uint8_t type, struct frame_ack *out) {
    out->largest = rd_varint(r);
    out->delay_us = rd_varint(r);
    uint64_t more = rd_varint(r);
    uint64_t first = rd_varint(r);
    out->count = 0;
    if (!r->ok || first > out->largest)
        goto bad;
    uint64_t low = out->largest - first;
    out->ranges[out->count++] = (struct range){low, out->largest + 1};
    for (uint64_t i = 0; i < more; i++) {
        uint64_t gap = rd_varint(r), len = rd_varint(r);
        if (!r->ok || low < gap + 2 || low - gap - 2 < len)
            goto bad;
        uint64_t high = low - gap - 2;
        low = high - len;
        if (out->count < ACK_RANGES_MAX)
            out->ranges[out->count++] = (struct range){low, high + 1};
    }
    out->has_ecn = type == FRAME_ACK_ECN;
    if (!out->has_ecn)
        return true;
    out->ecn.ect0 = rd_varint(r);
    out->ecn.ect1 = rd_varint(r);
    out->ecn.ce = rd_varint(r);
    return r->ok;
bad:
    r->ok = false;
    return false;
}

bool frame_skip(struct rd *r) {
    uint64_t len = rd_varint(r);
    if (len > rd_left(r))
        r->ok = false;
    return r->ok && rd_take(r, (size_t)len) != NULL;
}

bool frame_read_record(struct rd *r, const uint8_t **data, size_t *len) {
    const uint64_t n = rd_varint(r);
    if (n > rd_left(r) || n > RECORD_MAX_BYTES)
        r->ok = false;
    if (!r->ok)
        return false;
    *len = (size_t)n;
    *data = rd_take(r, *len);
    return r->ok;
}

void frame_write_record(struct wr *w, const void *data, size_t len) {
    wr_u8(w, FRAME_RECORD);
    wr_varint(w, len);
    wr_bytes(w, data, len);
}

bool frame_read_path_report(struct rd *r, struct path_report *out) {
    const uint64_t len = rd_varint(r);
    if (len > rd_left(r))
        r->ok = false;
    if (!r->ok)
        return false;
    const uint8_t *bytes = rd_take(r, (size_t)len);
    if (!bytes)
        return false;
    struct rd body = rd_init(bytes, (size_t)len);
    out->packets = rd_varint(&body);
    out->bytes = rd_varint(&body);
    out->largest = rd_varint(&body);
    r->ok = body.ok;
    return r->ok;
}

void frame_write_path_report(struct wr *w, const struct path_report *report) {
    const size_t len =
        varint_size(report->packets) + varint_size(report->bytes) + varint_size(report->largest);
    wr_u8(w, FRAME_PATH_REPORT);
    wr_varint(w, len);
    wr_varint(w, report->packets);
    wr_varint(w, report->bytes);
    wr_varint(w, report->largest);
}

bool frames_are_records(const uint8_t *frames, size_t len) {
    struct rd r = rd_init(frames, len);
    bool any = false;
    while (rd_left(&r) > 0) {
        const uint8_t *data;
        size_t n;
        const uint8_t type = rd_u8(&r);
        if (type == FRAME_PADDING)
            continue;
        if (type != FRAME_RECORD || !frame_read_record(&r, &data, &n))
            return false;
        any = true;
    }
    return any;
}

unsigned frame_write_ack(struct wr *w, const struct ranges *received, uint64_t delay_us,
                         const struct ecn_counts *ecn, size_t max_bytes) {
    if (ranges_empty(received))
        return 0;
    uint32_t n = received->count;
    struct range top = ranges_at(received, n - 1);
    uint64_t largest = top.hi - 1, first = top.hi - top.lo - 1;
    if (delay_us > VARINT_MAX)
        delay_us = VARINT_MAX;
    size_t need = 1 + varint_size(largest) + varint_size(delay_us) + 1 + varint_size(first);
    const bool counts = ecn_has_counts(ecn);
    if (counts)
        need += varint_size(ecn->ect0) + varint_size(ecn->ect1) + varint_size(ecn->ce);
    if (max_bytes > wr_left(w))
        max_bytes = wr_left(w);
    if (need > max_bytes)
        return 0;
    uint32_t more = 0;
    uint64_t low = top.lo;
    while (more + 1 < n && more < ACK_RANGES_MAX - 1) {
        struct range x = ranges_at(received, n - 2 - more);
        size_t step = varint_size(low - x.hi - 1) + varint_size(x.hi - x.lo - 1);
        /* The count's varint may grow to two bytes once. */
        if (need + step + 1 > max_bytes)
            break;
        need += step;
        low = x.lo;
        more++;
    }
    wr_u8(w, counts ? FRAME_ACK_ECN : FRAME_ACK);
    wr_varint(w, largest);
    wr_varint(w, delay_us);
    wr_varint(w, more);
    wr_varint(w, first);
    low = top.lo;
    for (uint32_t i = 0; i < more; i++) {
        struct range x = ranges_at(received, n - 2 - i);
        wr_varint(w, low - x.hi - 1);
        wr_varint(w, x.hi - x.lo - 1);
        low = x.lo;
    }
    if (counts) {
        wr_varint(w, ecn->ect0);
        wr_varint(w, ecn->ect1);
        wr_varint(w, ecn->ce);
    }
    return w->ok ? more + 1 : 0;
}

size_t frame_stream_overhead(uint64_t id, uint64_t offset, size_t len) {
    return 1 + varint_size(id) + varint_size(offset) + varint_size(len);
}

void frame_write_stream_header(struct wr *w, uint64_t id, uint64_t offset, size_t len, bool fin) {
    wr_u8(w, (uint8_t)(FRAME_STREAM | STREAM_LEN | STREAM_OFF | (fin ? STREAM_FIN : 0)));
    wr_varint(w, id);
    wr_varint(w, offset);
    wr_varint(w, len);
}
