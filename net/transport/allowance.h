/* allowance.h: how far a receiver lets its peer send, and what of that the peer is known to know
 * (RFC 9000 §4.1, §4.2): of a stream, or of a whole session. The limit is topped up when half of
 * the window is used. The window follows what is consumed in a round trip: eight times that much. A
 * sender that doubles needs six: what is granted at the end of a round trip, in which X was
 * consumed, has to last until the next grant has come to it, and by then 2 X and 4 X have arrived.
 * The rest is for what waits behind a gap. The idea is that of Linux' receive buffer (dynamic
 * right-sizing, Fisk and Feng, LACSI 2001). Value struct.
 */
#ifndef MESHD_NET_TRANSPORT_ALLOWANCE_H
#define MESHD_NET_TRANSPORT_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ALLOWANCE_ROUND_TRIPS = 8,       /* a window holds what is consumed in so many */
    ALLOWANCE_MEASURE_MIN_US = 4000, /* users read in bursts: disks, schedulers */
    ALLOWANCE_SPAN_MIN_US = 16000,   /* what is consumed in so long, then */
};

struct allowance {
    uint64_t limit;    /* bytes granted since the beginning; never less than it was */
    uint64_t known;    /* the largest limit that the peer is known to have */
    uint64_t window;   /* to keep open; grows */
    uint64_t told_us;  /* when the newest limit left */
    uint64_t since_us; /* how much is consumed, measured over about a round trip: from here */
    uint64_t since_bytes;
    bool due; /* a frame with the limit is to leave */
};

/* The peer has `window` from the beginning, and knows it. */
void allowance_init(struct allowance *a, uint64_t window);
/* So much has been consumed by now in all: the window follows, up to window_max. */
void allowance_measure(struct allowance *a, uint64_t now_us, uint64_t srtt_us, uint64_t consumed,
                       uint64_t window_max);
/* Grants more where half of the window, or of `room` if that is less, is used. True: it did, and is
 * due. */
bool allowance_top_up(struct allowance *a, uint64_t consumed, uint64_t room);
/* A larger window, and all of it at once. False: it would be none. */
bool allowance_widen(struct allowance *a, uint64_t consumed, uint64_t window);
/* A frame with the limit leaves, and has been acknowledged. */
void allowance_told(struct allowance *a, uint64_t now_us);
void allowance_acked(struct allowance *a, uint64_t limit);
/* More may be sent, and the peer may not know. */
static inline bool allowance_open(const struct allowance *a) {
    return a->known < a->limit;
}

#endif
