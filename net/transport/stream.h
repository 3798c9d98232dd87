/* stream.h: one stream of ordered bytes: its sending half and its receiving half (RFC 9000 §2, §3).
 *
 * Plain structs owned by the transport. The sending half keeps references to the spans that hold
 * its bytes until they are acknowledged; what is lost is queued again by offset, so packets are
 * never repeated, only data. The receiving half keeps blocks aligned to stream offsets, so that
 * bytes are copied once, out of the packet, and the user takes them by reference; where only a few
 * bytes have come they lie in small pieces, so that what is held stays in proportion to what has
 * come.
 */
#ifndef MESHD_NET_TRANSPORT_STREAM_H
#define MESHD_NET_TRANSPORT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "net/base/block.h"
#include "net/base/ranges.h"
#include "net/transport/allowance.h"

struct sstream {        /* sending half */
    struct span *spans; /* ring of `cap`, `count` in use from `head` */
    uint32_t cap, head, count;
    uint64_t first;  /* stream offset of the first span's first byte */
    uint64_t end;    /* all bytes written so far */
    uint64_t next;   /* first byte never sent */
    uint64_t credit; /* the peer's limit for this stream */
    struct ranges acked, lost;
    bool fin, fin_sent, fin_acked, fin_lost;
    bool reset, reset_sent, reset_acked; /* RESET_STREAM replaces everything */
    int reset_err;
};

enum {
    CREDIT_PER_CONSUMED = 4, /* a gap widens a window up to so many times what was ever consumed */
};

struct rslot {           /* STREAM_BLOCK_BYTES of a stream; all zeroes: nothing yet */
    struct block *block; /* its bytes up to the block's cap */
    /* a table of blocks of RSTREAM_PIECE_BYTES for what is beyond, where little has come */
    struct block *pieces;
    uint32_t stored; /* bytes that came into it */
};

enum {
    RSTREAM_PIECE_BYTES = BLOCK_SMALL_BYTES,
    RSTREAM_PIECES = STREAM_BLOCK_BYTES / RSTREAM_PIECE_BYTES,
};

struct rstream { /* receiving half */
    struct block_account *account;
    struct rslot *slots; /* slots[i] holds offsets from (first_slot + i) * STREAM_BLOCK_BYTES */
    uint32_t cap;
    uint64_t first_slot;
    struct ranges got;
    uint64_t unread;  /* bytes that are here, beyond `read` */
    uint64_t read;    /* consumed by the user */
    uint64_t highest; /* end of the farthest byte seen */
    struct allowance given;
    uint64_t final_size;
    bool has_final;
    bool reset, stopped; /* the peer gave up; we stopped reading */
    bool fin_told;       /* the user has seen the end */
};

void sstream_init(struct sstream *s, uint64_t credit);
void sstream_clear(struct sstream *s);
/* Appends; takes over the caller's reference. ERR_NOMEM (the reference stays the caller's). */
int sstream_push(struct sstream *s, struct span span) MUST_USE;
/* Room at the end of the last span's block, if that block is ours alone and not full; grows the
 * span by *len. */
uint8_t *sstream_tail(struct sstream *s, size_t *len);
/* What to send next: a lost range first, then new bytes within credit. False if nothing. *len may
 * be 0 with *fin. */
bool sstream_next(const struct sstream *s, uint64_t *offset, uint64_t *len, bool *fin);
/* Copies [offset, offset + len) out of the spans; asserts that they are there. */
void sstream_copy(const struct sstream *s, uint64_t offset, uint8_t *out, size_t len);
/* [offset, offset + len) leaves now. Returns how many of them are new (count against the session's
 * credit). */
uint64_t sstream_sent(struct sstream *s, uint64_t offset, uint64_t len, bool fin);
void sstream_acked(struct sstream *s, uint64_t offset, uint64_t len, bool fin);
void sstream_lost(struct sstream *s, uint64_t offset, uint64_t len, bool fin);
/* Everything written and the FIN (or the reset) is acknowledged. */
bool sstream_done(const struct sstream *s);
/* Drops the data for a reset. */
void sstream_reset(struct sstream *s, int err);

void rstream_init(struct rstream *r, struct block_account *account, uint64_t window);
void rstream_clear(struct rstream *r);
/* Bytes arrive. *fresh: by how much `highest` grew (counts against the session's credit).
 * ERR_PROTO: beyond the credit, or contradicting the final size. ERR_NOMEM / ERR_FULL: no block or
 * too many gaps, of the stream or of its session: the packet must not be acknowledged. */
int rstream_input(struct rstream *r, uint64_t offset, const uint8_t *data, size_t len, bool fin,
                  uint64_t *fresh) MUST_USE;
int rstream_input_reset(struct rstream *r, uint64_t final_size, uint64_t *fresh) MUST_USE;
/* Nobody will read what has arrived: its memory goes back now, not when the other half ends, too.
 * Only once `stopped` or `reset`; spans given out before are whoever's that holds references. */
void rstream_drop_unread(struct rstream *r);
/* Contiguous bytes ready beyond `read`. */
uint64_t rstream_ready(const struct rstream *r);
unsigned rstream_peek(const struct rstream *r, uint64_t skip, struct span *spans, unsigned max,
                      bool *fin);
void rstream_consume(struct rstream *r, uint64_t n);
/* Nothing of it is waited for any more: all is here, or nobody wants it. */
bool rstream_whole(const struct rstream *r);
/* The end was reached and consumed, or the stream was reset or stopped with its final size known.
 */
bool rstream_done(const struct rstream *r);

#endif
