/* fuzz_frames.c: what an authenticated but hostile peer may put into packets: frames of any content
 * into a transport that has streams open both ways; after each packet time passes and packets are
 * built. */
#include <stdlib.h>
#include <string.h>

#include "net/base/limits.h"
#include "net/transport/transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *ctx, void *buf, size_t len) {
    (void)ctx;
    memset(buf, 42, len);
}

/* What is said to be RECORDs and nothing else is read so to the end. */
static void records(const uint8_t *data, size_t size) {
    const uint8_t *bytes;
    size_t len, count = 0;
    struct rd r = rd_init(data, size);
    const bool all = frames_are_records(data, size);
    while (rd_left(&r) > 0) {
        const uint8_t type = rd_u8(&r);
        if (type == FRAME_PADDING)
            continue;
        if (type != FRAME_RECORD || !frame_read_record(&r, &bytes, &len)) {
            if (all)
                abort();
            return;
        }
        if (len > RECORD_MAX_BYTES || len > size)
            abort();
        count++;
    }
    if (all != (count > 0))
        abort();
}

/* A report that is read is written so that the same is read again. */
static void path_reports(const uint8_t *data, size_t size) {
    struct rd r = rd_init(data, size);
    struct path_report a, b;
    uint8_t out[PATH_REPORT_BYTES_MAX];
    if (!frame_read_path_report(&r, &a))
        return;
    struct wr w = wr_init(out, sizeof out);
    frame_write_path_report(&w, &a);
    if (!w.ok)
        abort();
    r = rd_init(out, wr_len(&w));
    if (rd_u8(&r) != FRAME_PATH_REPORT || !frame_read_path_report(&r, &b) || rd_left(&r) != 0 ||
        a.packets != b.packets || a.bytes != b.bytes || a.largest != b.largest)
        abort();
}

static void packets_out(struct transport *t, uint64_t now_us) {
    static uint8_t out[MTU_MAX_BYTES];
    struct transport_packet info;
    for (unsigned i = 0; i < 8; i++) {
        size_t len = transport_build(t, now_us, t->next_pn, out, sizeof out - 32, 32, true, &info);
        if (len == 0)
            return;
        if (len > sizeof out - 32)
            abort();
        t->next_pn += info.skip_after ? 2 : 1;
    }
}

static void write_some(struct transport *t, struct block_pool *pool, uint64_t id) {
    struct stream *s = transport_stream(t, id);
    struct block *b = s ? block_new(pool, STREAM_BLOCK_BYTES) : NULL;
    if (!b)
        return;
    memset(b->data, 1, 5000);
    b->len = 5000;
    if (sstream_push(&s->out, (struct span){b, 0, 5000}))
        block_put(b);
    transport_activate(t, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct transport_memo memo;
    records(data, size);
    path_reports(data, size);
    struct events events = {0};
    struct endpoint_counters counters = {0};
    struct transport_shares shares = {.streams.max = STREAMS_ALL_MAX, .sent.max = SENT_ALL_MAX};
    struct block_pool *pool = block_pool_new(64, 8);
    transport_memo_init(&memo);
    struct transport_setup setup = {.memo = &memo,
                                    .pool = pool,
                                    .shares = &shares,
                                    .events = &events,
                                    .counters = &counters,
                                    .rng = {fill, NULL},
                                    .initiator = true,
                                    .mtu_max = MTU_MAX_BYTES};
    uint64_t now_us = 1000000, id, pn = 0;
    struct transport *t = transport_new(&setup, now_us, 0);
    if (t && transport_stream_open(t, &id) == 0)
        write_some(t, pool, id);
    while (t && size >= 1) {
        size_t len = data[0];
        data++;
        size--;
        if (len > size)
            len = size;
        struct rd r = rd_init(data, len);
        bool eliciting = false;
        int err = 0;
        while (!err && rd_left(&r) > 0)
            err = transport_frame(t, now_us, rd_u8(&r), &r, &eliciting);
        if (err == ERR_PROTO)
            break; /* the session would end */
        if (!err && transport_received(t, now_us, pn, eliciting, (uint8_t)(pn % 4)))
            break;
        pn++;
        data += len;
        size -= len;
        now_us += 3000;
        transport_timeout(t, now_us);
        packets_out(t, now_us);
    }
    transport_free(t);
    events_clear(&events);
    if (block_pool_in_use(pool) != 0)
        abort();
    block_pool_free(pool);
    return 0;
}
