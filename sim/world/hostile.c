#include "sim/world/hostile.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/base/bytes.h"
#include "net/wire/handshake_msg.h"
#include "net/wire/packet.h"
#include "sim/engine/quantity.h"
#include "sim/world/sim_int.h"

enum { INJECT_BYTES = 1200 };

/* ---- reading a plan ---- */

enum { PARTS_MAX = 3, PART_BYTES = 48 };

struct call { /* "name(a,b,c)" */
    char name[PART_BYTES], parts[PARTS_MAX][PART_BYTES];
    unsigned count;
};

static bool split(const char *word, struct call *c) {
    const size_t head = strcspn(word, "("), len = strlen(word);
    *c = (struct call){.count = 0};
    if (head == 0 || head >= PART_BYTES || head == len || word[len - 1] != ')')
        return false;
    memcpy(c->name, word, head);
    for (const char *p = word + head + 1; c->count < PARTS_MAX;) {
        const size_t n = strcspn(p, ",)");
        if (n == 0 || n >= PART_BYTES)
            return false;
        memcpy(c->parts[c->count++], p, n);
        if (p[n] == ')')
            return p + n + 1 == word + len;
        p += n + 1;
    }
    return false;
}

static const char *read_rate(const char *text, uint64_t *interval_ns) {
    char number[PART_BYTES];
    double per_s;
    const size_t len = strcspn(text, "/");
    memcpy(number, text, len);
    number[len] = '\0';
    if (strcmp(text + len, "/s") != 0 || number[strspn(number, "0123456789.")] ||
        quantity_number(number, &per_s) || per_s <= 0 || per_s > 1e6)
        return "a rate is like 100/s, at most a million";
    *interval_ns = (uint64_t)(1e9 / per_s);
    return NULL;
}

static const char *read_drop(struct hostile_plan *p, const struct call *c) {
    static const char *const types[] = {"", "initiation", "response", "retry", "data"};
    uint64_t ppb;
    if (c->count == 2) {
        unsigned i = 1;
        while (i < 5 && strcmp(types[i], c->parts[0]) != 0)
            i++;
        if (i == 5)
            return "drop(TYPE,CHANCE): TYPE is initiation, response, retry or data";
        p->drop_types |= 1u << i;
    }
    const char *wrong = quantity_parse(c->parts[c->count - 1], QUANTITY_CHANCE, &ppb);
    p->drop_ppb = wrong ? 0 : (uint32_t)ppb;
    return wrong;
}

static const char *read_flood(struct hostile_plan *p, const struct call *c) {
    static const char *const kinds[] = {"random", "initiation", "stranger"};
    unsigned kind = 0;
    while (c->count == 3 && kind < 3 && strcmp(c->parts[2], kinds[kind]) != 0)
        kind++;
    if (c->count < 2 || kind == 3)
        return "flood(HOST,RATE,random|initiation|stranger)";
    p->floods = true;
    p->flood_kind = (enum flood_kind)kind;
    return read_rate(c->parts[1], &p->flood_interval_ns);
}

static const char *read_call(struct hostile_plan *p, const struct call *c) {
    uint64_t v = 0;
    const char *wrong = NULL;
    if (strcmp(c->name, "drop") == 0 && c->count <= 2)
        return read_drop(p, c);
    if (strcmp(c->name, "replay") == 0 && c->count == 1) {
        wrong = quantity_parse(c->parts[0], QUANTITY_CHANCE, &v);
        p->replay_ppb = (uint32_t)v;
        return wrong;
    }
    if (strcmp(c->name, "flood") == 0)
        return read_flood(p, c);
    if (strcmp(c->name, "amplify") == 0 && c->count == 3) {
        p->amplifies = true;
        return read_rate(c->parts[2], &p->amplify_interval_ns);
    }
    if (strcmp(c->name, "icmp") == 0 && c->count == 3) {
        p->icmps = true;
        return read_rate(c->parts[2], &p->icmp_interval_ns);
    }
    if (strcmp(c->name, "lie") == 0 && c->count == 1) {
        p->lies = true;
        return NULL;
    }
    if (strcmp(c->name, "future") == 0 && c->count == 1) {
        wrong = quantity_parse(c->parts[0], QUANTITY_DURATION, &v);
        p->future_us = v / 1000;
        return wrong;
    }
    return "a hostile host has: drop([TYPE,]CHANCE) replay(CHANCE) flood(HOST,RATE[,KIND]) "
           "amplify(VICTIM,REFLECTOR,RATE) icmp(VICTIM,PEER,RATE) lie(HOST) future(TIME) forge";
}

const char *hostile_read(struct hostile_plan *p, const char *word,
                         uint32_t (*find)(const void *ctx, const char *name), const void *ctx) {
    struct call c;
    if (strcmp(word, "forge") == 0) {
        p->forges = true;
        return NULL;
    }
    if (!split(word, &c))
        return "KIND(...) is expected, like drop(10%)";
    const char *wrong = read_call(p, &c);
    if (wrong)
        return wrong;
    uint32_t *wanted[2] = {NULL, NULL};
    if (strcmp(c.name, "flood") == 0)
        wanted[0] = &p->flood_target;
    if (strcmp(c.name, "lie") == 0)
        wanted[0] = &p->lie_host;
    if (strcmp(c.name, "icmp") == 0) {
        wanted[0] = &p->icmp_host;
        wanted[1] = &p->icmp_peer;
    }
    if (strcmp(c.name, "amplify") == 0) {
        wanted[0] = &p->victim;
        wanted[1] = &p->reflector;
    }
    for (unsigned i = 0; i < 2 && wanted[i]; i++) {
        *wanted[i] = find(ctx, c.parts[i]);
        if (*wanted[i] == UINT32_MAX)
            return "there is no node of that name";
    }
    return NULL;
}

/* ---- doing it ---- */

static uint64_t drawn(struct host *h) {
    return draw_u64(&h->world->draw, world_entity(h, ENTITY_HOSTILE), DRAW_HOSTILE,
                    h->hostile->draws++);
}

enum { DO_FLOOD, DO_AMPLIFY, DO_ICMP, DO_BITS = 2, DO_MASK = 3 };

/* The event's tag: what, and since which change of plans: those of an earlier one are void. */
static void plan_next(struct host *h, uint32_t what, uint64_t interval_ns) {
    struct sim *s = h->sim;
    world_push(&s->world, h,
               &(struct event){.time_ns = s->world.now_ns + interval_ns,
                               .kind = EVENT_HOSTILE,
                               .tag = h->plots << DO_BITS | what});
}

void hostile_clear(struct host *h) {
    if (h->hostile) {
        free(h->hostile->kept);
        identity_clear(&h->hostile->forged);
    }
    free(h->hostile);
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

/* A node shows its certificate from its start on. */
static void restart(struct host *h) {
    if (!h->node)
        return;
    host_kill(h);
    if (h->state == HOST_RUNS) /* else somebody has to start it */
        host_start(h);
}

void hostile_begin(struct host *h, const struct hostile_plan *plan) {
    static const struct hostile_plan honest;
    const bool had = h->hostile != NULL;
    if (!had)
        h->hostile = calloc(1, sizeof *h->hostile);
    if (!h->hostile)
        abort();
    const struct hostile_plan before = h->hostile->plan;
    h->hostile->plan = *plan;
    h->plots++;
    if (plan->forges)
        forge(h, &h->hostile->forged);
    if (memcmp(plan, &honest, sizeof honest) == 0) {
        hostile_clear(h);
    } else if (h->world->begun) {
        if (plan->floods)
            plan_next(h, DO_FLOOD, plan->flood_interval_ns);
        if (plan->icmps)
            plan_next(h, DO_ICMP, plan->icmp_interval_ns);
        if (plan->amplifies)
            plan_next(h, DO_AMPLIFY, plan->amplify_interval_ns);
    }
    if (plan->forges != before.forges && h->world->begun)
        restart(h);
    host_tell(h);
    host_set_wall(h);
}

static void keep(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    struct hostile *x = h->hostile;
    if (x->plan.replay_ppb == 0 || len > HOSTILE_KEEP_BYTES)
        return;
    if (!x->kept && !(x->kept = calloc(HOSTILE_KEEP, sizeof *x->kept)))
        abort();
    struct hostile_kept *k = &x->kept[x->kept_next];
    x->kept_next = (x->kept_next + 1) % HOSTILE_KEEP;
    x->kept_count += x->kept_count < HOSTILE_KEEP;
    k->to = *to;
    k->len = len;
    memcpy(k->data, data, len);
}

static void maybe_replay(struct host *h) {
    struct hostile *x = h->hostile;
    if (x->plan.replay_ppb == 0 || x->kept_count == 0 || !draw_chance(drawn(h), x->plan.replay_ppb))
        return;
    const struct hostile_kept k = x->kept[draw_below(drawn(h), x->kept_count)];
    wire_inject(h, NULL, &k.to, k.data, k.len);
}

bool hostile_sends(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len) {
    const struct hostile_plan *p = &h->hostile->plan;
    keep(h, to, data, len);
    maybe_replay(h);
    const bool meant =
        p->drop_types == 0 || (len > 0 && data[0] < 32 && (p->drop_types >> data[0] & 1) != 0);
    if (p->drop_ppb == 0 || !meant || !draw_chance(drawn(h), p->drop_ppb))
        return false;
    h->world->stats.drops[FATE_HOSTILE]++;
    return true;
}

void hostile_receives(struct host *h, const struct addr *from, const uint8_t *data, uint32_t len) {
    keep(h, from, data, len); /* what came is thrown back at its sender */
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

/* A real one, from this host's own identity, which the other does not know or not like this: without a secret. */
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
    if (to->addr_count == 0)
        return NULL;
    if (to->site == SITE_NONE || to->site == h->site)
        return &to->addrs[0];
    return to->outer.kind != ADDR_NONE ? &to->outer : NULL;
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
        data[0] = (uint8_t)(1 + data[0] % 4);
    }
    wire_inject(h, from, at, data, len);
}

/* Right in all that can be known from afar: both addresses, and what a data packet looks like. The MTU is a drawn one. */
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
    icmp_forge(&h->sim->sites, h, &note);
}

void hostile_run(struct host *h, const struct event *e) {
    const uint32_t what = e->tag & DO_MASK;
    if (!h->hostile || e->tag != (h->plots << DO_BITS | what))
        return;
    struct sim *s = h->sim;
    const struct hostile_plan *p = &h->hostile->plan;
    if (what == DO_FLOOD && p->floods) {
        inject(h, s->world.hosts[p->flood_target], NULL, p->flood_kind);
        plan_next(h, DO_FLOOD, p->flood_interval_ns);
    }
    if (what == DO_ICMP && p->icmps) {
        inject_icmp(h);
        plan_next(h, DO_ICMP, p->icmp_interval_ns);
    }
    if (what == DO_AMPLIFY && p->amplifies) {
        const struct addr *victim = address_for(h, s->world.hosts[p->victim]);
        if (victim)
            inject(h, s->world.hosts[p->reflector], victim, FLOOD_INITIATION);
        plan_next(h, DO_AMPLIFY, p->amplify_interval_ns);
    }
}
