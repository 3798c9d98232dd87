#include "sim/measure/response.h"

#include <math.h>

double response_cubic_window(double rtt_s, double loss) {
    const double c = 0.4, b = 0.7;
    return pow(c * (3 + b) / (4 * (1 - b)), 0.25) * pow(rtt_s / loss, 0.75);
}

double response_reno_window(double loss) {
    return sqrt(1.5 / loss);
}

double response_goodput_bps(const struct response_path *p) {
    const double link =
        p->rate_bps > 0 ? p->rate_bps * p->payload_bytes / p->packet_bytes : INFINITY;
    if (p->loss <= 0 || p->rtt_s <= 0)
        return link;
    const double window =
        fmax(response_cubic_window(p->rtt_s, p->loss), response_reno_window(p->loss));
    return fmin(link, window * p->payload_bytes * 8 / p->rtt_s);
}
