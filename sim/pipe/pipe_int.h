/* pipe_int.h: private to pipe.c (life, bytes, what is sent, time) and pipe_in.c (what comes). */
#ifndef MESHD_SIM_PIPE_PIPE_INT_H
#define MESHD_SIM_PIPE_PIPE_INT_H

#include "sim/pipe/pipe.h"
#include "sim/pipe/segment.h"

enum { PIPE_GAPS_MAX = 32 };

struct pipe_span {
    uint64_t lo, hi;
};

struct pipe {
    struct pipe_config cfg;
    enum pipe_state state;
    int err;

    /* Sending: SYN is 0, bytes are from 1 on, FIN is the one after the last. */
    uint8_t *out;           /* ring of cfg.buffer_bytes: una .. end */
    uint64_t una, nxt, max; /* not acknowledged yet; to be sent next; ever sent */
    uint64_t end;           /* of what was written */
    uint64_t limit;         /* of the other end's window */
    bool shut, resets;
    bool again; /* the segment at una goes once more */
    bool probe; /* one byte goes into a closed window */
    uint64_t cwnd, ssthresh, recover;
    unsigned dupacks, tries;
    bool recovers;
    uint64_t resent;

    uint64_t srtt_ns, var_ns, rto_ns, min_ns;
    uint64_t timed, timed_ns; /* the number after the segment that is timed; 0: none is */
    uint64_t timer_ns;        /* of retransmission, or of the next probe; UINT64_MAX: none */

    /* Receiving. */
    uint8_t *in;                           /* ring of cfg.buffer_bytes: from `read` on */
    uint64_t read, next;                   /* the byte to be read next; to come next */
    uint64_t told;                         /* up to where the other end may send, as it knows */
    struct pipe_span later[PIPE_GAPS_MAX]; /* what has come beyond a gap, ascending, apart */
    unsigned later_count;
    uint64_t fin;  /* the number of their FIN; 0: not known */
    bool ack_owed; /* an acknowledgement goes out */
};

static inline uint64_t pipe_window_end(const struct pipe *p) {
    return p->read + p->cfg.buffer_bytes;
}
/* Where our sequence ends, FIN included. */
static inline uint64_t pipe_last(const struct pipe *p) {
    return p->end + p->shut;
}
void pipe_close(struct pipe *p, int err);
/* Sets the timer anew, or stops it if nothing is under way. */
void pipe_rearm(struct pipe *p, uint64_t now_ns);

#endif
