/* nat_linux.c: the NAT of Linux (nat_linux.h). The names in comments are those of net/netfilter in
 * the kernel. */
#include "sim/nat/nat_linux.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/nat/nat_int.h"
#include "sim/nat/nat_mapping.h"

enum { BY_INNER = 1, BY_OUTER, BY_SOURCE };
enum { NOBODY = UINT32_MAX };
static const uint64_t stream_after_ns = UINT64_C(2000000000); /* nf_conntrack_udp_packet */

struct nat_flow {
    bool used, replied;
    bool local;  /* the router's own: something from outside that its input policy has accepted */
    bool inward; /* begun from outside, through a port that was opened on request */
    struct addr inner, outer, remote;
    uint64_t born_ns, expires_ns;
    uint32_t newer, older; /* of the same inner source; NOBODY */
};

/* ---- the table ---- */

static struct nat_key key_of(uint32_t kind, const struct addr *a, const struct addr *remote) {
    struct nat_key k = {.kind = kind, .port = a->port};
    memcpy(k.ip, a->ip, 16);
    if (remote) {
        memcpy(k.other_ip, remote->ip, 16);
        k.other_port = remote->port;
    }
    return k;
}

static void unlink_source(struct nat *n, const struct nat_flow *f) {
    const struct nat_key k = key_of(BY_SOURCE, &f->inner, NULL);
    if (f->older != NOBODY)
        n->flows[f->older].newer = f->newer;
    if (f->newer != NOBODY)
        n->flows[f->newer].older = f->older;
    else if (f->older != NOBODY)
        nat_table_put(&n->flow_table, &k)->value = f->older;
    else
        nat_table_take(&n->flow_table, &k);
}

static void drop(struct nat *n, struct nat_flow *f) {
    struct nat_key k = key_of(BY_OUTER, &f->outer, &f->remote);
    nat_table_take(&n->flow_table, &k);
    if (!f->local) {
        k = key_of(BY_INNER, &f->inner, &f->remote);
        nat_table_take(&n->flow_table, &k);
    }
    if (!f->local && !f->inward)
        unlink_source(n, f);
    f->used = false;
    n->flow_live--;
}

static struct nat_flow *find(struct nat *n, uint64_t now_ns, uint32_t kind, const struct addr *a,
                             const struct addr *remote) {
    const struct nat_key k = key_of(kind, a, remote);
    const struct nat_entry *e = nat_table_find(&n->flow_table, &k);
    if (!e)
        return NULL;
    struct nat_flow *f = &n->flows[e->value];
    if (now_ns < f->expires_ns)
        return f;
    drop(n, f);
    return NULL;
}

/* Buries the dead. If none was: early_drop, of the one without an answer that has the least time
 * left. */
static bool make_room(struct nat *n, uint64_t now_ns) {
    uint32_t least = NOBODY;
    for (uint32_t i = 0; i < n->flow_count; i++) {
        struct nat_flow *f = &n->flows[i];
        if (f->used && now_ns >= f->expires_ns)
            drop(n, f);
        else if (f->used && !f->replied &&
                 (least == NOBODY || f->expires_ns < n->flows[least].expires_ns))
            least = i;
    }
    const uint32_t room = nat_room(n, now_ns);
    if (n->flow_live >= room && least != NOBODY)
        drop(n, &n->flows[least]);
    return n->flow_live < room;
}

static uint32_t place(struct nat *n, uint64_t now_ns) {
    for (uint32_t tries = 0; tries < 8 && n->flow_count > 0; tries++) { /* a dead one near by? */
        n->flow_hand = (n->flow_hand + 1) % n->flow_count;
        struct nat_flow *f = &n->flows[n->flow_hand];
        if (f->used && now_ns >= f->expires_ns)
            drop(n, f);
        if (!f->used)
            return n->flow_hand;
    }
    grow(&n->flows, &n->flow_cap, n->flow_count + 1, sizeof *n->flows);
    return n->flow_count++;
}

static struct nat_flow *add(struct nat *n, uint64_t now_ns, const struct nat_flow *model) {
    if (n->flow_live >= nat_room(n, now_ns) && !make_room(n, now_ns))
        return NULL;
    const uint32_t at = place(n, now_ns);
    struct nat_flow *f = &n->flows[at];
    *f = *model;
    f->used = true;
    f->newer = f->older = NOBODY;
    f->born_ns = now_ns;
    f->expires_ns = now_ns + n->cfg.unreplied_ns;
    n->flow_live++;
    struct nat_key k = key_of(BY_OUTER, &f->outer, &f->remote);
    nat_table_put(&n->flow_table, &k)->value = at;
    if (f->local)
        return f;
    k = key_of(BY_INNER, &f->inner, &f->remote);
    nat_table_put(&n->flow_table, &k)->value = at;
    if (f->inward)
        return f;
    k = key_of(BY_SOURCE, &f->inner, NULL);
    const struct nat_entry *e = nat_table_find(&n->flow_table, &k);
    if (e) {
        f->older = e->value;
        n->flows[e->value].newer = at;
    }
    nat_table_put(&n->flow_table, &k)->value = at;
    return f;
}

/* nf_conntrack_udp_packet: both directions refresh; what was answered before this packet and is
 * older than two seconds is a stream. */
static void touch(struct nat *n, uint64_t now_ns, struct nat_flow *f, bool is_reply) {
    const bool stream = f->replied && now_ns > f->born_ns + stream_after_ns;
    f->replied = f->replied || is_reply;
    f->expires_ns = now_ns + (stream ? n->cfg.timeout_ns : n->cfg.unreplied_ns);
}

/* ---- ports ---- */

/* nf_nat_used_tuple: an external port is taken only towards this one place. */
static bool is_free(struct nat *n, uint64_t now_ns, const struct addr *outer,
                    const struct addr *remote) {
    return !find(n, now_ns, BY_OUTER, outer, remote);
}

/* nf_nat_l4proto_unique_tuple: from a drawn port on, fewer and fewer at a time. */
static bool any_port(struct nat *n, uint64_t now_ns, const struct addr *remote,
                     struct addr *outer) {
    const uint32_t port = outer->port,
                   first = port < 512    ? 1
                           : port < 1024 ? 600
                                         : 1024,
                   last = port < 512    ? 511
                          : port < 1024 ? 1023
                                        : 65535,
                   size = last - first + 1;
    for (uint32_t attempts = 128; attempts >= 8; attempts /= 2) {
        const uint32_t from = (uint32_t)draw_below(nat_drawn(n), 65536);
        for (uint32_t i = 0; i < attempts; i++) {
            outer->port = (uint16_t)(first + (from + i) % size);
            if (is_free(n, now_ns, outer, remote))
                return true;
        }
    }
    return false;
}

/* get_unique_tuple: what the source has already towards others; its own port; any. */
static bool choose_outer(struct nat *n, uint64_t now_ns, const struct addr *src,
                         const struct addr *dst, struct addr *outer) {
    if (n->cfg.firewall) {
        *outer = *src;
        return true;
    }
    if (n->external_count == 0)
        return false;
    const struct nat_mapping *opened = nat_mapping_from(n, now_ns, src, dst);
    if (opened) {
        *outer = opened->outer;
        if (is_free(n, now_ns, outer, dst))
            return true;
    }
    if (n->cfg.ports == NAT_PORTS_PRESERVE) {
        const struct nat_key k = key_of(BY_SOURCE, src, NULL);
        const struct nat_entry *e = nat_table_find(&n->flow_table, &k);
        if (e && now_ns < n->flows[e->value].expires_ns) { /* find_appropriate_src */
            *outer = n->flows[e->value].outer;
            if (is_free(n, now_ns, outer, dst))
                return true;
        }
    }
    *outer = n->external[0];
    outer->port = src->port;
    if (n->cfg.ports == NAT_PORTS_PRESERVE && is_free(n, now_ns, outer, dst))
        return true;
    return any_port(n, now_ns, dst, outer);
}

/* ---- packets ---- */

enum nat_verdict nat_linux_out(struct nat *n, uint64_t now_ns, struct addr *src,
                               const struct addr *dst) {
    struct nat_flow *f = find(n, now_ns, BY_INNER, src, dst);
    if (!f) {
        struct nat_flow model = {.inner = *src, .remote = *dst};
        if (!choose_outer(n, now_ns, src, dst, &model.outer) || !(f = add(n, now_ns, &model)))
            return NAT_FULL;
    } else {
        touch(n, now_ns, f, f->inward);
    }
    *src = f->outer;
    return NAT_PASS;
}

enum nat_verdict nat_linux_in(struct nat *n, uint64_t now_ns, const struct addr *src,
                              struct addr *dst) {
    struct nat_flow *f = find(n, now_ns, BY_OUTER, dst, src);
    if (f) {
        touch(n, now_ns, f, !f->local && !f->inward);
        if (f->local)
            return NAT_NO_MAPPING;
        *dst = f->inner;
        return NAT_PASS;
    }
    const struct nat_mapping *opened = nat_mapping_at(n, now_ns, dst);
    if (opened) {
        const struct nat_flow model = {
            .inner = opened->inner, .outer = *dst, .remote = *src, .inward = true};
        if (!add(n, now_ns, &model))
            return NAT_FULL;
        *dst = model.inner;
        return NAT_PASS;
    }
    if (n->cfg.input_accepts && !n->cfg.firewall)
        (void)add(n, now_ns, &(struct nat_flow){.outer = *dst, .remote = *src, .local = true});
    return NAT_NO_MAPPING;
}

bool nat_linux_inner(struct nat *n, uint64_t now_ns, const struct addr *outer,
                     const struct addr *remote, struct addr *inner) {
    const struct nat_flow *f = find(n, now_ns, BY_OUTER, outer, remote);
    if (!f || f->local)
        return false;
    *inner = f->inner;
    return true;
}

bool nat_linux_outer(struct nat *n, uint64_t now_ns, const struct addr *inner,
                     const struct addr *remote, struct addr *outer) {
    const struct nat_flow *f = find(n, now_ns, BY_INNER, inner, remote);
    if (f)
        *outer = f->outer;
    return f != NULL;
}

/* ---- life ---- */

void nat_linux_clear(struct nat *n) {
    mem_free(n->flows);
    n->flows = NULL;
    n->flow_count = n->flow_cap = n->flow_live = n->flow_hand = 0;
    nat_table_clear(&n->flow_table);
}

uint32_t nat_linux_count(const struct nat *n, uint64_t now_ns) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->flow_count; i++)
        count += n->flows[i].used && now_ns < n->flows[i].expires_ns;
    return count;
}
