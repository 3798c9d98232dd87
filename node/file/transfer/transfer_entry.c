#include "node/file/transfer/transfer_entry.h"

#include <assert.h>
#include <string.h>

#include "crypto/base/bytes.h"

enum { TRANSFER_VERSION = 1, FLAG_OUTGOING = 1 };

static void put_text8(struct wr *w, const char *s) {
    const size_t len = strlen(s);
    wr_u8(w, (uint8_t)len);
    wr_bytes(w, s, len);
}

size_t transfer_entry_write(const struct transfer *t, uint64_t now_us,
                            uint8_t out[static TRANSFER_VALUE_MAX]) {
    const struct transfer_info *i = &t->info;
    const uint64_t until_us = transfer_ended(t) ? i->ended_us : now_us;
    const uint32_t first =
        t->manifest.count < TRANSFER_FIRST_FILES ? t->manifest.count : TRANSFER_FIRST_FILES;
    struct wr w = wr_init(out, TRANSFER_VALUE_MAX);
    wr_u8(&w, TRANSFER_VERSION);
    wr_u8(&w, i->outgoing ? FLAG_OUTGOING : 0);
    wr_u8(&w, (uint8_t)i->state);
    wr_u16(&w, (uint16_t)-i->err);
    wr_bytes(&w, i->node.bytes, sizeof i->node.bytes);
    put_text8(&w, i->contact);
    wr_u32(&w, i->files);
    wr_u32(&w, i->files_done);
    wr_u64(&w, i->bytes_total);
    wr_u64(&w, i->bytes_done);
    wr_u64(&w, i->wall_us);
    wr_u64(&w, until_us - i->started_us);
    wr_u64(&w, i->accepted_us ? until_us - i->accepted_us : 0);
    put_text8(&w, i->detail);
    wr_u16(&w, (uint16_t)strlen(i->dir));
    wr_bytes(&w, i->dir, strlen(i->dir));
    wr_u8(&w, (uint8_t)first);
    for (uint32_t f = 0; f < first; f++) {
        wr_u64(&w, t->manifest.files[f].size);
        put_text8(&w, t->manifest.files[f].name);
    }
    wr_u8(&w, (uint8_t)i->cause.side);
    wr_u16(&w, (uint16_t)i->cause.limit);
    wr_u64(&w, i->cause.max);
    assert(w.ok);
    return wr_len(&w);
}

/* `len` bytes of text with a NUL; false if there is no room, or a NUL inside. */
static bool get_text(struct rd *r, size_t len, char *out, size_t cap) {
    if (len >= cap)
        return false;
    memset(out, 0, cap);
    rd_bytes(r, (uint8_t *)out, len);
    return r->ok && strlen(out) == len;
}

static bool get_first_files(struct rd *r, struct manifest *m) {
    static const uint8_t key[MANIFEST_KEY_BYTES] = {0}; /* three names collide with nobody */
    char name[FILE_NAME_MAX_BYTES + 1];
    const uint8_t count = rd_u8(r);
    manifest_init(m, key);
    for (uint8_t f = 0; f < count && r->ok && f < TRANSFER_FIRST_FILES; f++) {
        const uint64_t size = rd_u64(r);
        const size_t len = rd_u8(r);
        if (!get_text(r, len, name, sizeof name) || !manifest_name_ok(name, len) ||
            manifest_add(m, name, len) != 0)
            return false;
        m->files[f].size = size;
    }
    manifest_complete(m);
    return r->ok;
}

/* What is no time since something becomes none. */
static void set_times(struct transfer_info *i, uint64_t elapsed_us, uint64_t running_us) {
    i->started_us = 1; /* on the clock of nobody: only differences count */
    i->ended_us = elapsed_us < UINT64_MAX ? 1 + elapsed_us : 1;
    i->accepted_us = running_us > 0 && running_us < i->ended_us ? i->ended_us - running_us : 0;
}

static bool get_cause(struct rd *r, struct cause *c) {
    const uint8_t side = rd_u8(r);
    c->limit = limit_from_wire(rd_u16(r));
    c->max = rd_u64(r);
    c->side = side < SIDES ? (enum side)side : SIDE_LOCAL;
    return r->ok;
}

bool transfer_entry_read(struct transfer *t, const uint8_t *in, size_t len) {
    struct transfer_info *i = &t->info;
    struct rd r = rd_init(in, len);
    const bool known = rd_u8(&r) == TRANSFER_VERSION;
    i->outgoing = rd_u8(&r) & FLAG_OUTGOING;
    const uint8_t state = rd_u8(&r);
    const uint16_t err = rd_u16(&r);
    i->err = err ? err_from_wire(err) : 0;
    rd_bytes(&r, i->node.bytes, sizeof i->node.bytes);
    if (!known || state > TRANSFER_FAILED ||
        !get_text(&r, rd_u8(&r), i->contact, sizeof i->contact))
        return false;
    i->state = (enum transfer_state)state;
    i->files = rd_u32(&r);
    i->files_done = rd_u32(&r);
    i->bytes_total = rd_u64(&r);
    i->bytes_done = rd_u64(&r);
    i->wall_us = rd_u64(&r);
    const uint64_t elapsed_us = rd_u64(&r);
    set_times(i, elapsed_us, rd_u64(&r));
    return get_text(&r, rd_u8(&r), i->detail, sizeof i->detail) &&
           get_text(&r, rd_u16(&r), i->dir, sizeof i->dir) && get_first_files(&r, &t->manifest) &&
           get_cause(&r, &i->cause);
}
