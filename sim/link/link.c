#include "sim/link/link.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "net/base/ecn_field.h"
#include "sim/engine/muldiv.h"

static const uint64_t ns_per_s = UINT64_C(1000000000);

const char *fate_name(enum fate f) {
    static const char *const names[FATE_COUNT] = {
        "delivered", "loss",        "burst",       "queue",   "mtu",          "no_host",
        "down",      "cut",         "codel",       "listed",  "nat_unmapped", "nat_filtered",
        "nat_full",  "nat_hairpin", "unreachable", "blocked", "suspended",    "buffer",
        "hostile",   "ecn",         "unplugged"};
    return f < FATE_COUNT ? names[f] : "unknown";
}

void link_init(struct link *l, const struct draw *draw, uint32_t entity) {
    *l = (struct link){.cfg = {.mtu_bytes = LINK_MTU_BYTES, .queue_ns = LINK_QUEUE_NS},
                       .draw = draw,
                       .entity = entity};
}

uint64_t link_queue_bytes(const struct link_config *c) {
    if (c->rate_bps == 0 || (c->queue_bytes == 0 && c->queue_ns == 0))
        return UINT64_MAX;
    const uint64_t by_time = muldiv(c->rate_bps, c->queue_ns, 8 * ns_per_s);
    return by_time > c->queue_bytes ? by_time : c->queue_bytes;
}

uint64_t link_backlog_bytes(const struct link *l, uint64_t now_ns) {
    if (l->cfg.rate_bps == 0 || l->free_ns <= now_ns)
        return 0;
    return muldiv(l->free_ns - now_ns, l->cfg.rate_bps, 8 * ns_per_s);
}

bool link_is_plain(const struct link *l) {
    const struct link_config *c = &l->cfg;
    return c->rate_bps == 0 && c->loss_ppb == 0 && c->burst_enter_ppb == 0 && c->reorder_ppb == 0 &&
           c->ecn == LINK_ECN_OFF && c->duplicate_ppb == 0 && c->corrupt_ppb == 0 &&
           c->jitter == JITTER_NONE && l->lose_count == 0;
}

static bool happens(const struct link *l, enum draw_kind kind, uint64_t n, uint32_t ppb) {
    return ppb > 0 && draw_chance(draw_u64(l->draw, l->entity, kind, n), ppb);
}

/* Gilbert-Elliott: the state moves with every packet, the bad state loses some or all. */
static bool lost_in_burst(struct link *l, uint64_t n) {
    const struct link_config *c = &l->cfg;
    if (c->burst_enter_ppb == 0)
        return l->bad = false;
    if (happens(l, DRAW_BURST, 2 * n, l->bad ? c->burst_leave_ppb : c->burst_enter_ppb))
        l->bad = !l->bad;
    return l->bad && happens(l, DRAW_BURST, 2 * n + 1, c->burst_loss_ppb);
}

/* ---- CoDel (RFC 8289) on a virtual queue: what a packet would wait is known when it comes ---- */
enum { CODEL_INTERVAL_NS = 100000000 };

static uint64_t isqrt(uint64_t n) {
    uint64_t x = n, y = (n + 1) / 2;
    while (y < x) {
        x = y;
        y = (x + n / x) / 2;
    }
    return x;
}

static uint64_t control_law(uint64_t from_ns, uint32_t drops) {
    /* interval / sqrt(count), in integers: the root of count x 10^6 is 1000 times its root. */
    return from_ns + (uint64_t)CODEL_INTERVAL_NS * 1000 / isqrt((uint64_t)drops * 1000000);
}

static bool codel_drops(struct link *l, uint64_t now_ns, uint64_t backlog_bytes) {
    struct codel *c = &l->codel;
    const uint64_t wait_ns = l->free_ns > now_ns ? l->free_ns - now_ns : 0;
    const uint64_t mtu_bytes = l->cfg.mtu_bytes > 0 ? l->cfg.mtu_bytes : LINK_MTU_BYTES;
    /* §5.1: a queue of one packet at most is none, however slow the link. */
    if (wait_ns < l->cfg.codel_ns || backlog_bytes <= mtu_bytes) {
        c->first_above_ns = 0;
        c->dropping = false;
        return false;
    }
    if (c->first_above_ns == 0)
        c->first_above_ns = now_ns + CODEL_INTERVAL_NS;
    if (!c->dropping) {
        if (now_ns < c->first_above_ns)
            return false;
        c->dropping = true;
        const uint32_t delta = c->drops - c->last_drops;
        const bool recent = now_ns - c->next_drop_ns < 16 * (uint64_t)CODEL_INTERVAL_NS;
        c->drops = delta > 1 && recent ? delta : 1;
        c->last_drops = c->drops;
        c->next_drop_ns = control_law(now_ns, c->drops);
        return true;
    }
    if (now_ns < c->next_drop_ns)
        return false;
    c->drops++;
    c->next_drop_ns = control_law(c->next_drop_ns, c->drops);
    return true;
}

/* ---- jitter ---- */

uint64_t link_jitter_ns(enum link_jitter kind, uint64_t scale_ns, uint64_t drawn) {
    uint64_t n = 0;
    switch (kind) {
    case JITTER_NONE:
        break;
    case JITTER_GAUSS:
        /* Irwin-Hall: the sum of four even draws is close to normal, sigma = 0.577 */
        for (unsigned i = 0; i < 4; i++)
            n += drawn >> 16 * i & 0xffff;
        n = n > 131072 ? n - 131072 : 131072 - n;
        return muldiv(n, scale_ns, 37837);
    case JITTER_WIFI: /* each further round of contention is half as likely; at most 12 */
        while (n < 12 && (drawn >> n & 1) != 0)
            n++;
        return n == 0 ? 0
                      : muldiv(n, scale_ns, 1) - muldiv(drawn >> 32, scale_ns, UINT64_C(1) << 32);
    case JITTER_TAIL: /* scale x (1/u - 1), u even in (0,1]; at most 64 x */
        n = (drawn >> 32) + 1;
        n = muldiv((UINT64_C(1) << 32) - n, scale_ns, n);
        return n < 64 * scale_ns ? n : 64 * scale_ns;
    }
    return 0;
}

void link_lose(struct link *l, const uint64_t *packets, uint32_t count) {
    if (count == 0) {
        mem_free(l->lose);
        l->lose = NULL;
        l->lose_count = l->lose_next = 0;
        return;
    }
    const uint64_t *old = l->lose;
    uint64_t *both = mem_alloc(((size_t)l->lose_count + count) * sizeof *both);
    uint32_t n = 0, a = 0, b = 0;
    if (!both)
        abort();
    while (a < l->lose_count || b < count) {
        const uint64_t next =
            b == count || (a < l->lose_count && old[a] <= packets[b]) ? old[a++] : packets[b++];
        if (n == 0 || both[n - 1] != next)
            both[n++] = next;
    }
    mem_free(l->lose);
    l->lose = both;
    l->lose_count = n;
    l->lose_next = 0;
}

static bool is_listed(struct link *l, uint64_t n) {
    while (l->lose_next < l->lose_count && l->lose[l->lose_next] < n)
        l->lose_next++;
    return l->lose_next < l->lose_count && l->lose[l->lose_next] == n;
}

/* Sets CE if the packet can bear it. */
static bool mark(const struct link *l, struct link_out *out) {
    out->marked = l->cfg.ecn == LINK_ECN_MARK && out->ecn != ECN_NOT_ECT;
    if (out->marked)
        out->ecn = ECN_CE;
    return out->marked;
}

void link_pass_ecn(struct link *l, uint64_t now_ns, uint32_t bytes, uint8_t ecn,
                   struct link_out *out) {
    const struct link_config *c = &l->cfg;
    const uint64_t n = l->packets++;
    *out = (struct link_out){.fate = FATE_DELIVERED,
                             .ecn = c->ecn == LINK_ECN_BLEACH ? ECN_NOT_ECT : ecn};
    if (c->ecn == LINK_ECN_BLACKHOLE && ecn != ECN_NOT_ECT) {
        out->fate = FATE_ECN;
        return;
    }
    if (is_listed(l, n)) {
        out->fate = FATE_LISTED;
        return;
    }
    if (c->mtu_bytes > 0 && bytes > c->mtu_bytes) {
        out->fate = FATE_MTU;
        return;
    }
    uint64_t left_ns = now_ns;
    if (c->rate_bps > 0) {
        const uint64_t backlog = link_backlog_bytes(l, now_ns);
        if (backlog > 0 && backlog + bytes > link_queue_bytes(c)) {
            out->fate = FATE_QUEUE;
            return;
        }
        if (c->codel_ns > 0 && codel_drops(l, now_ns, backlog) && !mark(l, out)) {
            out->fate = FATE_CODEL;
            return;
        }
        if (c->codel_ns == 0 && backlog > link_queue_bytes(c) / 2)
            (void)mark(l, out);
        if (l->free_ns < now_ns)
            l->free_ns = now_ns;
        l->free_ns += muldiv(bytes, 8 * ns_per_s, c->rate_bps);
        left_ns = l->free_ns;
    }
    if (lost_in_burst(l, n)) {
        out->fate = FATE_BURST;
        return;
    }
    if (happens(l, DRAW_LOSS, n, c->loss_ppb)) {
        out->fate = FATE_LOSS;
        return;
    }
    out->at_ns = left_ns + c->delay_ns;
    if (c->jitter != JITTER_NONE) {
        out->at_ns +=
            link_jitter_ns(c->jitter, c->jitter_ns, draw_u64(l->draw, l->entity, DRAW_JITTER, n));
        if (out->at_ns < l->last_out_ns)
            out->at_ns = l->last_out_ns;
        l->last_out_ns = out->at_ns;
    }
    if (happens(l, DRAW_DUPLICATE, n, c->duplicate_ppb)) {
        out->duplicated = true;
        out->duplicate_at_ns =
            out->at_ns + draw_below(draw_u64(l->draw, l->entity, DRAW_DUPLICATE_DELAY, n),
                                    LINK_DUPLICATE_SPREAD_NS);
    }
    if (happens(l, DRAW_REORDER, n, c->reorder_ppb)) {
        out->reordered = true;
        out->at_ns += c->reorder_ns;
    }
    if (happens(l, DRAW_CORRUPT, n, c->corrupt_ppb)) {
        out->corrupted = true;
        out->corrupt_draw = draw_u64(l->draw, l->entity, DRAW_CORRUPT_BIT, n);
    }
}
