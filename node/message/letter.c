#include "node/message/letter.h"

#include <string.h>

#include "node/api/utf8.h"
#include "node/channel/channel.h"
#include "node/channel/delimited.h"
#include "node/channel/pack.h"

uint8_t *letter_encode(const struct letter *l, size_t *len) {
    static const uint8_t channel[1] = {CHANNEL_MESSAGE};
    struct packer p;
    packer_init(&p);
    packer_map(&p, 4);
    packer_key(&p, "v");
    packer_uint(&p, 1);
    packer_key(&p, "id");
    packer_bin(&p, l->id, LETTER_ID_BYTES);
    packer_key(&p, "t");
    packer_uint(&p, l->wall_ms);
    packer_key(&p, "x");
    packer_str(&p, l->text, l->len);
    uint8_t *out = p.failed ? NULL : blob_out(channel, sizeof channel, p.buf.data, p.buf.size, len);
    packer_clear(&p);
    return out;
}

static int from_map(struct letter *l, const msgpack_object *map) {
    static const char *const keys[] = {"v", "id", "t", "x"};
    const msgpack_object *f[4];
    uint64_t version;
    if (!pack_fields(map, keys, 4, f) || !pack_uint(f[0], UINT64_MAX, &version))
        return ERR_PROTO;
    if (version != 1)
        return ERR_UNSUPPORTED;
    if (!f[1] || f[1]->type != MSGPACK_OBJECT_BIN || f[1]->via.bin.size != LETTER_ID_BYTES ||
        !pack_uint(f[2], UINT64_MAX / 1000, &l->wall_ms) || !pack_str(f[3], &l->text, &l->len))
        return ERR_PROTO;
    memcpy(l->id, f[1]->via.bin.ptr, LETTER_ID_BYTES);
    if (l->len == 0 || l->len > MESSAGE_MAX_BYTES || !utf8_valid(l->text, l->len))
        return ERR_PROTO;
    return 0;
}

int letter_decode(struct letter *l, const uint8_t *in, size_t len) {
    struct pack p;
    int err = pack_open(&p, in, len, 3, 64);
    if (err)
        return err;
    err = from_map(l, &p.root);
    pack_close(&p); /* text points into `in`, not into the zone */
    return err;
}
