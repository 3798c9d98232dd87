#include "sim/world/hostile.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "crypto/base/mem.h"
#include "net/wire/handshake_msg.h"
#include "net/wire/packet.h"
#include "net/wire/relay_msg.h"
#include "sim/world/flight.h"
#include "sim/world/host.h"
#include "sim/world/hostile_client.h"
#include "sim/world/icmp.h"

enum { INJECT_BYTES = 1200 };
enum { GARBAGE_TYPES = 4 };

static uint64_t drawn(struct host *h) {
    return draw_u64(&h->world->draw, world_entity(h, ENTITY_HOSTILE), DRAW_HOSTILE,
                    h->hostile->draws++);
}

enum { DO_FLOOD, DO_AMPLIFY, DO_ICMP, DO_LATE, DO_OPEN, DO_BITS = 3, DO_MASK = 7 };

/* The event's tag: what, and since which change of plans: those of an earlier one are void. */
static void plan_next(struct host *h, uint32_t what, uint64_t interval_ns) {
    world_push(h->world, h,
               &(struct event){.time_ns = h->world->now_ns + interval_ns,
                               .kind = EVENT_HOSTILE,
                               .tag = h->plots << DO_BITS | what});
}

void hostile_clear(struct host *h) {
    if (h->hostile) {
        h->world->spies -= h->hostile->plan.copies;
        mem_free(h->hostile->kept);
        mem_free(h->hostile->late);
        identity_clear(&h->hostile->forged);
    }
    mem_free(h->hostile);
    h->hostile = NULL;
}

/* Its own id, but everything else is somebody's. */
static void forge(struct host *h, struct identity *out) {
    struct draw_stream birth;
    draw_stream_init(&birth, &h->world->draw, world_entity(h, ENTITY_HOSTILE), 0);
    identity_generate(out, &(struct rng){draw_stream_fill, &birth});
    out->id = h->identity.id;
    out->transport_seq = h->identity.transport_seq + 1;
}

bool hostile_begin(struct host *h, const struct hostile_plan *plan) {
    static const struct hostile_plan honest;
    const bool had = h->hostile != NULL;
    if (!had)
        h->hostile = mem_calloc(1, sizeof *h->hostile);
    if (!h->hostile)
        abort();
    const struct hostile_plan before = h->hostile->plan;
    h->hostile->plan = *plan;
    h->world->spies += plan->copies;
    h->world->spies -= before.copies;
    h->plots++;
    if (plan->forges)
        forge(h, &h->hostile->forged);
    if (memcmp(plan, &honest, sizeof honest) == 0) {
        hostile_clear(h);
    } else if (h->world->begun) {
        if (plan->floods)
            plan_next(h, DO_FLOOD, plan->flood_interval_ns);
        if (plan->opens)
            plan_next(h, DO_OPEN, plan->open_interval_ns);
        if (plan->icmps)
            plan_next(h, DO_ICMP, plan->icmp_interval_ns);
        if (plan->amplifies)
            plan_next(h, DO_AMPLIFY, plan->amplify_interval_ns);
    }
    return plan->forges != before.forges && h->world->begun;
}

/* One datagram that is not the node's own idea, from any address (NULL: its own). */
static void send(struct host *h, const struct addr *from, const struct addr *to,
                 const uint8_t *data, uint32_t len) {
    struct packet *p = packet_new(h, to, data, len);
    if (from)
        p->from = *from;
    flight_send(h->world->flight, p);
}

static void keep_seen(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    struct hostile *x = h->hostile;
    if (len > HOSTILE_KEEP_BYTES)
        return;
    if (!x->kept && !(x->kept = mem_calloc(HOSTILE_KEEP, sizeof *x->kept)))
        abort();
    struct hostile_kept *k = &x->kept[x->kept_next];
    x->kept_next = (x->kept_next + 1) % HOSTILE_KEEP;
    x->kept_count += x->kept_count < HOSTILE_KEEP;
    k->to = *to;
    k->len = len;
    memcpy(k->data, data, len);
}

static void keep(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    if (h->hostile->plan.replay_ppb > 0)
        keep_seen(h, to, data, len);
}

static void maybe_replay(struct host *h) {
    struct hostile *x = h->hostile;
    if (x->plan.replay_ppb == 0 || x->kept_count == 0 || !draw_chance(drawn(h), x->plan.replay_ppb))
        return;
    const struct hostile_kept k = x->kept[draw_below(drawn(h), x->kept_count)];
    send(h, NULL, &k.to, k.data, k.len);
}

/* ---- what it does to what it forwards ---- */

static void hold_back(struct host *h, const struct hostile_kept *k) {
    struct hostile *x = h->hostile;
    unsigned i = 0;
    if (!x->late && !(x->late = mem_calloc(HOSTILE_LATE, sizeof *x->late)))
        abort();
    while (i < HOSTILE_LATE && x->late[i].due_ns > 0)
        i++;
    if (i == HOSTILE_LATE)
        return; /* it holds no more: this one is gone */
    x->late[i] = (struct hostile_late){h->world->now_ns + x->plan.delay_ns, *k};
    plan_next(h, DO_LATE, x->plan.delay_ns);
}

static void let_go(struct host *h) {
    for (unsigned i = 0; h->hostile->late && i < HOSTILE_LATE; i++) {
        struct hostile_late *l = &h->hostile->late[i];
        if (l->due_ns == 0 || l->due_ns > h->world->now_ns)
            continue;
        l->due_ns = 0;
        send(h, NULL, &l->what.to, l->what.data, l->what.len);
    }
}

/* The same bytes, where the last one of another end went. */
static bool swap(struct host *h, struct hostile_kept *k) {
    struct hostile_kept *o = &h->hostile->other;
    const bool others = o->len > 0 && load_le32(o->data + 4) != load_le32(k->data + 4);
    const struct hostile_kept now = *k;
    if (others) {
        memcpy(k->data + 4, o->data + 4, 4);
        k->to = o->to;
    }
    *o = now;
    return others;
}

/* True: the datagram does not leave as its node wanted it to. */
static bool spoils(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    const struct hostile_plan *p = &h->hostile->plan;
    if (p->delay_ppb + p->twice_ppb + p->swap_ppb + p->spoil_ppb == 0 ||
        len <= FORWARD_HEADER_BYTES || len > HOSTILE_KEEP_BYTES || data[0] != PACKET_FORWARDED)
        return false;
    struct hostile_kept k = {.to = *to, .len = len};
    memcpy(k.data, data, len);
    bool other = p->swap_ppb > 0 && swap(h, &k) && draw_chance(drawn(h), p->swap_ppb);
    if (!other) {
        k.to = *to;
        memcpy(k.data, data, len);
    }
    if (p->spoil_ppb > 0 && draw_chance(drawn(h), p->spoil_ppb)) {
        k.data[FORWARD_HEADER_BYTES + draw_below(drawn(h), len - FORWARD_HEADER_BYTES)] ^= 1;
        other = true;
    }
    if (p->twice_ppb > 0 && draw_chance(drawn(h), p->twice_ppb))
        send(h, NULL, &k.to, k.data, k.len);
    if (p->delay_ppb > 0 && draw_chance(drawn(h), p->delay_ppb)) {
        hold_back(h, &k);
        return true;
    }
    if (other)
        send(h, NULL, &k.to, k.data, k.len);
    return other;
}

bool hostile_keeps(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    const struct hostile_plan *p = &h->hostile->plan;
    keep(h, to, data, len);
    maybe_replay(h);
    const bool meant =
        p->drop_types == 0 || (len > 0 && data[0] < 32 && (p->drop_types >> data[0] & 1) != 0);
    if (p->drop_ppb > 0 && meant && draw_chance(drawn(h), p->drop_ppb)) {
        h->world->stats.drops[FATE_HOSTILE]++;
        return true;
    }
    return spoils(h, to, data, len);
}

/* From its own address, to where the original goes: on the path, it may be there first. */
void hostile_overheard(struct world *w, uint32_t from, const struct packet *p) {
    for (uint32_t i = 0; i < w->host_count; i++) {
        struct host *h = w->hosts[i];
        const struct hostile_plan *plan = h->hostile ? &h->hostile->plan : NULL;
        if (!plan || !plan->copies || plan->copy_host != from || h->state != HOST_RUNS)
            continue;
        keep_seen(h, &p->to, p->data, p->len);
        if (draw_chance(drawn(h), plan->copy_ppb))
            send(h, NULL, &p->to, p->data, p->len);
    }
}

void hostile_receives(struct host *h, const struct packet *p) {
    keep(h, &p->from, p->data, p->len); /* what came is thrown back at its sender */
    maybe_replay(h);
}

/* An initiation that only lacks sense: its mac1 is right, so the responder has to look inside
 * (docs/PROTOCOL.md §2). */
static void make_initiation(struct host *h, const struct host *to,
                            uint8_t out[static INITIATION_BYTES]) {
    uint8_t material[32 + 14], key[32];
    for (unsigned i = 0; i < INITIATION_BYTES; i += 4)
        store_le32(out + i, (uint32_t)drawn(h));
    memset(out, 0, 4);
    out[0] = PACKET_INITIATION;
    memcpy(material, "meshd mac1 v1", 13);
    memcpy(material + 13, to->identity.transport_public.bytes, 32);
    (void)crypto_generichash(key, sizeof key, material, 13 + 32, NULL, 0);
    (void)crypto_generichash(out + INITIATION_BYTES - 32, 16, out, INITIATION_BYTES - 32, key,
                             sizeof key);
    memset(out + INITIATION_BYTES - 16, 0, 16);
}

/* A real one, from this host's own identity, which the other does not know or not like this:
 * without a secret. */
static void make_strangers(struct host *h, const struct host *to,
                           uint8_t out[static INITIATION_BYTES]) {
    static const uint8_t prologue[8 + 32] = "meshd v1";
    struct key_cert cert;
    struct noise noise;
    struct dh_secret ephemeral;
    identity_cert(&h->identity, &cert);
    const struct handshake_self self = {.identity = &h->identity,
                                        .cert = &cert,
                                        .prologue = prologue,
                                        .prologue_len = sizeof prologue,
                                        .suites = AEAD_CHACHA20_POLY1305};
    const struct initiation in = {.suites = self.suites,
                                  .timestamp_us = host_wall_us(h),
                                  .session_id = drawn(h),
                                  .cert = cert};
    for (unsigned i = 0; i < sizeof ephemeral.bytes; i += 4)
        store_le32(ephemeral.bytes + i, (uint32_t)drawn(h));
    if (!handshake_write_initiation(&noise, &self, &to->identity.transport_public, &ephemeral, &in,
                                    (uint32_t)drawn(h), out))
        abort();
    noise_clear(&noise);
}

/* Under which this host can send to it; NULL: none that it could know. */
static const struct addr *address_for(const struct host *h, const struct host *to) {
    const struct nic *n = &to->first;
    if (n->addr_count == 0)
        return NULL;
    if (n->site == SITE_NONE || n->site == h->first.site)
        return &n->addrs[0];
    return n->outer.kind != ADDR_NONE ? &n->outer : NULL;
}

/* By a flow that it has seen or one that it guesses: what looks like a packet, or a packet. */
static uint32_t make_forward(struct host *h, uint8_t out[static INJECT_BYTES]) {
    const struct hostile *x = h->hostile;
    const struct hostile_kept *k =
        x->kept_count > 0 ? &x->kept[draw_below(drawn(h), x->kept_count)] : NULL;
    const bool seen = k && k->len > FORWARD_HEADER_BYTES && k->len <= INJECT_BYTES &&
                      k->data[0] == PACKET_FORWARD && draw_below(drawn(h), 4) > 0;
    uint32_t len = 100 + (uint32_t)draw_below(drawn(h), INJECT_BYTES - 100);
    if (seen) {
        len = k->len;
        memcpy(out, k->data, len);
    }
    if (!seen || draw_below(drawn(h), 2) == 0)
        out[FORWARD_HEADER_BYTES] = (uint8_t)(1 + out[FORWARD_HEADER_BYTES] % GARBAGE_TYPES);
    memset(out, 0, 4);
    out[0] = PACKET_FORWARD;
    return len;
}

static void inject(struct host *h, const struct host *to, const struct addr *from,
                   enum flood_kind kind) {
    uint8_t data[INJECT_BYTES];
    uint32_t len = INITIATION_BYTES;
    const struct addr *at = address_for(h, to);
    if (!at)
        return;
    if (kind == FLOOD_INITIATION) {
        make_initiation(h, to, data);
    } else if (kind == FLOOD_STRANGER) {
        make_strangers(h, to, data);
    } else {
        len = (uint32_t)(1 + draw_below(drawn(h), INJECT_BYTES));
        for (uint32_t i = 0; i + 4 <= INJECT_BYTES; i += 4)
            store_le32(data + i, (uint32_t)drawn(h));
        data[0] = (uint8_t)(1 + data[0] % GARBAGE_TYPES);
        if (kind == FLOOD_FORWARD)
            len = make_forward(h, data);
        if (kind == FLOOD_KEY_ASK) {
            uint8_t nonce[KEY_NONCE_BYTES];
            store_le64(nonce, drawn(h));
            key_ask_write(nonce, data);
            len = KEY_ASK_BYTES;
        }
    }
    send(h, from, at, data, len);
}

/* Right in all that can be known from afar: both addresses, and what a data packet looks like. The
 * MTU is a drawn one. */
static void inject_icmp(struct host *h) {
    static const uint32_t mtus[] = {0, 68, 576, 1228, 1280, 1300};
    const struct hostile_plan *p = &h->hostile->plan;
    const struct addr *from = address_for(h, h->world->hosts[p->icmp_host]),
                      *to = address_for(h, h->world->hosts[p->icmp_peer]);
    if (!from || !to || from->kind != to->kind)
        return;
    struct icmp_note note = {.kind = ICMP_TOO_BIG,
                             .mtu_bytes = mtus[draw_below(drawn(h), 6)],
                             .from = *from,
                             .to = *to,
                             .bytes = 1000 + (uint32_t)draw_below(drawn(h), 500),
                             .head_len = ICMP_HEAD_BYTES};
    for (unsigned i = 0; i < ICMP_HEAD_BYTES; i += 4)
        store_le32(note.head + i, (uint32_t)drawn(h));
    store_le32(note.head, PACKET_DATA);
    store_le64(note.head + 8, draw_below(drawn(h), 10000));
    icmp_forge(h->world->flight->sites, h, &note);
}

static void ask_for_flow(struct host *h) {
    const struct hostile_plan *p = &h->hostile->plan;
    struct node_id nobody;
    for (unsigned i = 0; i < sizeof nobody.bytes; i += 4)
        store_le32(nobody.bytes + i, (uint32_t)drawn(h));
    (void)hostile_client_open(h, h->world->hosts[p->open_relay],
                              p->open_to == UINT32_MAX ? &nobody
                                                       : &h->world->hosts[p->open_to]->identity.id);
}

void hostile_run(struct host *h, const struct event *e) {
    const uint32_t what = e->tag & DO_MASK;
    if (h->hostile && what == DO_LATE)
        let_go(h);
    if (!h->hostile || e->tag != (h->plots << DO_BITS | what))
        return;
    const struct hostile_plan *p = &h->hostile->plan;
    if (what == DO_FLOOD && p->floods) {
        inject(h, h->world->hosts[p->flood_target], NULL, p->flood_kind);
        plan_next(h, DO_FLOOD, p->flood_interval_ns);
    }
    if (what == DO_OPEN && p->opens) {
        ask_for_flow(h);
        plan_next(h, DO_OPEN, p->open_interval_ns);
    }
    if (what == DO_ICMP && p->icmps) {
        inject_icmp(h);
        plan_next(h, DO_ICMP, p->icmp_interval_ns);
    }
    if (what == DO_AMPLIFY && p->amplifies) {
        const struct addr *victim = address_for(h, h->world->hosts[p->victim]);
        if (victim)
            inject(h, h->world->hosts[p->reflector], victim, FLOOD_INITIATION);
        plan_next(h, DO_AMPLIFY, p->amplify_interval_ns);
    }
}
