/* fuzz_relay_msg.c: what clients and relays say to each other: whatever is read is written again
 * as it came. The first bytes are mended now and then, so that random input gets further. */
#include <stdlib.h>
#include <string.h>

#include "net/wire/relay_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(const uint8_t *data, size_t size) {
    struct relay_msg m;
    uint8_t out[RELAY_MSG_MAX_BYTES];
    if (!relay_msg_read(&m, data, size))
        return;
    if (relay_msg_write(&m, out) != size || memcmp(out, data, size) != 0)
        abort();
}

static void forward(const uint8_t *data, size_t size) {
    uint8_t head[FORWARD_HEADER_BYTES];
    const uint32_t flow = forward_read(data, size);
    if (flow == 0)
        return;
    forward_write(head, (enum packet_type)data[0], flow);
    if (size < sizeof head + DATA_OVERHEAD_BYTES || memcmp(head, data, sizeof head) != 0)
        abort();
}

static void key(const uint8_t *data, size_t size) {
    uint8_t nonce[KEY_NONCE_BYTES], out[KEY_ASK_BYTES];
    struct key_told t;
    if (key_ask_read(nonce, data, size)) {
        key_ask_write(nonce, out);
        if (memcmp(out, data, size) != 0)
            abort();
    }
    if (!key_told_read(&t, data, size))
        return;
    key_told_write(&t, out);
    if (memcmp(out, data, size) != 0)
        abort();
}

static void all(const uint8_t *data, size_t size) {
    message(data, size);
    forward(data, size);
    key(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t known[] = {
#define X(name, op, bytes) op,
        RELAY_OPS(X)
#undef X
    };
    all(data, size);
    uint8_t buf[512] = {0};
    if (size < 12 || size > sizeof buf)
        return 0;
    memcpy(buf, data, size);
    buf[0] = RECORD_KIND_RELAY;
    buf[1] = known[data[1] % sizeof known];
    for (size_t len = 0; len <= size && len <= RELAY_MSG_MAX_BYTES; len++)
        message(buf, len);
    memset(buf, 0, 4);
    buf[0] = (uint8_t)(PACKET_FORWARD + data[0] % 2);
    buf[8] = (uint8_t)(data[8] % 10);
    all(buf, size);
    memset(buf + 9, 0, 3);
    all(buf, size);
    return 0;
}
