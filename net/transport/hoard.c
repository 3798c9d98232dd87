#include "net/transport/hoard.h"

#include "net/base/limits.h"

static bool hoarded(const struct hoard *h, uint64_t held_bytes, uint64_t gone_bytes) {
    return held_bytes > HOARD_BYTES && gone_bytes - h->gone_bytes < held_bytes;
}

void hoard_init(struct hoard *h, uint64_t now_us, uint64_t gone_bytes) {
    h->since_us = now_us;
    h->gone_bytes = gone_bytes;
}

void hoard_look(struct hoard *h, uint64_t now_us, uint64_t held_bytes, uint64_t gone_bytes) {
    if (!hoarded(h, held_bytes, gone_bytes))
        hoard_init(h, now_us, gone_bytes);
}

bool hoard_lasts(const struct hoard *h, uint64_t now_us, uint64_t held_bytes, uint64_t gone_bytes) {
    return now_us >= h->since_us + HOARD_US && hoarded(h, held_bytes, gone_bytes);
}
