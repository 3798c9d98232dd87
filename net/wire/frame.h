/* frame.h: what is inside a DATA packet: frames one after another, each a type byte and fields as
 * varints (RFC 9000 §16, shapes after §19). An empty plaintext is a packet without frames.
 *
 *   00 PADDING  (the rest of the packet may be zeroes)
 *   01 PING
 *   02 ACK      largest | delay in us | further ranges n | first range | n x (gap | range), RFC
 *               9000 §19.3
 *   03 ACK_ECN  as ACK, then ECT(0) | ECT(1) | CE: packets that came so marked, §19.3.2
 *   04 RESET    stream | error | final size
 *   05 STOP     stream | error
 *   08..0f STREAM  bit 0 FIN, bit 1 LEN, bit 2 OFF: stream | [offset] | [length] | bytes
 *   10 MAX_DATA bytes
 *   11 MAX_STREAM_DATA  stream | bytes
 *   12 MAX_STREAMS  count of streams the receiver of this frame may open in all
 *   1c CLOSE    error
 *   20 CONFIRM  (session: I hold the new keys)   21 CONFIRMED (session: I have seen that)
 *   22 ECHO     id 8 bytes                       23 ECHOED    id 8 bytes
 *   24 PATH_CHALLENGE  8 bytes                   25 PATH_RESPONSE  the same 8 bytes
 *   30 DATAGRAM length | bytes
 *   40 RECORD   length | bytes  (session: only to a peer with CAPABILITY_RECORD)
 *   41 PATH_REPORT  length | packets | bytes | largest  (session: only to a peer with
 *               CAPABILITY_PATHS)
 *   42..5f, 60..7f  length | bytes: of tomorrow, passed over where they are not known
 *
 * CONFIRM .. PATH_RESPONSE, CLOSE and 40..5f belong to the session: they are neither acknowledged
 * nor repeated by the transport, and cost no transport state.
 */
#ifndef MESHD_NET_WIRE_FRAME_H
#define MESHD_NET_WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/bytes.h"
#include "net/base/ecn_field.h"
#include "net/base/limits.h"
#include "net/base/ranges.h"

enum frame_type {
    FRAME_PADDING = 0x00,
    FRAME_PING = 0x01,
    FRAME_ACK = 0x02,
    FRAME_ACK_ECN = 0x03,
    FRAME_RESET = 0x04,
    FRAME_STOP = 0x05,
    FRAME_STREAM = 0x08, /* to 0x0f */
    FRAME_MAX_DATA = 0x10,
    FRAME_MAX_STREAM_DATA = 0x11,
    FRAME_MAX_STREAMS = 0x12,
    FRAME_CLOSE = 0x1c,
    FRAME_CONFIRM = 0x20,
    FRAME_CONFIRMED = 0x21,
    FRAME_ECHO = 0x22,
    FRAME_ECHOED = 0x23,
    FRAME_PATH_CHALLENGE = 0x24,
    FRAME_PATH_RESPONSE = 0x25,
    FRAME_DATAGRAM = 0x30,
    FRAME_RECORD = 0x40,
    FRAME_PATH_REPORT = 0x41,
    FRAME_LATER_SESSION = 0x42,   /* to 0x5f: cost no transport and are not acknowledged */
    FRAME_LATER_TRANSPORT = 0x60, /* to 0x7f: acknowledged, like PING */
    FRAME_LATER_END = 0x80,
};

enum { STREAM_FIN = 1, STREAM_LEN = 2, STREAM_OFF = 4 };

struct frame_stream {
    uint64_t id, offset;
    bool fin;
    const uint8_t *data; /* into the packet */
    size_t len;
};

struct frame_ack { /* ranges in descending order, inclusive bounds as on the wire */
    uint64_t largest, delay_us;
    unsigned count;
    struct range ranges[ACK_RANGES_MAX]; /* half-open, descending */
    bool has_ecn;
    struct ecn_counts ecn;
};

/* Type byte already read. False (malformed) leaves the cursor's error set. */
bool frame_read_stream(struct rd *r, uint8_t type, struct frame_stream *out);
/* `type` FRAME_ACK or FRAME_ACK_ECN. More ranges than ACK_RANGES_MAX: the further ones are skipped,
 * they are the oldest. */
bool frame_read_ack(struct rd *r, uint8_t type, struct frame_ack *out);

/* A RECORD's bytes, in the packet. */
bool frame_read_record(struct rd *r, const uint8_t **data, size_t *len);
/* Writes one; it must fit. */
void frame_write_record(struct wr *w, const void *data, size_t len);
/* A packet of RECORDs and nothing else (but PADDING), and at least one of them. */
bool frames_are_records(const uint8_t *frames, size_t len);

/* What has come by the path along which this goes, from the path's beginning on, and the largest
 * datagram since the last report. */
struct path_report {
    uint64_t packets, bytes, largest;
};
enum { PATH_REPORT_BYTES_MAX = 2 + 3 * 8 };
/* What stands behind the three is of later versions. */
bool frame_read_path_report(struct rd *r, struct path_report *out);
void frame_write_path_report(struct wr *w, const struct path_report *report);

/* A frame of a later version, FRAME_LATER_SESSION <= type < FRAME_LATER_END: length and body. */
bool frame_skip(struct rd *r);

/* Writes an ACK of as many of the newest ranges as fit into `max_bytes`; nothing if not even one
 * does. With counts if there is anything to count. Returns how many ranges, 0 if not written. */
unsigned frame_write_ack(struct wr *w, const struct ranges *received, uint64_t delay_us,
                         const struct ecn_counts *ecn, size_t max_bytes);

/* Bytes a STREAM frame needs before its data. */
size_t frame_stream_overhead(uint64_t id, uint64_t offset, size_t len);
/* Header only; the caller writes the data after it. */
void frame_write_stream_header(struct wr *w, uint64_t id, uint64_t offset, size_t len, bool fin);

#endif
