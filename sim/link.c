#include "sim/link.h"

static const uint64_t ns_per_s = UINT64_C(1000000000);

const char *fate_name(enum fate f) {
    static const char *const names[FATE_COUNT] = {"delivered", "loss",    "burst", "queue",
                                                  "mtu",       "no_host", "down",  "cut"};
    return f < FATE_COUNT ? names[f] : "unknown";
}

void link_init(struct link *l, const struct draw *draw, uint32_t entity) {
    *l = (struct link){.cfg = {.mtu_bytes = LINK_MTU_BYTES, .queue_ns = LINK_QUEUE_NS},
                       .draw = draw,
                       .entity = entity};
}

/* a * b / c with a 128-bit product: rates reach 10^11, times 10^12. */
static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c) {
    __extension__ typedef unsigned __int128 u128;
    return (uint64_t)((u128)a * b / c);
}

uint64_t link_queue_bytes(const struct link_config *c) {
    if (c->rate_bps == 0 || (c->queue_bytes == 0 && c->queue_ns == 0))
        return UINT64_MAX;
    const uint64_t by_time = mul_div(c->rate_bps, c->queue_ns, 8 * ns_per_s);
    return by_time > c->queue_bytes ? by_time : c->queue_bytes;
}

uint64_t link_backlog_bytes(const struct link *l, uint64_t now_ns) {
    if (l->cfg.rate_bps == 0 || l->free_ns <= now_ns)
        return 0;
    return mul_div(l->free_ns - now_ns, l->cfg.rate_bps, 8 * ns_per_s);
}

bool link_is_plain(const struct link *l) {
    const struct link_config *c = &l->cfg;
    return c->rate_bps == 0 && c->loss_ppb == 0 && c->burst_enter_ppb == 0 && c->reorder_ppb == 0 &&
           c->duplicate_ppb == 0 && c->corrupt_ppb == 0;
}

static bool happens(const struct link *l, enum draw_kind kind, uint64_t n, uint32_t ppb) {
    return ppb > 0 && draw_chance(draw_u64(l->draw, l->entity, kind, n), ppb);
}

/* Gilbert-Elliott: the state moves with every packet, the bad state loses some or all. */
static bool lost_in_burst(struct link *l, uint64_t n) {
    const struct link_config *c = &l->cfg;
    if (c->burst_enter_ppb == 0)
        return false;
    if (happens(l, DRAW_BURST, 2 * n, l->bad ? c->burst_leave_ppb : c->burst_enter_ppb))
        l->bad = !l->bad;
    return l->bad && happens(l, DRAW_BURST, 2 * n + 1, c->burst_loss_ppb);
}

void link_pass(struct link *l, uint64_t now_ns, uint32_t bytes, struct link_out *out) {
    const struct link_config *c = &l->cfg;
    const uint64_t n = l->packets++;
    *out = (struct link_out){.fate = FATE_DELIVERED};
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
        if (l->free_ns < now_ns)
            l->free_ns = now_ns;
        l->free_ns += mul_div(bytes, 8 * ns_per_s, c->rate_bps);
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
