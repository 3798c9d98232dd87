#include "sim/invariants/relay_watch.h"

#include <string.h>

#include "crypto/base/bytes.h"

enum { FORWARD = 5, FORWARDED = 6, HEADER_BYTES = 8, DEPTH_MAX = 2 };
enum { NOBODY = UINT32_MAX };

struct bytes_key {
    uint64_t k[2];
};

/* Two words that are another pair for other bytes: nobody in here looks for collisions. */
static struct bytes_key key_of(const uint8_t *data, uint32_t len) {
    uint64_t a = UINT64_C(0xcbf29ce484222325) ^ len, b = UINT64_C(0x9e3779b97f4a7c15) + len;
    for (uint32_t i = 0; i < len; i += 8) {
        uint8_t word[8] = {0};
        memcpy(word, data + i, len - i < 8 ? len - i : 8);
        const uint64_t v = load_le64(word);
        a = (a ^ v) * UINT64_C(0x100000001b3);
        a ^= a >> 29;
        b = (b + v) * UINT64_C(0xd6e8feb86659fd93);
        b ^= b >> 31;
    }
    return (struct bytes_key){{a, b}};
}

void relay_watch_clear(struct relay_watch *r) {
    for (unsigned i = 0; i < 2; i++) {
        watch_map_clear(&r->came[i]);
        watch_map_clear(&r->made[i]);
    }
    watch_map_clear(&r->ends);
    *r = (struct relay_watch){0};
}

static void forget_old(struct relay_watch *r, uint64_t now_ns) {
    static const uint64_t keep_ns = RELAY_WATCH_KEEP_S * UINT64_C(1000000000);
    if (now_ns - r->turned_ns < keep_ns)
        return;
    r->turned_ns = now_ns;
    watch_map_clear(&r->came[1]);
    watch_map_clear(&r->made[1]);
    r->came[1] = r->came[0];
    r->made[1] = r->made[0];
    memset(&r->came[0], 0, sizeof r->came[0]);
    memset(&r->made[0], 0, sizeof r->made[0]);
}

static bool has_header(const struct relay_packet *p, uint8_t type) {
    return p->len > HEADER_BYTES && p->data[0] == type;
}

static struct relay_packet inner_of(const struct relay_packet *p) {
    struct relay_packet in = *p;
    in.data += HEADER_BYTES;
    in.len -= HEADER_BYTES;
    return in;
}

static uint32_t flow_of(const struct relay_packet *p) {
    return load_le32(p->data + 4);
}

/* ---- who has made what ---- */

static void made_by(struct relay_watch *r, const struct relay_packet *p) {
    const struct bytes_key key = key_of(p->data, p->len);
    if (watch_map_find(&r->made[1], key.k[0], key.k[1], 0))
        return;
    struct watch_entry *e = watch_map_at(&r->made[0], key.k[0], key.k[1], 0);
    if (e->b == 0) /* the first who has sent it */
        *e = (struct watch_entry){
            .key = {key.k[0], key.k[1], 0}, .used = true, .a = p->from, .b = 1};
}

static uint32_t maker_of(const struct relay_watch *r, const struct relay_packet *p) {
    const struct bytes_key key = key_of(p->data, p->len);
    for (unsigned i = 2; i-- > 0;) {
        const struct watch_entry *e = watch_map_find(&r->made[i], key.k[0], key.k[1], 0);
        if (e)
            return (uint32_t)e->a;
    }
    return NOBODY;
}

uint32_t relay_watch_maker(const struct relay_watch *r, const struct relay_packet *p) {
    struct relay_packet at = *p;
    for (unsigned depth = 0; depth < DEPTH_MAX && has_header(&at, FORWARDED); depth++) {
        at = inner_of(&at);
        at.from = maker_of(r, &at);
    }
    return at.from;
}

/* ---- what comes to a relay ---- */

/* Of a packet some claims are kept: by which flow it came from whom. Entry: a = that; b = when it
 * came last; c = how often it may leave; set.floor = 1: from a liar. */
enum { CLAIMS = 4 };

static struct watch_entry *claim_of(struct relay_watch *r, uint64_t relay,
                                    const struct bytes_key *key, unsigned i) {
    struct watch_map *old = &r->came[1], *new = &r->came[0];
    struct watch_map *m = watch_map_find(old, relay, key->k[0] ^ i, key->k[1]) ? old : new;
    return watch_map_at(m, relay, key->k[0] ^ i, key->k[1]);
}

static void came(struct relay_watch *r, const struct relay_packet *p) {
    const struct relay_packet in = inner_of(p);
    const struct bytes_key key = key_of(in.data, in.len);
    const uint64_t by = (uint64_t)flow_of(p) << 32 | p->from;
    for (unsigned i = 0; i < CLAIMS; i++) {
        struct watch_entry *e = claim_of(r, p->relay, &key, i);
        if (e->b != 0 && e->a != by)
            continue; /* somebody's copy */
        e->a = by;
        e->b = p->now_ns;
        e->set.floor = p->liar;
        e->c++;
        return;
    }
}

void relay_watch_received(struct relay_watch *r, const struct relay_packet *p) {
    struct relay_packet at = *p;
    forget_old(r, p->now_ns);
    for (unsigned depth = 0; depth < DEPTH_MAX && has_header(&at, FORWARDED); depth++) {
        at = inner_of(&at);
        at.from = maker_of(r, &at);
    }
    if (has_header(&at, FORWARD))
        came(r, &at);
}

/* ---- what leaves it ---- */

/* How well a claim fits the end by which a packet leaves: it is that flow's; neither end has been
 * used before, and it comes from an honest host; it may leave at all. */
static unsigned fits(const struct relay_watch *r, uint64_t relay, const struct watch_entry *e,
                     uint32_t out) {
    const struct watch_entry *end = watch_map_find(&r->ends, relay, e->a >> 32, 0);
    const struct watch_entry *other = watch_map_find(&r->ends, relay, out, 0);
    const bool is_its = end && end->a == UINT64_C(1) + out;
    if (is_its && end->b == UINT64_C(1) + (uint32_t)e->a)
        return 16;
    const bool is_new = is_its ? end->b == 0 : !end && !other;
    return (is_new ? 8u : 0u) + (e->set.floor == 0 ? 4u : 0u) + (e->c > 0 ? 2u : 0u);
}

/* The claim that fits best. */
static struct watch_entry *find_claim(struct relay_watch *r, const struct relay_packet *in,
                                      uint32_t out) {
    const struct bytes_key key = key_of(in->data, in->len);
    struct watch_entry *best = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < CLAIMS; i++) {
        if (!watch_map_find(&r->came[0], in->relay, key.k[0] ^ i, key.k[1]) &&
            !watch_map_find(&r->came[1], in->relay, key.k[0] ^ i, key.k[1]))
            continue;
        struct watch_entry *e = claim_of(r, in->relay, &key, i);
        const unsigned much = 1 + fits(r, in->relay, e, out);
        if (much > most) {
            most = much;
            best = e;
        }
    }
    return best;
}

/* The two ends of a flow belong together from its first packet on. Entry: a = 1 + the other end;
 * b = 1 + who uses this one. */
static const char *bind_ends(struct relay_watch *r, uint64_t relay, uint64_t by, uint32_t out) {
    const uint32_t in = (uint32_t)(by >> 32), who = (uint32_t)by;
    struct watch_entry *e = watch_map_at(&r->ends, relay, in, 0);
    if (e->a == 0)
        e->a = UINT64_C(1) + out;
    if (e->b == 0)
        e->b = UINT64_C(1) + who;
    if (e->a != UINT64_C(1) + out)
        return "what came by one flow to the end of another";
    if (e->b != UINT64_C(1) + who)
        return "what another host has put into a flow";
    e = watch_map_at(&r->ends, relay, out, 0);
    if (e->a == 0)
        e->a = UINT64_C(1) + in;
    return e->a == UINT64_C(1) + in ? NULL : "what came by another flow than the one of this end";
}

static void judge(struct relay_watch *r, const struct relay_packet *p, struct relay_judgement *j) {
    const struct relay_packet in = inner_of(p);
    struct watch_entry *e = find_claim(r, &in, flow_of(p));
    j->judged = true;
    j->from = maker_of(r, &in);
    if (!e) {
        j->crossed = "what nobody has given it";
        j->grown = "of which nothing came";
        return;
    }
    j->waited_ns = p->now_ns - e->b;
    if (e->c == 0)
        j->grown = "more often than they came";
    else
        e->c--;
    j->crossed = bind_ends(r, p->relay, e->a, flow_of(p));
}

struct relay_judgement relay_watch_sent(struct relay_watch *r, const struct relay_packet *p) {
    struct relay_judgement j = {.from = NOBODY};
    struct relay_packet at = *p;
    forget_old(r, p->now_ns);
    for (unsigned depth = 0; depth < DEPTH_MAX && has_header(&at, FORWARD); depth++) {
        at = inner_of(&at);
        made_by(r, &at);
    }
    if (has_header(&at, FORWARDED))
        judge(r, &at, &j);
    return j;
}
