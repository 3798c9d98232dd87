#include "node/message/letter_in.h"

#include "crypto/base/mem.h"
#include "net/endpoint.h"
#include "node/channel/delimited.h"
#include "node/message/letter.h"
#include "node/message/message.h"

static void *begin(void *self) {
    (void)self;
    struct blob_in *b = mem_alloc(sizeof *b);
    if (b)
        blob_in_init(b, LETTER_MAX_BYTES);
    return b;
}

static int feed(void *body, const uint8_t *p, size_t len, struct channel_fed *out) {
    struct blob_in *b = body;
    const int err = blob_in_feed(b, p, len, &out->used);
    out->whole = b->whole;
    return err;
}

static size_t held_bytes(const void *body) {
    const struct blob_in *b = body;
    return b->cap;
}

static void discard(void *body) {
    blob_in_clear(body);
    mem_free(body);
}

static void take(void *self, struct contact *c, struct session_ref s, uint64_t stream, void *body) {
    const struct blob_in *b = body;
    message_come(self, c, s, stream, b->buf, b->len);
    discard(body);
}

const struct channel_ops letter_in_channel = {.number = CHANNEL_MESSAGE,
                                              .begin = begin,
                                              .feed = feed,
                                              .held_bytes = held_bytes,
                                              .take = take,
                                              .free = discard};
