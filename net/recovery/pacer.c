/* pacer.c: RFC 9002 §7.7. Tokens are whole bytes; what the division by a million leaves over is
 * carried, so that no rate is lost however often the bucket is looked at. */
#include "net/recovery/pacer.h"

#include "net/base/limits.h"
#include "net/base/timer.h"

#define US_PER_S UINT64_C(1000000)
#define PACER_RATE_MAX (UINT64_C(1) << 50) /* bytes per second; keeps the products in 64 bits */

static uint64_t sane(uint64_t rate_bytes_per_s) {
    return rate_bytes_per_s < PACER_RATE_MAX ? rate_bytes_per_s : PACER_RATE_MAX;
}

static uint64_t burst_bytes(uint64_t rate, uint64_t mss_bytes, uint64_t burst_us) {
    uint64_t pkts = PACER_BURST_PKTS * mss_bytes;
    if (pkts > TRAIN_MAX_BYTES)
        pkts = TRAIN_MAX_BYTES;
    uint64_t tick = rate * burst_us / US_PER_S;
    return pkts > tick ? pkts : tick;
}

void pacer_init(struct pacer *p, uint64_t now_us, uint64_t mss_bytes) {
    *p = (struct pacer){.tokens_bytes = burst_bytes(0, mss_bytes, 0),
                        .last_us = now_us,
                        .burst_us = PACER_BURST_MAX_US};
}

void pacer_set_rtt(struct pacer *p, uint64_t srtt_us) {
    const uint64_t us = srtt_us / PACER_BURSTS_PER_RTT;
    p->burst_us = us < PACER_BURST_MIN_US   ? PACER_BURST_MIN_US
                  : us > PACER_BURST_MAX_US ? PACER_BURST_MAX_US
                                            : us;
}

uint64_t pacer_allowance(struct pacer *p, uint64_t now_us, uint64_t rate_bytes_per_s,
                         uint64_t mss_bytes) {
    uint64_t rate = sane(rate_bytes_per_s);
    uint64_t burst = burst_bytes(rate, mss_bytes, p->burst_us);
    if (now_us > p->last_us) {
        uint64_t elapsed_us = now_us - p->last_us;
        p->last_us = now_us;
        if (rate > 0 && elapsed_us > burst * US_PER_S / rate) {
            p->tokens_bytes = burst;
        } else {
            uint64_t earned = rate * elapsed_us + p->remainder; /* at most about burst * 10^6 */
            p->tokens_bytes += earned / US_PER_S;
            p->remainder = earned % US_PER_S;
        }
    }
    if (p->tokens_bytes >= burst) {
        p->tokens_bytes = burst;
        p->remainder = 0;
    }
    return p->tokens_bytes;
}

void pacer_sent(struct pacer *p, uint64_t bytes) {
    p->tokens_bytes -= bytes < p->tokens_bytes ? bytes : p->tokens_bytes;
}

uint64_t pacer_when_us(const struct pacer *p, uint64_t now_us, uint64_t rate_bytes_per_s,
                       uint64_t need_bytes) {
    if (p->tokens_bytes >= need_bytes)
        return now_us;
    uint64_t rate = sane(rate_bytes_per_s);
    if (rate == 0)
        return TIME_NEVER;
    uint64_t missing = (need_bytes - p->tokens_bytes) * US_PER_S - p->remainder;
    return now_us + (missing + rate - 1) / rate;
}
