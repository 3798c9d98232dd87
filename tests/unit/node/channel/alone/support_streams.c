/* Streams, contacts and calls of the tests' own, as the rooms of channels see them. */
#include "support_streams.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

#include "net/endpoint.h"

static struct fake_stream streams[FAKE_STREAMS];
static uint64_t opened;
static union {
    struct block block;
    uint8_t bytes[sizeof(struct block) + FAKE_BYTES];
} shown;

struct fake_stream *fake_stream(uint64_t id) {
    assert_true(id < FAKE_STREAMS);
    return &streams[id];
}

void fake_come(uint64_t id, const void *bytes, size_t len) {
    struct fake_stream *s = fake_stream(id);
    assert_true(s->in_len + len <= FAKE_BYTES);
    memcpy(s->in + s->in_len, bytes, len);
    s->in_len += len;
}

uint64_t fake_opened(void) {
    return opened > 0 ? FAKE_STREAMS - opened : UINT64_MAX;
}

void fake_clear(void) {
    memset(streams, 0, sizeof streams);
    opened = 0;
}

/* ---- what the rooms call ---- */
int stream_open(struct endpoint *e, struct session_ref s, uint64_t *stream) {
    (void)e;
    (void)s;
    opened++; /* from the end on: a peer's are at the beginning */
    *stream = fake_opened();
    return 0;
}

unsigned stream_peek(struct endpoint *e, struct session_ref s, uint64_t stream, size_t skip,
                     struct span *spans, unsigned max, bool *fin) {
    const struct fake_stream *f = fake_stream(stream);
    (void)e;
    (void)s;
    assert_true(skip == 0 && max == 1);
    *fin = f->fin;
    if (f->in_len == 0)
        return 0;
    memcpy(shown.block.data, f->in, f->in_len);
    spans[0] = (struct span){&shown.block, 0, (uint32_t)f->in_len};
    return 1;
}

void stream_consume(struct endpoint *e, uint64_t now_us, struct session_ref s, uint64_t stream,
                    size_t n) {
    struct fake_stream *f = fake_stream(stream);
    (void)e;
    (void)now_us;
    (void)s;
    assert_true(n <= f->in_len);
    f->in_len -= n;
    memmove(f->in, f->in + n, f->in_len);
}

int stream_write(struct endpoint *e, struct session_ref s, uint64_t stream, const void *data,
                 size_t len, size_t *taken) {
    struct fake_stream *f = fake_stream(stream);
    (void)e;
    (void)s;
    assert_true(f->out_len + len <= FAKE_BYTES);
    memcpy(f->out + f->out_len, data, len);
    f->out_len += len;
    *taken = len;
    return 0;
}

int stream_finish(struct endpoint *e, struct session_ref s, uint64_t stream) {
    (void)e;
    (void)s;
    fake_stream(stream)->finished = true;
    return 0;
}

int stream_reset(struct endpoint *e, struct session_ref s, uint64_t stream, int err) {
    (void)e;
    (void)s;
    fake_stream(stream)->reset = err;
    return 0;
}

int stream_stop(struct endpoint *e, struct session_ref s, uint64_t stream, int err) {
    (void)e;
    (void)s;
    fake_stream(stream)->stopped = err;
    return 0;
}

void stream_abort(struct endpoint *e, struct session_ref s, uint64_t stream, int err) {
    if (stream_reset(e, s, stream, err) || stream_stop(e, s, stream, err)) {
        /* Never here. */
    }
}

void stream_let_go(struct endpoint *e, struct session_ref s, uint64_t stream) {
    (void)e;
    (void)s;
    fake_stream(stream)->let_go = true;
}

void stream_set_owner(struct endpoint *e, struct session_ref s, uint64_t stream, uint64_t owner) {
    (void)e;
    (void)s;
    fake_stream(stream)->owner = owner;
}

void stream_set_priority(struct endpoint *e, struct session_ref s, uint64_t stream, unsigned prio) {
    (void)e;
    (void)s;
    (void)stream;
    (void)prio;
}
