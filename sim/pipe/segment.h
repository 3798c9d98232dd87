/* segment.h: one segment of a simulated TCP connection (pipe.h): 12 bytes and the payload, so that
 * with the IP and UDP headers that the world counts for every packet it is as large as a real one.
 *
 *   seq u32 · ack u32 · window u24 · flags u8 · payload
 */
#ifndef MESHD_SIM_PIPE_SEGMENT_H
#define MESHD_SIM_PIPE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

enum { SEGMENT_HEAD_BYTES = 12, SEGMENT_WINDOW_MAX = (1 << 24) - 1 };
enum segment_flag { SEGMENT_SYN = 1, SEGMENT_ACK = 2, SEGMENT_FIN = 4, SEGMENT_RST = 8 };

struct segment {
    uint64_t seq, ack; /* on the wire their low 32 bits */
    uint32_t window;   /* bytes */
    uint8_t flags;
    const uint8_t *data;
    uint32_t len;
};

/* The payload is copied; how many bytes it is in all. `out` holds them. */
uint32_t segment_write(const struct segment *s, uint8_t *out);
/* `near_seq`, `near_ack`: about where the numbers must be. `data` points into `in`. */
bool segment_read(const uint8_t *in, uint32_t len, uint64_t near_seq, uint64_t near_ack,
                  struct segment *out);
/* What it takes of the sequence: its payload, SYN and FIN one each. */
uint32_t segment_span(const struct segment *s);
/* The RST that answers a segment to nobody (RFC 9293 §3.5.2): its size; 0: it is none to be
 * answered. */
uint32_t segment_refuse(const uint8_t *in, uint32_t len, uint8_t out[static SEGMENT_HEAD_BYTES]);

#endif
