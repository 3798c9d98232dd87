/* support_cc.h: an ideal path for congestion control: a fixed round trip, a window always in use,
 * and one ACK per packet, evenly spread. Losses happen where the test says so.
 */
#ifndef MESHD_TESTS_SUPPORT_CC_H
#define MESHD_TESTS_SUPPORT_CC_H

#include "net/cc/cc.h"

struct cc_path {
    struct cc c;
    uint64_t now_us, rtt_us, next_pn;
    uint64_t ps; /* fraction of a microsecond, in millionths */
};

static inline void path_fill(struct cc_path *p) {
    while (cc_may_send(&p->c)) {
        cc_sent(&p->c, p->now_us, p->c.mss_bytes, &(struct rate_mark){0});
        p->next_pn++;
    }
}

static inline struct cc_path path_new(enum cc_kind kind, uint64_t mss_bytes, uint64_t rtt_us) {
    struct cc_path p = {.now_us = 1000000, .rtt_us = rtt_us};
    cc_init(&p.c, kind, mss_bytes);
    path_fill(&p);
    return p;
}

static inline uint64_t path_flight_pkts(const struct cc_path *p) {
    return p->c.bytes_in_flight / p->c.mss_bytes;
}

/* Lets the time pass that one packet takes when the flight fills the round trip. */
static inline void path_tick(struct cc_path *p) {
    uint64_t ps = p->rtt_us * 1000000 / path_flight_pkts(p) + p->ps;
    p->now_us += ps / 1000000;
    p->ps = ps % 1000000;
}

static inline struct cc_ack path_ack(const struct cc_path *p, uint64_t pkts) {
    return (struct cc_ack){
        .now_us = p->now_us,
        .bytes = pkts * p->c.mss_bytes,
        .newest_sent_us = p->now_us - p->rtt_us,
        .newest_pn = p->next_pn - path_flight_pkts(p) + pkts - 1,
        .next_pn = p->next_pn,
        .rtt_latest_us = p->rtt_us,
        .rtt_min_us = p->rtt_us,
        .srtt_us = p->rtt_us,
    };
}

/* The oldest packet arrives; the window is filled again. */
static inline void path_step(struct cc_path *p) {
    path_tick(p);
    struct cc_ack a = path_ack(p, 1);
    cc_acked(&p->c, &a);
    path_fill(p);
}

/* The oldest packet is lost. */
static inline void path_lose(struct cc_path *p) {
    path_tick(p);
    cc_lost(&p->c, p->now_us, p->now_us - p->rtt_us, p->c.mss_bytes);
    path_fill(p);
}

static inline void path_run(struct cc_path *p, uint64_t us) {
    for (uint64_t end_us = p->now_us + us; p->now_us < end_us;)
        path_step(p);
}

/* Congestion avoidance with the window `pkts`, as if found by slow start. */
static inline struct cc_path path_at(enum cc_kind kind, uint64_t mss_bytes, uint64_t rtt_us,
                                     uint64_t pkts) {
    struct cc_path p = path_new(kind, mss_bytes, rtt_us);
    p.c.cwnd_bytes = pkts * mss_bytes;
    path_fill(&p);
    return p;
}

#endif
