#include "net/wire/relay_msg.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"

static size_t size_of_op(uint8_t op) { /* 0: not known */
    switch (op) {
#define X(name, number, bytes)                                                                     \
    case number:                                                                                   \
        return bytes;
        RELAY_OPS(X)
#undef X
    default:
        return 0;
    }
}

const char *relay_reason_name(unsigned reason) {
    static const char *const names[RELAY_REASONS_END] = {
        "unknown",
        [RELAY_GONE] = "gone",
        [RELAY_FULL] = "full",
        [RELAY_DENIED] = "denied",
        [RELAY_RESTARTS] = "restarting",
        [RELAY_EXPIRED] = "expired",
        [RELAY_QUOTA] = "quota",
        [RELAY_NO_FLOW] = "no such flow",
        [RELAY_CLOSED] = "closed",
    };
    return names[reason < RELAY_REASONS_END ? reason : 0];
}

/* Which fields an op has, in the order of the wire. One walk writes them and one reads them, so
 * that they cannot differ. */
enum field {
    END,
    REQUEST,
    FLOW,
    PEER,
    LIFETIME,
    LOAD,
    FLOWS_MAX,
    RATE,
    QUOTA,
    REASON,
    IN_MS,
    FOR_MS
};
enum { FIELDS_MAX = 7 };

static const uint8_t *fields_of(uint8_t op) {
    static const struct {
        uint8_t op, fields[FIELDS_MAX];
    } shapes[] = {
        {RELAY_RESERVE, {REQUEST, LIFETIME}},
        {RELAY_OPEN, {REQUEST, PEER}},
        {RELAY_CLOSE, {FLOW}},
        {RELAY_ACCEPT, {FLOW}},
        {RELAY_REFUSE, {FLOW, REASON}},
        {RELAY_RESERVED, {REQUEST, LIFETIME, LOAD, FLOWS_MAX, RATE, QUOTA}},
        {RELAY_OPENED, {REQUEST, FLOW, LIFETIME}},
        {RELAY_INCOMING, {FLOW, PEER, LIFETIME}},
        {RELAY_ENDED, {FLOW, REASON}},
        {RELAY_RESTARTING, {IN_MS, FOR_MS}},
        {RELAY_REFUSED, {REQUEST, REASON}},
        {RELAY_LOAD, {LOAD, RATE, QUOTA}},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].op == op)
            return shapes[i].fields;
    return NULL;
}

static void field_write(struct wr *w, const struct relay_msg *m, uint8_t field) {
    switch (field) {
    case REQUEST:
        wr_u32(w, m->request);
        return;
    case FLOW:
        wr_u32(w, m->flow);
        return;
    case PEER:
        wr_bytes(w, m->peer.bytes, sizeof m->peer.bytes);
        return;
    case LIFETIME:
        wr_u16(w, m->lifetime_s);
        return;
    case LOAD:
        wr_u8(w, m->load);
        return;
    case FLOWS_MAX:
        wr_u16(w, m->flows_max);
        return;
    case RATE:
        wr_u32(w, m->rate_kib_s);
        return;
    case QUOTA:
        wr_u32(w, m->quota_left_mib);
        return;
    case REASON:
        wr_u8(w, m->reason);
        return;
    case IN_MS:
        wr_u32(w, m->in_ms);
        return;
    default:
        wr_u32(w, m->for_ms);
        return;
    }
}

static void field_read(struct rd *r, struct relay_msg *m, uint8_t field) {
    switch (field) {
    case REQUEST:
        m->request = rd_u32(r);
        return;
    case FLOW:
        m->flow = rd_u32(r);
        if (m->flow == 0)
            r->ok = false;
        return;
    case PEER:
        rd_bytes(r, m->peer.bytes, sizeof m->peer.bytes);
        return;
    case LIFETIME:
        m->lifetime_s = rd_u16(r);
        return;
    case LOAD:
        m->load = rd_u8(r);
        return;
    case FLOWS_MAX:
        m->flows_max = rd_u16(r);
        return;
    case RATE:
        m->rate_kib_s = rd_u32(r);
        return;
    case QUOTA:
        m->quota_left_mib = rd_u32(r);
        return;
    case REASON:
        m->reason = rd_u8(r);
        return;
    case IN_MS:
        m->in_ms = rd_u32(r);
        return;
    default:
        m->for_ms = rd_u32(r);
        return;
    }
}

size_t relay_msg_write(const struct relay_msg *m, uint8_t out[static RELAY_MSG_MAX_BYTES]) {
    const uint8_t *fields = fields_of(m->op);
    assert(fields);
    struct wr w = wr_init(out, RELAY_MSG_MAX_BYTES);
    wr_u8(&w, RECORD_KIND_RELAY);
    wr_u8(&w, m->op);
    for (; *fields != END; fields++)
        field_write(&w, m, *fields);
    assert(w.ok && wr_len(&w) == size_of_op(m->op));
    return wr_len(&w);
}

bool relay_msg_read(struct relay_msg *out, const uint8_t *data, size_t len) {
    struct rd r = rd_init(data, len);
    struct relay_msg m = {0};
    if (rd_u8(&r) != RECORD_KIND_RELAY)
        return false;
    m.op = rd_u8(&r);
    const uint8_t *fields = fields_of(m.op);
    if (!r.ok || !fields || len != size_of_op(m.op))
        return false;
    for (; *fields != END; fields++)
        field_read(&r, &m, *fields);
    if (!r.ok)
        return false;
    *out = m;
    return true;
}

void forward_write(uint8_t out[static FORWARD_HEADER_BYTES], enum packet_type type, uint32_t flow) {
    assert(flow != 0 && (type == PACKET_FORWARD || type == PACKET_FORWARDED));
    store_le32(out, (uint32_t)type);
    store_le32(out + 4, flow);
}

static bool is_forward(uint8_t type) {
    return type == PACKET_FORWARD || type == PACKET_FORWARDED;
}

/* What the two ends send each other: their own datagrams, whole (the relay reads no further). */
static bool is_of_ends(const uint8_t *data, size_t len) {
    if (len < DATA_OVERHEAD_BYTES || data[0] == 0)
        return false;
    switch (data[0]) {
    case PACKET_INITIATION:
        return len == INITIATION_BYTES;
    case PACKET_RESPONSE:
        return len == RESPONSE_BYTES;
    case PACKET_RETRY:
        return len == RETRY_BYTES;
    default:
        return data[0] == PACKET_DATA;
    }
}

/* Type and flow are right, as far as can be seen without a table; 0: they are not. */
static uint32_t header_read(const uint8_t *data, size_t len) {
    if (len < FORWARD_HEADER_BYTES || !is_forward(data[0]) || load_le32(data) != data[0])
        return 0;
    return load_le32(data + 4);
}

uint32_t forward_read(const uint8_t *data, size_t len) {
    const uint32_t flow = header_read(data, len);
    if (flow == 0 || len <= FORWARD_HEADER_BYTES)
        return 0;
    const uint8_t *inner = data + FORWARD_HEADER_BYTES;
    len -= FORWARD_HEADER_BYTES;
    if (is_forward(inner[0])) { /* on its way to the second relay */
        if (header_read(inner, len) == 0)
            return 0;
        inner += FORWARD_HEADER_BYTES;
        len -= FORWARD_HEADER_BYTES;
    }
    return is_of_ends(inner, len) ? flow : 0;
}

enum { KEY_AT = 4 + KEY_NONCE_BYTES, CERT_AT = KEY_AT + DH_KEY_BYTES };
_Static_assert(CERT_AT + KEY_CERT_BYTES == KEY_TOLD_BYTES, "nothing follows the certificate");

void key_ask_write(const uint8_t nonce[static KEY_NONCE_BYTES], uint8_t out[static KEY_ASK_BYTES]) {
    store_le32(out, PACKET_KEY_ASK);
    memcpy(out + 4, nonce, KEY_NONCE_BYTES);
    memset(out + KEY_AT, 0, KEY_ASK_BYTES - KEY_AT);
}

bool key_ask_read(uint8_t nonce[static KEY_NONCE_BYTES], const uint8_t *data, size_t len) {
    if ((len != KEY_ASK_BYTES && len != KEY_HERE_BYTES) || load_le32(data) != PACKET_KEY_ASK)
        return false;
    for (size_t i = KEY_AT; i < len; i++)
        if (data[i] != 0)
            return false;
    memcpy(nonce, data + 4, KEY_NONCE_BYTES);
    return true;
}

void key_told_write(const struct key_told *t, uint8_t out[static KEY_TOLD_BYTES]) {
    store_le32(out, PACKET_KEY_TOLD);
    memcpy(out + 4, t->nonce, KEY_NONCE_BYTES);
    memcpy(out + KEY_AT, t->transport.bytes, DH_KEY_BYTES);
    key_cert_write(&t->cert, out + CERT_AT);
}

const uint8_t *key_told_nonce(const uint8_t *data, size_t len) {
    const bool fits = len == KEY_TOLD_BYTES || len == KEY_HERE_BYTES;
    return fits && load_le32(data) == PACKET_KEY_TOLD ? data + 4 : NULL;
}

bool key_told_read(struct key_told *out, const uint8_t *data, size_t len) {
    if (len != KEY_TOLD_BYTES || !key_told_nonce(data, len))
        return false;
    struct key_told t;
    memcpy(t.nonce, data + 4, KEY_NONCE_BYTES);
    memcpy(t.transport.bytes, data + KEY_AT, DH_KEY_BYTES);
    key_cert_read(&t.cert, data + CERT_AT);
    if (!key_cert_verify(&t.cert, &t.transport))
        return false;
    *out = t;
    return true;
}
