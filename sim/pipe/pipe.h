/* pipe.h: one end of a simulated TCP connection: bytes in order and complete, or an error.
 *
 * It is what a node would see of TCP (RFC 9293) through networks of every kind, and no more:
 * three-way handshake, also begun by both at once; refusal and reset; half-close; bounded buffers
 * and a window, so that who does not read stops who writes; New Reno (RFC 6582) with HyStart (RFC
 * 9406) and a retransmission timer (RFC 6298), so that loss and distance cost what they cost. Not
 * there: SACK, delayed acknowledgements, TIME-WAIT, urgent data, keep-alives.
 *
 * Sans-IO: segments (segment.h) go in and come out, time is an argument; integers only. Sequences
 * begin at 0.
 */
#ifndef MESHD_SIM_PIPE_PIPE_H
#define MESHD_SIM_PIPE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PIPE_MSS_BYTES = 1400,
    PIPE_BUFFER_BYTES = 262144,
    PIPE_CONNECT_TRIES = 6, /* after the first: two minutes, as Linux does */
    PIPE_DATA_TRIES = 15,
};

struct pipe_config {       /* zeroes: as above */
    uint32_t buffer_bytes; /* in each direction, at most SEGMENT_WINDOW_MAX */
    uint32_t mss_bytes;
};

enum pipe_state { PIPE_CONNECTING, PIPE_ACCEPTING, PIPE_OPEN, PIPE_CLOSED };

struct pipe_info {
    enum pipe_state state;
    int err;             /* closed by: 0: both ends; ERR_REFUSED, ERR_RESET, ERR_TIMEOUT */
    bool ended;          /* all that the other end wrote has been read, and it writes no more */
    size_t room, unread; /* bytes that can be written, and read, now */
    uint64_t read_bytes, acked_bytes, resent;
    uint64_t srtt_ns, cwnd_bytes;
};

struct pipe;

struct pipe *pipe_new(const struct pipe_config *c); /* NULL: no memory */
void pipe_free(struct pipe *p);                     /* NULL is fine; the other end hears nothing */
/* Which end it is; once, before anything else. */
void pipe_connect(struct pipe *p);
void pipe_accept(struct pipe *p);

/* How many bytes were taken, or given. After pipe_shut, and where it is closed: 0. */
size_t pipe_write(struct pipe *p, const void *bytes, size_t len);
size_t pipe_read(struct pipe *p, void *out, size_t len);
/* No more is written: the other end hears so after what was. */
void pipe_shut(struct pipe *p);
/* Over at once, for both; what is under way is lost. */
void pipe_reset(struct pipe *p);
void pipe_info(const struct pipe *p, struct pipe_info *out);

/* False: it is no segment of this connection. */
bool pipe_input(struct pipe *p, uint64_t now_ns, const uint8_t *segment, uint32_t len);
/* The next segment to send: its size, at most PIPE_MSS_BYTES (or what was configured) and a head;
 * 0: none now. */
uint32_t pipe_output(struct pipe *p, uint64_t now_ns, uint8_t *out);
uint64_t pipe_deadline_ns(const struct pipe *p); /* UINT64_MAX: none */
void pipe_timeout(struct pipe *p, uint64_t now_ns);

#endif
