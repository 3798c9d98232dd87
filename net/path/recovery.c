#include "net/path/recovery.h"

#include "net/base/timer.h"
#include "net/base/train.h"

void recovery_init(struct recovery *r, uint64_t now_us, uint16_t path, uint64_t next_pn) {
    pmtud_init(&r->pmtud, r->mtu_max);
    rtt_init(&r->rtt);
    cc_init(&r->cc, r->cc_kind, r->pmtud.mtu_bytes);
    pacer_init(&r->pacer, now_us, r->pmtud.mtu_bytes);
    r->pacer_until_us = TIME_NEVER;
    loss_init(&r->loss, path, next_pn);
    r->loss.last_sent_us = now_us; /* the probe timeout of what is out counts from here */
}

void recovery_leave(struct recovery *r, uint64_t now_us) {
    loss_leave(&r->loss, now_us, rtt_pto_us(&r->rtt));
    r->pacer_until_us = TIME_NEVER;
    r->probes = 0;
}

void recovery_set_rtt(struct recovery *r, const struct rtt *known) {
    r->rtt = *known;
    pacer_set_rtt(&r->pacer, known->srtt_us);
}

void recovery_mtu_changed(struct recovery *r) {
    cc_set_mss(&r->cc, r->pmtud.mtu_bytes);
}

bool recovery_may_send(struct recovery *r, uint64_t now_us) {
    if (r->probes > 0)
        return true;
    /* Once the pacer has said stop, tokens are left to gather: a full train costs little more than
     * one packet. */
    if (r->pacer_until_us != TIME_NEVER && now_us < r->pacer_until_us)
        return false;
    r->pacer_until_us = TIME_NEVER;
    if (!cc_may_send(&r->cc)) {
        r->app_limited = false;
        r->cc.cwnd_limited = true;
        return false;
    }
    uint64_t rate = cc_pacing_rate(&r->cc, r->rtt.srtt_us);
    uint64_t mss = r->pmtud.mtu_bytes;
    if (pacer_allowance(&r->pacer, now_us, rate, mss) >= mss)
        return true;
    /* Wake for a worthwhile burst: half of what the bucket holds, at least one packet, at most a
     * train. */
    uint64_t need = rate * r->pacer.burst_us / 2000000;
    if (need > TRAIN_MAX_BYTES)
        need = TRAIN_MAX_BYTES;
    if (need < mss)
        need = mss;
    r->pacer_until_us = pacer_when_us(&r->pacer, now_us, rate, need);
    return false;
}

/* The largest probe: when big packets fall into a black hole, only a small one brings the
 * acknowledgement that shows it (RFC 8899 §4.3). The second one of a timeout, and after the first
 * timeout all, are such as nearly every path carries; if that is what does not come back, the
 * second one is such as all carry. */
static size_t probe_bytes(const struct recovery *r) {
    if (r->probes == 1 && (r->pmtud.mtu_bytes <= MTU_BASE_BYTES || r->loss.pto_count > 2))
        return MTU_MIN_BYTES;
    return r->probes == 1 || r->loss.pto_count > 1 ? MTU_BASE_BYTES : SIZE_MAX;
}

size_t recovery_datagram_bytes(const struct recovery *r) {
    const size_t mtu = r->pmtud.mtu_bytes;
    const size_t probe = r->probes > 0 ? probe_bytes(r) : SIZE_MAX;
    return mtu < probe ? mtu : probe;
}

uint64_t recovery_deadline_us(const struct recovery *r, const struct sent *s) {
    const uint64_t d = loss_deadline_us(&r->loss, s, &r->rtt);
    return r->pacer_until_us < d ? r->pacer_until_us : d;
}
