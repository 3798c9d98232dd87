/* rate.h: how fast the path delivers: delivery rate sampling, draft-ietf-ccwg-bbr §4.1.2 (first
 * draft-cheng-iccrg- delivery-rate-estimation). Each packet remembers what had been delivered when
 * it left; its acknowledgement gives a rate over the longer of the time to send and the time to
 * acknowledge. Value structs, integers only.
 */
#ifndef MESHD_NET_RECOVERY_RATE_H
#define MESHD_NET_RECOVERY_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Of one packet: what was so when it left. Counters are the low 32 bits: a flight is far below 4
 * GiB. */
struct rate_mark {
    uint32_t delivered, lost; /* bytes */
    uint32_t in_flight;       /* bytes, with this packet */
    uint32_t delivered_ago_us, first_sent_ago_us;
    bool app_limited;
};

struct rate {
    uint64_t delivered, lost; /* bytes, of this path */
    uint64_t delivered_us;    /* when `delivered` last grew */
    /* the newest delivered packet left then: the next flight is measured from it */
    uint64_t first_sent_us;
    uint64_t bubble; /* samples are app-limited until so much is delivered; 0: they are not */
};

/* One acknowledgement's. Zero it, rate_acked for each packet, then rate_finish. */
struct rate_sample {
    bool any;
    uint64_t newest_pn;
    uint64_t newly_acked, newly_lost; /* bytes; the user's to add to newly_lost */
    uint64_t prior_delivered;         /* `delivered` when the newest of these packets left */
    uint64_t delivered;               /* since then */
    uint64_t lost;                    /* since then, too */
    uint64_t in_flight;               /* when it left */
    uint64_t prior_lost;
    uint64_t send_us, ack_us, interval_us;
    uint64_t bytes_per_s; /* 0: no reliable sample */
    bool app_limited;
};

/* A packet of `bytes` leaves; in_flight: before it. */
void rate_sent(struct rate *r, uint64_t now_us, uint64_t bytes, uint64_t in_flight,
               struct rate_mark *out);
void rate_acked(struct rate *r, struct rate_sample *s, uint64_t now_us, uint64_t pn,
                uint64_t sent_us, uint64_t bytes, const struct rate_mark *m);
void rate_finish(struct rate *r, struct rate_sample *s, uint64_t rtt_min_us);
/* There is room in the window and nothing to send. */
void rate_app_limited(struct rate *r, uint64_t in_flight);
/* Bytes lost since this packet left. */
uint64_t rate_lost_since(const struct rate *r, const struct rate_mark *m);

#endif
