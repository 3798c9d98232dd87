/* fuzz_endpoint.c: datagrams of any content at a node's port: the first two bytes of each are its
 * length. Lengths of real messages are also tried with their type byte set, so that the fuzzer gets
 * past the first check. */
#include <stdlib.h>
#include <string.h>

#include "net/endpoint.h"
#include "net/wire/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(void *ctx, void *buf, size_t len) {
    uint64_t *n = ctx;
    uint8_t *p = buf;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)((*n)++ * 167 >> 3);
}

static void drain(struct endpoint *e, uint64_t now_us, uint8_t *out) {
    struct train t = {.buf = out};
    struct ep_event ev;
    while (endpoint_poll(e, &ev))
        continue;
    while (endpoint_output(e, now_us, &t))
        if (t.len > TRAIN_MAX_BYTES)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t out[TRAIN_MAX_BYTES], buf[2048];
    uint64_t counter = 1, now_us = 1000000;
    struct rng rng = {fill, &counter};
    struct identity id;
    identity_generate(&id, &rng);
    struct endpoint_config cfg = {.identity = &id, .rng = rng, .wall_us = 1};
    struct endpoint *e = endpoint_new(&cfg, now_us);
    if (!e)
        return 0;
    struct addr from = {.kind = ADDR_IPV4, .port = 7, .ip = {127, 0, 0, 1}};
    while (size >= 2) {
        size_t len = (size_t)data[0] | (size_t)(data[1] & 7) << 8;
        unsigned shape = data[1] >> 6;
        data += 2;
        size -= 2;
        if (len > size)
            len = size;
        memcpy(buf, data, len);
        data += len;
        size -= len;
        static const size_t sizes[] = {0, INITIATION_BYTES, RESPONSE_BYTES, RETRY_BYTES};
        if (shape > 0) {
            memset(buf, 0, 4);
            buf[0] = (uint8_t)shape;
            len = sizes[shape];
            if (shape == PACKET_INITIATION) /* the right mac1, so that it is read further */
                cookie_mac1(&id.transport_public, buf, len - 2 * MAC_BYTES,
                            buf + len - 2 * MAC_BYTES);
        }
        const struct hop hop = hop_udp(&from, 0);
        endpoint_input(e, now_us, &hop, (uint8_t)(shape & ECN_MASK), buf, len);
        now_us += 1000;
        endpoint_timeout(e, now_us);
        drain(e, now_us, out);
    }
    if (endpoint_session_count(e) != 0)
        abort();
    endpoint_free(e);
    return 0;
}
