/* control_proto.h: the language of the control socket, shared by the daemon and its clients:
 * MessagePack-RPC (github.com/msgpack-rpc/msgpack-rpc, spec.md) over a byte stream, one message
 * after the other:
 *
 *   request       [0, id, method, params]
 *   response      [1, id, error, result]     one of error and result is nil
 *   notification  [2, method, params]
 *
 * Params and results are maps with string keys; an error is {"code", "num", "text", "detail"}: the
 * stable name and the wire number of crypto/base/err.h, a sentence, and what it is about (a name, a
 * file; may be "").
 *
 * The reader takes bytes in any pieces. It walks over a message (scan.h) before msgpack-c sees it:
 * so a header that promises 2^32 elements costs nobody memory. Extension types are refused.
 *
 * Tickets pass through here: what has been read or written is wiped when it is no longer needed,
 * and so is every buffer that is given back.
 */
#ifndef MESHD_NODE_API_RPC_CONTROL_PROTO_H
#define MESHD_NODE_API_RPC_CONTROL_PROTO_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/api/cause.h"
#include "node/api/rpc/buffer.h"
#include "node/api/rpc/scan.h"

enum {
    PROTO_API_VERSION = 1, /* grows with an incompatible change (docs/CONTROL.md, "Versions") */
    PROTO_DEPTH_MAX = SCAN_DEPTH_MAX, /* nested arrays and maps in one message */
    PROTO_ITEMS_MAX =
        1 << 17, /* values in one message: bounds what unpacking allocates, 24 bytes each */
    PROTO_METHOD_MAX = 64, /* bytes of a method's name */
};

enum proto_kind { PROTO_REQUEST = 0, PROTO_RESPONSE = 1, PROTO_NOTIFY = 2 };

/* One received message. Owns its bytes: objects stay valid until proto_msg_clear. */
struct proto_msg {
    enum proto_kind kind;
    bool has_id; /* also after ERR_PROTO: whether the request's id was readable */
    uint32_t id;
    char method[PROTO_METHOD_MAX + 1]; /* request, notification */
    msgpack_object params;             /* request, notification */
    msgpack_object error, result;      /* response */
    /* private */
    uint8_t *bytes;
    size_t size;
    msgpack_zone *zone;
};
void proto_msg_clear(struct proto_msg *m); /* idempotent, legal on zeroes */

/* ---- reading ---- */
struct proto_reader {
    struct buffer in; /* what is not taken yet */
    size_t max;
    struct scan scan; /* over the first message */
};

/* No message may be longer than `max` bytes. */
void proto_reader_init(struct proto_reader *r, size_t max);
void proto_reader_clear(struct proto_reader *r);
/* Takes up to len bytes and returns how many: after each call, call proto_reader_next until it
 * gives 0. ERR_NOMEM. ERR_FULL: more than two of the largest messages wait to be taken. */
long proto_reader_feed(struct proto_reader *r, const uint8_t *buf, size_t len) MUST_USE;
/* 1: a message in *m (to be cleared by the caller). 0: more bytes are needed. ERR_PROTO: not
 * MessagePack-RPC. ERR_FULL: larger than the limits. ERR_NOMEM. After an error only m->has_id and
 * m->id mean something. */
int proto_reader_next(struct proto_reader *r, struct proto_msg *m) MUST_USE;

/* True if proto_reader_next would give something else than 0. */
bool proto_reader_ready(struct proto_reader *r);
/* The id of the request that has begun to come, if it is readable: m->has_id and m->id. */
void proto_reader_peek(const struct proto_reader *r, struct proto_msg *m);

/* ---- writing ---- */
/* Errors stick: `ok` is checked once, at the end. Counts of maps and arrays are filled in by
 * proto_end. */
struct proto_writer {
    uint8_t *buf; /* buf[0..len) is written: a buffer.h's, open to those who send it */
    size_t len, cap, max;
    bool ok;
    unsigned depth;
    struct {
        size_t at;
        uint32_t items;
    } open[PROTO_DEPTH_MAX];
};

void proto_writer_init(struct proto_writer *w, size_t max);
void proto_writer_clear(struct proto_writer *w);
void proto_writer_reset(struct proto_writer *w); /* empty again, memory kept */

/* Each opens a message; exactly one value (params or result, a map) must follow. */
void proto_request(struct proto_writer *w, uint32_t id, const char *method);
void proto_response(struct proto_writer *w, uint32_t id);
void proto_notify(struct proto_writer *w, const char *method);
/* A whole response. text NULL: err_text(err). detail NULL: "". */
void proto_error(struct proto_writer *w, uint32_t id, int err, const char *text,
                 const char *detail);
void proto_error_told(struct proto_writer *w, uint32_t id, const struct failure *f);

/* Values. `key` is NULL inside an array and for the value of a message. */
void proto_map(struct proto_writer *w, const char *key);
void proto_array(struct proto_writer *w, const char *key);
void proto_end(struct proto_writer *w);
void proto_str(struct proto_writer *w, const char *key, const char *s);
void proto_strn(struct proto_writer *w, const char *key, const char *s, size_t len);
void proto_uint(struct proto_writer *w, const char *key, uint64_t v);
void proto_bool(struct proto_writer *w, const char *key, bool v);
void proto_nil(struct proto_writer *w, const char *key);
/* {"code", "num", "side", "text", "detail", "limit"}; of proto_err's the cause is cause_here. */
void proto_failure(struct proto_writer *w, const char *key, const struct failure *f);
void proto_err(struct proto_writer *w, const char *key, int err, const char *text,
               const char *detail);

/* ---- looking into objects ---- */
/* The value of a key; NULL if `o` is not a map, is NULL, or lacks it. */
const msgpack_object *proto_get(const msgpack_object *o, const char *key);
uint64_t proto_get_uint(const msgpack_object *o, const char *key, uint64_t fallback);
bool proto_get_bool(const msgpack_object *o, const char *key);
/* The bytes of a string value (not NUL-terminated); "" and 0 if there is none. */
const char *proto_get_str(const msgpack_object *o, const char *key, size_t *len);
/* Copied with a NUL; cut at cap - 1 bytes. False if there is no string. */
bool proto_copy_str(const msgpack_object *o, const char *key, char *out, size_t cap);
/* Element i of an array; NULL past its end. */
const msgpack_object *proto_at(const msgpack_object *array, uint32_t i);
bool proto_str_is(const msgpack_object *o, const char *s);

#endif
