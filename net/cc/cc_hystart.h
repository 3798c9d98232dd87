/* cc_hystart.h: HyStart++, RFC 9406: leaves the first slow start when round trips grow longer,
 * before the queue overflows; grows slowly for some rounds first, in case it was only jitter. Kept
 * in struct cc_hystart; used by controllers, not by the transport.
 */
#ifndef MESHD_NET_CC_CC_HYSTART_H
#define MESHD_NET_CC_CC_HYSTART_H

#include "net/cc/cc.h"

/* RFC 9406 §4.3. L is infinite, as recommended where sending is paced. */
enum {
    HYSTART_MIN_RTT_THRESH_US = 4000,
    HYSTART_MAX_RTT_THRESH_US = 16000,
    HYSTART_MIN_RTT_DIVISOR = 8,
    HYSTART_RTT_SAMPLES = 8, /* N_RTT_SAMPLE */
    HYSTART_CSS_GROWTH_DIVISOR = 4,
    HYSTART_CSS_ROUNDS = 5,
};

void cc_hystart_init(struct cc_hystart *h);
/* One ACK of slow start that was not app-limited. Gives the bytes by which the window grows; *leave
 * says that slow start is over after that. */
uint64_t cc_hystart_acked(struct cc_hystart *h, const struct cc_ack *a, bool *leave);

#endif
