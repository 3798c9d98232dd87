#include "node/file/offer_in.h"

#include "crypto/base/mem.h"
#include "node/base/turn.h"
#include "node/channel/delimited.h"
#include "node/file/file_recv.h"
#include "node/file/manifest/manifest_in.h"
#include "node/file/transfer/transfer.h"

struct offer_in {
    struct varint_in head;
    uint64_t left; /* of the blob; 0: its length is not known yet */
    struct manifest_in in;
};

static void *begin(void *self) {
    const struct receivers *all = self;
    uint8_t key[MANIFEST_KEY_BYTES];
    struct offer_in *o = mem_alloc(sizeof *o);
    if (!o)
        return NULL;
    o->head = (struct varint_in){0};
    o->left = 0;
    rng_fill(&all->files->turn->env.rng, key, sizeof key);
    manifest_in_init(&o->in, key);
    return o;
}

static int feed(void *body, const uint8_t *p, size_t len, struct channel_fed *out) {
    struct offer_in *o = body;
    if (o->left == 0) {
        if (!varint_in_feed(&o->head, p, len, &out->used, &o->left))
            return 0;
        if (o->left == 0 || o->left > MANIFEST_MAX_BYTES)
            return ERR_PROTO;
    }
    const size_t rest = len - out->used, more = o->left < rest ? (size_t)o->left : rest;
    const int err = manifest_in_feed(&o->in, p + out->used, more);
    out->answer = err != 0;
    out->used += more;
    o->left -= more;
    out->whole = !err && o->left == 0;
    return err;
}

static size_t held_bytes(const void *body) {
    const struct offer_in *o = body;
    return sizeof o->in + o->in.manifest.held_bytes;
}

static void discard(void *body) {
    struct offer_in *o = body;
    manifest_in_clear(&o->in);
    mem_free(o);
}

static void take(void *self, struct contact *c, struct session_ref s, uint64_t stream, void *body) {
    struct receivers *all = self;
    struct offer_in *o = body;
    struct manifest m;
    const int err = manifest_in_take(&o->in, &m);
    discard(o);
    if (err)
        file_recv_no(all->files, s, stream, err);
    else
        file_recv_offer(all, c, s, stream, &m);
}

static void refuse(void *self, struct session_ref s, uint64_t stream, int err) {
    const struct receivers *all = self;
    file_recv_no(all->files, s, stream, err);
}

const struct channel_ops offer_in_channel = {.number = CHANNEL_FILE,
                                             .begin = begin,
                                             .feed = feed,
                                             .held_bytes = held_bytes,
                                             .take = take,
                                             .refuse = refuse,
                                             .free = discard};
