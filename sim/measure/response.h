/* response.h: what a standard controller gets out of a path with random loss, by its response
 * function: the bar that our transport is held against (`transfer.vs_cubic`). For reports only:
 * doubles.
 */
#ifndef MESHD_SIM_MEASURE_RESPONSE_H
#define MESHD_SIM_MEASURE_RESPONSE_H

struct response_path {
    double rate_bps;                    /* of the narrowest link; 0: unlimited */
    double rtt_s;                       /* without queueing */
    double loss;                        /* fraction of data packets lost */
    double payload_bytes, packet_bytes; /* of a full packet: useful bytes, and all on the link */
};

/* RFC 9438 §5, eq. 6, segments per RTT: (C (3 + b) / (4 (1 - b)))^(1/4) RTT^(3/4) / p^(3/4), C 0.4,
 * b 0.7. */
double response_cubic_window(double rtt_s, double loss);
/* RFC 9438 §5 (AVG_AIMD with alpha 1, beta 0.5): sqrt(1.5 / p). */
double response_reno_window(double loss);
/* Useful bits a second that CUBIC may expect: the larger window (it never does worse than Reno, RFC
 * 9438 §4.3), or the link if that is less. */
double response_goodput_bps(const struct response_path *p);

#endif
