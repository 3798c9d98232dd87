/* hop.c: one switch over all kinds a question; the compiler says where a new kind is missing. */
#include "net/base/hop.h"

#include <assert.h>

#include "crypto/base/bytes.h"

/* A hop's bytes begin with its address's kind or with its own. */
static_assert((int)HOP_RELAY < ADDR_IPV4 && (int)HOP_PIPE < ADDR_IPV4 && (int)HOP_UDP < ADDR_IPV4,
              "the bytes of two kinds of hop begin alike");

static const struct addr no_addr;

struct hop hop_udp(const struct addr *remote, uint32_t local) {
    return (struct hop){.kind = HOP_UDP, .udp = {.local = local, .remote = *remote}};
}

struct hop hop_by_any_socket(const struct hop *h) {
    struct hop any = *h;
    if (h->kind == HOP_UDP)
        any.udp.local = LOCAL_ANY;
    return any;
}

bool hop_same_place(const struct hop *a, const struct hop *b) {
    if (a->kind != b->kind)
        return false;
    switch ((enum hop_kind)a->kind) {
    case HOP_NONE:
        return false;
    case HOP_UDP:
        return a->udp.remote.kind != ADDR_NONE && addr_equal(&a->udp.remote, &b->udp.remote);
    case HOP_RELAY:
        return a->relay.by.index == b->relay.by.index &&
               a->relay.by.generation == b->relay.by.generation && a->relay.flow == b->relay.flow;
    case HOP_PIPE:
        return a->pipe.id == b->pipe.id;
    }
    return false;
}

bool hop_equal(const struct hop *a, const struct hop *b) {
    return hop_same_place(a, b) && (a->kind != HOP_UDP || a->udp.local == b->udp.local);
}

bool hop_covers(const struct hop *h, const struct hop *at) {
    return hop_equal(h, at) ||
           (h->kind == HOP_UDP && h->udp.local == LOCAL_ANY && hop_same_place(h, at));
}

bool hop_is_to(const struct hop *h, const struct addr *a) {
    return h->kind == HOP_UDP && a->kind != ADDR_NONE && addr_equal(&h->udp.remote, a);
}

const struct addr *hop_addr(const struct hop *h) {
    return h->kind == HOP_UDP ? &h->udp.remote : &no_addr;
}

size_t hop_write(const struct hop *h, uint8_t out[static HOP_BYTES_MAX]) {
    struct wr w = wr_init(out, HOP_BYTES_MAX);
    uint8_t addr[ADDR_WIRE_MAX];
    size_t addr_len = 0;
    switch ((enum hop_kind)h->kind) {
    case HOP_UDP:
        addr_len = addr_write(&h->udp.remote, addr);
        wr_bytes(&w, addr, addr_len);
        if (addr_len > 0 && h->udp.remote.scope != 0)
            wr_u32(&w, h->udp.remote.scope);
        break;
    case HOP_RELAY:
        wr_u8(&w, HOP_RELAY);
        wr_u32(&w, h->relay.by.index);
        wr_u32(&w, h->relay.by.generation);
        wr_u32(&w, h->relay.flow);
        break;
    case HOP_PIPE:
        wr_u8(&w, HOP_PIPE);
        wr_u64(&w, h->pipe.id);
        break;
    case HOP_NONE:
        break;
    }
    if (wr_len(&w) == 0) /* no place: nothing that anybody could have been told */
        wr_u8(&w, h->kind == HOP_UDP ? HOP_UDP : HOP_NONE);
    return wr_len(&w);
}

static uint64_t addr_source(const struct addr *a) {
    uint64_t key = a->kind;
    const bool v6 = a->kind == ADDR_IPV6;
    const uint8_t *at = v6 && addr_is_link_local(a) ? a->ip + 9 : a->ip;
    for (unsigned i = 0; i < (v6 ? 7u : 4u); i++)
        key = key << 8 | at[i];
    return key;
}

uint64_t hop_source(const struct hop *h) {
    enum { NUMBER_BITS = 56 };
    const uint64_t kind = (uint64_t)h->kind << NUMBER_BITS;
    const uint64_t number = (UINT64_C(1) << NUMBER_BITS) - 1;
    switch ((enum hop_kind)h->kind) {
    case HOP_UDP:
        return h->udp.remote.kind == ADDR_NONE ? 1 : addr_source(&h->udp.remote);
    case HOP_RELAY:
        return kind | (((uint64_t)h->relay.by.index << 32 | h->relay.by.generation) & number);
    case HOP_PIPE:
        return kind | (h->pipe.id & number);
    case HOP_NONE:
        break;
    }
    return 1;
}
