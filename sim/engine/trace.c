#include "sim/engine/trace.h"

#include <stdlib.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

static const uint64_t second_ns = UINT64_C(1000000000);

void trace_init(struct trace *t, uint64_t start_ns) {
    *t = (struct trace){.start_ns = start_ns};
    (void)crypto_generichash_init(&t->state, NULL, 0, TRACE_BYTES);
}

void trace_clear(struct trace *t) {
    mem_free(t->seconds);
    *t = (struct trace){0};
}

void trace_hash(const struct trace *t, uint8_t out[static TRACE_BYTES]) {
    crypto_generichash_state copy = t->state;
    (void)crypto_generichash_final(&copy, out, TRACE_BYTES);
}

static void close_seconds(struct trace *t, uint64_t time_ns) {
    const uint64_t now = (time_ns - t->start_ns) / second_ns;
    if (t->second_count >= now || t->second_count >= TRACE_SECONDS_MAX)
        return;
    uint8_t hash[TRACE_BYTES];
    trace_hash(t, hash);
    while (t->second_count < now && t->second_count < TRACE_SECONDS_MAX) {
        grow(&t->seconds, &t->second_cap, t->second_count + 1, sizeof *t->seconds);
        t->seconds[t->second_count++] = load_le64(hash);
    }
}

void trace_add(struct trace *t, const struct trace_record *r) {
    uint8_t line[32];
    struct wr w = wr_init(line, sizeof line);
    close_seconds(t, r->time_ns);
    wr_u64(&w, r->time_ns - t->start_ns);
    wr_u32(&w, r->source);
    wr_u32(&w, r->target);
    wr_u32(&w, r->length);
    wr_u16(&w, r->kind);
    wr_u64(&w, r->detail);
    (void)crypto_generichash_update(&t->state, line, wr_len(&w));
    t->records++;
}

bool trace_first_difference(const struct trace *a, const struct trace *b, uint64_t *second) {
    const size_t both = a->second_count < b->second_count ? a->second_count : b->second_count;
    for (size_t i = 0; i < both; i++)
        if (a->seconds[i] != b->seconds[i]) {
            *second = i;
            return true;
        }
    if (a->second_count != b->second_count) {
        *second = both;
        return true;
    }
    return false;
}
