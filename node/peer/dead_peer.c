#include "node/peer/dead_peer.h"

#include "net/endpoint.h"

void watch_start(struct watch *watch) {
    if (watch->on)
        return;
    watch->on = true;
    watch->next_us = watch->turn->now_us + WATCH_US;
}

uint64_t watch_deadline_us(const struct watch *watch) {
    return watch->on ? watch->next_us : UINT64_MAX;
}

static void look(struct watch *watch, struct peering *p) {
    struct session_info info;
    struct watched *w = &p->watched;
    if (!endpoint_session_info(watch->turn->ep, watch->turn->now_us, p->session, &info))
        return;
    if (!w->on || info.pkts_received != w->pkts) {
        *w = (struct watched){true, watch->turn->now_us, info.pkts_received};
    } else if (watch->turn->now_us - w->heard_us >= WATCH_GONE_US) {
        w->on = false;
        endpoint_disconnect(watch->turn->ep, watch->turn->now_us, p->session, ERR_TIMEOUT);
    } else {
        int lost = session_ping(watch->turn->ep, watch->turn->now_us, p->session, 0);
        (void)lost; /* another one follows */
    }
}

void watch_timeout(struct watch *watch) {
    if (!watch->on || watch->turn->now_us < watch->next_us)
        return;
    bool any = false;
    for (uint32_t i = 0; i < watch->peers->cap; i++) {
        struct peering *p = watch->peers->by_index[i];
        if (!p)
            continue;
        if (p->online && p->contact && parts_wait(&watch->turn->parts, p->contact)) {
            any = true;
            look(watch, p);
        } else {
            p->watched.on = false;
        }
    }
    watch->on = any;
    watch->next_us = watch->turn->now_us + WATCH_US;
}

/* ---- as a part of the node (node/base/part.h) ---- */
static uint64_t part_deadline_us(const void *self) {
    return watch_deadline_us(self);
}

static void part_timeout(void *self) {
    watch_timeout(self);
}

const struct part_ops watch_part = {.deadline_us = part_deadline_us, .timeout = part_timeout};
