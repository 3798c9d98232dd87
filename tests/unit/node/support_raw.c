/* Streams of a node's contact by hand: offers, pauses, and answers that are kept. */
#include "support_raw.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/reply.h"
#include "node/file/manifest/manifest_out.h"

struct raw raw_open(struct world *w, unsigned from, unsigned to) {
    char name[8];
    world_name(to, name);
    struct node *n = w->nodes[from].node;
    const struct contact *c = contact_by_name(&n->contacts, name);
    assert(c && c->peering->online);
    struct raw r = {.w = w, .from = from, .session = c->peering->session};
    int err = stream_open(n->turn.ep, r.session, &r.stream);
    assert(err == 0);
    return r;
}

bool raw_write(struct raw *r, const void *bytes, size_t len) {
    const uint8_t *p = bytes;
    for (unsigned idle = 0; len > 0 && idle < 10000;) {
        size_t taken = 0;
        int err =
            stream_write(r->w->nodes[r->from].node->turn.ep, r->session, r->stream, p, len, &taken);
        if (err && err != ERR_AGAIN)
            return false;
        p += taken;
        len -= taken;
        idle = taken ? 0 : idle + 1;
        world_run(r->w, 1000);
    }
    return len == 0;
}

uint8_t *raw_offer(uint32_t count, size_t name_len, uint64_t size, char salt, size_t *len) {
    static const uint8_t key[MANIFEST_KEY_BYTES] = {9};
    struct manifest m;
    struct manifest_out out = {0};
    char name[FILE_NAME_MAX_BYTES + 1];
    const uint8_t *p;
    size_t n;
    manifest_init(&m, key);
    memset(name, salt, sizeof name);
    uint64_t body = manifest_head_bytes(count);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name + name_len - 7, 8, "%07u", i % 10000000u);
        int err = manifest_add(&m, name, name_len);
        assert(err == 0);
        m.files[i].size = size;
        m.files[i].mode = 0644;
        body += manifest_file_bytes(&m.files[i]);
    }
    uint8_t *all = malloc(body + 16);
    *len = 0;
    while ((n = manifest_out_next(&out, &m, body, &p)) > 0) {
        memcpy(all + *len, p, n);
        *len += n;
        manifest_out_gone(&out, n);
    }
    manifest_clear(&m);
    return all;
}

/* Its node would let go of what nobody has asked for. */
static void listen(void *ctx) {
    struct raw *r = ctx;
    struct endpoint *ep = r->w->nodes[r->from].node->turn.ep;
    struct span sp;
    size_t used;
    while (!r->in.whole && !r->fin &&
           stream_peek(ep, r->session, r->stream, 0, &sp, 1, &r->fin) > 0) {
        int err = blob_in_feed(&r->in, sp.block->data + sp.offset, sp.len, &used);
        assert(err == 0);
        stream_consume(ep, r->w->now_us, r->session, r->stream, used);
    }
}

void raw_listen(struct raw *r) {
    blob_in_init(&r->in, REPLY_MAX_BYTES);
    r->w->heard = listen;
    r->w->heard_ctx = r;
}

bool raw_reply(struct raw *r, struct reply *out) {
    for (unsigned ms = 0; ms < 5000 && !r->in.whole && !r->fin; ms++)
        world_run(r->w, 1000);
    const bool good = r->in.whole && reply_decode(out, r->in.buf, r->in.len) == 0;
    blob_in_clear(&r->in);
    listen(r);
    return good;
}

void raw_deaf(struct raw *r) {
    blob_in_clear(&r->in);
    r->w->heard = NULL;
}

void raw_finish(struct raw *r) {
    int err = stream_finish(r->w->nodes[r->from].node->turn.ep, r->session, r->stream);
    assert(err == 0);
}
